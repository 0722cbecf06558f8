"""Tells what a file is by its first bytes, for the hint where its ending says something else."""

from __future__ import annotations

import json
from pathlib import Path, PurePath

from seqdec_gui.data.formats.compression import content_start, is_compressed
from seqdec_gui.data.formats.encodings import is_utf8
from seqdec_gui.data.formats.other_contents import TO_LINES
from seqdec_gui.domain.problems import InvalidInput, Problem

_COUNT = 512
"""The number of bytes that are looked at."""

_PACKED = {
    b"\x1f\x8b": ("gzip", ".gz"),
    b"BZh": ("bzip2", ".bz2"),
    b"\xfd7zXZ\0": ("xz", ".xz"),
    b"\x28\xb5\x2f\xfd": ("Zstandard", ".zst"),
    b"PK\x03\x04": ("zip", ".zip"),
}
"""The beginnings of compressed files, with the kind and the ending."""

_KINDS = {
    b"PAR1": ("Parquet", ".parquet"),
    b"\x89HDF\r\n\x1a\n": ("HDF5", ".h5"),
    b"\x93NUMPY": ("NumPy", ".npy"),
    b"MATLAB 5.0": ("MATLAB", ".mat"),
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1": ("workbook of an old Excel (.xls)", ""),
    b"SQLite format 3": ("SQLite", ""),
    b"%PDF-": ("PDF", ""),
    b"\x80\x04\x95": ("pickle", ""),
}
"""The beginnings of other files, with the kind and the ending under which it can be opened."""

_TEXT = (".csv", ".tsv", ".tab", ".txt", ".smi")
"""The endings of text, about which there is nothing to say where a file is text."""

_WORKBOOK = (b"[Content_Types].xml", b"xl/")
"""What stands near the beginning of a zip file that is an Excel workbook."""


_POINTER = b"version https://git-lfs.github.com/spec/"
"""The beginning of what Git LFS puts in the place of a large file that was not fetched."""


def fail_if_pointer(path: Path) -> None:
    """Raise InvalidInput for what stands in the place of a file that Git LFS has not fetched. Raises OSError too."""
    with path.open("rb") as file:
        start = file.read(len(_POINTER))
    if start == _POINTER:
        text = f"{path} is not the file itself but a pointer to it, which Git LFS leaves where the file was not fetched."
        hint = "Fetch it with git lfs pull, or download the file itself."
        raise InvalidInput([Problem("error", "unreadable_file", "data", text, hint)])


def remedy(path: Path) -> str:
    """Return what the content of a file shows it to be and what to do; "" if it is what its ending says, or unknown."""
    try:
        with path.open("rb") as file:
            start = file.read(_COUNT)
        if said := _said(start, path):
            return said
        within = content_start(path, _COUNT) if is_compressed(path) else b""
    except InvalidInput:  # it can be read, and the reader has said what is wrong with what it holds
        return ""
    except Exception:  # whatever is wrong with a damaged file, the reader has said it
        return "It was not written or downloaded to its end, or changed: fetch it again." if is_compressed(path) else ""
    if any(within.startswith(mark) for mark in _PACKED):
        return "Within the compressed file is another one: unpack the outer one, and open what it holds."
    return ""


def _is_json(text: bytes) -> bool:
    """Return whether the first line is JSON, or goes on beyond the bytes that are looked at."""
    line, end, _ = text.partition(b"\n")
    try:
        json.loads(line)
    except ValueError:
        return not end
    return True


def _said(start: bytes, path: PurePath) -> str:
    suffix = path.suffix.lower()
    if start.startswith(b"PK\x03\x04") and any(mark in start for mark in _WORKBOOK):
        return "" if suffix in (".xlsx", ".xlsm") else "Its content is that of an Excel workbook: give it the ending .xlsx."
    for mark, (kind, ending) in _PACKED.items():
        if start.startswith(mark):
            fits = suffix == ending or (ending == ".zip" and suffix in (".npz", ".xlsx", ".xlsm"))
            return "" if fits else f"Its content is compressed by {kind}: give it the ending {path.suffix}{ending}."
    for mark, (kind, ending) in _KINDS.items():
        if start.startswith(mark):
            if suffix == ending or (ending == ".h5" and suffix in (".hdf5", ".mat")):
                return ""
            todo = f"give it the ending {ending}" if ending else "save its table as .csv or .parquet"
            what = kind if " " in kind else f"{kind} file"
            return f"Its content is that of a {what}: {todo}."
    return _said_of_text(start, path)


def _said_of_text(start: bytes, path: PurePath) -> str:
    """What to do with a text file; "" if it is none."""
    if not start or b"\0" in start or not any(is_utf8(start[: len(start) - cut]) for cut in range(4)):
        return ""
    text = start.lstrip(b"\xef\xbb\xbf \t\r\n")
    if text[:1] == b"<":
        return "Its content is HTML or XML, perhaps the error message of a download: open it in a browser, and save the data."
    if path.suffix.lower() in (".jsonl", ".ndjson"):
        if text[:1] in (b"[", b"{"):
            return "" if text[:1] == b"{" and _is_json(text) else TO_LINES
        return "Its content is text, not JSON: give it the ending .csv or .txt."
    if is_compressed(path):
        return f"Its content is text that is not compressed: leave {path.suffix} out of its name."
    if path.suffix.lower() in _TEXT:
        return ""
    return "Its content is text: give it the ending .csv or .txt."
