"""The newest checkpoints of a run before `last`, from which it goes on where `last` is damaged.

`checkpoints/last-000000001234.weights.h5` is what `last` was after step 1,234.
"""

from __future__ import annotations

import contextlib
import os
import re
from pathlib import Path

from seqdec_gui.domain.problems import InvalidInput, Problem
from seqdec_gui.runs.checkpoint_file import damaged, fault
from seqdec_gui.runs.events import Checkpoint
from seqdec_gui.runs.run_files import RunFiles
from seqdec_gui.runs.salvage import events_of

_EARLIER = re.compile(r"last-(\d{12})\.weights\.h5")
NOTHING_WHOLE = "Restore it from a copy, or train anew."
"""What to do where a run has written checkpoints and none of them is whole."""


def earlier(run: RunFiles) -> list[tuple[int, Path]]:
    """Return the earlier checkpoints `last` with their steps, the newest first."""
    with contextlib.suppress(OSError):
        found = [(match, path) for path in run.checkpoints.iterdir() if (match := _EARLIER.fullmatch(path.name))]
        return sorted(((int(match.group(1)), path) for match, path in found), reverse=True)
    return []


def set_aside(run: RunFiles, step: int) -> None:
    """Keep the present checkpoint `last`, which is of this step, under a name of its own. There is a `last` all the time.

    Where the disk knows no second names for a file, `last` is renamed. Never raises: a checkpoint is written all the same.
    """
    last, kept = run.checkpoint("last"), run.checkpoints / f"last-{step:012d}.weights.h5"
    with contextlib.suppress(OSError):
        kept.unlink(missing_ok=True)
        try:
            os.link(last, kept, follow_symlinks=False)
        except FileNotFoundError:
            return
        except OSError:
            last.replace(kept)


def thin_out(run: RunFiles, step: int, keep: int) -> None:
    """Remove all earlier checkpoints but `keep` - 1; `step` is that of `last`, and only those before it count. Never raises."""
    older = [path for at, path in earlier(run) if at < step][: max(0, keep - 1)]
    for _, path in earlier(run):
        if path not in older:
            with contextlib.suppress(OSError):
                path.unlink()


def continued_from(run: RunFiles) -> list[Path]:
    """Return the checkpoints that a run can go on from, the best to use first: `last`, those before it, then `best`.

    A forked run goes on from the checkpoint that it was forked at instead of `best`, which may be of its parent. Empty where
    none exists; only looks at names.
    """
    final = run.fork_checkpoint if run.fork_checkpoint.exists() else run.checkpoint("best")
    paths = [run.checkpoint("last"), *(path for _, path in earlier(run)), final]
    return [path for path in paths if path.exists()]


def newest_whole(run: RunFiles) -> Path | None:
    """Return the first checkpoint of `continued_from` that is whole; None where the run has not written one yet.

    Raises InvalidInput where checkpoints were written and none is whole.
    """
    lost: list[tuple[Path, str]] = []
    for path in continued_from(run):
        if why := _fault(path):
            lost.append((path, why))
        else:
            return path
    if lost:
        path, why = lost[0]
        error = damaged(path, why, "")
        others = f" So are the other {len(lost) - 1}." if len(lost) > 1 else ""
        (problem,) = error.problems
        raise InvalidInput([Problem("error", problem.code, "", f"{problem.text}{others}", NOTHING_WHOLE)])
    if written := [event for event in events_of(run.events, Checkpoint) if event.name == "last"]:
        text = (
            f"Expected the checkpoint of epoch {written[-1].epoch} at {run.checkpoint('last')} to go on from, and it is gone."
        )
        raise InvalidInput([Problem("error", "checkpoint_gone", "", text, NOTHING_WHOLE)])
    return None


def what_was_lost(run: RunFiles, used: Path) -> Problem | None:
    """Return a warning where a run goes on from another checkpoint than `last`; None where it goes on from `last`."""
    last = run.checkpoint("last")
    begins = used == run.fork_checkpoint and not last.exists() and not earlier(run)
    if used == last or begins:
        return None
    what = f"is damaged: {_fault(last)}" if last.exists() else "is gone"
    text = f"The checkpoint {last} {what}. The run goes on from {used.name}; what followed is trained again."
    return Problem("warning", "earlier_checkpoint", "", text)


def _fault(path: Path) -> str:
    try:
        return fault(path)
    except OSError as error:
        return f"it cannot be read ({(error.strerror or str(error)).lower()})"
