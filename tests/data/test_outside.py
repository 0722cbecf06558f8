"""Numbers outside the range of the training rows are found, named by their columns, and kept with the run."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from seqdec_gui import resource_files
from seqdec_gui.data import fitted as fitted_file
from seqdec_gui.data.dataset import open_dataset
from seqdec_gui.data.fitted import Fitted
from seqdec_gui.data.outside import by_row, outside_training, sentence
from seqdec_gui.data.rows import read_rows
from seqdec_gui.domain import document
from seqdec_gui.domain.dataflow import data_ports


@pytest.fixture(scope="module")
def molecules() -> Fitted:
    path = resource_files.path("examples/molecules.seqdec")
    design = document.load(path)
    return open_dataset(design.data, data_ports(design), path.parent).fitted


def means(fitted: Fitted, rows: int = 3) -> np.ndarray:
    return np.tile(np.array(fitted.port("descriptors").codec.mean), (rows, 1))


def test_the_range_is_that_of_the_training_rows_and_stays_in_the_file(molecules: Fitted, tmp_path: Path) -> None:
    codec = molecules.port("descriptors").codec
    assert all(low < mean < high for low, mean, high in zip(codec.low, codec.mean, codec.high, strict=True))
    molecules.save(tmp_path / "data.json")
    assert fitted_file.load(tmp_path / "data.json") == molecules
    text = (tmp_path / "data.json").read_text()
    assert '"parts"' in text


def test_numbers_are_called_as_the_file_calls_them(molecules: Fitted) -> None:
    with np.load(resource_files.path("examples/data/molecules.npz")) as file:
        names = tuple(file["names"].tolist())
    assert molecules.port("descriptors").number_names == names
    lines = [",".join(reversed(names)), ",".join(str(number) for number in range(len(names)))]
    read = read_rows(molecules, lines)["descriptors"]
    assert read.tolist() == [list(map(float, reversed(range(len(names)))))]


def test_each_column_is_named_with_value_and_range(molecules: Fitted) -> None:
    codec, names = molecules.port("descriptors").codec, molecules.port("descriptors").number_names
    values = means(molecules)
    assert outside_training(molecules, {"descriptors": values}) == []
    values[0] = codec.high  # the ends lie inside, rounded to float32 too
    values[1] = np.array(codec.low, np.float32)
    values[2, 0], values[2, 2], values[1, 2] = codec.high[0] + 1, codec.low[2] - 5, np.nan
    found = outside_training(molecules, {"descriptors": values})
    assert [(each.row, each.name) for each in found] == [(2, names[0]), (2, names[2])]
    words = sentence(found)
    assert f"{names[0]} {codec.high[0] + 1:.6g} (training rows {codec.low[0]:.6g} to {codec.high[0]:.6g})" in words
    assert words.startswith("One row asks")
    assert list(by_row(found)) == [2]
    assert sentence([]) == ""


def test_text_and_runs_without_ranges_have_nothing_outside(molecules: Fitted) -> None:
    import msgspec

    port = molecules.port("descriptors")
    old = msgspec.structs.replace(port, codec=msgspec.structs.replace(port.codec, low=(), high=()))
    fitted = msgspec.structs.replace(molecules, ports=(old, *molecules.ports[1:]))
    assert outside_training(fitted, {"descriptors": means(molecules) + 1e6}) == []
