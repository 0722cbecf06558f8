"""What is said about a sweep."""

from __future__ import annotations

from seqdec_gui.domain.wording import counted
from seqdec_gui.runs.sweep.folder import Table


def count_words(table: Table, of: int = 0) -> str:
    """Return how far a sweep is: `12 of 20 trials: 9 finished, 2 pruned, 1 running`."""
    counts = {state: sum(trial.state == state for trial in table.trials) for state in
              ("finished", "pruned", "failed", "running", "paused", "waiting")}  # fmt: skip
    listed = ", ".join(f"{count} {state}" for state, count in counts.items() if count)
    how_many = f"{len(table.trials)} of {counted(of, 'trial')}" if of else counted(len(table.trials), "trial")
    return f"{how_many}: {listed}" if listed else how_many
