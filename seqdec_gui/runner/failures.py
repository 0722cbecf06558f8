"""Explains exceptions in a sentence for the user: as the final event of a run, or as the answer of a task."""

from __future__ import annotations

import contextlib
import errno
import re
import sys
import traceback

from seqdec_gui.domain.problems import LONGEST_TEXT, InvalidInput, SeqdecError
from seqdec_gui.domain.wording import shortened
from seqdec_gui.runs.crash import DISK_SENTENCE, GPU_MEMORY_SENTENCE, MEMORY_SENTENCE
from seqdec_gui.runs.engines import ENGINES, framework_packages
from seqdec_gui.runs.events import Failed
from seqdec_gui.runs.files import DISK_FULL

_MEMORY = re.compile(r"RESOURCE_EXHAUSTED|OOM when allocating|[Oo]ut of memory|failed to allocate memory")
_NOT_LOADED = re.compile(r"[Cc]annot allocate memory|failed to map segment|std::bad_alloc")
_ON_GPU = re.compile(r"\bGPU|\bCUDA|cuda", re.IGNORECASE)
_MAX_MESSAGE = 400
"""Characters of an exception's own message that a sentence quotes."""
_KERAS = {"keras": "Keras", "optree": "Keras"}
"""Packages whose frames in a traceback show that Keras raised; those of the engines are in `runs.engines.ENGINES`."""

_SIZES = re.compile(
    r"[Dd]imensions must be equal, but are (?P<a>\d+) and (?P<b>\d+)"
    r"|[Ii]ncompatible shapes[^\[(]*(?P<c>[\[(][\d, ?None]*[\])])[^\[(]*(?P<d>[\[(][\d, ?None]*[\])])"
    r"|expected axis -?\d+ of input shape to have value (?P<e>\d+), but received input with shape (?P<f>\([\d, None]*\))"
    r"|expected shape=(?P<g>\([\d, None]*\)), found shape=(?P<h>\([\d, None]*\))"
)
"""How the frameworks report that two sizes differ: the expected and the received one."""

_ESCAPES = re.compile(r"\x1b\[[\d;]*m")
"""Terminal colours in the messages of Keras."""

_LAYER = re.compile(r'layer "([^"]{1,80})"|when calling (\w{1,80})\.call')
"""Where Keras names the layer that refused its input."""


def failure(error: BaseException) -> Failed:
    """Return the final event for an exception that ended the training."""
    if isinstance(error, InvalidInput):
        return Failed(kind="invalid", sentence=str(error))
    details = "".join(traceback.format_exception(error))
    if isinstance(error, MemoryError) or _out_of_memory(error) or _no_room_to_load(error):
        on_gpu = not isinstance(error, MemoryError | ImportError | OSError) and _ON_GPU.search(str(error))
        return Failed(kind="out_of_memory", sentence=GPU_MEMORY_SENTENCE if on_gpu else MEMORY_SENTENCE, details=details)
    if isinstance(error, OSError):
        return _of_files(error, details)
    if isinstance(error, SeqdecError):
        full = isinstance(error.__cause__, OSError) and error.__cause__.errno in DISK_FULL
        return Failed(kind="disk_full" if full else "crashed", sentence=shortened(str(error), LONGEST_TEXT), details=details)
    sentence = f"{plain_sentence(error, 'The training failed')} The log tells where."
    return Failed(kind="crashed", sentence=sentence, details=details)


def job_sentence(error: Exception) -> str:
    """Return why a job failed, for an exception that no part of it foresaw."""
    event = failure(error)
    if event.kind == "out_of_memory":
        return event.sentence
    if not isinstance(error, OSError):
        return plain_sentence(error, "The job failed")
    where = f" ({error.filename})" if error.filename else ""
    if event.kind == "disk_full":
        return f"{DISK_SENTENCE.rstrip('.')}{where}, then do it again."
    if isinstance(error, PermissionError):
        return f"A file may not be written or read{where}: change the permissions, or choose another folder."
    return f"A file cannot be used{where}: {error.strerror or error}."


def plain_sentence(error: BaseException, what: str) -> str:
    """Return what an unforeseen exception means in plain words, followed by its own message; `what` begins the sentence.

    The message of a framework is for programmers, so it never comes first.
    """
    if sentence := missing_framework(error):
        return sentence
    lines = [line for text in _ESCAPES.sub("", str(error)).splitlines() if (line := text.strip())]
    if len(lines) > 1 and lines[0].startswith("Exception encountered when calling"):  # the layer, which is named below
        lines = lines[1:]
    own = f"{type(error).__name__}: {(lines or ['no reason was given'])[0][:_MAX_MESSAGE]}"
    framework = _framework(error)
    if not framework:
        return f"{what} because of a bug in this program. Python says: {own.rstrip('.')}."
    layer = _LAYER.search(str(error))
    where = f" at layer {layer[1] or layer[2]}" if layer else ""
    sizes = _SIZES.search(str(error))
    if sizes:
        expected, received = (value for value in sizes.groups() if value is not None)
        why = f"two sizes that must be equal differ{where}: {expected} and {received}"
        hint = "Compare the lengths and widths of the blocks and of their columns."
        return f"{what}: {why}. {hint} {framework} says: {own.rstrip('.')}."
    return f"{what}: {framework} could not compute the model{where}. It says: {own.rstrip('.')}."


def _framework(error: BaseException) -> str:
    """Return the framework that raised: that of the exception's class, or the last one this program called; else empty."""
    packages = [type(error).__module__.partition(".")[0]]
    for frame, _ in traceback.walk_tb(error.__traceback__):
        package = str(frame.f_globals.get("__name__", "")).partition(".")[0]
        packages = packages[:1] if package == "seqdec_gui" else [*packages, package]
    titles = _KERAS | {package: info.title for info in ENGINES.values() for package in info.packages}
    return next((titles[package] for package in packages if package in titles), "")


def missing_framework(error: BaseException) -> str:
    """Return what to install if a framework is not installed; empty for every other exception."""
    name = (error.name or "").partition(".")[0] if isinstance(error, ModuleNotFoundError) else ""
    info = next((info for info in ENGINES.values() if name in info.packages), None)
    return "" if info is None else f"This needs {info.title}, which is not installed: pip install {info.install}."


def _of_files(error: OSError, details: str) -> Failed:
    where = f" ({error.filename})" if error.filename else ""
    if error.errno in DISK_FULL:
        return Failed(kind="disk_full", sentence=f"{DISK_SENTENCE.rstrip('.')}{where}, then resume the run.", details=details)
    if isinstance(error, PermissionError):
        sentence = f"The run may not write or read its files{where}: change the permissions, or choose another folder."
        return Failed(kind="crashed", sentence=sentence, details=details)
    return Failed(
        kind="crashed", sentence=f"A file of the run cannot be used{where}: {error.strerror or error}.", details=details
    )


def _no_room_to_load(error: BaseException) -> bool:
    """Whether memory ran out where it is told otherwise: libraries that cannot be loaded, processes that cannot be started."""
    cause: BaseException | None = error
    for _ in range(10):  # in the order in which they were raised, the last first
        if isinstance(cause, OSError) and cause.errno == errno.ENOMEM:
            return True
        if isinstance(cause, ImportError) and _NOT_LOADED.search(str(cause)):
            return True
        cause = None if cause is None else cause.__cause__ or cause.__context__
    return False


def _out_of_memory(error: BaseException) -> bool:
    """Whether memory ran out: TensorFlow raises ResourceExhaustedError, JAX a runtime error with RESOURCE_EXHAUSTED."""
    return type(error).__name__ == "ResourceExhaustedError" or (
        type(error).__module__.partition(".")[0] in framework_packages() and bool(_MEMORY.search(str(error)))
    )


def log_exception() -> None:
    """Print the exception that is being handled to the log, if that can be written: its disk may be full as well."""
    with contextlib.suppress(OSError, ValueError):
        traceback.print_exc()
    with contextlib.suppress(OSError, ValueError):
        sys.stderr.flush()
