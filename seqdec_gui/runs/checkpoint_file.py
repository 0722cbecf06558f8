"""Checks whether the file of a checkpoint exists and is undamaged, without reading its content.

The file consists of 512 bytes with `seqdec-gui checkpoint crc32=1a2b3c4d`, the check sum of all that follows; then HDF5, which
checks no data.
"""

from __future__ import annotations

import contextlib
import zlib
from pathlib import Path

from seqdec_gui.domain.problems import InvalidInput, Problem
from seqdec_gui.runs.files import opener

HEAD_BYTES = 512
"""Bytes before the HDF5 file, its user block."""
USE_THE_OTHER = "Use the other one: --checkpoint {}."
"""What to do where a checkpoint is damaged and the other one, whose name is filled in, is not."""
BEGIN_WITH_THE_OTHER = "Start another run with other weights: seqdec-gui train DESIGN --initial RUN --checkpoint {}."
"""What to do where a run cannot continue from its checkpoint `last`, but another checkpoint is undamaged."""
_CHUNK_BYTES = 1 << 20
"""Bytes that are read at a time for the check sum."""
_HDF5 = b"\x89HDF\r\n\x1a\n"
"""The first bytes of an HDF5 file."""


def head(check_sum: int) -> bytes:
    """Return the first 512 bytes of a checkpoint with this check sum."""
    return f"seqdec-gui checkpoint crc32={check_sum:08x}\n".encode().ljust(HEAD_BYTES, b"\0")


def fault(path: Path) -> str:
    """Return what is wrong with the file of a checkpoint, as the end of a sentence; empty if nothing is. Raises OSError.

    Files of earlier versions begin with HDF5's own signature and have no check sum.
    """
    with open(path, "rb", opener=opener) as file:
        stored_head = file.read(HEAD_BYTES)
        if stored_head.startswith(_HDF5):
            return ""
        check_sum = 0
        while chunk := file.read(_CHUNK_BYTES):
            check_sum = zlib.crc32(chunk, check_sum)
    if stored_head == head(check_sum):
        return ""
    is_checkpoint = stored_head.startswith(head(0).partition(b"=")[0])
    return "its check sum is not that of what was written" if is_checkpoint else "it does not begin as a checkpoint does"


def fail_if_damaged(path: Path, advice: str) -> None:
    """Raise InvalidInput if the file is missing or damaged, with `advice` if the other checkpoint is undamaged."""
    try:
        why = fault(path)
    except FileNotFoundError:
        raise InvalidInput(f"Expected a checkpoint at {path}, and there is none: the run has not written one yet.",
                           "no_checkpoint") from None  # fmt: skip
    except OSError as error:
        raise InvalidInput(f"The checkpoint {path} cannot be read: {(error.strerror or str(error)).lower()}.",
                           "damaged_checkpoint") from None  # fmt: skip
    if why:
        raise damaged(path, why, advice)


def damaged(path: Path, why: str, advice: str) -> InvalidInput:
    """Return the error that a checkpoint is damaged, with what to do about it."""
    text = f"The checkpoint {path} is damaged: {why.rstrip('.')}."
    return InvalidInput([Problem("error", "damaged_checkpoint", "", text, _remedy(path, advice))])


def _remedy(path: Path, advice: str) -> str:
    for name in ("best", "last"):
        other = path.with_name(f"{name}.weights.h5")
        with contextlib.suppress(OSError):
            if other != path and not fault(other):
                return advice.format(name)
    return "Restore it from a copy, or train anew."
