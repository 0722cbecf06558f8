"""The files that a trained model is made of, and whether they have changed."""

from __future__ import annotations

import contextlib
from collections.abc import Hashable
from pathlib import Path

from seqdec_gui.domain.problems import InvalidInput
from seqdec_gui.runs.folder import RunFolder


def stamps(run: str, checkpoint: str) -> Hashable:
    """Return what changes as soon as a checkpoint of a run, or what is read with it, does.

    These are the run's specification, what was fitted, the weights, and the data file, from which some symbols are determined.
    """
    folder = RunFolder(run)
    paths = [folder.spec, folder.data, folder.checkpoint(checkpoint)]
    with contextlib.suppress(InvalidInput):  # whoever opens the run says what is wrong with it
        paths += [Path(file) for file in [folder.read_spec().data_file] if file]
    return (checkpoint, *map(_stamp, paths))


def _stamp(path: Path) -> Hashable:
    try:
        status = path.stat()
    except (OSError, ValueError):  # a path from elsewhere may be none
        return str(path)
    return str(path), status.st_mtime_ns, status.st_size, status.st_ino
