"""N devices give what one gives: rows that do not divide, BatchNormalization, masks and ragged rows among them.

Each training is a child of its own, for a process can set up its devices only once.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from seqdec_gui.domain.problems import InvalidInput
from tests.runner import train_on

pytestmark = pytest.mark.slow
ROOT = Path(__file__).resolve().parents[2]
TOLERANCE = 1e-5
Found = Mapping[str, npt.NDArray[Any]]
ONE_DEVICE = ("stack", "rates", "masked", "masked between layers", "two losses", "attention", "transformer")


def run(out: Path, devices: int, *names: str) -> None:
    command = [sys.executable, "-m", "tests.runner.train_on", "tensorflow", str(devices), str(out), *names]
    done = subprocess.run(
        command, env=train_on.environment("tensorflow", devices), cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, int], Found]:
    """What a design comes to on so many devices."""
    out = tmp_path_factory.mktemp("trained")

    def find(name: str, devices: int) -> Found:
        file = out / f"{name} {devices}.npz"
        if not file.exists():
            run(out, devices, *(ONE_DEVICE if devices == 1 else (name,)))
        with np.load(file) as arrays:
            return dict(arrays)

    return find


def difference(one: npt.NDArray[Any], other: npt.NDArray[Any]) -> float:
    return float(np.max(np.abs(one - other) / np.maximum(1.0, np.abs(one)), initial=0.0))


CASES = [
    ("stack", 2), ("rates", 2), ("masked", 3), ("masked between layers", 2), ("two losses", 3), ("attention", 3),
    pytest.param("transformer", 2, marks=pytest.mark.long),
]  # fmt: skip


@pytest.mark.parametrize(("name", "devices"), CASES)
def test_many_devices_equal_one(found: Callable[[str, int], Found], name: str, devices: int) -> None:
    one, many = found(name, 1), found(name, devices)
    assert one.keys() == many.keys()
    worst = {key: difference(one[key], many[key]) for key in one if train_on.is_compared(key)}

    assert {key: value for key, value in worst.items() if value > TOLERANCE} == {}
    assert np.isfinite(one["losses"]).all()
    assert np.ptp(one["losses"]) > 1e-2  # it has moved


def test_moving_statistics_are_those_of_the_whole_batch(found: Callable[[str, int], Found]) -> None:
    one, many = found("masked", 1), found("masked", 3)
    moving = [key for key in one if "moving" in key]
    assert len(moving) >= 2
    for key in moving:
        assert np.any(one[key] != (1.0 if "variance" in key else 0.0))
        np.testing.assert_allclose(many[key], one[key], rtol=1e-5, atol=1e-6)


def test_validation_counts_every_row_once(found: Callable[[str, int], Found]) -> None:
    for devices in (1, 3):
        assert found("masked", devices)["validation loss/exact_accuracy"][1] == 10


RANDOM = """
import sys
from pathlib import Path
import numpy as np
from seqdec_gui.runner.engines import create
from seqdec_gui.runner.randomness import seed_states
from seqdec_gui.runs.spec import DeviceChoice, Placement
from tests.runner import train_on

program, dataset = train_on.prepared("noisy", Path(sys.argv[1]))
engine = create(Placement(DeviceChoice("cpu", 2), "tensorflow"), program)
engine.build()
engine.start(dataset)
layers = [engine.models["noise"].get_layer(name) for name in ("SpatialDropout1D_0", "GaussianNoise_0", "Dropout_0")]
layers.append(engine.models["encoder"].get_layer("Encoder_LSTM_0"))
given = np.ones((3, 9, 10), "float32")
import tensorflow as tf

@tf.function
def drawn(layer):
    return engine._strategy.run(lambda: layer(given, training=True))

def draw():
    return [[part.numpy() for part in engine._strategy.experimental_local_results(drawn(layer))] for layer in layers]

first, second = draw(), draw()
engine.load()  # as after a checkpoint was read: goes on, does not begin again
third = draw()
for state in seed_states(engine.training_model):
    state.assign(state.value)  # every copy gets the first replica's seed, which is what a checkpoint holds
engine.load()
fourth = draw()
for layer, a, b, c, d in zip(layers, first, second, third, fourth):
    for one in (a, b, c, d):
        assert not np.array_equal(one[0], one[1]), f"{layer.name}: both replicas draw the same"
    for one, other in ((a, b), (b, c), (c, d)):
        for replica in (0, 1):
            assert not np.array_equal(one[replica], other[replica]), f"{layer.name}: the same numbers again"
states = seed_states(engine.training_model)
assert len(states) == 4
before = [[copy.numpy().tolist() for copy in state.value.values] for state in states]
engine.evaluate(dataset.validation[:8].reshape(2, 4), np.ones((2, 4), "float32"))
engine.predict(dataset.validation)
after = [[copy.numpy().tolist() for copy in state.value.values] for state in states]
assert after == before, "a validation uses up random numbers"
"""


def test_random_layers_draw_other_numbers_on_every_replica_and_at_every_step(tmp_path: Path) -> None:
    environment = train_on.environment("tensorflow", 2)
    done = subprocess.run(
        [sys.executable, "-c", RANDOM, str(tmp_path)], env=environment, cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]


def test_a_batch_that_the_devices_cannot_share_is_refused_with_the_nearest_that_they_can() -> None:
    from seqdec_gui.domain.training import Training
    from seqdec_gui.runner.session import _fail_unless_batches_fit
    from seqdec_gui.runs.spec import DeviceChoice

    devices = DeviceChoice("cpu", 3)
    with pytest.raises(InvalidInput, match=r"64 rows cannot be shared evenly by 3 devices.*Set it to 63 or 66"):
        _fail_unless_batches_fit(Training(batch_size=64), devices, 1000)
    with pytest.raises(InvalidInput, match=r"takes 60 rows, but there are only 40 to train on.*Set it to 39"):
        _fail_unless_batches_fit(Training(batch_size=60), devices, 40)
    _fail_unless_batches_fit(Training(batch_size=60), devices, 60)
