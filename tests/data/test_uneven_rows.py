"""Columns of lists of which a few rows have another width: these rows are named, and can be left out of a training."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from seqdec_gui.data.codecs import FittedNumbers
from seqdec_gui.data.dataset import open_dataset, try_fit
from seqdec_gui.data.fitted import Fitted, FittedPort
from seqdec_gui.data.new_rows import encode_good_rows
from seqdec_gui.data.rows import read_input
from seqdec_gui.domain.bindings import Binding, DataSource, Split, VectorCodec
from seqdec_gui.domain.dataflow import DataPort
from seqdec_gui.domain.problems import errors
from seqdec_gui.domain.types import TensorType
from tests.data.ports import codes

PORTS = (DataPort("x", "x.output", "input", TensorType((3,))),)
ROWS: list[Any] = [[float(row), row + 0.5, 2.0 * row] for row in range(16)]
BAD: list[Any] = [None if row == 0 else [1.0, 2.0] if row == 5 else cells for row, cells in enumerate(ROWS)]


def as_parquet(path: Path, rows: list[Any]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.table({"x": rows}), path)


def as_lines(path: Path, rows: list[Any]) -> None:
    path.write_bytes(b"\n".join(msgspec.json.encode({"x": row}) for row in rows))


def as_hdf5(path: Path, rows: list[Any]) -> None:
    import h5py

    with h5py.File(path, "w") as file:
        dataset = file.create_dataset("x", (len(rows),), h5py.vlen_dtype(np.float64))
        for row, cells in enumerate(rows):
            dataset[row] = cells or []


def as_matlab(path: Path, rows: list[Any]) -> None:
    io = pytest.importorskip("scipy.io")
    cells = np.empty((len(rows), 1), object)
    cells[:, 0] = [np.array([row]) if row else np.zeros((0, 0)) for row in rows]
    io.savemat(path, {"x": cells})


WRITERS: dict[str, Callable[[Path, list[Any]], None]] = {
    ".parquet": as_parquet, ".jsonl": as_lines, ".h5": as_hdf5, ".mat": as_matlab,
}  # fmt: skip


def source_of(path: Path, **ways: Any) -> DataSource:
    codec = VectorCodec(standardise=False, missing=ways.pop("missing", "refuse"))
    return DataSource(path.name, Split(validation=0.0), (Binding("x", "x", codec),), **ways)


@pytest.mark.parametrize("suffix", WRITERS)
def test_a_few_uneven_rows_are_named_and_can_be_left_out(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"a{suffix}"
    WRITERS[suffix](path, BAD)
    refused = try_fit(source_of(path), PORTS, tmp_path).problems
    assert codes(errors(refused)) == ["not_finite"]
    (named,) = [problem.text for problem in refused if problem.code == "uneven_rows"]
    assert named.startswith("2 cells are missing in column 'x': row 1 ")
    dataset = open_dataset(source_of(path, faulty_rows="leave_out"), PORTS, tmp_path)
    assert dataset.training.tolist() == [row for row in range(16) if row not in (0, 5)]
    np.testing.assert_allclose(dataset.arrays["x"][dataset.training], [ROWS[row] for row in dataset.training])


@pytest.mark.parametrize("suffix", WRITERS)
def test_no_mean_stands_for_a_row_of_another_width(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"a{suffix}"
    WRITERS[suffix](path, BAD)
    assert codes(errors(try_fit(source_of(path, missing="mean"), PORTS, tmp_path).problems)) == ["not_finite"]


@pytest.mark.parametrize("suffix", WRITERS)
def test_a_column_of_lists_of_all_lengths_stays_refused(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"a{suffix}"
    WRITERS[suffix](path, [[1.0] * (2 + row % 4) for row in range(16)])
    (problem,) = errors(try_fit(source_of(path), PORTS, tmp_path).problems)
    assert "ragged" in problem.text


@pytest.mark.parametrize("suffix", WRITERS)
def test_new_rows_of_another_width_get_their_reason(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"a{suffix}"
    WRITERS[suffix](path, BAD)
    fitted = Fitted((FittedPort("x", "x.output", "input", ("x",), FittedNumbers((3,))),), ())
    rows = read_input(fitted, path)
    encoded = encode_good_rows(fitted, rows.values, rows.reasons)
    assert encoded.good.tolist() == [row for row in range(16) if row not in (0, 5)]
    assert "has 2 numbers; expected 3" in encoded.reasons[5]


def test_large_whole_numbers_are_refused_rather_than_rounded(tmp_path: Path) -> None:
    rows: list[Any] = [[row, 2**53 + 1 + row] for row in range(16)]
    as_parquet(tmp_path / "a.parquet", [*rows[:9], [1], *rows[10:]])
    ports = (DataPort("x", "x.output", "input", TensorType((2,))),)
    (problem,) = errors(try_fit(source_of(tmp_path / "a.parquet"), ports, tmp_path).problems)
    assert problem.code == "ragged_rows"


@pytest.mark.parametrize(("suffix", "cell"), [(".jsonl", "n/a"), (".jsonl", 1.5), (".jsonl", [1, "b", 2]), (".mat", [1.0])])
def test_a_cell_that_is_no_list_is_a_row_of_another_kind(suffix: str, cell: Any, tmp_path: Path) -> None:
    path = tmp_path / f"a{suffix}"
    WRITERS[suffix](path, [*ROWS[:7], cell, *ROWS[8:]])
    dataset = open_dataset(source_of(path, faulty_rows="leave_out"), PORTS, tmp_path)
    assert dataset.training.tolist() == [row for row in range(16) if row != 7]
