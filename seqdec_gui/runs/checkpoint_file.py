"""The file of a checkpoint from outside: is it there, and is it what was written? What it holds is the runner's business.

512 bytes with `seqdec-gui checkpoint crc32=1a2b3c4d`, the check sum of all that follows; then HDF5, which checks no data.
"""

from __future__ import annotations

import contextlib
import zlib
from pathlib import Path

from seqdec_gui.domain.problems import InvalidInput, Problem
from seqdec_gui.runs.events import Checkpoint, events_of
from seqdec_gui.runs.files import opener
from seqdec_gui.runs.folder import RunFolder

HEAD_BYTES = 512
USE_THE_OTHER = "Use the other one: --checkpoint {}."
BEGIN_WITH_THE_OTHER = "Start another run with other weights: seqdec-gui train DESIGN --initial RUN --checkpoint {}."
"""What to do where a checkpoint is of no use, and another one is."""
_CHUNK_BYTES = 1 << 20
_HDF5 = b"\x89HDF\r\n\x1a\n"


def head(check_sum: int) -> bytes:
    """What stands before HDF5."""
    return f"seqdec-gui checkpoint crc32={check_sum:08x}\n".encode().ljust(HEAD_BYTES, b"\0")


def fault(path: Path) -> str:
    """What is wrong with the bytes of a checkpoint; empty if nothing is. Raises OSError.

    Files of earlier versions begin with HDF5's own signature and have no check sum.
    """
    with open(path, "rb", opener=opener) as file:
        found_head = file.read(HEAD_BYTES)
        if found_head.startswith(_HDF5):
            return ""
        found = 0
        while chunk := file.read(_CHUNK_BYTES):
            found = zlib.crc32(chunk, found)
    if found_head == head(found):
        return ""
    known = found_head.startswith(head(0).partition(b"=")[0])
    return "its check sum is not that of what was written" if known else "it does not begin as a checkpoint does"


def fail_if_damaged(path: Path, advice: str) -> None:
    """Raise InvalidInput where there is no such file, or it is not what was written. `advice` is for a sound other one."""
    try:
        found = fault(path)
    except FileNotFoundError:
        raise InvalidInput(f"Expected a checkpoint at {path}, and there is none: the run has not written one yet.",
                           "no_checkpoint") from None  # fmt: skip
    except OSError as error:
        raise InvalidInput(f"The checkpoint {path} cannot be read: {(error.strerror or str(error)).lower()}.",
                           "damaged_checkpoint") from None  # fmt: skip
    if found:
        raise damaged(path, found, advice)


def damaged(path: Path, why: str, advice: str) -> InvalidInput:
    """The error that a checkpoint cannot be used, with what to do about it."""
    text = f"The checkpoint {path} is damaged: {why.rstrip('.')}."
    return InvalidInput([Problem("error", "damaged_checkpoint", "", text, _remedy(path, advice))])


def fail_if_gone(run: RunFolder) -> None:
    """Raise InvalidInput where a run once wrote checkpoint `last`, to go on from, and has it no more."""
    path = run.checkpoint("last")
    if path.exists():
        return
    written = [event for event in events_of(run.events, Checkpoint) if event.name == "last"]
    if written:
        text = f"Expected the checkpoint of epoch {written[-1].epoch} at {path} to go on from, and it is gone."
        raise InvalidInput([Problem("error", "checkpoint_gone", "", text, _remedy(path, BEGIN_WITH_THE_OTHER))])


def _remedy(path: Path, advice: str) -> str:
    for name in ("best", "last"):
        other = path.with_name(f"{name}.weights.h5")
        with contextlib.suppress(OSError):
            if other != path and not fault(other):
                return advice.format(name)
    return "Restore it from a copy, or train anew."
