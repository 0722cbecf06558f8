"""Checks what a Keras or HDF5 file could do besides holding weights, before Keras opens it.

Keras's `safe_mode` refuses code in a file, but HDF5 follows links: a file from elsewhere could make Keras read weights from any
other file of the user, or claim more values than fit in memory.
"""

from __future__ import annotations

import json
import zipfile
from pathlib import Path, PurePosixPath
from typing import Any

import h5py

from seqdec_gui.domain.problems import InvalidInput, Problem

CODE_CLASSES = frozenset({"Lambda", "__lambda__", "TorchModuleWrapper", "TFSMLayer", "JaxLayer", "FlaxLayer"})
"""Names of Keras classes that hold code, or a model of another program."""
LARGEST_CONFIG = 64 << 20
"""Most bytes of the description of a model; real ones have far fewer."""
LARGEST_UNSTORED = 64 << 20
"""Bytes of an array above which the file must store a good part of it (`LARGEST_RATIO`)."""
LARGEST_RATIO = 100
"""Largest ratio of an array's bytes to those that are stored, for arrays of more than `LARGEST_UNSTORED` bytes."""
MOST_OBJECTS = 50_000
"""Most groups and arrays of an HDF5 file; a model of 1,000 layers has some 10,000."""
_WITHOUT_CODE = (
    "Rebuild the model with a layer of Keras in its place (for example Activation, Rescaling, Reshape, Permute, Add or "
    "Concatenate), copy the weights with set_weights, and save it again."
)
_DAMAGED = "it is damaged, or no Keras file"
_DAMAGE = (OSError, zipfile.BadZipFile, KeyError, ValueError, RuntimeError, NotImplementedError)


def fail_if_unsafe(path: Path) -> None:
    """Raise InvalidInput where a Keras file holds code, reaches for other files, claims to be huge, or is damaged."""
    try:
        why = _in_archive(path) if zipfile.is_zipfile(path) else _in_hdf5(path)
    except _DAMAGE:
        why = _DAMAGED
    if why:
        hint = _WITHOUT_CODE if "would run code" in why else "Save the model again from Keras's own layers."
        hint = "Save it again." if why == _DAMAGED else hint
        raise InvalidInput([Problem("error", "unsafe_keras_file", "file", f"{path.name} is not opened: {why}.", hint)])


def fault_of_hdf5(file: h5py.Group) -> str:
    """Return why no value of an HDF5 file may be read, as the end of a sentence; empty if the file is harmless.

    Reasons are a link to another file, values in another file, and an array that is much larger than its stored bytes. Only
    hard links are followed, and every group is checked once.
    """
    checked: set[int] = set()
    count = 0
    todo: list[tuple[str, h5py.Group]] = [("", file)]
    while todo:
        place, group = todo.pop()
        for name in group:
            count += 1
            if count > MOST_OBJECTS:
                return f"it has more than {MOST_OBJECTS:,} groups and arrays"
            where = f"{place}/{name}"
            link = group.get(name, getlink=True)
            if isinstance(link, h5py.ExternalLink):
                return f"{where[:80]!r} in it is a link to the file {link.filename[:80]!r}"
            if not isinstance(link, h5py.HardLink):
                continue  # a soft link leads to what is reached by a hard link too, or to an external link
            item = group[name]
            if isinstance(item, h5py.Dataset):
                if why := _fault_of_dataset(item):
                    return f"{where[:80]!r} in it {why}"
            elif isinstance(item, h5py.Group) and (number := h5py.h5o.get_info(item.id).addr) not in checked:
                checked.add(number)
                todo.append((where, item))
    return ""


def _fault_of_dataset(dataset: h5py.Dataset) -> str:
    if dataset.external or dataset.is_virtual:
        return "has its values in another file"
    stored = dataset.id.get_storage_size()
    if dataset.shape is not None and dataset.nbytes > max(LARGEST_UNSTORED, LARGEST_RATIO * stored):
        return f"claims {dataset.nbytes:,} bytes, of which {stored:,} are stored"
    return ""


def _in_hdf5(path: Path) -> str:
    with h5py.File(path, "r", locking=False) as file:
        return fault_of_hdf5(file) or _in_config(file.attrs.get("model_config", ""))


def _in_archive(path: Path) -> str:
    with zipfile.ZipFile(path) as archive:
        for entry in archive.infolist():
            if entry.filename.startswith(("/", "\\")) or ".." in PurePosixPath(entry.filename).parts:
                return f"{entry.filename[:80]!r} in it would be written outside of its folder"
            if entry.file_size > max(LARGEST_UNSTORED, LARGEST_RATIO * entry.compress_size):
                stored = f"{entry.compress_size:,} are stored"
                return f"{entry.filename[:80]!r} in it claims {entry.file_size:,} bytes, of which {stored}"
            if entry.filename.endswith(".h5"):
                with archive.open(entry) as member, h5py.File(member, "r") as file:
                    if why := fault_of_hdf5(file):
                        return why
        if "config.json" not in archive.namelist():
            return ""  # weights alone: Keras says so
        entry = archive.getinfo("config.json")
        if entry.file_size > LARGEST_CONFIG:
            return f"the description of its model has {entry.file_size:,} bytes"
        return _in_config(archive.read(entry))


def _in_config(config: Any) -> str:
    try:
        todo: list[Any] = [json.loads(config)]
    except (ValueError, TypeError, RecursionError):
        return ""  # Keras cannot read it either
    while todo:
        item = todo.pop()
        if isinstance(item, dict):
            name = item.get("class_name")
            if isinstance(name, str) and name in CODE_CLASSES:
                inner = item.get("config")
                subject = (
                    f"its layer {str(inner['name'])[:80]!r} is" if isinstance(inner, dict) and "name" in inner else "it has"
                )
                return f"{subject} a {'Lambda' if name == '__lambda__' else name} layer, which would run code from the file"
            todo += item.values()
        elif isinstance(item, list):
            todo += item
    return ""
