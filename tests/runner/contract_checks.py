"""What every engine must answer, in a child with two virtual CPU devices: `contract_checks.py ENGINE FOLDER`."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

from seqdec_gui.data.dataset import Dataset
from seqdec_gui.runner import engines
from seqdec_gui.runner.engines.base import Engine
from seqdec_gui.runs.spec import DeviceChoice, Placement
from tests.runner import train_on

STEPS = 3


def made(name: str, folder: Path, devices: int) -> tuple[Engine, Dataset]:
    """The engine on so many devices, ready to train without chance."""
    here = folder / str(len(list(folder.iterdir())))
    here.mkdir()
    program, dataset = train_on.prepared("stack", here)
    engine = engines.create(Placement(DeviceChoice("cpu", devices), name), program)
    engine.build()
    train_on.silence(engine)
    engine.start(dataset)
    return engine, dataset


def arguments(engine: Engine, rows: Any) -> tuple[Any, Any, Any]:
    count = len(rows)
    return rows, np.full(count, 1e-2, "float32"), np.zeros((count, len(engine.program.kl_terms)), "float32")


def tensor_float_32(name: str) -> bool:
    """Whether the framework may compute products in TensorFloat-32, as it says itself."""
    if name == "tensorflow":
        import tensorflow as tf

        return bool(tf.config.experimental.tensor_float_32_execution_enabled())
    import jax

    return bool(jax.config.jax_default_matmul_precision != "highest")


def exactness_is_what_was_asked_for(name: str, folder: Path) -> None:
    program, _ = train_on.prepared("stack", folder)
    placement = Placement(DeviceChoice("cpu", 2), name)
    assert "NVIDIA_TF32_OVERRIDE" not in os.environ
    usual = engines.create(placement, program)
    assert (usual.name, usual.exact, tensor_float_32(name)) == (name, False, True)
    assert "NVIDIA_TF32_OVERRIDE" not in os.environ
    exact = engines.create(placement, program, exact=True)
    assert (exact.name, exact.exact, tensor_float_32(name)) == (name, True, False)
    assert os.environ["NVIDIA_TF32_OVERRIDE"] == "0"


def questions_are_answered(name: str, folder: Path) -> None:
    engine, dataset = made(name, folder, 2)
    rows = dataset.training[: 2 * train_on.BATCH].reshape(2, -1)
    engine.train(*arguments(engine, rows))
    assert engine.resident is True
    assert 100 << 20 < (engine.peak_memory() or 0) < 1 << 40
    assert engine.cudnn_layers(*arguments(engine, rows)) == 0
    if name == "tensorflow":  # as on GPUs: from the graph that was traced, and no other
        engine.devices = DeviceChoice("gpu", gpus=(0, 1))
        assert engine.cudnn_layers(*arguments(engine, rows)) == 0
        assert engine._train.experimental_get_tracing_count() == 1  # type: ignore[attr-defined]


def forward_operations_of_cudnn_are_counted_per_replica(name: str, folder: Path) -> None:
    def nodes(*operations: str) -> Any:
        return [SimpleNamespace(op=operation) for operation in operations]

    if name == "tensorflow":
        from seqdec_gui.runner.engines.tensorflow import count_cudnn_operations

        inner = SimpleNamespace(node_def=nodes("CudnnRNNV3", "CudnnRNNBackpropV3", "MatMul", "CudnnRNNV3"))
        graph = SimpleNamespace(node=nodes("CudnnRNN", "CudnnRNNV2", "While"), library=SimpleNamespace(function=[inner]))
        assert (count_cudnn_operations(graph, 1), count_cudnn_operations(graph, 2)) == (4, 2)


def without_reductions_each_device_trains_its_own_rows(name: str, folder: Path) -> None:
    """So the losses of the first are those of one device that is given its rows alone."""
    order = np.random.default_rng(0).permutation(40)[: STEPS * train_on.BATCH // 2 * 2].reshape(STEPS, -1)
    shared, dataset = made(name, folder, 2)
    rows = dataset.training[order]
    together = shared.train(*arguments(shared, rows)).losses
    apart, _ = made(name, folder, 2)
    with apart.without_reductions():
        own = apart.train(*arguments(apart, rows)).losses
    alone, _ = made(name, folder, 1)
    half = alone.train(*arguments(alone, rows[:, : train_on.BATCH // 2])).losses
    np.testing.assert_allclose(own[0], half[0], rtol=1e-5)
    assert abs(own[0] - together[0]) > 1e-4, (own, together)
    if name == "jax":
        np.testing.assert_allclose(own, half, rtol=1e-4)
    apart_again, _ = made(name, folder, 2)
    with apart_again.without_reductions():
        pass
    np.testing.assert_allclose(apart_again.train(*arguments(apart_again, rows)).losses, together, rtol=1e-6)
    with apart_again.without_reductions(), apart_again.without_reductions():
        apart_again.train(*arguments(apart_again, rows))


def main() -> None:
    name, folder = sys.argv[1], Path(sys.argv[2])
    for check in (
        exactness_is_what_was_asked_for,
        questions_are_answered,
        forward_operations_of_cudnn_are_counted_per_replica,
        without_reductions_each_device_trains_its_own_rows,
    ):
        here = folder / check.__name__
        here.mkdir()
        check(name, here)
        print("passed", check.__name__)


if __name__ == "__main__":
    main()
