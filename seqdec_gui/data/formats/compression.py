"""Compressed text files: `.gz`, `.bz2`, `.xz`, `.zst`, and `.zip` with one file in it."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path, PurePath
from typing import IO, Any

from seqdec_gui.data.formats.bounds import fail_if_it_swells, fail_if_no_room
from seqdec_gui.domain.problems import InvalidInput, Problem

COMPRESSED = (".gz", ".bz2", ".xz", ".zst", ".zip")
"""The endings of compressed files."""

MAX_OPEN_BYTES = 4 * 2**30
"""The largest size, in bytes, that a compressed file may have when it is open: text is held in memory as a whole."""

_TIMES_IN_MEMORY = 3
"""The largest number of times that a text is in memory: its bytes, them in UTF-8, and its columns."""

_IN_PIECES = "Save the table as .parquet, which is read piece by piece."
_PIECE_BYTES = 16 * 2**20
"""The number of bytes that are decompressed at a time."""


def is_compressed(path: PurePath) -> bool:
    return path.suffix.lower() in COMPRESSED


def inner_name(path: PurePath) -> str:
    """Return the name of a compressed file without the ending of the compression; of a zip file, that of its one file.

    It is the path's own name if the file is not compressed, or is a zip file that does not hold exactly one file.
    """
    if not is_compressed(path):
        return path.name
    if path.suffix.lower() == ".zip" and isinstance(path, Path) and path.is_file():  # a pipe would be waited for
        try:
            with zipfile.ZipFile(path) as archive:
                members = _members(archive)
        except (OSError, ValueError, NotImplementedError, zipfile.BadZipFile):
            members = []
        if len(members) == 1:
            return PurePath(members[0].filename).name
    return path.stem


def content_of(path: Path) -> bytes:
    """Return the content of a text file, decompressed if its ending says that it is compressed.

    Raises InvalidInput if it would be larger than `MAX_OPEN_BYTES`, or if a zip file does not hold exactly one file, and
    OSError, EOFError, RuntimeError and the errors of the libraries for damaged files.
    """
    suffix = path.suffix.lower()
    fail_if_no_room(path, _TIMES_IN_MEMORY * path.stat().st_size, _IN_PIECES)
    if suffix not in COMPRESSED:
        return path.read_bytes()
    if suffix == ".zip":
        with zipfile.ZipFile(path) as archive:
            member = _only_member(archive, path)
            if member.flag_bits & 1:
                raise InvalidInput(f"{path.name} is encrypted; unpack it, and open the file within.", "unreadable_file", "data")
            if member.file_size > MAX_OPEN_BYTES:
                raise _too_large(path)
            fail_if_it_swells(path, member.file_size)
            fail_if_no_room(path, _TIMES_IN_MEMORY * member.file_size, _IN_PIECES)
            with archive.open(member) as file:
                return _read(file, path)
    with _OPENERS[suffix](path) as file:
        return _read(file, path)


def content_start(path: Path, count: int) -> bytes:
    """Return the first bytes of the content of a compressed file, which may be damaged further on."""
    suffix = path.suffix.lower()
    if suffix == ".zip":
        with zipfile.ZipFile(path) as archive, archive.open(_only_member(archive, path)) as member:
            return member.read(count)
    with _OPENERS[suffix](path) as file:
        return bytes(file.read(count))


def _read(file: IO[bytes], path: Path) -> bytes:
    """Read to the end. Raises InvalidInput as soon as there is more than `MAX_OPEN_BYTES`, or than the bounds allow."""
    pieces, size = [], 0
    while piece := file.read(_PIECE_BYTES):
        size += len(piece)
        if size > MAX_OPEN_BYTES:
            raise _too_large(path)
        fail_if_it_swells(path, size)
        fail_if_no_room(path, (_TIMES_IN_MEMORY - 1) * size, _IN_PIECES)  # the pieces are no longer available
        pieces.append(piece)
    return b"".join(pieces)


def _too_large(path: Path) -> InvalidInput:
    limit = f"{MAX_OPEN_BYTES / 2**30:g} GiB" if MAX_OPEN_BYTES >= 2**30 else f"{MAX_OPEN_BYTES:,} bytes"
    text = f"{path.name} has more than {limit} when it is open, which is the most that is read of a compressed file."
    return InvalidInput(f"{text} Decompress it, and save the table as .parquet.", "too_large_file", "data")


def _members(archive: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    """Return the files of an archive, without folders and what macOS adds."""
    return [
        member
        for member in archive.infolist()
        if not member.filename.endswith("/")  # a folder; a damaged file may have no name at all
        and not member.filename.startswith("__MACOSX/")
        and not PurePath(member.filename).name.startswith(".")
    ]


def _only_member(archive: zipfile.ZipFile, path: Path) -> zipfile.ZipInfo:
    members = _members(archive)
    if len(members) == 1:
        return members[0]
    names = ", ".join(member.filename for member in members[:5]) + (", ..." if len(members) > 5 else "")
    text = f"{path.name} holds {f'{len(members)} files ({names})' if members else 'no file'}; expected exactly one."
    hint = "Unpack it, and open one of them." if members else "Take another file."
    raise InvalidInput([Problem("error", "unreadable_file", "data", text, hint)])


def _open_gzip(path: Path) -> Any:
    import gzip

    return gzip.open(path, "rb")


def _open_bz2(path: Path) -> Any:
    import bz2

    return bz2.open(path, "rb")


def _open_xz(path: Path) -> Any:
    import lzma

    return lzma.open(path, "rb")


def _open_zstandard(path: Path) -> Any:
    import pyarrow as pa

    return pa.input_stream(str(path), compression="zstd")


_OPENERS: dict[str, Callable[[Path], Any]] = {
    ".gz": _open_gzip,
    ".bz2": _open_bz2,
    ".xz": _open_xz,
    ".zst": _open_zstandard,
}
