"""Reads what `torch.save` has written, as plain data and NumPy arrays: without PyTorch, and without running anything of it.

The file is a zip archive: a pickle of the object, in which tensors name their storage, and the numbers of each storage as an
entry of its own. `plain_pickle` follows the pickle.
"""

from __future__ import annotations

import zipfile
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import numpy.typing as npt

from seqdec_gui.domain.problems import InvalidInput, Problem
from seqdec_gui.runner.reinvent.plain_pickle import Refused, Storage, content_of

Array = npt.NDArray[Any]

LARGEST_PICKLE = 16 << 20
"""Most bytes of the pickle, which holds no numbers of tensors; that of a prior has some thousands."""
MOST_ENTRIES = 100_000
"""Most entries of the archive."""


def read(path: Path) -> Any:
    """Return the object in the file, with tensors as arrays. Raises InvalidInput with the reason if it is not read, OSError."""
    try:
        if path.is_file() and not zipfile.is_zipfile(path):
            raise Refused("it is no zip archive, which torch.save has written since PyTorch 1.6")
        with zipfile.ZipFile(path) as archive:
            return _read(archive)
    except Refused as error:
        raise unreadable(path, str(error)) from None
    except (zipfile.BadZipFile, NotImplementedError, EOFError, UnicodeDecodeError) as error:
        raise unreadable(path, "it is damaged, or no file of PyTorch") from error


def unreadable(path: Path, why: str) -> InvalidInput:
    """The error that a file of PyTorch is not read; `why` is the end of the sentence."""
    hint = "Give the file of a prior, agent or checkpoint that REINVENT 4 has written, or save it there once more."
    return InvalidInput([Problem("error", "not_a_prior", "file", f"{path.name} is not opened: {why}.", hint)])


def _read(archive: zipfile.ZipFile) -> Any:
    entries = _entries(archive)
    pickles = [name for name in entries if PurePosixPath(name).name == "data.pkl" and name.count("/") == 1]
    if len(pickles) != 1:
        raise Refused(f"it has {len(pickles)} entries data.pkl, expected one")
    folder = pickles[0].rpartition("/")[0]
    if entries[pickles[0]].file_size > LARGEST_PICKLE:
        raise Refused(f"its description has {entries[pickles[0]].file_size:,} bytes")
    order = ">" if f"{folder}/byteorder" in entries and archive.read(f"{folder}/byteorder").strip() == b"big" else "<"

    def numbers(storage: Storage) -> Array:
        entry = entries.get(f"{folder}/data/{storage.key}")
        if entry is None:
            raise Refused(f"the numbers {storage.key[:40]!r} of a tensor are missing")
        dtype = np.dtype(order + storage.dtype)
        if entry.file_size != storage.size * dtype.itemsize:
            raise Refused(f"a tensor claims {storage.size:,} numbers, and {entry.file_size:,} bytes are stored")
        return np.frombuffer(archive.read(entry), dtype)

    return content_of(archive.read(pickles[0]), numbers)


def _entries(archive: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    """Return the entries by name. They are stored as they are, so that none can be larger than the file."""
    entries: dict[str, zipfile.ZipInfo] = {}
    if len(archive.infolist()) > MOST_ENTRIES:
        raise Refused(f"it has {len(archive.infolist()):,} entries")
    for entry in archive.infolist():
        name = entry.filename
        if name.startswith(("/", "\\")) or ".." in PurePosixPath(name).parts:
            raise Refused(f"{name[:80]!r} in it would lie outside of its folder")
        if entry.compress_type != zipfile.ZIP_STORED or entry.file_size != entry.compress_size:
            raise Refused(f"{name[:80]!r} in it is compressed, which torch.save never does")
        if name in entries:
            raise Refused(f"it holds {name[:80]!r} twice")
        entries[name] = entry
    return entries
