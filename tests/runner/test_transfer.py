"""Weights of files and runs go into the block that they fit, and what fits in two ways goes nowhere."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

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
    from seqdec_gui.runner.transfer import find_weights

    design = designs.stack()
    task = msgspec.structs.replace(weights_task(design, "model_2", path, folder), folder=str(folder))
    design = with_found(design, "model_2", find_weights(task, design), path.name, folder)
    assert not Path(design.block("model_2").weights.file).is_absolute()  # type: ignore[union-attr]
    return weights_of(design, folder)


def weights_of(design: Design, folder: Path) -> list[Any]:
    """What `model_2` has at the start of a run of a design."""
    from seqdec_gui.runner.block_weights import load_block_weights
    from seqdec_gui.runner.program import load_build
    from seqdec_gui.runner.script_files import write_script

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
    assert [row.differs for row in seen.rows] == [False, False, False, False, True]  # momentum differs in two, and is training


def changed(path: Path, *settings: tuple[int, str, Any]) -> Path:
    """Write `decoder` with other settings of some of its layers: their place among the layers with weights, name and value."""
    import keras

    model = decoder()
    config = model.get_config()
    weighty = [layer for layer in config["layers"] if layer["class_name"] != "InputLayer"]
    for place, name, value in settings:
        weighty[place]["config"][name] = value
    other = keras.Model.from_config(config)
    other.set_weights(model.get_weights())
    other.save(path)
    return path


@pytest.mark.parametrize(
    ("place", "setting", "value", "advice"),
    [
        (1, "epsilon", 0.1, "Import the file"),
        (0, "recurrent_activation", "hard_sigmoid", "Import the file"),
        (2, "activation", "relu", "Import the file"),
        (0, "go_backwards", True, "Import the file"),
        (4, "activation", "sigmoid", "Set head_activation or output_activation of the block to sigmoid, or import"),
    ],
)
def test_weights_of_a_layer_that_computes_something_else_are_not_taken(
    place: int, setting: str, value: Any, advice: str, tmp_path: Path
) -> None:
    from seqdec_gui.runner.transfer import find_weights

    path = changed(tmp_path / "other.keras", (place, setting, value))
    design = designs.stack()
    task = msgspec.structs.replace(weights_task(design, "model_2", path, tmp_path), folder=str(tmp_path))
    with pytest.raises(InvalidInput) as refused:
        find_weights(task, design)
    (problem,) = refused.value.problems
    assert problem.code == "weights_differ"
    assert f"{setting} {value}" in problem.text
    assert problem.hint.startswith(advice)
    assert not list(tmp_path.glob("*.weights.h5"))
    assert Path(find_weights(msgspec.structs.replace(task, in_spite=True), design).file).is_file()
    if "Set" in advice:  # followed to its end
        kind = msgspec.structs.replace(design.block("model_2").parameters, output_activation=value)
        assert found(path, tmp_path, design.with_parameters("model_2", kind)).differing == ()


def test_the_command_takes_other_settings_only_in_spite(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = changed(tmp_path / "other.keras", (1, "epsilon", 0.1))
    save(designs.stack(), tmp_path / "d.seqdec")
    command = ["weights", str(tmp_path / "d.seqdec"), "model_2", str(path), "-o", str(tmp_path / "new.seqdec")]
    assert cli.main(command) == 2
    assert "--in-spite" in capsys.readouterr().err
    assert not (tmp_path / "new.seqdec").exists()
    assert cli.main([*command, "--in-spite"]) == 0
    assert load(tmp_path / "new.seqdec").block("model_2").weights is not None


def test_weights_alone_of_an_early_keras_are_not_taken_silently_for_sigmoids(tmp_path: Path) -> None:
    """Keras before 2.3 had hard sigmoids, and its files say the version; cuDNN's layers never had any."""
    import h5py

    decoder().save_weights(tmp_path / "new.weights.h5")
    model = decoder()
    for version, differs in (("2.2.4", True), ("2.3.1", False), ("2.15.0", False)):
        path = tmp_path / f"{version}.h5"
        with h5py.File(path, "w") as file:
            file.attrs["keras_version"] = version.encode()
            layers = [layer for layer in model.layers if layer.weights]
            file.attrs["layer_names"] = [layer.name.encode() for layer in layers]
            for layer in layers:
                group = file.create_group(layer.name)
                group.attrs["weight_names"] = [f"{layer.name}/{i}".encode() for i in range(len(layer.weights))]
                for i, value in enumerate(layer.get_weights()):
                    group[f"{layer.name}/{i}"] = value
        seen = found(path, tmp_path)
        assert seen.fits
        assert [row.differs for row in seen.rows] == [differs, False, differs, False, False]
    assert "hard_sigmoid" not in "".join(row.why for row in found(tmp_path / "new.weights.h5", tmp_path).rows)


def stacked(path: Path, depth: int = 1, weights_alone: bool = False) -> dict[str, list[Any]]:
    """Write a model of an encoder and two decoders of one form, in so many models; returns the weights of each part."""
    import keras

    keras.utils.clear_session()
    latent, sequence = keras.Input((3,), name="latent"), keras.Input((9, 10), name="sequence")
    encoder = keras.Model(latent, [keras.layers.Dense(8, name=f"s{i}")(latent) for i in range(4)], name="encoder")
    first, second = decoder(), decoder(("p", "q", "r", "s", "t"))
    first.name, second.name = "first", "second"
    for number, model in enumerate((first, second)):
        model.set_weights([weight + number for weight in model.get_weights()])
    outputs = [model([*encoder(latent), sequence]) for model in (first, second)]
    whole = keras.Model([latent, sequence], outputs, name="whole")
    for number in range(1, depth):
        a, b = keras.Input((3,)), keras.Input((9, 10))
        whole = keras.Model([a, b], whole([a, b]), name=f"around_{number}")
    (whole.save_weights if weights_alone else whole.save)(path)
    return {model.name: model.get_weights() for model in (first, second)}


@pytest.mark.parametrize(
    ("name", "depth", "before"),
    [("a.keras", 1, ""), ("a.h5", 1, ""), ("a.keras", 2, "whole/"), ("a.weights.h5", 1, "")],
)
def test_a_model_inside_a_file_is_a_part(name: str, depth: int, before: str, tmp_path: Path) -> None:

    from seqdec_gui.runner.transfer import find_weights

    path, design = tmp_path / name, designs.stack()
    expected = stacked(path, depth, weights_alone=".weights." in name)
    seen = found(path, tmp_path)
    named = [f"{before}{part}" for part in ("encoder", "first", "second")]
    names = ["functional", "functional_1", "functional_2"] if ".weights." in name else named  # Keras 3 writes no others
    assert set(seen.parts) >= {"", *names}
    assert set(seen.fitting) == set(names[1:])
    for part, values in zip(names[1:], expected.values(), strict=True):
        task = weights_task(design, "model_2", path, tmp_path, part)
        written = find_weights(msgspec.structs.replace(task, folder=str(tmp_path)), design)
        begun = weights_of(with_found(design, "model_2", written, "", tmp_path), tmp_path)
        for mine, theirs in zip(begun, values, strict=True):
            np.testing.assert_array_equal(mine, theirs)


def test_which_of_two_models_inside_a_file_is_for_the_user_to_say(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    stacked(tmp_path / "a.keras")
    save(designs.stack(), tmp_path / "d.seqdec")
    command = ["weights", str(tmp_path / "d.seqdec"), "model_2", str(tmp_path / "a.keras"), "-o", str(tmp_path / "new.seqdec")]
    assert cli.main(command) == 2
    assert "--part" in capsys.readouterr().err
    assert not (tmp_path / "new.seqdec").exists()
    assert cli.main([*command, "--part", "second"]) == 0
