"""Subwords: learned from training rows, the same in every process, cut and joined without a loss."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import msgspec
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seqdec_gui.data import subwords
from seqdec_gui.data.codecs import UNKNOWN, FittedText
from seqdec_gui.data.dataset import Dataset, open_dataset, try_fit
from seqdec_gui.data.fitted import Fitted
from seqdec_gui.data.sources import RowSource
from seqdec_gui.data.subwords import Vocabulary, cut, learn
from seqdec_gui.domain.bindings import Binding, DataSource, Split, TextCodec
from seqdec_gui.domain.dataflow import DataPort
from seqdec_gui.domain.problems import InvalidInput
from seqdec_gui.domain.types import TensorType

pytest.importorskip("tokenizers")
pytest.importorskip("sentencepiece")

KINDS = ("bpe", "unigram")
ROWS = [f"{a} {b}{c}" for a in ("the", "a", "this") for b in ("quick", "lazy", "brown") for c in ("ness", "ly", "er", "")] * 3
ROWS += ["  two  spaces ", "tab\there", "accent\u0301 é", "▁ block", "CC(=O)Oc1ccccc1C(=O)O", "日本語 のテキスト"]


def letters_of(rows: list[str]) -> list[str]:
    return sorted(set("".join(rows)))


@pytest.fixture(scope="module", params=KINDS)
def vocabulary(request: pytest.FixtureRequest) -> Vocabulary:
    return learn(request.param, ROWS, letters_of(ROWS), 120, 1)


def pieces_of(vocabulary: Vocabulary, rows: list[str]) -> list[list[str]]:
    indices, lengths, names = cut(pa.array(rows, pa.large_string()), vocabulary)
    parts = iter(np.array(names, object)[indices].tolist())
    return [[next(parts) for _ in range(length)] for length in lengths.tolist()]


def test_pieces_joined_are_the_text(vocabulary: Vocabulary) -> None:
    assert ["".join(pieces) for pieces in pieces_of(vocabulary, ROWS)] == ROWS
    assert max(map(len, vocabulary.pieces)) > 2  # it joins letters


@settings(deadline=None, max_examples=150)
@given(row=st.text(max_size=40))
def test_any_text_is_cut_and_joined_without_a_loss(vocabulary: Vocabulary, row: str) -> None:
    pieces = pieces_of(vocabulary, [row])[0]
    assert "".join(pieces) == row
    known = set("".join(ROWS))
    for piece in pieces:  # a part with a letter of the training is not hidden in an unknown one
        assert piece in vocabulary.pieces or not set(piece) & known or UNKNOWN in piece


@settings(deadline=None, max_examples=60)
@given(row=st.text(st.sampled_from(letters_of(ROWS)), max_size=40).filter(lambda row: row == row.rstrip("\r\n") and row))
def test_encoded_and_decoded_text_is_the_same(vocabulary: Vocabulary, row: str) -> None:
    codec = FittedText(
        vocabulary.pieces, 44, begin=True, end=True, tokens=vocabulary.kind, unknown=True, subwords=vocabulary.model
    )
    assert not codec.faults(RowSource("it", [row]), "")
    ids = codec.encoder()(pa.array([row], pa.large_string()))[0]
    assert codec.unknown_id not in ids.tolist()
    assert codec.decode(ids.tolist()) == row


@pytest.mark.parametrize("kind", KINDS)
def test_another_process_learns_the_same(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    first = learn(kind, ROWS, letters_of(ROWS), 90, 2)  # type: ignore[arg-type]
    monkeypatch.setattr(subwords, "_learned", type(subwords._learned)())
    assert learn(kind, ROWS, letters_of(ROWS), 90, 2) == first  # type: ignore[arg-type]
    assert len(set(letters_of(ROWS))) + 1 < len(first.pieces) <= 91
    assert len(set(first.pieces)) == len(first.pieces)


@pytest.mark.parametrize("kind", KINDS)
def test_rare_pieces_and_letters_are_left_out(kind: str) -> None:
    found = learn(kind, ROWS, [letter for letter in letters_of(ROWS) if "".join(ROWS).count(letter) >= 9], 200, 9)  # type: ignore[arg-type]
    assert "語" not in found.pieces
    counted = [piece for row in pieces_of(found, ROWS) for piece in row]
    joined = [piece for piece in found.pieces if len(piece) > 1]
    assert joined
    if kind == "unigram":
        assert all(counted.count(piece) >= 9 for piece in joined)


def dataset(path: Path, rows: list[str], codec: TextCodec, symbols: int = 200) -> Dataset:
    return open_dataset(*design_of(path, rows, codec, symbols), path)


def design_of(path: Path, rows: list[str], codec: TextCodec, symbols: int = 200) -> tuple[DataSource, list]:  # type: ignore[type-arg]
    (path / "rows.csv").write_text("text,part\n" + "".join(f'"{row}",{part}\n' for row, part in map(parted, rows)), "utf-8")
    source = DataSource("rows.csv", Split("column", column="part"), (Binding("fed.output", "text", codec),), numbering="shared")
    fed = DataPort("fed", "fed.output", "input", TensorType((None,), "int32", symbols), ("fed",), taught="loss")
    loss = DataPort(
        "loss", "loss.targets", "target", TensorType((None, symbols)), ("loss",), classes=symbols, mask_padding=True
    )
    return source, [fed, loss]


def parted(row: str) -> tuple[str, str]:
    return row.removeprefix("!"), "validation" if row.startswith("!") else "train"


@pytest.mark.parametrize("kind", KINDS)
def test_the_vocabulary_is_of_the_training_rows_alone(tmp_path: Path, kind: str) -> None:
    rows = [*ROWS, *["!zzz the zebra"] * 50]
    found = dataset(tmp_path, rows, TextCodec(kind, max_symbols=100))  # type: ignore[arg-type]
    codec = found.fitted.ports[0].codec
    assert isinstance(codec, FittedText)
    assert codec.unknown
    assert "z" in "".join(codec.charset)  # of "lazy"
    assert not any("zz" in piece or "zeb" in piece for piece in codec.charset)
    (remark,) = (problem for problem in found.problems if problem.code == "subwords_learned")
    assert f"{len(codec.charset) - 1:,} subwords were learned" in remark.text


@pytest.mark.parametrize("kind", KINDS)
def test_unknown_letters_of_other_rows_are_said(tmp_path: Path, kind: str) -> None:
    found = dataset(tmp_path, [*ROWS, "!the Ωlazy"], TextCodec(kind, max_symbols=100))  # type: ignore[arg-type]
    codec = found.fitted.ports[0].codec
    assert isinstance(codec, FittedText)
    (said,) = (problem.text for problem in found.problems if problem.code == "unknown_tokens")
    assert "1 of" in said
    assert "1 different one" in said
    row = found.arrays["fed"][-1]
    assert row.tolist().count(codec.unknown_id) == 1
    assert codec.decode(row.tolist()) == f"the {UNKNOWN}lazy"


@pytest.mark.parametrize("kind", KINDS)
def test_the_fit_is_json_and_cuts_alike_when_it_was_read_again(tmp_path: Path, kind: str) -> None:
    found = dataset(tmp_path, ROWS, TextCodec(kind, max_symbols=100))  # type: ignore[arg-type]
    again = msgspec.json.decode(msgspec.json.encode(found.fitted), type=Fitted)
    assert again == found.fitted
    source, ports = design_of(tmp_path, ROWS, TextCodec(kind, max_symbols=100))  # type: ignore[arg-type]
    arrays = open_dataset(source, ports, tmp_path, fitted=again).arrays
    assert all((arrays[name] == array).all() for name, array in found.arrays.items())


def test_a_missing_package_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subwords, "find_spec", lambda name: None)
    source, ports = design_of(tmp_path, ROWS, TextCodec("bpe"))
    problems = [problem for problem in try_fit(source, ports, tmp_path).problems if problem.severity == "error"]
    assert [problem.code for problem in problems] == ["missing_extra"]
    assert "seqdec-gui[subwords]" in problems[0].hint


def test_a_charset_is_refused(tmp_path: Path) -> None:
    source, ports = design_of(tmp_path, ROWS, TextCodec("bpe", charset=("a", "b")))
    assert "bad_charset" in [problem.code for problem in try_fit(source, ports, tmp_path).problems]


def test_what_ends_the_process_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subwords, "sys", type("Sys", (), {"executable": "/bin/false"}))
    with pytest.raises(InvalidInput, match="could not be learned"):
        learn("bpe", ["nothing of this was learned before"], ["n"], 7, 1)


def test_the_libraries_are_imported_with_the_first_text() -> None:
    code = "import sys, seqdec_gui.data.dataset; print([n for n in sys.modules if n in ('tokenizers', 'sentencepiece')])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
