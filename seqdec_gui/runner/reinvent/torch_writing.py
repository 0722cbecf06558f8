"""Writes containers, numbers, text and arrays as `torch.save` does, so that `torch.load(weights_only=True)` opens the file."""

from __future__ import annotations

import io
import struct
import zipfile
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

FOLDER = "archive"
"""The folder in the archive; PyTorch takes any."""
ALIGNMENT = 64
"""Numbers begin at multiples of this many bytes, as PyTorch's do, so that they can be mapped into memory."""
_DATE = (1980, 1, 1, 0, 0, 0)
_ORDERED_DICT = b"ccollections\nOrderedDict\n"


def write(path: Path, content: Any) -> None:
    """Write the object; arrays become tensors in 32 bits. Equal objects give equal files. Raises OSError."""
    pickler = _Pickler()
    data = pickler.pickled(content)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        _add(archive, f"{FOLDER}/data.pkl", data)
        _add(archive, f"{FOLDER}/byteorder", b"little")
        for key, array in enumerate(pickler.arrays):
            _add(archive, f"{FOLDER}/data/{key}", array.tobytes())
        _add(archive, f"{FOLDER}/version", b"3\n")


def _add(archive: zipfile.ZipFile, name: str, data: bytes) -> None:
    entry = zipfile.ZipInfo(name, _DATE)
    assert archive.fp is not None
    begin = archive.fp.tell() + 30 + len(name.encode()) + 4
    entry.extra = struct.pack("<2sH", b"FB", padding := -begin % ALIGNMENT) + bytes(padding)
    archive.writestr(entry, data)


class _Pickler:
    """The pickle of protocol 2, of plain objects alone: the standard one would have to import PyTorch to name its functions."""

    def __init__(self) -> None:
        self.arrays: list[Array] = []
        self._out = io.BytesIO()

    def pickled(self, content: Any) -> bytes:
        self._out.write(b"\x80\x02")
        self._put(content)
        self._out.write(b".")
        return self._out.getvalue()

    def _put(self, value: Any) -> None:
        out = self._out
        match value:
            case None:
                out.write(b"N")
            case bool():
                out.write(b"\x88" if value else b"\x89")
            case int() if -(2**31) <= value < 2**31:
                out.write(b"J" + struct.pack("<i", value))
            case int():
                data = value.to_bytes(value.bit_length() // 8 + 1, "little", signed=True)
                out.write(b"\x8a" + bytes([len(data)]) + data)
            case float():
                out.write(b"G" + struct.pack(">d", value))
            case str():
                text = value.encode("utf-8", "surrogatepass")
                out.write(b"X" + struct.pack("<I", len(text)) + text)
            case tuple():
                out.write(b"(")
                for each in value:
                    self._put(each)
                out.write(b"t")
            case list():
                out.write(b"](")
                for each in value:
                    self._put(each)
                out.write(b"e")
            case dict():
                out.write(_ORDERED_DICT + b")R(" if isinstance(value, OrderedDict) else b"}(")
                for key, each in value.items():
                    self._put(key)
                    self._put(each)
                out.write(b"u")
            case np.ndarray():
                self._put_tensor(np.ascontiguousarray(value, "<f4"))
            case _:
                raise TypeError(f"{type(value).__name__} is no plain data")

    def _put_tensor(self, array: Array) -> None:
        out = self._out
        out.write(b"ctorch._utils\n_rebuild_tensor_v2\n((")
        self._put("storage")
        out.write(b"ctorch\nFloatStorage\n")
        self._put(str(len(self.arrays)))
        self._put("cpu")
        self._put(int(array.size))
        out.write(b"tQ")
        self._put(0)
        self._put(tuple(map(int, array.shape)))
        self._put(tuple(stride // array.itemsize for stride in array.strides))
        self._put(False)
        out.write(_ORDERED_DICT + b")RtR")
        self.arrays.append(array)
