"""What the name of a column says about the port that it may be for."""

from __future__ import annotations

import re
from typing import Literal

from seqdec_gui.domain.dataflow import DataPort

Side = Literal["source", "target"]
"""Whether data goes into the model or is to come out of it."""
SOURCE_WORDS = frozenset(
    ("x", "xs", "src", "source", "sources", "input", "inputs", "feature", "features", "question", "prompt")
)
"""Words in the names of columns that go into a model."""
TARGET_WORDS = frozenset(
    ("y", "ys", "tgt", "target", "targets", "label", "labels", "output", "outputs", "answer", "caption", "translation")
)
"""Words in the names of columns that a model has to predict."""
_PLAIN_WORDS = SOURCE_WORDS | TARGET_WORDS | frozenset(
    ("model", "decoder", "encoder", "sequence", "loss", "data", "block", "column", "token", "tokens", "vector", "states",
     "step", "steps", "number", "numbers", "value", "values", "id", "ids", "text", "texts", "a", "an", "of", "the", "in", "out")
)  # fmt: skip
"""Words that many ports and columns have, and that therefore connect none of them."""
_ID_NAMES = frozenset(("", "id", "ids", "index", "idx", "row", "rowid", "rownumber", "unnamed0"))
"""The names of columns that number the rows, without anything but letters and digits."""
_NAMING_WORDS = frozenset(
    ("id", "ids", "identifier", "identifiers", "key", "uid", "uuid", "guid", "index", "idx", "no", "nr", "num", "number",
     "name", "names", "accession", "cas", "casno", "casnr", "casrn", "cid", "inchikey", "doi", "barcode", "ref")
)  # fmt: skip
"""Words at the end of the name of a column that tells rows apart: `compound name`, `CAS-No`, `sampleId`."""
_NAMED_THINGS = frozenset(
    ("sample", "compound", "molecule", "ligand", "drug", "entry", "record", "row", "rn", "chembl", "cas rn", "zinc")
)  # fmt: skip
"""Whole names of columns that tell rows apart by what they stand for."""
SAME, ALIKE, NONE = 2, 1, 0
"""How much the names of a column and a port have in common."""


def likeness(port: DataPort, column: str) -> int:
    """Return `SAME` if the column has the name of the port or its block, `ALIKE` if they share a telling word, else `NONE`."""
    names = {port.name, port.port, *port.aliases, *(alias.partition(".")[0] for alias in port.aliases)}
    if _plain(column) in {_plain(name) for name in names}:
        return SAME
    telling = {word for name in names for word in _words(name)} - _PLAIN_WORDS
    return ALIKE if telling & set(_words(column)) else NONE


def side_of_port(port: DataPort) -> Side:
    """Return on which side of the model the port is: the input of a decoder holds what is to be predicted."""
    return "target" if port.role == "target" or port.generated else "source"


def side_of_name(column: str) -> Side | None:
    """Return the side that a column is named for: `src` and `X`, or `tgt` and `y`; None if its name names none or both."""
    words = set(_words(column))
    source, target = bool(words & SOURCE_WORDS), bool(words & TARGET_WORDS)
    return None if source == target else "source" if source else "target"


def is_named_for(side: Side, column: str) -> bool:
    """Return whether a whole word in the name says that the column is for this side; a letter such as X says too little."""
    words = SOURCE_WORDS if side == "source" else TARGET_WORDS
    return side_of_name(column) == side and any(len(word) > 1 for word in words & set(_words(column)))


def numbers_rows(column: str) -> bool:
    """Return whether the column is named like one that numbers the rows."""
    return _plain(column) in _ID_NAMES


def names_rows(column: str) -> bool:
    """Return whether a column of this name tells rows apart: its last word names or numbers things, or it is such a thing.

    `id`, `compound name`, `CAS-No`, `sampleId`, `ChEMBL_ID`, `mol_id_2`, `Unnamed: 0`, `index`; not `grid` or `keyboard`.
    """
    words = [word for word in re.split(r"[\W_]+", re.sub(r"([a-z])([A-Z])", r"\1 \2", column).lower()) if word]
    while len(words) > 1 and words[-1].isdigit():
        words.pop()
    last = words[-1].rstrip("0123456789") if words else ""
    return last in _NAMING_WORDS or "".join(words) in _NAMING_WORDS or " ".join(words) in _NAMED_THINGS or words == ["unnamed"]


def stem(column: str) -> str:
    """Return the name without a number at its end, for columns that make up one vector: `f` for `f_01`."""
    return re.sub(r"[\W_]*\d+$", "", column)


def _plain(name: str) -> str:
    letters = re.sub(r"[\W_]", "", name.lower())
    return letters[:-1] if len(letters) > 3 and letters.endswith("s") else letters


def _words(name: str) -> list[str]:
    parts = re.sub(r"([a-z])([A-Z])", r"\1 \2", name)
    return [word for word in re.split(r"[\W_\d]+", parts.lower()) if word]
