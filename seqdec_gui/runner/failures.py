"""What went wrong, as the final event of a run: one sentence for the user."""

from __future__ import annotations

import errno
import re
import traceback

from seqdec_gui.domain.problems import InvalidInput, SeqdecError
from seqdec_gui.runs.crash import DISK_SENTENCE, GPU_MEMORY_SENTENCE, MEMORY_SENTENCE
from seqdec_gui.runs.events import Failed

_MEMORY = re.compile(r"RESOURCE_EXHAUSTED|OOM when allocating|[Oo]ut of memory|failed to allocate memory")
_ON_GPU = re.compile(r"\bGPU|\bCUDA|cuda", re.IGNORECASE)
_SHOWN = 400


def failure(error: BaseException) -> Failed:
    """The event for an exception that ended the training."""
    if isinstance(error, InvalidInput):
        return Failed(kind="invalid", sentence=str(error))
    details = "".join(traceback.format_exception(error))
    if isinstance(error, MemoryError) or _out_of_memory(error):
        on_gpu = not isinstance(error, MemoryError) and _ON_GPU.search(str(error))
        return Failed(kind="out_of_memory", sentence=GPU_MEMORY_SENTENCE if on_gpu else MEMORY_SENTENCE, details=details)
    if isinstance(error, OSError):
        return _of_files(error, details)
    if isinstance(error, SeqdecError):
        full = isinstance(error.__cause__, OSError) and error.__cause__.errno in _FULL
        return Failed(kind="disk_full" if full else "crashed", sentence=str(error), details=details)
    reason = next((line.strip() for line in str(error).splitlines() if line.strip()), "no reason was given")
    sentence = f"The training failed: {type(error).__name__}: {reason[:_SHOWN]}. The log tells where."
    return Failed(kind="crashed", sentence=sentence, details=details)


_FULL = (errno.ENOSPC, errno.EDQUOT)


def _of_files(error: OSError, details: str) -> Failed:
    where = f" ({error.filename})" if error.filename else ""
    if error.errno in _FULL:
        return Failed(kind="disk_full", sentence=f"{DISK_SENTENCE.rstrip('.')}{where}, then resume the run.", details=details)
    if isinstance(error, PermissionError):
        sentence = f"The run may not write or read its files{where}: change the permissions, or choose another folder."
        return Failed(kind="crashed", sentence=sentence, details=details)
    return Failed(
        kind="crashed", sentence=f"A file of the run cannot be used{where}: {error.strerror or error}.", details=details
    )


def _out_of_memory(error: BaseException) -> bool:
    """TensorFlow raises ResourceExhaustedError, JAX a runtime error that says RESOURCE_EXHAUSTED."""
    return type(error).__name__ == "ResourceExhaustedError" or (
        type(error).__module__.partition(".")[0] in ("jax", "jaxlib", "tensorflow") and bool(_MEMORY.search(str(error)))
    )
