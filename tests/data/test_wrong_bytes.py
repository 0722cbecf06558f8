"""Bytes that are no text: refused, with remedies, each of which is followed to the rows that a training would get."""

from __future__ import annotations

import bz2
import json
from collections.abc import Callable
from pathlib import Path

import h5py
import msgspec
import numpy as np
import pytest

from seqdec_gui.data.dataset import open_dataset, try_fit
from seqdec_gui.data.remedies import remedies, with_wrong_bytes
from seqdec_gui.data.rows import read_input
from seqdec_gui.data.tables import open_table
from seqdec_gui.domain.bindings import Binding, DataSource, Reading, Split
from seqdec_gui.domain.dataflow import DataPort
from seqdec_gui.domain.design import Design
from seqdec_gui.domain.edit import set_value
from seqdec_gui.domain.problems import InvalidInput, errors
from seqdec_gui.domain.types import TensorType

WORD = DataPort("word", "word.output", "input", TensorType((12,), "int32", symbols=40))
WORDS = [b"h\xc3\xa9llo", "wörld".encode(), b"bad\xff\xfe\x81", "ñandú".encode(), b"cut\xe2\x82", "über".encode()] * 3
"""Texts of UTF-8, but for the third and the fifth."""


def _h5(path: Path, words: list[bytes]) -> None:
    with h5py.File(path, "w") as file:
        file["word"] = np.array(words)


WRITERS: dict[str, Callable[[Path, list[bytes]], object]] = {
    "csv": lambda path, words: path.write_bytes(b"word,n\n" + b"".join(word + b",1\n" for word in words)),
    "txt": lambda path, words: path.write_bytes(b"word\n" + b"\n".join(words)),
    "csv.bz2": lambda path, words: path.write_bytes(bz2.compress(b"word,n\n" + b"".join(word + b",1\n" for word in words))),
    "jsonl": lambda path, words: path.write_bytes(b"".join(b'{"word": "' + word + b'"}\n' for word in words)),
    "smi": lambda path, words: path.write_bytes(b"smiles name\n" + b"".join(word + b" one\n" for word in words)),
    "npz": lambda path, words: np.savez(path, word=np.array(words)),
    "h5": _h5,
}


def source_of(folder: Path, kind: str, words: list[bytes]) -> DataSource:
    WRITERS[kind](folder / f"rows.{kind}", words)
    return DataSource(f"rows.{kind}", Split(validation=0.0), (Binding("word", "smiles" if kind == "smi" else "word"),))


def refusals(folder: Path, source: DataSource) -> list[str]:
    try:
        return [problem.code for problem in errors(try_fit(source, [WORD], folder).problems)]
    except InvalidInput as error:
        return [problem.code for problem in error.problems]


@pytest.mark.parametrize("zeros", [False, True], ids=["undecodable", "zeros"])
@pytest.mark.parametrize("kind", WRITERS)
def test_each_remedy_for_bytes_that_are_no_text_ends_in_rows(tmp_path: Path, kind: str, zeros: bool) -> None:
    words = [word.replace(b"\xff\xfe", b"\0\0") for word in WORDS] if zeros else WORDS
    if kind in ("npz", "h5"):  # as a whole no Western text
        wrong = b"\xff\0\xfe\x81" if zeros else b"\xff\xfe\xfd\x81"
        words = [wrong if at % 6 in (2, 4) else b"word" for at in range(len(words))]
    source = source_of(tmp_path, kind, words)
    assert set(refusals(tmp_path, source)) & {"wrong_encoding", "not_text"}
    replaced, left_out = with_wrong_bytes(Design(data=source))
    dataset = open_dataset(replaced.design.data, [WORD], tmp_path)
    assert dataset.rows == len(words)
    said = " ".join(problem.text for problem in dataset.problems)
    assert "U+FFFD" in said or "\\ufffd" in said
    dataset = open_dataset(left_out.design.data, [WORD], tmp_path)
    assert len(dataset.training) == len(words) - 6
    assert "left out" in " ".join(problem.text for problem in dataset.problems)


@pytest.mark.parametrize("kind", ["csv", "npz", "h5"])
def test_control_characters_are_replaced_by_the_same_remedy(tmp_path: Path, kind: str) -> None:
    source = source_of(tmp_path, kind, [b"a\x01b", b"abc", b"\x02"] * 3)
    design = Design(data=source)
    trial = try_fit(source, [WORD], tmp_path)
    (problem,) = errors(trial.problems)
    offered = {remedy.text: remedy.design for remedy in remedies(design, trial.bound[0], problem)}
    assert list(offered) == ["Replace such bytes by U+FFFD", "Leave such rows out"]
    for chosen, rows in zip(offered.values(), (9, 3), strict=True):
        assert len(open_dataset(chosen.data, [WORD], tmp_path).training) == rows


def test_the_hint_of_a_column_that_is_no_text_is_a_remedy_of_its_port(tmp_path: Path) -> None:
    source = source_of(tmp_path, "npz", [b"\xff\xfe\xfd\x81", b"word", b"text"] * 3)
    trial = try_fit(source, [WORD], tmp_path)
    (problem,) = errors(trial.problems)
    assert problem.code == "wrong_encoding"
    assert len(remedies(Design(data=source), trial.bound[0], problem)) == 2
    assert not refusals(tmp_path, msgspec.structs.replace(source, reading=Reading(encoding="latin-1"), faulty_rows="leave_out"))


def test_the_encoding_that_is_set_is_that_of_texts_in_arrays(tmp_path: Path) -> None:
    words = [word.encode("cp1251") for word in ("кошка", "собака", "лиса")]
    for kind in ("npz", "h5", "jsonl"):
        WRITERS[kind](tmp_path / f"rows.{kind}", words)
        table = open_table(tmp_path / f"rows.{kind}", how=Reading(encoding="cp1251"))
        assert table.page("word", 0, 3) == ["кошка", "собака", "лиса"]


def test_rows_that_are_no_text_get_their_reason_when_something_is_generated(tmp_path: Path) -> None:
    replaced, left_out = with_wrong_bytes(Design(data=source_of(tmp_path, "csv", WORDS)))
    for chosen in (replaced, left_out):
        how = chosen.design.data.reading
        fitted = open_dataset(chosen.design.data, [WORD], tmp_path).fitted
        values = read_input(fitted, tmp_path / "rows.csv", how=how).values["word"]
        assert len(values) == len(WORDS)
        assert values[0] == "héllo"


def test_the_settings_that_a_refusal_names_are_taken_at_the_shell(tmp_path: Path) -> None:
    design = Design(data=source_of(tmp_path, "csv", WORDS))
    try:
        open_table(tmp_path / "rows.csv")
    except InvalidInput as error:
        words = error.problems[0].hint
    for setting in ("data.wrong_bytes=replace", "data.wrong_bytes=mark", "data.faulty_rows=leave_out"):
        assert setting in words
        design = set_value(design, *setting.split("="))
    assert not refusals(tmp_path, design.data)
    assert json.dumps(msgspec.to_builtins(design.data.reading)) == '{"wrong_bytes": "mark"}'
