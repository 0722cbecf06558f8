"""Rows that can be encoded and are not worth training on, or are no text at all."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest

from seqdec_gui.data.dataset import open_dataset, try_fit
from seqdec_gui.data.formats.base import text_array
from seqdec_gui.data.soundness import is_constant, survey_text
from seqdec_gui.data.tables import read
from seqdec_gui.domain.bindings import Binding, Codec, DataSource, Split, TextCodec, ValuesCodec
from seqdec_gui.domain.dataflow import DataPort
from seqdec_gui.domain.problems import Problem
from seqdec_gui.domain.types import TensorType
from tests.data.ports import LATENT, codes

CASES = Path(__file__).parent / "cases"
OPEN = DataPort("x", "x.output", "input", TensorType((None, 300)), one_hot=True)


def told(path: Path, column: str, port: DataPort = OPEN, codec: Codec | None = None) -> list[Problem]:
    """What is wrong with one column bound to the port."""
    source = DataSource(path.name, Split(validation=0.0), (Binding(port.port, column, codec),))
    return [problem for problem in try_fit(source, [port], path.parent).problems if problem.where == port.port]


# -- text that is none
def test_binary_strings_are_refused_with_row_and_code(tmp_path: Path) -> None:
    molecules = np.array([b"CCO", b"\xef\xbe\xad\xde\x00\x01", b"CC"])
    np.savez(tmp_path / "a.npz", m=molecules)
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["m"] = molecules
    for name in ("a.npz", "a.h5"):
        (problem,) = told(tmp_path / name, "m")
        assert (problem.severity, problem.code) == ("error", "control_characters")
        assert "row 2" in problem.text
        assert "U+0000" in problem.text


def test_zeros_at_the_end_are_padding_and_others_are_kept() -> None:
    for values in (np.array([b"ab", b"c\0\0", b"d\0e"], "S6"), np.array(["ab", "c\0", "d\0e"], "U6")):
        assert text_array(values).to_pylist() == ["ab", "c", "d\0e"]
        assert text_array(values[:2]).to_pylist() == ["ab", "c"]


@pytest.mark.parametrize("fixed", [True, False])
def test_western_bytes_of_arrays_are_read_as_cp1252_and_told(tmp_path: Path, fixed: bool) -> None:
    texts = [b"l\x92\xe9t\xe9", "süß".encode(), b"5 \x80"]
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_dataset("t", data=np.array(texts) if fixed else texts, dtype=None if fixed else h5py.string_dtype())
    assert list(read(tmp_path / "a.h5", "t")) == ["l’été", "süß", "5 €"]
    (problem,) = told(tmp_path / "a.h5", "t")
    assert (problem.code, "cp1252" in problem.text) == ("not_utf8", True)


@pytest.mark.parametrize(("letter", "row"), [("\x07", 3), ("\x7f", 1), ("\x85", 2), ("\x9d", 70_001)])
def test_a_control_character_is_found_in_any_row(letter: str, row: int) -> None:
    texts = np.array(["aé", "Â", "c", "ÿ\t"] * 20_000, object)
    texts[row] += letter
    chunks = [text_array(texts[:50_000]), text_array(texts[50_000:]).slice(0)]
    seen = survey_text(iter(chunks))
    assert (seen.control_rows, seen.control_row, seen.control) == (1, row, letter)
    assert len(seen.lengths) == len(texts)


@pytest.mark.parametrize("mark", ["NA", "NaN", "NULL", "\\N"])
def test_texts_that_mark_missing_values_are_told(tmp_path: Path, mark: str) -> None:
    (tmp_path / "a.csv").write_text("word,tag\n" + "tomato,x\npotato,y\n" * 5 + f"{mark},y\n{mark},x\n")
    (problem,) = told(tmp_path / "a.csv", "word")
    assert (problem.severity, problem.code) == ("warning", "missing_as_text")
    assert "2 rows" in problem.text
    assert "row 11" in problem.text


def test_letters_that_another_program_lost_are_told(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", w=np.array(["caf\N{REPLACEMENT CHARACTER}", "tea", "milk"]))
    (problem,) = told(tmp_path / "a.npz", "w")
    assert (problem.severity, problem.code, "1 row " in problem.text) == ("warning", "lost_letters", True)


@pytest.mark.parametrize(("highest", "codes_told"), [(2**24, []), (2**24 + 1, ["rounded_numbers"])])
def test_whole_numbers_that_float32_rounds_are_told(tmp_path: Path, highest: int, codes_told: list[str]) -> None:
    np.savez(tmp_path / "a.npz", n=np.array([1, 2, highest]))
    port = DataPort("x", "x.output", "input", TensorType((1,)))
    assert codes(told(tmp_path / "a.npz", "n", port, ValuesCodec())) == codes_told


def test_a_line_end_inside_a_text_is_told() -> None:
    (problem,) = told(CASES / "trailing_newline.csv", "smiles", codec=TextCodec(strip="none"))
    assert (problem.severity, problem.code) == ("warning", "line_ends_in_text")
    assert "3 rows" in problem.text


def test_a_line_end_at_the_end_of_a_text_is_stripped_and_that_is_told() -> None:
    (problem,) = told(CASES / "trailing_newline.csv", "smiles")
    assert (problem.severity, problem.code) == ("info", "newlines_stripped")
    assert "3 texts" in problem.text


def test_letters_in_two_normal_forms_are_told_until_they_are_united() -> None:
    assert codes(told(CASES / "emoji.csv", "text")) == ["mixed_normal_forms"]
    assert codes(told(CASES / "emoji.csv", "text", codec=TextCodec(normalise="nfc"))) == []


# -- rows that say nothing
@pytest.mark.parametrize("values", [["same"] * 9, [7] * 9, [0.5] * 9])
def test_a_constant_column_is_told(tmp_path: Path, values: list[object]) -> None:
    np.savez(tmp_path / "a.npz", x=np.array(values))
    port = OPEN if isinstance(values[0], str) else DataPort("x", "x.output", "input", TensorType((1,)))
    found = [problem for problem in told(tmp_path / "a.npz", "x", port) if problem.code == "constant_column"]
    assert [problem.severity for problem in found] == ["warning"]


def test_a_constant_vector_is_told_and_one_constant_number_in_it_is_not(tmp_path: Path) -> None:
    varied = np.random.default_rng(0).normal(size=(9, 3))
    varied[:, 1] = 4
    np.savez(tmp_path / "a.npz", varied=varied, constant=np.ones((9, 3)))
    assert "constant_column" not in codes(told(tmp_path / "a.npz", "varied", LATENT))
    assert "constant_column" in codes(told(tmp_path / "a.npz", "constant", LATENT))


def test_rows_that_are_encoded_alike_are_told(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", t=np.array(["ab", "AB", "Ab"] * 5))
    bindings = (Binding("x.output", "t", TextCodec(lowercase=True)),)
    dataset = open_dataset(DataSource("a.npz", Split(validation=0.0), bindings), [OPEN], tmp_path)
    assert codes(dataset.problems) == ["encoded_alike"]


def test_an_array_is_compared_as_far_as_it_goes() -> None:
    array = np.zeros((70_000, 2), np.uint8)
    assert is_constant(array)
    array[-1, 1] = 1
    assert not is_constant(array)


# -- one row that is longer than all others
def test_a_long_row_is_told_unless_a_length_was_asked_for() -> None:
    (problem,) = told(CASES / "one_long_row.csv", "word")
    assert (problem.severity, problem.code) == ("warning", "one_long_row")
    assert "Row 21" in problem.text
    assert "codec.length=16" in problem.hint
    assert "not divided into several rows" in problem.text
    assert codes(told(CASES / "one_long_row.csv", "word", codec=TextCodec(length=3000))) == []


def test_lengths_that_differ_as_usual_are_nothing_to_tell(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", t=np.array(["ab" * (1 + i % 60) for i in range(300)]))
    assert told(tmp_path / "a.npz", "t") == []
