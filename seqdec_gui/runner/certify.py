"""The child process of a certificate: trains a few steps without randomness at the highest precision, for a comparison."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import msgspec
import numpy as np

from seqdec_gui.data.order import epoch_order
from seqdec_gui.domain.design import Design
from seqdec_gui.domain.document import from_builtins
from seqdec_gui.domain.layers.specs import random_arguments
from seqdec_gui.runner import engines
from seqdec_gui.runs.spec import Placement
from seqdec_gui.runs.task_results import Trained, WeightName
from seqdec_gui.runs.tasks import CertifyTask, Progress, TaskChannel

if TYPE_CHECKING:
    import keras

    from seqdec_gui.data.dataset import Dataset
    from seqdec_gui.runner.engines.base import Engine

MAX_COMPARED_ROWS = 256
"""Most rows whose predictions are compared."""


def train_for_certificate(task: CertifyTask, channel: TaskChannel, scratch: Path) -> Trained:
    """Train `task.steps` steps from the design's seed, and write weights, predictions and losses to `task.output`.

    The weights after the first step are written as well: there the statistics depend on that step's forward pass alone.
    Raises InvalidInput where the design's rows cannot be read.
    """
    if task.devices.kind == "cpu" and task.devices.replicas == 1 and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})  # or JAX divides a batch among the cores of a single CPU
    from seqdec_gui.runner.block_weights import load_block_weights
    from seqdec_gui.runner.program import FULL, Program
    from seqdec_gui.runner.random_rows import rows_for
    from seqdec_gui.runner.script_files import write_script

    channel.send(Progress(total=task.steps, text=f"{task.devices}"))
    design = in_float32(from_builtins(task.design))
    batch = design.training.batch_size
    design, dataset = rows_for(design, Path(task.folder), task.real_rows, max(batch, MAX_COMPARED_ROWS))
    write_script(design, scratch / "model.py", (Path(task.folder),))
    program = Program.of(design, scratch / "model.py")
    engine = engines.create(Placement(task.devices, task.engine), program, exact=True)
    engine.build()
    load_block_weights(program.design, engine.models, (Path(task.folder),))
    engine.load()
    switched_off = switch_off_randomness(engine.training_model)
    names, initial = weights_of(engine.models, FULL)
    check_sum = hashlib.sha256(b"".join(np.ascontiguousarray(value).tobytes() for value in initial)).hexdigest()
    engine.start(dataset)
    arrays, metrics = _train(engine, dataset, task.steps, channel)
    arrays |= {f"i{i}": value for i, value in enumerate(initial)}
    np.savez(task.output, **cast(Any, arrays))
    outputs = tuple(loss_term.name for loss_term in program.losses)
    return Trained(
        weights=names, outputs=outputs, metrics=metrics, initial=check_sum, switched_off=switched_off,
        data="real" if task.real_rows else "random",
    )  # fmt: skip


def in_float32(design: Design) -> Design:
    """Return the design with precision float32: a certificate compares devices, not the rounding of bfloat16."""
    return design.with_training(msgspec.structs.replace(design.training, precision="float32"))


def switch_off_randomness(model: keras.Model) -> tuple[str, ...]:
    """Set every dropout rate and every deviation of noise in the model to 0; returns the names of the changed layers."""
    from seqdec_gui.runner.normalization import all_layers

    changed = []
    names = random_arguments()
    for layer in all_layers(model):
        for part in (layer, getattr(layer, "cell", None)):
            rates = [name for name in names if name in vars(part)] if part is not None else []
            for name in rates:
                if getattr(part, name):
                    setattr(part, name, 0.0)
                    changed.append(layer.name)
    return tuple(dict.fromkeys(changed))


def weights_of(models: dict[str, keras.Model], full: str) -> tuple[tuple[WeightName, ...], list[np.ndarray]]:
    """Return names and values of all variables of all blocks, without the states of random generators."""
    from seqdec_gui.runner.randomness import seed_states

    names, values = [], []
    for block, model in models.items():
        if block == full:
            continue
        seeds = {id(state) for state in seed_states(model)}
        for variable in model.variables:
            if id(variable) not in seeds:
                names.append(WeightName(block, variable.path, bool(variable.trainable and model.trainable)))
                values.append(np.asarray(variable.numpy()))
    return tuple(names), values


def _train(
    engine: Engine, dataset: Dataset, steps: int, channel: TaskChannel
) -> tuple[dict[str, np.ndarray], dict[str, float | None]]:
    """Train, and return the arrays of `runs.tasks.Trained` and the metrics of the last interval (None: not finite)."""
    from seqdec_gui.runner.program import FULL

    training = engine.program.training
    count = steps * training.batch_size
    order = [epoch_order(training.seed, epoch, len(dataset.training)) for epoch in range(1, 2 + count // len(dataset.training))]
    rows = dataset.training[np.concatenate(order)[:count]].reshape(steps, -1)
    rates = np.full(steps, training.learning_rate, np.float32)
    kl_weights = np.tile(np.array([term.weight for term in engine.program.kl_terms], np.float32), (steps, 1))
    first = engine.train(rows[:1], rates[:1], kl_weights[:1])
    engine.sync()
    arrays: dict[str, Any] = {f"s{i}": value for i, value in enumerate(weights_of(engine.models, FULL)[1])}
    channel.send(Progress(done=1, total=steps, text=f"{engine.devices}"))
    intervals = [first]
    if steps > 1:
        intervals.append(engine.train(rows[1:], rates[1:], kl_weights[1:]))
        engine.sync()
    channel.send(Progress(done=steps, total=steps, text=f"{engine.devices}"))
    arrays |= {f"w{i}": value for i, value in enumerate(weights_of(engine.models, FULL)[1])}
    arrays |= {f"p{i}": value for i, value in enumerate(engine.predict(dataset.training[:MAX_COMPARED_ROWS]))}
    arrays["losses"] = np.concatenate([interval.losses for interval in intervals])
    last = intervals[-1].metrics
    means = {name: float(last[name].mean) for name in last}
    return arrays, {name: value if np.isfinite(value) else None for name, value in means.items()}


__all__ = ["in_float32", "switch_off_randomness", "train_for_certificate", "weights_of"]
