"""What the state and the devices of a run are called."""

from __future__ import annotations

STATE_WORDS = {
    "starting": "Starting",
    "running": "Training",
    "paused": "Paused",
    "stopping": "Stopping",
    "ending": "Finishing",
    "reading": "Opening",
    "finished": "Finished",
    "stopped": "Stopped",
    "failed": "Failed",
    "crashed": "Crashed",
    "unfinished": "Not started",
    "elsewhere": "On another host",
    "unreadable": "Unreadable",
    "missing": "Missing",
}
"""The words for `runs.state.State`, and for what a program that follows a run knows besides."""


def device_words(names: tuple[str, ...]) -> str:
    """`CPU`, `2 CPU devices`, `GPU 1`, `2 GPUs`; empty without names."""
    if not names:
        return ""
    kind = names[0].partition(":")[0]
    if len(names) > 1:
        return f"{len(names)} GPUs" if kind == "gpu" else f"{len(names)} CPU devices"
    return names[0].replace("gpu:", "GPU ") if kind == "gpu" else "CPU"
