"""Reads what `torch.save` has written, as plain data and NumPy arrays, without PyTorch and without running anything of the file.

The file is a zip archive: a pickle of the object, in which tensors name their storage, and the numbers of each storage as an
entry of its own. Every opcode of the pickle is looked at before the first is followed. Classes and functions that it names are
looked up in a table here, and never imported; what REINVENT's own classes hold is kept as a `Record`.
"""

from __future__ import annotations

import io
import math
import pickle
import pickletools
import zipfile
from collections import OrderedDict
from collections.abc import Callable, Mapping
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from seqdec_gui.domain.problems import InvalidInput, Problem

Array = npt.NDArray[Any]

LARGEST_PICKLE = 16 << 20
"""Most bytes of the pickle, which holds no numbers of tensors; that of a prior has some thousands."""
MOST_ENTRIES = 100_000
"""Most entries of the archive, and most objects that the pickle remembers."""
OPCODES = frozenset({
    "PROTO", "FRAME", "STOP", "MARK", "POP", "NONE", "NEWTRUE", "NEWFALSE", "BININT", "BININT1", "BININT2", "LONG1", "BINFLOAT",
    "BINUNICODE", "SHORT_BINUNICODE", "EMPTY_DICT", "SETITEM", "SETITEMS", "EMPTY_LIST", "APPEND", "APPENDS", "EMPTY_TUPLE",
    "TUPLE", "TUPLE1", "TUPLE2", "TUPLE3", "BINPUT", "LONG_BINPUT", "MEMOIZE", "BINGET", "LONG_BINGET", "GLOBAL",
    "STACK_GLOBAL", "BINPERSID", "REDUCE", "NEWOBJ", "BUILD",
})  # fmt: skip
"""What a pickle of containers, numbers, text and tensors is made of."""
STORAGES = {"FloatStorage": "f4", "DoubleStorage": "f8", "HalfStorage": "f2", "LongStorage": "i8", "IntStorage": "i4"}
"""The numbers in a storage of PyTorch, without the order of their bytes."""
RECORDED = ("ModelMetaData", "SMILESTokenizer", "Vocabulary")
"""Classes of REINVENT whose content is read as data."""


class Record:
    """An object of another program: the name of its class, and what it holds."""

    name = ""

    def __init__(self, *_arguments: Any) -> None:
        self.state: Mapping[str, Any] = {}

    def __setstate__(self, state: Any) -> None:
        self.state = state if isinstance(state, dict) else {}


class _Storage(NamedTuple):
    key: str
    dtype: str
    count: int


class _Refused(Exception):
    """Why the file is not read, as the end of a sentence."""


def is_archive(path: Path) -> bool:
    """Whether the file is an archive as `torch.save` writes it."""
    try:
        with zipfile.ZipFile(path) as archive:
            return any(name.endswith("/data.pkl") for name in archive.namelist())
    except (OSError, zipfile.BadZipFile, ValueError, NotImplementedError):
        return False


def read(path: Path) -> Any:
    """Return the object in the file, with tensors as arrays. Raises InvalidInput with the reason why it is not read, OSError."""
    try:
        if path.is_file() and not zipfile.is_zipfile(path):
            raise _Refused("it is no zip archive, which torch.save has written since PyTorch 1.6")
        with zipfile.ZipFile(path) as archive:
            return _read(archive)
    except _Refused as error:
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
        raise _Refused(f"it has {len(pickles)} entries data.pkl, expected one")
    folder = pickles[0].rpartition("/")[0]
    if entries[pickles[0]].file_size > LARGEST_PICKLE:
        raise _Refused(f"its description has {entries[pickles[0]].file_size:,} bytes")
    order = ">" if f"{folder}/byteorder" in entries and archive.read(f"{folder}/byteorder").strip() == b"big" else "<"
    data = archive.read(pickles[0])
    _fail_unless_plain(data)

    def numbers(storage: _Storage) -> Array:
        entry = entries.get(f"{folder}/data/{storage.key}")
        if entry is None:
            raise _Refused(f"the numbers {storage.key[:40]!r} of a tensor are missing")
        dtype = np.dtype(order + storage.dtype)
        if entry.file_size != storage.count * dtype.itemsize:
            raise _Refused(f"a tensor claims {storage.count:,} numbers, and {entry.file_size:,} bytes are stored")
        return np.frombuffer(archive.read(entry), dtype)

    try:
        return _Unpickler(data, numbers).load()
    except _Refused:
        raise
    except RecursionError as error:
        raise _Refused("its description is nested too deeply") from error
    except Exception as error:  # a pickle that is cut off or wrong makes the machine of pickle fail in many ways
        raise _Refused("its description is damaged") from error


def _entries(archive: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    """Return the entries by name. They are stored as they are, so that none can be larger than the file."""
    entries: dict[str, zipfile.ZipInfo] = {}
    if len(archive.infolist()) > MOST_ENTRIES:
        raise _Refused(f"it has {len(archive.infolist()):,} entries")
    for entry in archive.infolist():
        name = entry.filename
        if name.startswith(("/", "\\")) or ".." in PurePosixPath(name).parts:
            raise _Refused(f"{name[:80]!r} in it would lie outside of its folder")
        if entry.compress_type != zipfile.ZIP_STORED or entry.file_size != entry.compress_size:
            raise _Refused(f"{name[:80]!r} in it is compressed, which torch.save never does")
        if name in entries:
            raise _Refused(f"it holds {name[:80]!r} twice")
        entries[name] = entry
    return entries


def _fail_unless_plain(data: bytes) -> None:
    """Refuse opcodes that are not needed, and claims of more than there is. Nothing is followed here."""
    try:
        for opcode, argument, _ in pickletools.genops(data):
            if opcode.name not in OPCODES:
                raise _Refused(f"its description does more than hold data ({opcode.name.lower()})")
            if opcode.name in ("BINPUT", "LONG_BINPUT", "LONG_BINGET") and int(argument or 0) > MOST_ENTRIES:
                raise _Refused("its description claims more objects than it has")
    except ValueError as error:
        raise _Refused("its description is damaged") from error


class _Unpickler(pickle.Unpickler):
    """Follows a pickle that `_fail_unless_plain` has passed; every name in it leads to something here."""

    def __init__(self, data: bytes, numbers: Callable[[_Storage], Array]) -> None:
        super().__init__(io.BytesIO(data))
        self._numbers = numbers
        self._read: dict[_Storage, Array] = {}

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if module == "torch._utils" and name == "_rebuild_tensor_v2":
            return self._tensor
        if module == "torch._utils" and name == "_rebuild_parameter":
            return _first
        if module == "torch" and name in STORAGES:
            return name
        if (module, name) == ("uuid", "UUID"):
            return type(name, (Record,), {"name": name})
        if module.partition(".")[0] in ("reinvent", "reinvent_models") and name in RECORDED:
            return type(name, (Record,), {"name": name})
        raise _Refused(f"it names {f'{module}.{name}'[:80]}, which no prior needs and which could run code")

    def persistent_load(self, pid: Any) -> _Storage:
        match pid:
            case ("storage", str(kind), str(key), _, int(count)) if kind in STORAGES and count >= 0:
                return _Storage(key, STORAGES[kind], count)
        raise _Refused("it refers to something that is no storage of numbers")

    def _tensor(self, storage: Any, offset: Any, shape: Any, strides: Any, *_others: Any) -> Array:
        """Return the array of a tensor, in an order of its own."""
        sizes = (shape, strides)
        if not isinstance(storage, _Storage) or not all(isinstance(each, tuple) and len(each) <= 8 for each in sizes):
            raise _Refused("a tensor in it is damaged")
        if not all(isinstance(each, int) and 0 <= each < 2**48 for each in (offset, *shape, *strides)):
            raise _Refused("a tensor in it has a negative or very large size")
        count = math.prod(shape)
        last = offset + sum((size - 1) * step for size, step in zip(shape, strides, strict=True))
        if count and last >= storage.count or count > storage.count:
            raise _Refused(f"a tensor in it reaches beyond its {storage.count:,} numbers")
        if storage not in self._read:
            self._read[storage] = self._numbers(storage)
        flat = self._read[storage]
        if not count:
            return np.zeros(shape, flat.dtype)
        bytes_apart = tuple(step * flat.dtype.itemsize for step in strides)
        return np.ascontiguousarray(np.lib.stride_tricks.as_strided(flat[offset:], shape, bytes_apart, writeable=False))


def _first(data: Any, *_others: Any) -> Any:
    return data
