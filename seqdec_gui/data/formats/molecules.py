"""Molecules: files of SMILES, and the binary molecules of RDKit that HDF5 files of this field hold."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from seqdec_gui.data.formats.base import Array, reading
from seqdec_gui.data.formats.compression import content_of
from seqdec_gui.data.formats.encodings import decoded, line_at, not_text
from seqdec_gui.data.formats.memory import MemoryTable
from seqdec_gui.domain.bindings import Reading
from seqdec_gui.domain.problems import InvalidInput, Problem
from seqdec_gui.domain.wording import counted

MAGIC = b"\xef\xbe\xad\xde"
"""The first bytes of a molecule that RDKit's `Mol.ToBinary` wrote: 0xDEADBEEF, the lowest byte first."""

_LINE_END = re.compile(rb"\r\n?|\n")
_NOTATION = re.compile(r"(?:Cl|Br|[BCNOPSFIbcnops]|\[[^\]\s,;]+\]|%\d\d|%\(\d+\)|[-0-9=#$/\\+().:~*>@&])+")
"""What SMILES, and reactions of them, are made of."""

_LOOKED_AT = 100
"""The number of lines by which a file is judged."""

_SHOWN = 40
"""The number of characters of a word that a message shows."""

_HEADER = re.compile(rb"(canonical[_ ]?|isomeric[_ ]?)?smiles", re.IGNORECASE)
"""The first word of a line of names."""


class SmilesTable(MemoryTable):
    """A file with one molecule a line: the SMILES up to the first space or tab, and after it the name.

    Format: https://opensmiles.org/opensmiles.html, section 4.5. The names become a column if a line has one.
    """

    def __init__(self, path: Path, names: Sequence[str] | None, how: Reading, bound: Sequence[str] = ()) -> None:
        super().__init__(path)
        import pyarrow as pa

        with reading(path):
            text = decoded(content_of(path), path.name, how.encoding, how.wrong_bytes)
            self.problems = text.problems
            lines = _LINE_END.split(text.content)
            while lines and not lines[-1]:
                lines.pop()
            if not lines:
                raise InvalidInput(f"{path.name} holds no text; expected one SMILES a line.", "empty_file", "data")
            self._tell_of_zero_bytes(text.content)
            lines = self._without_comments(lines, how.comment)
            header = _HEADER.fullmatch(lines[0].split(None, 1)[0]) is not None if lines and lines[0].strip() else False
            self.has_names = False  # no format of molecules has them; a first line may be a remark
            body = lines[1:] if header else lines
            blank = sum(not line.strip() for line in body)
            if blank:
                skipped = f"{path.name} has {counted(blank, 'empty line')} between its rows, skipped in reading."
                self.problems += (Problem("info", "blank_lines", "data", skipped),)
            cut = [(*line.strip().split(None, 1), b"")[:2] for line in body if line.strip()]
            columns = {"smiles": pa.array([smiles for smiles, _ in cut], pa.binary()).cast(pa.string())}
            if any(name for _, name in cut):
                columns["name"] = pa.array([name or None for _, name in cut], pa.binary()).cast(pa.string())
            self.problems += tuple(_not_smiles_problems(path.name, cut))
        self._hold(columns)

    def _tell_of_zero_bytes(self, content: bytes) -> None:
        if (at := content.find(b"\0")) >= 0:
            text = f"{self.path.name} holds binary data (a byte of value 0 in line {line_at(content, at)}); expected text."
            raise not_text(text)

    def _without_comments(self, lines: list[bytes], comment: str) -> list[bytes]:
        """Return the lines without those that begin with the comment mark; `#` begins no SMILES."""
        mark = {"auto": "#", "none": ""}.get(comment, comment).encode()
        kept = [line for line in lines if not mark or not line.startswith(mark)]
        if len(kept) < len(lines):
            skipped = counted(len(lines) - len(kept), "line")
            text = f"{self.path.name} has {skipped} beginning with {mark.decode()}, skipped as comments."
            self.problems += (Problem("info", "comments_skipped", "data", text),)
        return kept


def _not_smiles_problems(file: str, cut: Sequence[tuple[bytes, ...]]) -> Iterator[Problem]:
    """A warning where the first words of most lines cannot be SMILES, as their letters or marks are not of the notation."""
    first = [(smiles.decode("utf-8", "replace"), name.decode("utf-8", "replace")) for smiles, name in cut[:_LOOKED_AT]]
    wrong = [(smiles, name) for smiles, name in first if not _NOTATION.fullmatch(smiles)]
    if 2 * len(wrong) <= len(first):
        return
    smiles = wrong[0][0]
    text = f"The first words of {len(wrong)} of {counted(len(first), 'line')} of {file} are no SMILES: {smiles[:_SHOWN]!r}"
    second = [name.split(None, 1)[0] for _, name in wrong if name]
    if second and 2 * sum(map(bool, map(_NOTATION.fullmatch, second))) > len(wrong):
        hint = (
            "The second words look like SMILES: put them first, or give the file the ending .tsv or .csv and bind that column."
        )
    elif any(mark in smiles for mark in ",;|"):
        hint = "Marks stand between the cells of its lines: give it the ending .csv."
    else:
        hint = "Give it the ending .txt if its lines are other texts."
    yield Problem("warning", "no_smiles", "data", f"{text}.", hint)


def holds_molecules(first: Any) -> bool:
    """Return whether a value of a file, bytes or an array of bytes, is a binary molecule."""
    return _bytes_of(first)[:4] == MAGIC


def rdkit_problem(name: str) -> Problem | None:
    """Return the problem that RDKit is not installed, for the column of this name; None if it is."""
    if find_spec("rdkit") is not None:
        return None
    text = f"{name!r} holds binary molecules of RDKit, which is not installed; they are read as SMILES with it."
    return Problem("error", "missing_extra", "data", text, 'Install it: pip install "seqdec-gui[rdkit]"')


def smiles_of(values: Array, first: int, unread: dict[int, str]) -> Any:
    """Return binary molecules as an Arrow array of SMILES; row `first`, from 0, is the first of them.

    A value without bytes is a missing value, and so is one that RDKit cannot read, of which `unread` gets the reason.
    """
    import pyarrow as pa
    from rdkit import Chem, RDLogger

    RDLogger.DisableLog("rdApp.*")  # the reason is said below
    width = values.dtype.itemsize if values.dtype.kind in "SV" else 0
    texts: list[str | None] = []
    for row, value in enumerate(values, start=first):
        raw = _bytes_of(value)
        if not raw.strip(b"\0"):
            texts.append(None)
            continue
        try:
            texts.append(Chem.MolToSmiles(Chem.Mol(raw.ljust(width, b"\0"))))  # NumPy cuts zeros at the end off
        except (RuntimeError, ValueError) as error:
            texts.append(None)
            unread[row] = f"is no molecule that RDKit can read ({(str(error).splitlines() or ['no reason'])[0].rstrip('.')})"
    return pa.array(texts, pa.string())


def _bytes_of(value: Any) -> bytes:
    if isinstance(value, np.ndarray | np.void):
        return value.tobytes()
    return value if isinstance(value, bytes) else b""
