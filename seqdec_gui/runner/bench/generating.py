"""Sequences per second of generating at temperature 1: this program's, and what people write by hand, with the same weights.

`python -m seqdec_gui.runner.bench.generating JOB FOLDER` measures one contender and prints one line `MEASURED {json}`.

- `product`: as `generate` does, the encoder side included.
- `keras-predict`: the loop of Keras's guides, `predict` for each symbol of one row after the other.
- `keras-predict-batch`: the same loop for many rows together, until the last of them has ended.
- `jax-while`: a sampler written by hand for JAX: the whole loop over steps in one compiled `while_loop`, products fused.
- `torch-graph`: a sampler written by hand for PyTorch: chunks of steps as one CUDA graph (`generate_torch`); on a CPU no graph.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from seqdec_gui.data.symbols import Symbols
from seqdec_gui.domain.codegen import generate
from seqdec_gui.domain.decoding import Sampling
from seqdec_gui.domain.shapes import infer
from seqdec_gui.runner.bench.generate_work import BEGIN, END, GenerateJob, GenerateMeasured, design, latents

Array = npt.NDArray[Any]
LEAST_CALLS, MOST_CALLS, MEASURED_S = 3, 100, 0.5
"""Calls after the first that are measured, of which the median counts: several of those that take milliseconds."""
ROWS_OF_A_LOOP = 3
"""Rows that `keras-predict` decodes: it takes seconds for each."""


def models_of(job: GenerateJob, folder: Path) -> tuple[Any, dict[str, Any]]:
    """Return the design and its models, with weights that are the same on every framework."""
    from seqdec_gui.runner.program import load_build

    made = design(job)
    path = folder / "model.py"
    path.write_text(generate(made), encoding="utf-8")
    models = load_build(path)()
    random = np.random.default_rng(0)
    for name in ("model_1", "model_2"):
        weights = []
        for weight in models[name].weights:
            if "variance" in weight.path or "gamma" in weight.path:
                weights.append(np.ones(weight.shape))
            elif len(weight.shape) == 2:
                weights.append(random.normal(size=weight.shape) / np.sqrt(weight.shape[0]))
            else:
                weights.append(np.zeros(weight.shape))
        models[name].set_weights(weights)
    return made, models


def weights_of(job: GenerateJob, folder: Path) -> dict[str, Array]:
    """Return the weights by `layer.number`, as Keras numbers the weights of a layer."""
    _, models = models_of(job, folder)
    return {
        f"{layer.name}.{at}": np.asarray(weight)
        for name in ("model_1", "model_2")
        for layer in models[name].layers
        for at, weight in enumerate(layer.get_weights())
    }


Run = Callable[[], tuple[int, int]]
"""Generates all sequences, and returns how many, and how many symbols."""


def product(job: GenerateJob, folder: Path) -> Run:
    from seqdec_gui.runner.decoding.batches import OneEach
    from seqdec_gui.runner.decoding.search import Items, Search
    from seqdec_gui.runner.decoding.step import StepDecoder

    made, models = models_of(job, folder)
    size, latent = job.shape, latents(job)
    decoder = StepDecoder(made, infer(made), models, "model_2", "one_hot", size.outputs)
    may = np.arange(size.outputs) >= END
    symbols = Symbols(BEGIN, END, size.steps, may, np.arange(size.outputs), str, True)
    search = Search(symbols, size.outputs, decoder)
    rows = np.arange(job.rows)

    def run() -> tuple[int, int]:
        items = Items(rows, np.zeros_like(rows))

        def states_of(which: Array) -> list[Any]:
            return decoder.initial_states({"latent": latent[which]}, len(which))

        parts = search.find(items, states_of, Sampling(), 0, may, 0, job.together)
        lengths = np.concatenate([ready.lengths for ready in parts if isinstance(ready, OneEach)])
        return len(lengths), int(lengths.sum())

    return run


def keras_predict(job: GenerateJob, folder: Path, together: int) -> Run:
    from seqdec_gui.runner.decoding.step import build_step

    made, models = models_of(job, folder)
    step, encoder, latent, size = build_step(made, models["model_2"], "model_2"), models["model_1"], latents(job), job.shape
    symbols = np.eye(size.outputs, dtype="float32")

    def batch(rows: Array) -> int:
        random = np.random.default_rng(0)
        states = encoder.predict(rows, verbose=0)
        fed, going, length = np.full(len(rows), BEGIN), np.ones(len(rows), bool), 0
        for _ in range(size.steps):
            p, *states = step.predict([symbols[fed][:, None], *states], verbose=0)
            p = p[:, 0].astype("float64") * (np.arange(size.outputs) >= END)
            edges = p.cumsum(axis=1)
            fed = (edges <= random.random((len(rows), 1)) * edges[:, -1:]).sum(axis=1)
            length += int(going.sum())
            going &= fed != END
            if not going.any():
                break
        return length

    def run() -> tuple[int, int]:
        count = min(job.rows, ROWS_OF_A_LOOP if together == 1 else together)
        return count, sum(batch(latent[start : start + together]) for start in range(0, count, together))

    return run


def jax_while(job: GenerateJob, folder: Path) -> Run:
    import jax
    import jax.numpy as jnp

    size, latent = job.shape, latents(job)
    weights = {name: jnp.asarray(weight) for name, weight in weights_of(job, folder).items()}
    may = jnp.arange(size.outputs) >= END
    together = job.together

    def normalised(w: Any, name: str, x: Any) -> Any:
        gamma, beta, mean, variance = (w[f"{name}.{at}"] for at in range(4))
        scale = gamma * jax.lax.rsqrt(variance + 1e-3)
        return x * scale + (beta - mean * scale)

    def first_states(w: Any, x: Any) -> list[Any]:
        return [
            normalised(w, f"BN_{part}_{layer}", jax.nn.relu(x @ w[f"Dense_{part}_{layer}.0"] + w[f"Dense_{part}_{layer}.1"]))
            for layer in range(size.layers)
            for part in "hc"
        ]

    @jax.jit
    def sample(w: Any, x: Any, key: Any) -> Any:
        def body(carry: Any) -> Any:
            t, key, fed, states, ids, sums, going = carry
            following, below = [], None
            for layer in range(size.layers):
                kernel, recurrent, bias = (w[f"Decoder_LSTM_{layer}.{at}"] for at in range(3))
                h, c = states[2 * layer], states[2 * layer + 1]
                from_below = kernel[fed] if below is None else below @ kernel
                i, f, g, o = jnp.split(from_below + h @ recurrent + bias, 4, axis=1)
                c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
                h = jax.nn.sigmoid(o) * jnp.tanh(c)
                following += [h, c]
                below = normalised(w, f"BN_Decoder_{layer}", h)
            log_p = jax.nn.log_softmax(below @ w["Dense_Decoder.0"] + w["Dense_Decoder.1"])
            key, own = jax.random.split(key)
            chosen = jax.random.categorical(own, jnp.where(may, log_p, -jnp.inf))
            sums += jnp.where(going, jnp.take_along_axis(log_p, chosen[:, None], 1)[:, 0], 0)
            ids = ids.at[:, t].set(jnp.where(going, chosen, END))
            return t + 1, key, chosen, following, ids, sums, going & (chosen != END)

        rows = x.shape[0]
        start = (0, key, jnp.full(rows, BEGIN), first_states(w, x), jnp.full((rows, size.steps), END), jnp.zeros(rows),
                 jnp.ones(rows, bool))  # fmt: skip
        _, _, _, _, ids, sums, _ = jax.lax.while_loop(lambda carry: (carry[0] < size.steps) & carry[-1].any(), body, start)
        return ids, sums

    def run() -> tuple[int, int]:
        found = [
            sample(weights, latent[start : start + together], jax.random.key(start))
            for start in range(0, job.rows - together + 1, together)
        ]
        lengths = sum(int((np.asarray(ids) != END).sum() + ((np.asarray(ids) == END).any(axis=1)).sum()) for ids, _ in found)
        return together * len(found), lengths

    return run


def main() -> None:
    job = msgspec.json.decode(sys.argv[1], type=GenerateJob)
    folder = Path(sys.argv[2])
    match job.who:
        case "product":
            run = product(job, folder)
        case "jax-while":
            run = jax_while(job, folder)
        case "torch-graph":
            os.environ["JAX_PLATFORMS"] = "cpu"  # Keras makes the weights; the GPU is PyTorch's
            from seqdec_gui.runner.bench.generate_torch import torch_graph

            run = torch_graph(job, weights_of(job, folder))
        case _:
            run = keras_predict(job, folder, 1 if job.who == "keras-predict" else job.together)
    start = time.perf_counter()
    run()
    first = time.perf_counter() - start
    rates: list[tuple[float, int, int]] = []
    while len(rates) < LEAST_CALLS or (sum(each[0] for each in rates) < MEASURED_S and len(rates) < MOST_CALLS):
        start = time.perf_counter()
        sequences, symbols = run()
        rates.append((time.perf_counter() - start, sequences, symbols))
    seconds, sequences, symbols = sorted(rates)[len(rates) // 2]
    measured = GenerateMeasured(sequences / seconds, symbols / seconds, first, symbols / sequences)
    sys.stdout.write(f"MEASURED {msgspec.json.encode(measured).decode()}\n")


if __name__ == "__main__":
    main()
