"""A file of a few bytes that describes a huge model is refused before anything of that size is made."""

from __future__ import annotations

import json
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from seqdec_gui.domain.problems import InvalidInput
from seqdec_gui.runner.keras_safety import MOST_OBJECTS, fault_of_hdf5

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


def edited(path: Path, change: Callable[[dict[str, Any]], None]) -> Path:
    """A `.keras` file of a small model whose configuration was changed."""
    import keras

    layers = [keras.Input((7, 4)), keras.layers.LSTM(3, return_sequences=True), keras.layers.Dense(2)]
    keras.Sequential(layers).save(path)
    with zipfile.ZipFile(path) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    config = json.loads(files["config.json"])
    change(config)
    files["config.json"] = json.dumps(config).encode()
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def dense(units: Any) -> Callable[[dict[str, Any]], None]:
    return lambda config: config["config"]["layers"][2]["config"].update(units=units)


def lstm(units: int) -> Callable[[dict[str, Any]], None]:
    return lambda config: config["config"]["layers"][1]["config"].update(units=units)


def padded(config: dict[str, Any]) -> None:
    padding = {"module": "keras.layers", "class_name": "ZeroPadding1D", "registered_name": None}
    config["config"]["layers"].insert(1, {**padding, "config": {"name": "pad", "padding": [10**9, 0]}})


def keras2(path: Path, config: Any, weights: Any = None) -> Path:
    """A file of Keras 2 with one layer `d`, or what should be its configuration."""
    with h5py.File(path, "w") as file:
        file.attrs["model_config"] = config if isinstance(config, str) else json.dumps(config)
        file.attrs["keras_version"] = "2.9.0"
        group = file.create_group("model_weights")
        group.attrs["layer_names"] = [b"d"]
        group = group.create_group("d")
        group.attrs["weight_names"] = [b"kernel:0", b"bias:0"]
        group["kernel:0"] = np.ones((4, 2), "f4") if weights is None else weights
        group["bias:0"] = np.ones(2, "f4")
    return path


def chain(**config: Any) -> dict[str, Any]:
    row = {"class_name": "Dense", "config": {"name": "d", "units": 2, "batch_input_shape": [None, 4], **config}}
    return {"class_name": "Sequential", "config": {"name": "s", "layers": [row]}}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("change", "why"),
    [
        (dense(10**9), "describes 4,000,000,098 weights, and holds 104 numbers"),
        (lstm(100_000), "describes 40,002,0"),
        (padded, "its layer pad makes 4,000,000,028 numbers of one row"),
        (dense(-3), "expected a positive integer"),
        (dense("3"), "cannot become a block"),
    ],
)
def test_a_huge_or_senseless_model_of_keras_3_is_refused_at_once(change: Any, why: str, tmp_path: Path) -> None:
    from seqdec_gui.runner.keras_files import inspect

    path = edited(tmp_path / "a.keras", change)
    began = time.monotonic()
    with pytest.raises(InvalidInput, match=why):
        inspect(path)
    assert time.monotonic() - began < 30


@pytest.mark.slow
@pytest.mark.parametrize(
    ("config", "why"),
    [
        (chain(units=10**9), "describes 5,000,000,000 weights, and holds 10 numbers"),
        (chain(batch_input_shape=[None, 10**12]), "describes 2,000,000,000,002 weights"),
        ("null", "damaged"),
        ("[1, 2]", "damaged"),
        ({"class_name": "Sequential"}, "no version of Keras 2 writes"),
        ({"class_name": "Sequential", "config": 5}, "no version of Keras 2 writes"),
        ({"class_name": "Sequential", "config": {"layers": ["a"]}}, "no version of Keras 2 writes"),
        ({"class_name": "Model", "config": {"name": "m"}}, "no version of Keras 2 writes"),
        ({"class_name": ["a"], "config": {}}, "whose wiring the file does not hold"),
    ],
)
def test_a_huge_or_senseless_model_of_keras_2_is_refused_in_a_sentence(config: Any, why: str, tmp_path: Path) -> None:
    from seqdec_gui.runner.model_files import opened

    path = keras2(tmp_path / "a.h5", config)
    with pytest.raises(InvalidInput, match=why):
        opened(path, tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_weights_that_are_no_numbers_are_refused_and_nothing_is_written(tmp_path: Path) -> None:
    import keras

    from seqdec_gui.runner.keras_files import inspect
    from seqdec_gui.runner.model_files import opened

    path = keras2(tmp_path / "a.h5", chain(), np.full((4, 2), np.nan, "f4"))
    with pytest.raises(InvalidInput, match=r"weights .*d/kernel have values that are no numbers"):
        opened(path, tmp_path / "out")
    assert not (tmp_path / "out").exists()
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, name="last")])
    model.set_weights([np.full((3, 2), np.inf), np.zeros(2)])
    model.save(tmp_path / "b.keras")
    with pytest.raises(InvalidInput, match="weights last/kernel have values that are no numbers"):
        inspect(tmp_path / "b.keras")


def test_a_file_of_very_many_groups_is_not_walked_to_its_end(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "many.h5", "w") as file:
        for number in range(MOST_OBJECTS + 1):
            file[str(number)] = h5py.SoftLink("/0")
        assert "more than 50,000 groups" in fault_of_hdf5(file)


@pytest.mark.parametrize("damage", ["no such layer", "no list of names", "a link to itself"])
def test_damaged_weights_of_keras_2_are_said_in_a_sentence(damage: str, tmp_path: Path) -> None:
    from seqdec_gui.runner.keras2.files import opened_weights

    path = keras2(tmp_path / "a.h5", chain())
    with h5py.File(path, "r+") as file:
        group = file["model_weights"]
        if damage == "no such layer":
            group.attrs["layer_names"] = [b"elsewhere"]
        elif damage == "no list of names":
            group["d"].attrs["weight_names"] = 5
        else:
            del group["d/kernel:0"]
            group["d/kernel:0"] = h5py.SoftLink("/model_weights/d/kernel:0")
    from seqdec_gui.runner.keras2.models import migrate

    with pytest.raises(InvalidInput, match="damaged"), opened_weights(path) as stored:
        list(stored.of(migrate(chain()).part))
