"""What a reader of values does not see in a sheet of an Excel workbook: formulas without results, and merged cells."""

from __future__ import annotations

import posixpath
import zipfile
from pathlib import Path
from typing import IO
from xml.etree import ElementTree

import msgspec

_MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_RELATION = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"


class SheetFacts(msgspec.Struct, frozen=True):
    """The number of formulas whose result the file does not hold, the first of them, and the merged ranges (`A2:A3`)."""

    unsaved: int = 0
    first_unsaved: str = ""
    merged: tuple[str, ...] = ()


def sheet_facts(path: Path, sheet: str) -> SheetFacts:
    """Return the facts of a sheet; those of an empty one if the workbook is arranged in a way that is not known."""
    with zipfile.ZipFile(path) as archive:
        part = _part_of(archive, sheet)
        if part not in archive.namelist():
            return SheetFacts()
        with archive.open(part) as file:
            return _facts(file)


def _part_of(archive: zipfile.ZipFile, sheet: str) -> str:
    """Return the name of the file in the workbook that holds the sheet; "" if there is none."""
    names = set(archive.namelist())
    if not {"xl/workbook.xml", "xl/_rels/workbook.xml.rels"} <= names:
        return ""
    book = ElementTree.fromstring(archive.read("xl/workbook.xml"))
    wanted = next((node.get(_RELATION) for node in book.iter(f"{_MAIN}sheet") if node.get("name") == sheet), None)
    relations = ElementTree.fromstring(archive.read("xl/_rels/workbook.xml.rels"))
    target = next((node.get("Target", "") for node in relations if wanted and node.get("Id") == wanted), "")
    return target.lstrip("/") if target.startswith("/") else posixpath.normpath(posixpath.join("xl", target)) if target else ""


def _facts(file: IO[bytes]) -> SheetFacts:
    unsaved, first, merged = 0, "", []
    for _, node in ElementTree.iterparse(file):
        if node.tag == f"{_MAIN}c":
            value = node.find(f"{_MAIN}v")
            if node.find(f"{_MAIN}f") is not None and (value is None or value.text is None) and node.get("t") != "str":
                unsaved += 1
                first = first or node.get("r", "")
        elif node.tag == f"{_MAIN}mergeCell":
            merged.append(node.get("ref", ""))
        if node.tag == f"{_MAIN}row":
            node.clear()
    return SheetFacts(unsaved, first, tuple(merged))
