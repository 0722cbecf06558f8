"""The registry of data formats: rows that can be used, looked up by the ending in capitals too, and imported lazily."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqdec_gui.data.formats.base import Table
from seqdec_gui.data.formats.registry import DATA_FORMATS, data_suffixes, format_of, is_delimited, suffixes_of_arrays


@pytest.mark.parametrize("name", DATA_FORMATS)
def test_a_row_has_a_table_and_endings_of_its_own(name: str) -> None:
    row = DATA_FORMATS[name]
    assert row.name == name
    assert issubclass(row.table_class(), Table)
    assert all(suffix.startswith(".") and suffix == suffix.lower() for suffix in row.suffixes)
    assert len(data_suffixes()) == len(set(data_suffixes()))
    assert not row.delimited or row.row_per_line


@given(st.sampled_from(data_suffixes()), st.data())
def test_a_format_is_found_by_its_ending_in_capitals_too(suffix: str, data: st.DataObject) -> None:
    written = "".join(data.draw(st.sampled_from([letter, letter.upper()])) for letter in suffix)
    row = format_of(Path(f"/a.b/rows.old{written}"))
    assert row is not None
    assert suffix in row.suffixes
    assert is_delimited(Path(f"rows{written}")) == (suffix in (".csv", ".tsv", ".tab", ".txt"))


@pytest.mark.parametrize("name", ["a", "csv", ".csv", "a.npz.gz", "a.xls", "a.", "a.zip", "a.gz"])
def test_other_endings_belong_to_no_format(name: str) -> None:
    assert format_of(Path(name)) is None
    assert not is_delimited(Path(name))


def test_arrays_are_suggested_in_the_formats_that_hold_them() -> None:
    assert suffixes_of_arrays() == ".jsonl, .npz, .h5 or .parquet"


def test_the_registry_imports_no_library_of_a_format() -> None:
    code = "import json, sys, seqdec_gui.data.formats.registry; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert {"numpy", "h5py", "pyarrow"}.isdisjoint(json.loads(done.stdout))
