"""Weights of files and runs go into the block that they fit, and what fits in two ways goes nowhere."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import msgspec
import numpy as np
import pytest

from seqdec_gui import cli
from seqdec_gui.domain.design import Design
from seqdec_gui.domain.document import load, save
from seqdec_gui.domain.problems import InvalidInput
from seqdec_gui.runs.block_weights import weights_task, with_found
from tests.runner import designs

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::DeprecationWarning")]
FIXTURES = Path(__file__).resolve().parent.parent / "fixtures" / "keras2"


def decoder(names: Sequence[str] = ("a", "b", "c", "d", "e"), activation: str = "softmax") -> Any:
    """The decoder of `designs.stack` as a user builds it, with other names of layers and random weights."""
    import keras

    layers = keras.layers
    given = [keras.Input((8,)) for _ in range(4)]
    x = keras.Input((9, 10))
    y = x
    for number in range(2):
        y = layers.LSTM(8, return_sequences=True, name=names[2 * number])(y, initial_state=given[2 * number : 2 * number + 2])
        y = layers.BatchNormalization(name=names[2 * number + 1])(y)
    y = layers.Dense(10, activation=activation, name=names[4])(y)
    model = keras.Model([*given, x], y)
    random = np.random.default_rng(5)
    model.set_weights([np.abs(random.normal(size=weight.shape)) for weight in model.weights])
    return model


def found(path: Path, folder: Path, design: Design | None = None, block: str = "model_2", part: str = "") -> Any:
    from seqdec_gui.runner.transfer import find_weights

    design = designs.stack() if design is None else design
    return find_weights(weights_task(design, block, path, folder, part), design)


def weights_after(path: Path, folder: Path) -> list[Any]:
    """What the block has at the start of a run, after the file was put into it."""
    from seqdec_gui.runner.block_weights import load_block_weights
    from seqdec_gui.runner.program import load_build
    from seqdec_gui.runner.script_files import write_script
    from seqdec_gui.runner.transfer import find_weights

    design = designs.stack()
    task = msgspec.structs.replace(weights_task(design, "model_2", path, folder), folder=str(folder))
    design = with_found(design, "model_2", find_weights(task, design), path.name, folder)
    assert not Path(design.block("model_2").weights.file).is_absolute()  # type: ignore[union-attr]
    write_script(design, folder / "model.py", (folder,))
    models = load_build(folder / "model.py")()
    load_block_weights(design, models, (folder,))
    return list(models["model_2"].get_weights())


@pytest.mark.parametrize("name", ["whole.keras", "whole.h5", "alone.weights.h5"])
def test_layers_of_other_names_are_joined_by_shape_and_order(name: str, tmp_path: Path) -> None:
    model = decoder(("z_lstm", "q", "a_lstm", "p", "out"))
    (model.save_weights if name == "alone.weights.h5" else model.save)(tmp_path / name)
    seen = found(tmp_path / name, tmp_path)
    assert seen.fits
    assert {row.how for row in seen.rows} == {"order"}
    assert seen.left_out == ()
    for expected, value in zip(model.get_weights(), weights_after(tmp_path / name, tmp_path), strict=True):
        np.testing.assert_array_equal(expected, value)


def test_names_decide_where_all_are_known_whatever_their_order(tmp_path: Path) -> None:
    own = [row.layer for row in found_rows(tmp_path)]
    swapped = [own[2], own[1], own[0], own[3], own[4]]  # the two LSTMs have exchanged names and have different inputs
    decoder(swapped).save(tmp_path / "swapped.keras")
    assert next(iter(found(tmp_path / "swapped.keras", tmp_path).rows)).how == "order"
    decoder(own).save(tmp_path / "own.keras")
    assert [row.how for row in found(tmp_path / "own.keras", tmp_path).rows] == ["name"] * 5


def found_rows(folder: Path) -> Any:
    decoder().save(folder / "any.keras")
    return found(folder / "any.keras", folder).rows


def test_settings_that_differ_are_said(tmp_path: Path) -> None:
    decoder(activation="sigmoid").save(tmp_path / "other.keras")
    seen = found(tmp_path / "other.keras", tmp_path)
    assert seen.fits
    assert [row.why for row in seen.rows][-1] == "In the file activation sigmoid."


def test_what_is_left_over_and_what_does_not_fit_is_said(tmp_path: Path) -> None:
    import keras

    x = keras.Input((9, 10))
    y = keras.layers.LSTM(8, return_sequences=True, name="only")(x)
    keras.Model(x, keras.layers.Dense(7, name="wide")(y)).save(tmp_path / "part.keras")
    seen = found(tmp_path / "part.keras", tmp_path)
    assert not seen.fits
    assert seen.left_out == ("wide",)
    assert [bool(row.how) for row in seen.rows] == [True, False, False, False, False]
    assert all(row.why for row in seen.rows if not row.how)
    task = msgspec.structs.replace(
        weights_task(designs.stack(), "model_2", tmp_path / "part.keras", tmp_path), folder=str(tmp_path)
    )
    from seqdec_gui.runner.transfer import find_weights

    with pytest.raises(InvalidInput, match="do not fit model_2"):
        find_weights(task, designs.stack())
    assert not list(tmp_path.glob("*.weights.h5"))


def test_weights_without_an_order_that_fit_in_two_ways_go_nowhere(tmp_path: Path) -> None:
    """Keras 3 writes the names of classes, whose numbers tell the order; names of users tell none."""
    import h5py

    path = tmp_path / "alone.weights.h5"
    decoder(("x", "first", "y", "second", "o")).save_weights(path)
    with h5py.File(path, "r+") as file:
        file["layers"].move("batch_normalization", "beta")
        file["layers"].move("batch_normalization_1", "alpha")
    seen = found(path, tmp_path)
    assert [bool(row.how) for row in seen.rows] == [True, False, True, False, True]
    assert "neither their names nor their order" in seen.rows[1].why


def test_a_file_that_has_changed_since_it_was_shown_is_refused(tmp_path: Path) -> None:
    from seqdec_gui.runner.transfer import find_weights

    decoder().save(tmp_path / "a.keras")
    task = weights_task(designs.stack(), "model_2", tmp_path / "a.keras", tmp_path)
    with pytest.raises(InvalidInput, match="has changed"):
        find_weights(msgspec.structs.replace(task, sha256="0" * 64), designs.stack())


def test_the_decoder_inside_a_stack_of_keras_2_is_found_by_its_shapes(tmp_path: Path) -> None:
    from tests.domain.designs import block, design

    wanted = design(
        [block("x", "vector", width=5), block("states", "dense_states", units=[6], batch_normalization=False)],
        ["x.output -> states.inputs"],
    )
    for name in ("stack.h5", "stack.keras", "stack.weights.h5", "stack_saved"):
        seen = found(FIXTURES / name, tmp_path, wanted, "states")
        assert len(seen.rows) == 2, name
        assert seen.fits, (name, seen.rows)
        assert len(seen.left_out) == 4


def test_the_command_shows_then_writes_and_removes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    decoder().save(tmp_path / "mine.keras")
    file = tmp_path / "d.seqdec"
    save(designs.stack(), file)
    before = file.read_bytes()
    assert cli.main(["weights", str(file), "model_2", str(tmp_path / "mine.keras")]) == 0
    assert "joined by" in capsys.readouterr().out
    assert file.read_bytes() == before
    assert cli.main(["weights", str(file), "model_2", str(tmp_path / "mine.keras"), "-o", str(file), "--force"]) == 0
    weights = load(file).block("model_2").weights
    assert weights is not None
    assert (weights.part, weights.source) == ("model_2", "mine.keras")
    assert (tmp_path / weights.file).is_file()
    assert cli.main(["weights", str(file), "model_2", "--remove", "-o", str(file), "--force"]) == 0
    assert load(file) == designs.stack()


@pytest.mark.parametrize("checkpoint", ["best", "last"])
def test_the_checkpoint_of_a_run_is_put_into_the_block_of_its_name_and_into_one_of_another(
    checkpoint: Literal["best", "last"], tmp_path: Path
) -> None:
    import keras

    from seqdec_gui.runner import checkpoints
    from seqdec_gui.runner.program import load_build
    from seqdec_gui.runner.script_files import write_script
    from seqdec_gui.runs.block_weights import source_file, source_words

    run = tmp_path / "roman"
    (run / "checkpoints").mkdir(parents=True)
    (run / "spec.json").write_text("{}")
    write_script(designs.stack(), run / "model.py", ())
    models = load_build(run / "model.py")()
    random = np.random.default_rng(7)
    stored: dict[str, list[Any]] = {}
    for name in ("best", "last"):
        for model in models.values():
            model.set_weights([random.uniform(0.1, 1, weight.shape) for weight in model.weights])
        stored[name] = models["model_2"].get_weights()
        progress = checkpoints.Progress(epoch=1, step=1)
        checkpoints.save(run / "checkpoints" / f"{name}.weights.h5", models, keras.optimizers.Adam(), progress)
    file = source_file(run, checkpoint)
    assert file == source_file(run / "checkpoints", checkpoint) == source_file(file, checkpoint)
    assert source_words(file, "model_2") == f"run roman, {checkpoint}, block model_2"
    seen = found(file, tmp_path)
    assert (seen.part, {row.how for row in seen.rows}) == ("model_2", {"name"})
    for mine, theirs in zip(weights_after(file, tmp_path), stored[checkpoint], strict=True):
        assert np.array_equal(mine, theirs)
    renamed = designs.stack().renamed("model_2", "mine")
    seen = found(file, tmp_path, renamed, "mine")
    assert seen.fits
    assert seen.part == "model_2"
