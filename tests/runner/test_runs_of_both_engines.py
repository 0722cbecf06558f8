"""What one engine wrote the other goes on with, and what both do in half the precision."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec
import numpy as np
import pytest

from seqdec_gui.domain import document
from seqdec_gui.runs import process
from seqdec_gui.runs.events import Epoch, Started
from seqdec_gui.runs.spec import DeviceChoice, EngineName
from seqdec_gui.runs.task_results import Exported
from seqdec_gui.runs.tasks import ExportTask, run_task
from tests.runner import designs
from tests.runner.real_runs import Runs, events, runs_in, wait, weights

pytestmark = pytest.mark.slow
AS_ON_GPUS = Path(__file__).with_name("run_as_on_gpus.py")
ENGINES: tuple[EngineName, EngineName] = ("tensorflow", "jax")


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runs]:
    with runs_in(tmp_path_factory.mktemp("runs")) as made:
        yield made


@pytest.mark.parametrize("first", ENGINES)
def test_a_run_goes_on_with_the_other_engine(first: EngineName, runs: Runs) -> None:
    """The masks, the moments of BatchNormalization, the optimizer's slots and the order of rows are those of one run.

    (A run begins with other weights on the other engine, as Keras draws them with what it runs on.)
    """
    other = next(engine for engine in ENGINES if engine != first)
    name = f"{first} first"
    whole = runs.finish(f"{first} alone", runs.spec(designs.translation(layers=1), engine=first, epochs=6))
    runs.finish(name, runs.spec(designs.translation(layers=1), engine=first, epochs=3))
    longer = runs.spec(designs.translation(layers=1), engine=other, epochs=6)
    moved = runs.finish(name, msgspec.structs.replace(longer, resume=True, devices=DeviceChoice("cpu", 2)))

    assert process.exit_status(moved.run.status()) == 0, moved.run.log.read_text()[-2000:]
    assert [(event.engine, event.first_epoch) for event in events(moved, Started)] == [(first, 1), (other, 4)]
    expected = [event.metrics["val_loss"] for event in events(whole, Epoch)]
    assert [event.metrics["val_loss"] for event in events(moved, Epoch)] == pytest.approx(expected, rel=1e-3)
    one, two = weights(whole), weights(moved)
    assert one.keys() == two.keys()
    assert max(float(np.abs(one[key] - two[key]).max()) for key in one) < 1e-2


@pytest.mark.parametrize("engine", ["tensorflow", pytest.param("jax", marks=pytest.mark.long)])
def test_half_the_precision_learns_the_same_and_leaves_full_weights(engine: EngineName, runs: Runs, tmp_path: Path) -> None:
    wanted = designs.stack(units=(8,))
    halved = runs.finish(f"{engine} bfloat16", runs.spec(wanted, engine=engine, devices=2, epochs=6, precision="bfloat16"))
    full = runs.finish(f"{engine} float32", runs.spec(wanted, engine=engine, devices=2, epochs=6, precision="float32"))

    assert process.exit_status(halved.run.status()) == 0, halved.run.log.read_text()[-2000:]
    assert [events(run, Started)[0].precision for run in (halved, full)] == ["bfloat16", "float32"]
    losses = [[event.metrics["val_loss"] for event in events(run, Epoch)] for run in (halved, full)]
    assert losses[0] != losses[1]  # it really computes in other numbers
    assert losses[0] == pytest.approx(losses[1], rel=0.02)
    assert {str(value.dtype) for name, value in weights(halved).items() if "seed" not in name} == {"float32"}
    assert document.from_builtins(halved.run.read_spec().design).training.precision == "bfloat16"
    exported = run_task(ExportTask(run=str(halved.run.path), format="h5", output=str(tmp_path / "a.h5")))
    assert isinstance(exported, Exported)
    assert exported.difference is not None
    assert exported.difference <= 1e-5


@pytest.mark.long
def test_a_run_that_starts_and_loops_as_on_gpus_learns_what_others_learn(runs: Runs) -> None:
    spec = runs.spec(designs.stack(units=(6,)), engine="jax", devices=2)
    as_on_gpus = wait(runs.start("as on GPUs", spec, argv=(sys.executable, str(AS_ON_GPUS))))
    usual = runs.finish("usual", spec)
    assert process.exit_status(as_on_gpus.run.status()) == 0, as_on_gpus.run.log.read_text()[-2000:]
    found = weights(as_on_gpus)
    for name, value in weights(usual).items():
        np.testing.assert_allclose(found[name], value, rtol=1e-4, atol=1e-5, err_msg=name)
