"""A copy of a training's model is measured on numbers in the units of the data, and follows the weights."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from seqdec_gui.data.dataset import open_dataset
from seqdec_gui.domain.dataflow import data_ports
from seqdec_gui.domain.design import Design
from seqdec_gui.domain.edit import set_value
from tests.domain.designs import block, design
from tests.runner import designs

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::DeprecationWarning")]


def measuring(wanted: Design, folder: Path, measures: str) -> tuple[Any, Any, Any]:
    """What measures a design whose weights are as initialised, its models and its data."""
    from seqdec_gui.runner.program import Program
    from seqdec_gui.runner.quality.free_running import FreeRunning

    made = set_value(designs.bound(wanted, designs.write_rows(folder)), "training.quality", measures)
    dataset = open_dataset(made.data, data_ports(made), folder)
    program = Program.of(made, designs.write_script(made, folder))
    models = program.build_models()
    engine: Any = SimpleNamespace(program=program, models=models, sync=lambda: None)
    return FreeRunning(engine, dataset), models, dataset


def test_numbers_are_measured_in_the_units_of_the_data(tmp_path: Path) -> None:
    regression = design(
        [block("vector", "vector", width=3), block("model", "layer_stack", layers=[{"layer": "Dense", "units": 3}]),
         block("numbers", "loss", loss="mean_squared_error", metrics=["mean_absolute_error"])],
        ["vector.output -> model.inputs", "model.outputs -> numbers.predictions"],
    )  # fmt: skip
    free, models, dataset = measuring(regression, tmp_path, "mean_squared_error")
    for _ in range(2):  # as built, and after a step of training
        answer = free.measure()
        rows = dataset.validation
        feeds = {feed.name: feed for feed in dataset.feeds}
        predicted = np.asarray(models["full"].predict_on_batch(dataset.arrays[feeds["vector"].array][rows]))
        codec = dataset.fitted.port(feeds["numbers"].array).codec
        wanted = codec.unscaled(dataset.arrays[feeds["numbers"].array][rows].astype(np.float64))
        expected = np.mean((codec.unscaled(predicted.astype(np.float64)) - wanted) ** 2)
        assert answer.metrics["val_free_mean_squared_error"] == pytest.approx(expected, rel=1e-4)
        assert len(answer.rows) == min(20, len(rows))
        models["model"].set_weights([weight + 0.5 for weight in models["model"].get_weights()])


def test_a_decoder_step_by_step_follows_the_weights(tmp_path: Path) -> None:
    free, models, _ = measuring(designs.stack(), tmp_path, "exact_match")
    before = free.measure().rows
    random = np.random.default_rng(0)
    for name in ("model_1", "model_2"):
        models[name].set_weights([np.abs(random.normal(size=weight.shape)) for weight in models[name].get_weights()])
    after = free.measure().rows
    assert before != after
    other, built, _ = measuring(designs.stack(), tmp_path, "exact_match")
    for name in ("model_1", "model_2"):
        built[name].set_weights(models[name].get_weights())
    assert other.measure().rows == after
