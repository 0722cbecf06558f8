"""What a run reads is recorded: the checksum of its files, rows, columns and options, so that runs can be compared."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Any

import msgspec
import pytest

from seqdec_gui.data.dataset import open_dataset
from seqdec_gui.domain.bindings import (
    Binding,
    BitsCodec,
    CategoryCodec,
    Codec,
    DataSource,
    IdsCodec,
    Reading,
    Split,
    TextCodec,
    ValuesCodec,
    VectorCodec,
)
from seqdec_gui.domain.dataflow import DataPort
from seqdec_gui.domain.types import TensorType
from seqdec_gui.runner.data_recorder import Recorder, changes, files_of
from seqdec_gui.runs.data_record import FORMAT, DataRecord, likeness, read_record
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


TEXTS = "t\nAb-d\n ab-d \nab-c\n\ufb01-x\nab-d\nab-d\n"
LABELS = "t\nred\nblue\nred\nblue\n"
NUMBERS = "t,u\n2,1\n4,5\n9,2\n7,7\n"
BITS = "t\n0101\n1100\n0011\n"
TOKENS = "t,u\n1,2\n3,4\n2,2\n0,1\n"
OTHER_OPTIONS: dict[Codec, dict[str, object]] = {
    TextCodec(): {
        "tokens": "words",
        "charset": tuple(" -Aabcdx\ufb01z"),
        "length": 12,
        "marks": "both",
        "padding": "left",
        "reverse": True,
        "lowercase": True,
        "numbering": "own",
        "normalise": "nfkc",
        "strip": "spaces",
        "min_count": 2,
        "max_symbols": 3,
        "unknown": True,
        "longer": "truncate",
        "random_order": True,
    },
    IdsCodec(): {"pad_id": 0},
    VectorCodec(): {"standardise": False, "scaling": "minmax", "components": 2.0, "missing": "mean"},
    CategoryCodec(): {"labels": ("red", "blue", "green")},
    ValuesCodec(): {"missing": "mean"},
    BitsCodec(): {"bits": 4},
}
"""Every option of every codec, with a value that is not the default. A test asks that none is missing."""

IS_AS_FITTED = {"numbering", "bits"}
"""Options that make the same numbers of the data of this test as the default does."""


def of_codec(folder: Path, codec: Codec) -> DataRecord:
    """Return the record of a column that is read with a codec; the model takes what the codec makes."""
    text = {TextCodec: TEXTS, IdsCodec: TOKENS, CategoryCodec: LABELS, BitsCodec: BITS}.get(type(codec), NUMBERS)
    shape = {TextCodec: (None, None), IdsCodec: (2,), CategoryCodec: (None,), BitsCodec: (4,)}.get(type(codec), (2,))
    kind = TensorType(shape, "int32") if isinstance(codec, IdsCodec) else TensorType(shape)
    if isinstance(codec, TextCodec) and codec.random_order:
        codec, text = TextCodec(tokens="smiles", random_order=True), "t\nCCO\nCO\nCCC\n"
    (folder / "a.csv").write_text(text)
    column = ("t", "u") if isinstance(codec, IdsCodec | VectorCodec | ValuesCodec) else "t"
    source = DataSource("a.csv", Split(validation=0.0), (Binding("x", column, codec),), Reading(header="yes"))
    recorder = Recorder(folder / "dataset.json", files_of(source, folder))
    recorder.start(source, open_dataset(source, (DataPort("x", "x.output", "input", kind),), folder))
    recorder.wait()
    record = read_record(folder / "dataset.json")
    assert record is not None
    return record


@pytest.mark.parametrize("codec", OTHER_OPTIONS, ids=lambda codec: type(codec).__name__)
def test_every_option_of_a_codec_is_part_of_the_checksum(tmp_path: Path, codec: Codec) -> None:
    others = OTHER_OPTIONS[codec]
    assert set(others) == set(codec.__struct_fields__), "give every option another value here"
    first = of_codec(tmp_path, codec)
    assert likeness(first, of_codec(tmp_path, codec)) == "same"
    found = {}
    for name, value in others.items():
        found[name] = likeness(first, of_codec(tmp_path, msgspec.structs.replace(codec, **{name: value})))
    expected = {name: "same" if name in IS_AS_FITTED else "same files" for name in others}
    expected |= {"random_order": "other"} if "random_order" in others else {}
    assert found == expected


def test_runs_of_earlier_versions_are_not_called_the_same(tmp_path: Path) -> None:
    now = recorded(tmp_path)
    plain = {name: value for name, value in msgspec.to_builtins(now).items() if name != "fit"}
    old = msgspec.convert({**plain, "format": 1, "sha256": "0" * 64}, DataRecord)
    assert (likeness(old, old), likeness(old, now), likeness(now, old)) == ("unknown codecs",) * 3
    assert (old.known_sha256, now.known_sha256) == ("", now.sha256)
    (said,) = of_data(old, old)
    assert (said.what, said.old, said.new) == ("numbers made of the data", *["not recorded: cannot be compared"] * 2)
    (said,) = of_data(old, now)
    assert (said.old, said.new) == ("not recorded: cannot be compared", now.fit[:12])
    assert likeness(old, recorded(tmp_path, column="b")) == "same files"
    assert likeness(old, recorded(tmp_path, text=TEXT + "9,18\n")) == "other"


def test_a_record_of_a_newer_version_is_none(tmp_path: Path) -> None:
    newer = msgspec.structs.replace(recorded(tmp_path), format=FORMAT + 1)
    (tmp_path / "dataset.json").write_bytes(msgspec.json.encode(newer))
    assert read_record(tmp_path / "dataset.json") is None


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
        {"checksum of the data", "rows", "training rows"}
        if expected == "other"
        else {"numbers made of the data"} & {"numbers made of the data" if first.fit != second.fit else ""}
    )
    assert (first.fit == second.fit) == (expected == "same" or "reading" in ways)
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
