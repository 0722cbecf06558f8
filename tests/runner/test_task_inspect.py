"""Foreign Keras files: what a block needs to know, and one sentence for every file that cannot become one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from seqdec_gui.domain.problems import InvalidInput

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::DeprecationWarning")]


def saved(path: Path, make: Callable[[Any, Any], Any]) -> Path:
    import keras

    inputs = keras.Input((3,), name="x")
    make(keras, inputs).save(path)
    return path


def of_dictionary(keras: Any, x: Any) -> Any:
    return keras.Model({"x": x}, keras.layers.Dense(2)(x))


def with_batch_size(keras: Any, _: Any) -> Any:
    fixed = keras.Input((3,), batch_size=2)
    return keras.Model(fixed, keras.layers.Dense(2)(fixed))


REFUSED: dict[str, tuple[str, Callable[[Any, Any], Any], str]] = {
    "Lambda": ("a.keras", lambda k, x: k.Model(x, k.layers.Lambda(lambda t: t * 2)(x)), "Lambda layer, which would run code"),
    "Lambda in h5": ("a.h5", lambda k, x: k.Model(x, k.layers.Lambda(lambda t: t * 2)(x)), "Lambda layer"),
    "not built": ("a.keras", lambda k, x: k.Sequential([k.layers.Dense(2)]), "saved before it was built"),
    "dictionary": ("a.keras", of_dictionary, "inputs are in a dictionary"),
    "batch size": ("a.keras", with_batch_size, "batches of 2 rows"),
}


@pytest.mark.parametrize("name", REFUSED)
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_files_that_cannot_become_a_block_are_refused_in_words(name: str, tmp_path: Path) -> None:
    from seqdec_gui.runner.keras_files import inspect

    file, make, why = REFUSED[name]
    with pytest.raises(InvalidInput, match=why) as caught:
        inspect(saved(tmp_path / file, make))
    assert file in str(caught.value)
    assert "\n" not in str(caught.value)


def test_layers_that_would_add_to_the_loss_are_named(tmp_path: Path) -> None:
    from seqdec_gui.runner.keras_files import inspect

    def made(keras: Any, x: Any) -> Any:
        layers, weak = keras.layers, keras.regularizers.L2(1e-3)
        y = layers.Dense(4, name="plain")(x)
        y = layers.Dense(4, kernel_regularizer=weak, name="of_weights")(y)
        y = layers.Dense(4, activity_regularizer=weak, name="of_outputs")(y)
        y = layers.GRU(4, recurrent_regularizer=weak, name="of_states")(layers.RepeatVector(2)(y))
        return keras.Model(x, y)

    assert inspect(saved(tmp_path / "a.keras", made)).regularised == ("of_weights", "of_outputs", "of_states")


def test_layers_of_others_are_refused_by_name(tmp_path: Path) -> None:
    import keras

    from seqdec_gui.runner.keras_files import inspect

    class Mine(keras.layers.Dense):  # type: ignore[misc]
        pass

    for file in ("a.keras", "a.h5"):
        path = saved(tmp_path / file, lambda k, x: k.Model(x, Mine(2)(x)))
        with pytest.raises(InvalidInput, match="layer Mine is not one of Keras's own"):
            inspect(path)


@pytest.mark.parametrize("file", ["junk.keras", "junk.h5"])
def test_damaged_files_are_said_to_be_damaged(file: str, tmp_path: Path) -> None:
    from seqdec_gui.runner.keras_files import inspect

    (tmp_path / file).write_bytes(b"junk")
    with pytest.raises(InvalidInput, match="damaged, or no Keras file"):
        inspect(tmp_path / file)
    with pytest.raises(InvalidInput, match="ends with"):
        inspect(tmp_path / "model.onnx")


@pytest.mark.parametrize("file", ["weights.weights.h5"])
def test_weights_alone_are_no_model(file: str, tmp_path: Path) -> None:
    import keras

    from seqdec_gui.runner.keras_files import inspect

    keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)]).save_weights(tmp_path / file)
    with pytest.raises(InvalidInput, match="weights alone"):
        inspect(tmp_path / file)


@pytest.mark.parametrize("suffix", [".keras", ".h5"])
def test_two_looks_at_a_file_give_the_same_names(suffix: str, tmp_path: Path) -> None:
    import keras

    from seqdec_gui.runner.keras_files import inspect

    path = tmp_path / f"a{suffix}"
    keras.Sequential([keras.Input((3,), name="in"), keras.layers.Dense(2, name="my head")]).save(path)
    first, second = inspect(path), inspect(path)
    assert first == second
    assert [(tensor.name, tensor.shape) for tensor in first.outputs] == [("my_head", (2,))]
    assert first.parameters == first.trainable == 8
