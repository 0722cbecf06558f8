"""PyTorch as an expert writes a Transformer: fused attention (SDPA), `torch.compile`, a fused Adam, rows on the device.

One process and one device. TensorFloat-32 is on, as in the product.
"""

from __future__ import annotations

import contextlib
import math
from typing import Any

import torch
from torch import nn
from torch.nn import functional

from seqdec_gui.runner.bench.peer import given, measure, tell
from seqdec_gui.runner.bench.work import Translator, arrays


class Attention(nn.Module):
    """Multi-head attention of `x` on `memory`, `(rows, steps, width)`."""

    def __init__(self, size: Translator) -> None:
        super().__init__()
        self._heads = size.heads
        self.query, self.out = nn.Linear(size.width, size.width), nn.Linear(size.width, size.width)
        self.key_value = nn.Linear(size.width, 2 * size.width)

    def forward(self, x: Any, memory: Any, causal: bool) -> Any:
        rows, steps, width = x.shape
        query, key, value = (
            part.view(rows, -1, self._heads, width // self._heads).transpose(1, 2)
            for part in (self.query(x), *self.key_value(memory).chunk(2, -1))
        )
        found = functional.scaled_dot_product_attention(query, key, value, is_causal=causal)
        return self.out(found.transpose(1, 2).reshape(rows, steps, width))


class Layer(nn.Module):
    """Attention, on a memory as well in a decoder, and a feed-forward part, each normalised before."""

    def __init__(self, size: Translator, decodes: bool) -> None:
        super().__init__()
        self._decodes = decodes
        self.attentions = nn.ModuleList(Attention(size) for _ in range(1 + decodes))
        self.norms = nn.ModuleList(nn.LayerNorm(size.width, eps=1e-6) for _ in range(2 + decodes))
        self.inner, self.outer = nn.Linear(size.width, size.feed_forward), nn.Linear(size.feed_forward, size.width)

    def forward(self, x: Any, memory: Any = None) -> Any:
        y = self.norms[0](x)
        x = x + self.attentions[0](y, y, self._decodes)
        if self._decodes:
            x = x + self.attentions[1](self.norms[1](x), memory, False)
        return x + self.outer(functional.relu(self.inner(self.norms[-1](x))))


class Transformer(nn.Module):
    """The same model by hand."""

    def __init__(self, size: Translator) -> None:
        super().__init__()
        self._scale = math.sqrt(size.width)
        self.embeddings = nn.ModuleList(nn.Embedding(size.symbols, size.width) for _ in range(2))
        self.encoder = nn.ModuleList(Layer(size, False) for _ in range(size.layers))
        self.decoder = nn.ModuleList(Layer(size, True) for _ in range(size.layers))
        self.norms = nn.ModuleList(nn.LayerNorm(size.width, eps=1e-6) for _ in range(2))
        self.head = nn.Linear(size.width, size.symbols)
        self.register_buffer("places", sinusoid(size.steps, size.width))
        for part in self.modules():  # as Keras begins: Glorot for Dense, small numbers for an embedding
            if isinstance(part, nn.Linear):
                nn.init.xavier_uniform_(part.weight)
                nn.init.zeros_(part.bias)
            elif isinstance(part, nn.Embedding):
                nn.init.uniform_(part.weight, -0.05, 0.05)

    def forward(self, source: Any, inputs: Any) -> Any:
        memory, x = (
            embedding(ids) * self._scale + self.places for embedding, ids in zip(self.embeddings, (source, inputs), strict=True)
        )
        for layer in self.encoder:
            memory = layer(memory)
        memory = self.norms[0](memory)
        for layer in self.decoder:
            x = layer(x, memory)
        return self.head(self.norms[1](x))


def sinusoid(steps: int, width: int) -> Any:
    """Return sines and then cosines of every step, `(steps, width)`."""
    rates = 10_000 ** (-torch.arange(0, width, 2) / width)
    angles = torch.arange(steps)[:, None] * rates
    return torch.cat([angles.sin(), angles.cos()], 1).float()


def main() -> None:
    job, _ = given()
    size, device = job.network, torch.device("cuda" if job.devices.kind == "gpu" else "cpu")
    assert isinstance(size, Translator)
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = True
    torch.manual_seed(0)
    model: Any = Transformer(size).to(device)
    optimizer = torch.optim.Adam(model.parameters(), 1e-3, fused=True)
    rows = {name: torch.from_numpy(array.astype("int32")).to(device) for name, array in arrays(size, job.rows).items()}
    half = job.precision == "bfloat16"

    def loss_of(source: Any, inputs: Any, targets: Any) -> Any:
        with torch.autocast(device.type, torch.bfloat16) if half else contextlib.nullcontext():
            predictions = model(source, inputs)
        return functional.cross_entropy(predictions.flatten(0, 1).float(), targets.flatten().long())

    compiled = torch.compile(loss_of)

    def epoch() -> float:
        total = torch.zeros((), device=device)
        for first in range(0, job.rows, job.batch):
            loss = compiled(*(column[first : first + job.batch] for column in rows.values()))
            loss.backward()
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
            total += loss.detach()
        return float(total) / job.steps  # waits for the device

    tell(measure(job, epoch))


if __name__ == "__main__":
    main()
