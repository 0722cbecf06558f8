"""Explains why a run ended without a final event, from its exit status, if known, and the end of its log."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from pathlib import Path

from seqdec_gui.runs.events import Failed, FailureKind
from seqdec_gui.runs.files import opener

KILLED = 9
"""The number of SIGKILL, which not every system names."""
LOG_BYTES = 65536
"""Most bytes of a log that are searched for the cause."""
LOG_LINES = 20
"""Last lines of a log that become the details of a failure."""

_GPU_MEMORY = re.compile(
    r"CUDA_ERROR_OUT_OF_MEMORY|CUDA out of memory|OOM when allocating.*\bGPU|Out of memory while trying to allocate"
    r"|RESOURCE_EXHAUSTED: Out of memory|ran out of memory trying to allocate",
    re.IGNORECASE,
)
_MEMORY = re.compile(
    r"\bMemoryError\b|std::bad_alloc|OOM when allocating|Cannot allocate memory|Unable to allocate .* for an array"
    r"|failed to map segment from shared object"
)
_DISK = re.compile(r"No space left on device|Disk quota exceeded")
_FLAGS = re.compile(r"Unknown flags? in XLA_FLAGS: (.*\S)")
_HARMLESS = re.compile(
    r"^\s*(?:\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+: )?[IW](?:\d{4} \d\d:| (?:tensorflow|external|xla|jax)[\w./]*)"
    r"|^[IW]\d{4} \d\d:\d\d|log messages before absl::InitializeLog|To enable the following instructions"
    r"|oneDNN custom operations|Unable to register cu\w+ factory|computation placer already registered"
    r"|Could not find cuda drivers|TF-TRT Warning"
    r"|^\s*(?:WARNING|INFO|DEBUG):|Warning: |^\s*warnings\.warn\("
)
"""What libraries write while they start, or go on: never why a process ended."""
_FATAL = re.compile(r"^Fatal Python error: (.*)$", re.MULTILINE)

GPU_MEMORY_SENTENCE = (
    "The GPU ran out of memory: choose more micro-batches (the same batch in parts), a smaller batch size, more devices, or a "
    "GPU that no other program is using."
)
MEMORY_SENTENCE = (
    "Main memory ran out: choose more micro-batches (the same batch in parts), a smaller batch size or fewer virtual devices, "
    "or close other programs."
)
FLAGS_SENTENCE = (
    "This version of XLA does not know {flags}: remove it from the environment variable XLA_FLAGS or, if it is not there, "
    "install released versions of jax, jaxlib and the CUDA plugin that belong together."
)
DISK_SENTENCE = "The disk is full: free some space."


def explain(exit_status: int | None, log: str, what: str = "run", out_of_memory: bool = False) -> Failed:
    """Return the final event that the run (or job) should have written.

    `exit_status` is in the form of `subprocess`, None if unknown; `log` is the end of the log. `out_of_memory`: whether the
    system killed a process for want of main memory meanwhile.
    """
    kind, sentence = _cause(exit_status, log, what)
    if kind == "killed" and exit_status == -KILLED and out_of_memory:
        kind, sentence = "out_of_memory", f"The system killed the {what}. {MEMORY_SENTENCE}"
    if what == "run" and kind in ("killed", "crashed", "disk_full"):
        sentence += " Resume it to go on from the last checkpoint."
    return Failed(kind=kind, sentence=sentence, details="\n".join(log.splitlines()[-LOG_LINES:]))


def log_tail(path: Path, offset: int = 0) -> str:
    """Return the end of a log after `offset`, at most 64 KiB; empty if there is no log."""
    try:
        with open(path, "rb", opener=opener) as file:
            size = file.seek(0, 2)
            file.seek(max(offset if offset <= size else 0, size - LOG_BYTES))
            return file.read().decode("utf-8", "replace")
    except OSError:
        return ""


def _cause(exit_status: int | None, log: str, what: str) -> tuple[FailureKind, str]:
    if _GPU_MEMORY.search(log):
        return "out_of_memory", GPU_MEMORY_SENTENCE
    if _MEMORY.search(log):
        return "out_of_memory", MEMORY_SENTENCE
    if _DISK.search(log):
        return "disk_full", DISK_SENTENCE
    if flags := _FLAGS.search(log):
        return "invalid", FLAGS_SENTENCE.format(flags=flags.group(1))
    if exit_status is not None and exit_status < 0:
        return _signalled(-exit_status, what)
    if fatal := _FATAL.search(log):
        return "crashed", f"The {what} crashed: {fatal.group(1)}."
    if exit_status == 0 and what == "run":
        return "crashed", "The process of the run ended without an error, and its last event is missing from events.jsonl."
    how = f" with exit status {exit_status}" if exit_status is not None else ""
    last = _last_line(log)
    log_text = f"Its log ends with: {last}" if last else "Its log says nothing of it." if log.strip() else "Its log is empty."
    return "crashed", f"The {what} ended{how} without saying why. {log_text}"


def _signalled(number: int, what: str) -> tuple[FailureKind, str]:
    try:
        name = signal.Signals(number).name
    except ValueError:
        name = f"signal {number}"
    if number == KILLED:
        return "killed", f"The {what} was killed ({name}): by a user, or by the system because main memory ran out."
    if name in ("SIGTERM", "SIGINT", "SIGHUP"):
        return "killed", f"The {what} was ended by {name} before it could save."
    return "crashed", f"The {what} crashed ({name})."


def _last_line(log: str) -> str:
    lines = (line for line in reversed(log.splitlines()) if line.strip() and not _HARMLESS.search(line))
    return next((line.strip()[:200] for line in lines), "")


def exit_status_of(child: subprocess.Popen[bytes], options: int) -> int | None:
    """Return the child's exit status in the form of `subprocess`, without freeing its process id; None while it runs."""
    if not hasattr(os, "waitid"):  # Windows
        return child.poll()
    result = os.waitid(os.P_PID, child.pid, options)
    if result is None:
        return None
    return result.si_status if result.si_code == os.CLD_EXITED else -result.si_status
