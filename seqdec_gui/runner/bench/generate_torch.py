"""Generating with PyTorch as an expert tunes it for GPUs: chunks of steps captured as one CUDA graph, without a host between.

A graph holds `CHUNK` steps of the whole stack: gathers from the first kernel in place of one-hot products, two products per
further layer, symbols drawn by the Gumbel trick on the device. After each replay one flag says whether a sequence goes on.
TensorFloat-32 is on, as in the product. On a CPU the same steps run without a graph.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch

from seqdec_gui.runner.bench.generate_work import BEGIN, END, GenerateJob, latents

CHUNK = 16
"""Steps of a graph; after them the host asks whether all sequences have ended."""
WARM_UPS = 3
"""Runs before the capture, in which libraries allocate what they need."""


class Sampler:
    """Draws the sequences of `rows` latent vectors together. Everything it writes lies in tensors that stay in their places."""

    def __init__(self, job: GenerateJob, weights: Mapping[str, Any], rows: int, device: Any) -> None:
        self._size, self._device, size = job.shape, device, job.shape
        self._weights = {name: torch.from_numpy(array).to(device) for name, array in weights.items()}
        self._barred = torch.zeros(size.outputs, device=device)
        self._barred[:END] = -float("inf")
        self._steps = -(-size.steps // CHUNK) * CHUNK
        self.latent = torch.zeros(rows, size.latent, device=device)
        self.ids = torch.full((self._steps, rows), END, device=device)
        self.sums = torch.zeros(rows, device=device)
        self._fed = torch.full((rows,), BEGIN, device=device)
        self._going = torch.ones(rows, dtype=torch.bool, device=device)
        self._goes_on = torch.ones((), dtype=torch.bool, device=device)
        self._at = torch.zeros(1, dtype=torch.long, device=device)
        self._states = [torch.zeros(rows, size.units, device=device) for _ in range(2 * size.layers)]
        self._begin, self._chunk = self._captured(self._first), self._captured(self._some_steps)

    def sample(self, latent: Any) -> tuple[Any, Any]:
        """Return ids `(rows, steps)` and log-likelihoods `(rows,)` on the host."""
        self.latent.copy_(latent)
        self._begin()
        for _ in range(0, self._size.steps, CHUNK):
            self._chunk()
            if not bool(self._goes_on):  # waits for the device
                break
        return self.ids[: self._size.steps].t().cpu(), self.sums.cpu()

    def _captured(self, function: Callable[[], None]) -> Callable[[], None]:
        """Return `function` as the replay of a CUDA graph, or itself on a CPU."""
        if self._device.type != "cuda":
            return function
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            for _ in range(WARM_UPS):
                self._at.zero_()
                function()
        torch.cuda.current_stream().wait_stream(stream)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            function()
        replay: Callable[[], None] = graph.replay
        return replay

    def _first(self) -> None:
        w = self._weights
        for layer in range(self._size.layers):
            for k, part in enumerate("hc"):
                name = f"{part}_{layer}"
                dense = torch.addmm(w[f"Dense_{name}.1"], self.latent, w[f"Dense_{name}.0"])
                self._states[2 * layer + k].copy_(self._normalised(f"BN_{name}", torch.relu(dense)))
        self.ids.fill_(END)
        self.sums.zero_()
        self._fed.fill_(BEGIN)
        self._going.fill_(True)
        self._at.zero_()

    def _some_steps(self) -> None:
        for _ in range(CHUNK):
            self._step()
        self._goes_on.copy_(self._going.any())

    def _step(self) -> None:
        w, below = self._weights, None
        for layer in range(self._size.layers):
            h, c = self._states[2 * layer], self._states[2 * layer + 1]
            kernel, recurrent, bias = (w[f"Decoder_LSTM_{layer}.{at}"] for at in range(3))
            from_below = kernel[self._fed] if below is None else torch.mm(below, kernel)
            gates = torch.addmm(from_below, h, recurrent) + bias
            i, f, g, o = gates.chunk(4, dim=1)
            c.copy_(torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g))
            h.copy_(torch.sigmoid(o) * torch.tanh(c))
            below = self._normalised(f"BN_Decoder_{layer}", h)
        log_p = torch.log_softmax(torch.addmm(w["Dense_Decoder.1"], below, w["Dense_Decoder.0"]), dim=1)
        noise = torch.empty_like(log_p).exponential_().log_()
        chosen = torch.argmax(log_p + self._barred - noise, dim=1)
        going = self._going & (self._at < self._size.steps)
        self.sums.add_(torch.where(going, log_p.gather(1, chosen[:, None])[:, 0], torch.zeros_like(self.sums)))
        self.ids.index_copy_(0, self._at, torch.where(going, chosen, torch.full_like(chosen, END))[None])
        self._fed.copy_(chosen)
        self._going.copy_(going & (chosen != END))
        self._at.add_(1)

    def _normalised(self, name: str, x: Any) -> Any:
        gamma, beta, mean, variance = (self._weights[f"{name}.{at}"] for at in range(4))
        scale = gamma * torch.rsqrt(variance + 1e-3)
        return torch.addcmul(beta - mean * scale, x, scale)


def torch_graph(job: GenerateJob, weights: Mapping[str, Any]) -> Callable[[], tuple[int, int]]:
    """Return what generates all sequences, and returns how many, and how many symbols."""
    torch.manual_seed(0)
    torch.backends.cuda.matmul.allow_tf32 = True
    device = torch.device("cuda", 0) if job.devices.kind == "gpu" else torch.device("cpu")
    together = job.together
    latent = torch.from_numpy(latents(job)).to(device)
    with torch.no_grad():
        sampler = Sampler(job, weights, together, device)

    def run() -> tuple[int, int]:
        symbols, starts = 0, range(0, job.rows - together + 1, together)
        with torch.no_grad():
            for start in starts:
                ids, _ = sampler.sample(latent[start : start + together])
                symbols += int((ids != END).sum()) + int((ids == END).any(dim=1).sum())
        return together * len(starts), symbols

    return run
