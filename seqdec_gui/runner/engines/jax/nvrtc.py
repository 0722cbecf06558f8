"""Compiles CUDA C++ with NVRTC, NVIDIA's compiler as a library, which JAX's CUDA packages bring along."""

from __future__ import annotations

import ctypes
import functools
import importlib.util
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from seqdec_gui.domain.problems import SeqdecError

PTX_VERSION = "8.1"
"""The oldest version of PTX that has what our kernels use. NVRTC writes its own, which an older assembler would refuse."""
NAMES = ("libnvrtc.so.13", "libnvrtc.so.12", "libnvrtc.so")
"""What the library is called where the system or the process has it."""


class NotCompiled(SeqdecError):
    """NVRTC is not there, or refuses the source."""


def compiled(source: str, options: Sequence[str]) -> str:
    """Returns the PTX of CUDA C++ source; raises `NotCompiled`."""
    library = _library()
    program = ctypes.c_void_p()
    if library.nvrtcCreateProgram(ctypes.byref(program), source.encode(), b"kernel.cu", 0, None, None):
        raise NotCompiled("NVRTC could not begin a program.")
    try:
        values = (ctypes.c_char_p * len(options))(*(option.encode() for option in options))
        if library.nvrtcCompileProgram(program, len(options), values):
            raise NotCompiled(_text(library.nvrtcGetProgramLogSize, library.nvrtcGetProgramLog, program))
        text = _text(library.nvrtcGetPTXSize, library.nvrtcGetPTX, program)
    finally:
        library.nvrtcDestroyProgram(ctypes.byref(program))
    return re.sub(r"^\.version \d+\.\d+", f".version {PTX_VERSION}", text, flags=re.MULTILINE)


def _text(size: Any, read: Any, program: ctypes.c_void_p) -> str:
    count = ctypes.c_size_t()
    size(program, ctypes.byref(count))
    text = ctypes.create_string_buffer(count.value)
    read(program, text)
    return text.value.decode()


@functools.cache
def _library() -> ctypes.CDLL:
    """From NVIDIA's Python packages, newest first, or where the system finds it."""
    spec = importlib.util.find_spec("nvidia")
    roots = [Path(root) for root in (spec.submodule_search_locations or [])] if spec else []
    files = sorted(
        (file for root in roots for file in root.glob("*/lib/libnvrtc.so.*")), key=lambda file: file.name, reverse=True
    )
    for name in (*map(str, files), *NAMES):
        try:
            return ctypes.CDLL(name)
        except OSError:
            continue
    raise NotCompiled("Expected NVRTC (package nvidia-cuda-nvrtc) beside JAX's CUDA packages, found none.")
