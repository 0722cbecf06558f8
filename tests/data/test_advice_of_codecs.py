"""Every piece of advice that names an option of a codec is followed to its end: what led to it is gone, and the rows are read.

The advice is read from the source, so that a new piece without such an end fails here.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np
import pytest

import seqdec_gui.data
from seqdec_gui.data.dataset import try_fit
from seqdec_gui.domain.bindings import (
    Binding,
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
from seqdec_gui.domain.problems import errors
from seqdec_gui.domain.types import TensorType
from tests.data.test_advice_of_data import _text

ROOT = Path(seqdec_gui.data.__file__).resolve().parent
NAMED = re.compile(r"codec\.[a-z_]+|[Cc]odec's [a-z]+|[Cc]odec '[a-z]+'")
NO_ADVICE = {"The codec's charset has the entry {}; expected different single {}."}
IDS = DataPort("x", "x.output", "input", TensorType((None,), "int32", symbols=20))
VECTOR = DataPort("x", "x.output", "input", TensorType((2,)))


def advice() -> set[str]:
    """The texts of what reads and checks rows that name a codec or an option of one."""
    found = set()
    for path in sorted(ROOT.rglob("*.py")):
        tree = ast.parse(path.read_text("utf-8"))
        skipped = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}  # docstrings
        skipped |= {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
        texts = [_text(node) for node in ast.walk(tree) if id(node) not in skipped]
        found |= {text for text in texts if " " in text and NAMED.search(text)}
    return found - NO_ADVICE


class Case(NamedTuple):
    """Rows of a column `t`, the codec with which something is said, and the codecs that follow the advice."""

    rows: Any
    port: DataPort
    codec: Codec | None
    followed: tuple[Codec, ...]


def probabilities(port: DataPort) -> DataPort:
    return msgspec.structs.replace(port, probabilities=True)


def masked(port: DataPort) -> DataPort:
    return msgspec.structs.replace(port, masked_by="reader.mask_padding")


LOSS = DataPort("loss", "loss.targets", "target", TensorType((3, 2)), classes=2, probabilities=True)
HOLLOW = np.array([[[1, 0], [0, 1], [0, 0]], [[0, 1], [1, 0], [0, 1]]])
SENTENCES = ["a bird"] * 60 + ["a bird and " * 40]
FOLLOWED: dict[str, Case] = {
    "Leave the codec's length empty.": Case(
        ["ab", "b"], DataPort("x", "x.output", "input", TensorType((4,), "int32", 9)), TextCodec(length=3), (TextCodec(),)
    ),
    "Shorten or remove it; with codec.length={} longer rows are refused, and with codec.longer=truncate they are cut.": Case(
        SENTENCES, IDS, TextCodec(), (TextCodec(length=8, longer="truncate"),)
    ),
    "Set the codec's strip to none to keep it.": Case(["ab\n", "b\n"], IDS, TextCodec(), (TextCodec(strip="none"),)),
    "Set {}.codec.normalise=nfc.": Case(
        ["caf\u00e9", "cafe\u0301", "e"], IDS, TextCodec(), (TextCodec(normalise="nfc"), TextCodec(normalise="nfkc"))
    ),
    "Leave the codec's components empty.": Case(
        np.arange(24.0).reshape(4, 3, 2), DataPort("x", "x.output", "input", TensorType((3, 2))), VectorCodec(components=1),
        (VectorCodec(),),
    ),
    "Set the codec's standardise to false.": Case(
        np.eye(2).repeat(3, 0), probabilities(VECTOR), VectorCodec(standardise=True), (VectorCodec(standardise=False),)
    ),
    "Set {}.codec.standardise=false, and standardise the data without its padding.": Case(
        np.concatenate([np.arange(1.0, 25).reshape(4, 3, 2), np.zeros((4, 1, 2))], 1),
        masked(DataPort("x", "x.output", "input", TensorType((4, 2)))), VectorCodec(standardise=True),
        (VectorCodec(standardise=False),),
    ),
    "Number the symbols from 1 or change {}. If id 0 is padding, set {}.codec.pad_id=0.": Case(
        np.array([[1, 0, 2], [2, 1, 0]]), masked(IDS), IdsCodec(), (IdsCodec(pad_id=0),)
    ),
    "Bind numbers, or use codec 'category'.": Case(["red", "blue", "red"], VECTOR, TextCodec(), (CategoryCodec(),)),
    "Use codec 'text' for a sequence.": Case(["ab", "b"], IDS, CategoryCodec(), (TextCodec(),)),
    "Switch mask_padding of the loss on, which leaves such steps out, or bind it with the codec 'values'.": Case(
        HOLLOW, LOSS, IdsCodec(), (ValuesCodec(),)
    ),
    "Use codec 'ids' or 'text'.": Case(np.array([[1, 3], [2, 4]]), IDS, VectorCodec(), (IdsCodec(),)),
}  # fmt: skip
"""What leads to each piece of advice, and the codecs with which it is followed."""
ELSEWHERE = {
    "If it is padding, set {}.codec.pad_id={}.": ("test_dataset.py", "looks_like_padding"),
    "Bind it with the codec 'values'.": ("test_dataset.py", "not_one_hot"),
}


def fitted(case: Case, codec: Codec | None, folder: Path) -> Any:
    np.savez(folder / "a.npz", t=np.array(case.rows))
    source = DataSource("a.npz", Split(validation=0.0), (Binding(case.port.name, "t", codec),), Reading())
    return try_fit(source, (case.port,), folder)


def test_every_piece_of_advice_on_codecs_is_followed_here() -> None:
    assert advice() == set(FOLLOWED) | set(ELSEWHERE)


@pytest.mark.parametrize("hint", FOLLOWED)
def test_advice_on_codecs_leads_to_rows_that_are_read(hint: str, tmp_path: Path) -> None:
    case = FOLLOWED[hint]
    pattern = re.compile(".*".join(map(re.escape, hint.split("{}"))))
    before = fitted(case, case.codec, tmp_path)
    assert any(pattern.search(problem.hint) for problem in before.problems), before.problems
    for codec in case.followed:
        after = fitted(case, codec, tmp_path)
        assert not errors(after.problems)
        assert not any(pattern.search(problem.hint) for problem in after.problems)
        assert after.fitted is not None
        assert after.rows == len(case.rows)


@pytest.mark.parametrize("hint", ELSEWHERE)
def test_other_advice_on_codecs_is_followed_where_it_says(hint: str) -> None:
    name, option = ELSEWHERE[hint]
    assert option in (Path(__file__).parent / name).read_text("utf-8")
