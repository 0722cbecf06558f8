"""What a run reads is recorded: the checksum of its files, rows, columns and options, so that runs can be compared."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Any

import msgspec
import pytest

from seqdec_gui.data.dataset import open_dataset
from seqdec_gui.domain.bindings import Binding, DataSource, Reading, Split
from seqdec_gui.domain.dataflow import DataPort
from seqdec_gui.domain.types import TensorType
from seqdec_gui.runner.data_recorder import Recorder, changes, files_of
from seqdec_gui.runs.data_record import DataRecord, likeness, read_record
from seqdec_gui.runs.differences import of_data
from tests.data.ports import codes

TEXT = "a,b\n" + "".join(f"{i},{2 * i}\n" for i in range(9))
PORT = DataPort("x", "x.output", "input", TensorType((1,)))


def recorded(folder: Path, name: str = "a.csv", text: str = TEXT, column: str = "a", **ways: Any) -> DataRecord:
    (folder / name).write_text(text)
    source = DataSource(name, bindings=(Binding("x", column),), **ways)
    recorder = Recorder(folder / "dataset.json", files_of(source, folder))
    recorder.start(source, open_dataset(source, (PORT,), folder))
    recorder.wait()
    record = read_record(folder / "dataset.json")
    assert record is not None
    return record


def test_files_rows_columns_and_options_are_recorded(tmp_path: Path) -> None:
    record = recorded(tmp_path, reading=Reading(header="yes"), split=Split(validation=0.0))
    (file,) = record.files
    assert file.sha256 == hashlib.sha256(TEXT.encode()).hexdigest()
    assert (record.rows, record.training, record.validation) == (9, 9, 0)
    assert record.columns == {"x.output": ("a",)}
    assert record.options == {"header": "yes", "faulty_rows": "refuse"}
    assert len(record.sha256) == 64


@pytest.mark.parametrize(
    ("ways", "expected"),
    [
        ({}, "same"),
        ({"name": "another.csv"}, "same"),
        ({"column": "b"}, "same files"),
        ({"split": Split(seed=1)}, "same files"),
        ({"reading": Reading(header="yes")}, "same files"),
        ({"text": TEXT + "9,18\n"}, "other"),
    ],
)
def test_the_same_data_is_said_of_two_runs_by_content(tmp_path: Path, ways: dict[str, Any], expected: str) -> None:
    first, second = recorded(tmp_path), recorded(tmp_path, **ways)
    assert likeness(first, second) == expected
    assert {difference.what for difference in of_data(first, second)} == (
        {"checksum of the data", "rows", "training rows"} if expected == "other" else set()
    )
    assert likeness(first, None) == "unknown"


def test_a_file_that_changes_meanwhile_has_no_checksum(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(TEXT)
    source = DataSource("a.csv", bindings=(Binding("x", "a"),))
    recorder = Recorder(tmp_path / "dataset.json", files_of(source, tmp_path))
    dataset = open_dataset(source, (PORT,), tmp_path)
    (tmp_path / "a.csv").write_text(TEXT + "9,18\n")
    recorder.start(source, dataset)
    recorder.wait()
    record = read_record(tmp_path / "dataset.json")
    assert record is not None
    assert (record.files[0].sha256, record.sha256) == ("", "")


def test_a_resumed_run_is_told_of_another_file(tmp_path: Path) -> None:
    before = recorded(tmp_path)
    files = [tmp_path / "a.csv"]
    assert Recorder(tmp_path / "x", files).changes_since(before) == []
    os.utime(files[0], (1, 1))
    assert Recorder(tmp_path / "x", files).changes_since(before) == [], "touched, and the same"
    files[0].write_text(TEXT.replace("8", "7"))
    assert codes(Recorder(tmp_path / "x", files).changes_since(before)) == ["data_not_the_same"]


def test_other_content_of_the_same_size_and_time_is_told(tmp_path: Path) -> None:
    before, file = recorded(tmp_path), tmp_path / "a.csv"
    status = file.stat()
    file.write_text(TEXT.replace("8", "7"))
    os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert (file.stat().st_size, file.stat().st_mtime_ns) == (status.st_size, status.st_mtime_ns)
    assert codes(changes(before, [file])) == ["data_not_the_same"]


def test_a_damaged_record_is_none(tmp_path: Path) -> None:
    (tmp_path / "dataset.json").write_bytes(b"{")
    assert read_record(tmp_path / "dataset.json") is None
    assert read_record(tmp_path / "nowhere.json") is None
    record = recorded(tmp_path)
    (tmp_path / "dataset.json").write_bytes(msgspec.json.encode({**msgspec.to_builtins(record), "more": 1}))
    assert read_record(tmp_path / "dataset.json") is None
