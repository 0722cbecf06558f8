"""Checkpoints on plain objects: what does not fit is refused before anything changes. And what failures say."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import h5py
import numpy as np
import pytest

from seqdec_gui.domain.problems import InvalidInput, SeqdecError
from seqdec_gui.runner import checkpoints
from seqdec_gui.runner.checkpoints import KnownPart, Progress
from seqdec_gui.runner.engines.base import Sum
from seqdec_gui.runner.failures import failure
from seqdec_gui.runner.schedule import Watch


class Variable:
    """What a checkpoint needs of a Keras variable."""

    def __init__(self, name: str, value: Any, dtype: str = "float32") -> None:
        self.name, self.dtype, self.value = name, dtype, np.array(value, dtype)

    @property
    def shape(self) -> tuple[int, ...]:
        return self.value.shape

    def numpy(self) -> Any:
        return self.value

    def assign(self, value: Any) -> None:
        assert value.dtype == self.dtype
        self.value = value


def models(**blocks: dict[str, list[Variable]]) -> Any:
    found = {}
    for block, layers in blocks.items():
        found[block] = SimpleNamespace(layers=[SimpleNamespace(name=name, variables=own) for name, own in layers.items()])
    return found | {"full": SimpleNamespace(layers=[])}


def optimizer(*values: float) -> Any:
    return SimpleNamespace(variables=[Variable(f"slot/{i}", [value]) for i, value in enumerate(values)])


def dense(value: float, width: int = 2, name: str = "Dense") -> dict[str, list[Variable]]:
    seed = Variable("seed_generator_state", [int(value), 3], "int64")
    return {name: [Variable("kernel", np.full((width, 2), value)), Variable("bias", np.full(2, value)), seed]}


def test_a_checkpoint_gives_back_variables_and_progress(tmp_path: Path) -> None:
    path = tmp_path / "checkpoints" / "last.weights.h5"
    progress = Progress(
        epoch=3, step=4, part=1, steps_per_epoch=10, batch_size=8, scale=0.25, best=Watch(0.5, 1),
        sums={"loss/loss": Sum(1.25, 7.0)}, losses=(3.5, 4), metrics={"loss": 0.1, "val_loss": None},
    )  # fmt: skip
    checkpoints.save(path, models(a=dense(1), b=dense(2)), optimizer(5, 6), progress)
    into, slots = models(a=dense(0), b=dense(0)), optimizer(0, 0)

    assert checkpoints.load(path, into, slots) == progress
    assert progress.total_steps == 24
    np.testing.assert_array_equal(into["b"].layers[0].variables[0].value, np.full((2, 2), 2.0))
    np.testing.assert_array_equal(into["a"].layers[0].variables[2].value, [1, 3])
    assert [float(slot.value[0]) for slot in slots.variables] == [5, 6]
    assert [file.name for file in path.parent.iterdir()] == ["last.weights.h5"]


def averaging(trained: Variable, value: float) -> Any:
    """An optimizer that keeps the moving average of one weight."""
    slots = [Variable("learning_rate", [0.1]), Variable("average", np.full(trained.shape, value))]
    return SimpleNamespace(variables=slots, averages=(slots[1],), averaged=(trained,))


def kernel_and_bias(found: Any) -> tuple[float, float]:
    kernel, bias, _ = found["a"].layers[0].variables
    return float(kernel.value[0, 0]), float(bias.value[0])


def test_a_checkpoint_carries_the_weights_and_their_average(tmp_path: Path) -> None:
    path, of_run = tmp_path / "best.weights.h5", models(a=dense(1))
    kernel = of_run["a"].layers[0].variables[0]
    checkpoints.save(path, of_run, averaging(kernel, 7), Progress(step=1), "averaged")
    for which, expected in ((None, (7.0, 1.0)), ("averaged", (7.0, 1.0)), ("trained", (1.0, 1.0))):
        into = models(a=dense(0))
        checkpoints.load_weights(into, path, which)  # type: ignore[arg-type]
        assert kernel_and_bias(into) == expected
    assert checkpoints.parts_of(path)["a"]["Dense"][0][0, 0] == 7
    begun = models(a=dense(0))
    checkpoints.load_initial(path, begun)
    assert kernel_and_bias(begun) == (7.0, 1.0)

    resumed = models(a=dense(0))  # goes on from the trained weights, with the average beside them
    slots = averaging(resumed["a"].layers[0].variables[0], 0)
    checkpoints.load(path, resumed, slots)
    assert kernel_and_bias(resumed) == (1.0, 1.0)
    assert slots.averages[0].value[0, 0] == 7

    checkpoints.save(path, of_run, averaging(kernel, 7), Progress(step=1), "trained")
    into = models(a=dense(0))
    checkpoints.load_weights(into, path)
    assert kernel_and_bias(into) == (1.0, 1.0)


def test_before_the_first_step_the_average_is_the_weight(tmp_path: Path) -> None:
    path, of_run = tmp_path / "last.weights.h5", models(a=dense(1))
    checkpoints.save(path, of_run, averaging(of_run["a"].layers[0].variables[0], 0), Progress())
    into = models(a=dense(0))
    checkpoints.load_weights(into, path, "averaged")
    assert kernel_and_bias(into) == (1.0, 1.0)


def test_an_average_that_was_not_kept_is_not_replaced_by_other_weights(tmp_path: Path) -> None:
    path = tmp_path / "best.weights.h5"
    checkpoints.save(path, models(a=dense(1)), optimizer(), Progress())
    with pytest.raises(InvalidInput, match="no moving average"):
        checkpoints.load_weights(models(a=dense(0)), path, "averaged")


def test_an_interrupted_write_leaves_the_old_checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "last.weights.h5"
    checkpoints.save(path, models(a=dense(1)), optimizer(), Progress())

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))

    monkeypatch.setattr("seqdec_gui.runs.files.os.fsync", full)
    with pytest.raises(OSError, match="No space left") as caught:
        checkpoints.save(path, models(a=dense(2)), optimizer(), Progress(epoch=9))
    monkeypatch.undo()
    assert checkpoints.load_weights(models(a=dense(0)), path).epoch == 1
    assert [file.name for file in tmp_path.iterdir()] == ["last.weights.h5"]
    told = failure(caught.value)
    assert told.kind == "disk_full"
    assert "disk is full" in told.sentence


def test_weights_that_are_not_finite_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "last.weights.h5"
    with pytest.raises(FloatingPointError, match="a/Dense/00 kernel"):
        checkpoints.save(path, models(a={"Dense": [Variable("kernel", [np.nan])]}), optimizer(), Progress())
    assert not path.exists()


def test_another_design_is_refused_before_anything_changes(tmp_path: Path) -> None:
    path = tmp_path / "last.weights.h5"
    checkpoints.save(path, models(a=dense(1), b=dense(1)), optimizer(), Progress())
    wider = models(a=dense(0), b=dense(0, width=3))
    with pytest.raises(InvalidInput, match=r"b/Dense/00 kernel of shape \(3, 2\), found \(2, 2\)"):
        checkpoints.load_weights(wider, path)
    assert not wider["a"].layers[0].variables[0].value.any()
    with pytest.raises(InvalidInput, match="does not hold it"):
        checkpoints.load_weights(models(a=dense(0, name="Dense_Other")), path)


def test_no_checkpoint_and_a_damaged_one_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="there is none"):
        checkpoints.load_weights(models(), tmp_path / "last.weights.h5")
    (tmp_path / "best.weights.h5").write_bytes(b"not HDF5")
    with pytest.raises(InvalidInput, match="does not begin as a checkpoint does"):
        checkpoints.load_weights(models(), tmp_path / "best.weights.h5")


@pytest.mark.parametrize("place", [5, 28, 600, "kernel", "progress", "end"])
def test_one_wrong_byte_anywhere_is_noticed_before_anything_changes(tmp_path: Path, place: int | str) -> None:
    path = tmp_path / "last.weights.h5"
    checkpoints.save(path, models(a=dense(1.5)), optimizer(7), Progress(epoch=3, metrics={"loss": 0.25}))
    content = bytearray(path.read_bytes())
    landmarks = {"kernel": np.full(4, 1.5, np.float32).tobytes(), "progress": b'"epoch":3'}
    at = place if isinstance(place, int) else len(content) - 1 if place == "end" else content.index(landmarks[place]) + 8
    content[at] ^= 0x04
    path.write_bytes(content)
    into = models(a=dense(0))
    for attempt in (
        lambda: checkpoints.load(path, into, optimizer(0)),
        lambda: checkpoints.load_weights(into, path),
        lambda: checkpoints.load_initial(path, into),
    ):
        with pytest.raises(InvalidInput, match=r"last\.weights\.h5 is damaged") as caught:
            attempt()
        assert "train anew" in str(caught.value)
    assert not into["a"].layers[0].variables[0].value.any()


def test_a_damaged_checkpoint_says_how_to_use_the_other_one_if_that_is_sound(tmp_path: Path) -> None:
    last, best = tmp_path / "last.weights.h5", tmp_path / "best.weights.h5"
    for path in (last, best):
        checkpoints.save(path, models(a=dense(1)), optimizer(), Progress())
    last.write_bytes(last.read_bytes()[:-100])
    with pytest.raises(InvalidInput, match=r"Use the other one: --checkpoint best\."):
        checkpoints.load_weights(models(a=dense(0)), last)
    with pytest.raises(InvalidInput, match="train DESIGN --initial RUN --checkpoint best"):
        checkpoints.load(last, models(a=dense(0)), optimizer())
    checkpoints.load_weights(models(a=dense(0)), best)
    best.write_bytes(b"")
    with pytest.raises(InvalidInput, match="train anew"):
        checkpoints.load_weights(models(a=dense(0)), last)


def test_checkpoints_of_earlier_versions_had_no_check_sum_and_are_still_read(tmp_path: Path) -> None:
    path = tmp_path / "last.weights.h5"
    checkpoints.save(path, models(a=dense(1)), optimizer(), Progress(epoch=4))
    path.write_bytes(path.read_bytes()[512:])
    into = models(a=dense(0))
    assert checkpoints.load_weights(into, path).epoch == 4
    assert into["a"].layers[0].variables[0].value.all()
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(InvalidInput, match=r"is damaged: HDF5 says: .*truncated"):
        checkpoints.load_weights(into, path)


def test_any_program_that_reads_hdf5_reads_a_checkpoint(tmp_path: Path) -> None:
    path = tmp_path / "last.weights.h5"
    checkpoints.save(path, models(a=dense(1)), optimizer(), Progress())
    with h5py.File(path) as file:
        assert file["weights/a/Dense/00 kernel"][()].tolist() == [[1, 1], [1, 1]]


def test_initial_weights_go_to_the_blocks_of_the_same_id_and_leave_random_numbers_alone(tmp_path: Path) -> None:
    path = tmp_path / "best.weights.h5"
    checkpoints.save(path, models(encoder=dense(1), old=dense(1)), optimizer(), Progress())
    into = models(encoder=dense(0), new=dense(0))

    assert checkpoints.load_initial(path, into) == ("encoder",)
    kernel, _, seed = into["encoder"].layers[0].variables
    assert kernel.value.all()
    assert seed.value.tolist() == [0, 3]
    assert not into["new"].layers[0].variables[0].value.any()
    with pytest.raises(InvalidInput, match=r"earlier run \(encoder, old\) is in this design \(other\)"):
        checkpoints.load_initial(path, models(other=dense(0)))
    with pytest.raises(InvalidInput, match="sizes of the earlier run"):
        checkpoints.load_initial(path, models(encoder=dense(0, width=5)))


def test_the_known_part_of_initial_weights_is_taken_and_the_rest_stays(tmp_path: Path) -> None:
    path = tmp_path / "best.weights.h5"
    checkpoints.save(path, models(encoder=dense(1, width=3)), optimizer(), Progress())
    into = models(encoder=dense(0, width=5))

    checkpoints.load_initial(path, into, {"encoder/Dense/00 kernel": [KnownPart(axis=0, size=3, known=2)]})
    kernel, bias, _ = into["encoder"].layers[0].variables
    assert kernel.value.tolist() == [[1, 1], [1, 1], [0, 0], [0, 0], [0, 0]]
    assert bias.value.all()
    with pytest.raises(InvalidInput, match=r"of shape \(4, 2\), found \(3, 2\)"):
        checkpoints.load_initial(path, into, {"encoder/Dense/00 kernel": [KnownPart(axis=0, size=4, known=2)]})


class ResourceExhaustedError(Exception):
    """As TensorFlow names it."""


@pytest.mark.parametrize(
    ("error", "kind", "says"),
    [
        (InvalidInput("Expected a file."), "invalid", "Expected a file."),
        (SeqdecError("It cannot be."), "crashed", "It cannot be."),
        (MemoryError("Unable to allocate 9 GiB"), "out_of_memory", "Main memory ran out"),
        (ResourceExhaustedError("OOM when allocating tensor on /device:GPU:0"), "out_of_memory", "The GPU ran out of memory"),
        (PermissionError(errno.EACCES, "Permission denied", "/run/log"), "crashed", "change the permissions"),
        (OSError(errno.EDQUOT, "Disk quota exceeded", "/run/x"), "disk_full", "The disk is full"),
        (KeyError("h_0"), "crashed", "KeyError: 'h_0'"),
    ],
)
def test_every_failure_is_one_sentence(error: Exception, kind: str, says: str) -> None:
    told = failure(error)
    assert told.kind == kind
    assert says in told.sentence
    assert "\n" not in told.sentence
