"""Tokens per second of a Transformer that decodes greedily: with a cache (this program), and without, as Keras's examples do.

`python -m seqdec_gui.runner.bench.translating JOB FOLDER` measures one contender and prints one line `MEASURED {json}`.

- `product`: as `generate` does, the encoder included.
- `keras-prefix`: the loop of Keras's examples: `predict` of the whole stack on source and prefix for each token.
- `compiled-prefix`: the stronger loop without a cache: encoder once, then one compiled loop that runs the decoder on the whole
  prefix for each token (JAX).

No token ends a sequence, so that all make the same number. A loop without a cache takes as long for each token, since prefixes
are padded to the greatest length; on a CPU it makes `TOKENS_ON_CPU` of them.
"""

from __future__ import annotations

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
from seqdec_gui.domain.decoding import GREEDY
from seqdec_gui.domain.shapes import infer
from seqdec_gui.runner.bench import work
from seqdec_gui.runner.bench.generate_work import BEGIN, GenerateJob, GenerateMeasured

Array = npt.NDArray[Any]
Run = Callable[[], Array]
"""Generates, and returns the tokens `(rows, steps)`: the same for all, as far as they go."""
TOKENS_ON_CPU = 2
"""Tokens that a loop without a cache makes on a CPU: it takes seconds for each."""
CALLS = 3
"""Calls after the first that are measured, of which the median counts; of a loop without a cache on a CPU it is one."""
SPREAD = 1.5
"""Factor on the initial kernels, so that the predicted tokens differ from step to step."""


def stack_of(job: GenerateJob, folder: Path) -> tuple[Any, dict[str, Any], Array]:
    """Return the design, its models with weights that are the same on every framework, and the source `(rows, steps)`."""
    from seqdec_gui.runner.program import load_build

    made = work.design(work.Job(job.size, job.devices, 64, 1))
    path = folder / "model.py"
    path.write_text(generate(made), encoding="utf-8")
    models = load_build(path)()
    random = np.random.default_rng(0)
    for name in ("model_1", "model_2"):
        weights = []
        for weight in models[name].weights:
            many = len(weight.shape) > 1
            weights.append(
                random.normal(size=weight.shape) * SPREAD / np.sqrt(weight.shape[0]) if many else np.zeros(weight.shape)
            )
            if "gamma" in weight.path:
                weights[-1] = np.ones(weight.shape)
        models[name].set_weights(weights)
    source = work.TRANSLATORS[job.size].arrays(job.rows, 1)["source"].astype(np.int32)
    return made, models, source


def product(job: GenerateJob, folder: Path) -> Run:
    from seqdec_gui.runner.decoding.batches import OneEach
    from seqdec_gui.runner.decoding.search import Items, Search
    from seqdec_gui.runner.decoding.step import StepDecoder

    made, models, source = stack_of(job, folder)
    shape = work.TRANSLATORS[job.size]
    decoder = StepDecoder(made, infer(made), models, "model_2", "ids", shape.symbols)
    may = np.arange(shape.symbols) > BEGIN
    search = Search(Symbols(BEGIN, None, shape.steps, may, np.arange(shape.symbols), str, False), shape.symbols, decoder)
    rows = np.arange(job.rows)

    def run() -> Array:
        def states_of(which: Array) -> list[Any]:
            return decoder.initial_states({"source": source[which]}, len(which))

        parts = search.find(Items(rows, np.zeros_like(rows)), states_of, GREEDY, 0, may, 0, job.rows)
        return np.concatenate([ready.ids for ready in parts if isinstance(ready, OneEach)])

    return run


def _tokens(job: GenerateJob) -> int:
    steps = work.TRANSLATORS[job.size].steps
    return steps if job.devices.kind == "gpu" else min(steps, TOKENS_ON_CPU)


def keras_prefix(job: GenerateJob, folder: Path) -> Run:
    _, models, source = stack_of(job, folder)
    full, shape, tokens = models["full"], work.TRANSLATORS[job.size], _tokens(job)
    named = {tensor.name: place for place, tensor in enumerate(full.inputs)}

    def run() -> Array:
        prefix = np.zeros((job.rows, shape.steps + 1), np.int32)
        prefix[:, 0] = BEGIN
        for step in range(tokens):
            given = [source, prefix[:, :-1]] if named["source"] == 0 else [prefix[:, :-1], source]
            p = full.predict(given, batch_size=job.rows, verbose=0)[:, step]
            prefix[:, step + 1] = p[:, BEGIN + 1 :].argmax(axis=-1) + BEGIN + 1
        return prefix[:, 1 : tokens + 1]

    return run


def compiled_prefix(job: GenerateJob, folder: Path) -> Run:
    import jax
    import jax.numpy as jnp

    _, models, source = stack_of(job, folder)
    encoder, decoder, shape, tokens = models["model_1"], models["model_2"], work.TRANSLATORS[job.size], _tokens(job)

    @jax.jit
    def decode(of_encoder: Any, of_decoder: Any, source: Any) -> Any:
        memory = encoder.stateless_call(*of_encoder, source, training=False)[0]

        def body(step: Any, prefix: Any) -> Any:
            p = decoder.stateless_call(*of_decoder, [prefix[:, :-1], memory], training=False)[0]
            here = jax.lax.dynamic_index_in_dim(p, step, 1, keepdims=False)
            chosen = jnp.argmax(here[:, BEGIN + 1 :], axis=-1) + BEGIN + 1
            return jax.lax.dynamic_update_index_in_dim(prefix, chosen.astype(prefix.dtype), step + 1, 1)

        prefix = jnp.zeros((source.shape[0], shape.steps + 1), jnp.int32).at[:, 0].set(BEGIN)
        return jax.lax.fori_loop(0, tokens, body, prefix)

    def weights(model: Any) -> tuple[list[Any], list[Any]]:
        return [each.value for each in model.trainable_variables], [each.value for each in model.non_trainable_variables]

    def run() -> Array:
        return np.asarray(decode(weights(encoder), weights(decoder), source))[:, 1 : tokens + 1]

    return run


def main() -> None:
    job = msgspec.json.decode(sys.argv[1], type=GenerateJob)
    folder = Path(sys.argv[2])
    makers = {"product": product, "keras-prefix": keras_prefix, "compiled-prefix": compiled_prefix}
    run = makers[job.who](job, folder)
    start = time.perf_counter()
    run()
    first = time.perf_counter() - start
    rates: list[tuple[float, int]] = []
    calls = CALLS if job.who == "product" or job.devices.kind == "gpu" else 1
    for _ in range(calls):
        start = time.perf_counter()
        symbols = run().size
        rates.append((time.perf_counter() - start, symbols))
    seconds, symbols = sorted(rates)[calls // 2]
    steps = work.TRANSLATORS[job.size].steps
    measured = GenerateMeasured(symbols / seconds / steps, symbols / seconds, first, steps)
    sys.stdout.write(f"MEASURED {msgspec.json.encode(measured).decode()}\n")


if __name__ == "__main__":
    main()
