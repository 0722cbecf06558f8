"""What the tasks that read rows tell about them: of a file, of the run's own data, and of rows that were left out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

import msgspec

from seqdec_gui.domain.problems import Problem
from seqdec_gui.domain.wording import counted
from seqdec_gui.runs.tasks import Notice, RowsTask

if TYPE_CHECKING:
    from seqdec_gui.data.fitted import Fitted
    from seqdec_gui.data.rows import Values
    from seqdec_gui.domain.bindings import Reading
    from seqdec_gui.domain.design import Design
    from seqdec_gui.runner.opened_run import OpenedRun

Tell = Callable[[Notice], None]
"""Where a notice goes: into the channel of a task, for example."""


def reading_of(task: RowsTask, design: Design) -> Reading:
    """Return the reading options of the training, with the decimal mark that the task sets."""
    how = design.data.reading
    return how if task.decimal == "auto" else msgspec.structs.replace(how, decimal=task.decimal)


def tell_changes(trained: OpenedRun, tell: Tell) -> None:
    """Warn where the data of a run is no longer what it was trained on."""
    tell_notes(trained.changes(), tell)


def tell_notes(notes: Iterable[Problem], tell: Tell) -> None:
    """Tell what was seen in a file of rows."""
    for note in notes:
        tell(Notice(text=note.sentence(), severity="warning" if note.severity == "warning" else "info"))


def tell_outside(fitted: Fitted, values: Mapping[str, Values], tell: Tell) -> dict[int, str]:
    """Warn of numbers that lie outside the range of the training rows; returns them by row, as text."""
    from seqdec_gui.data.outside import by_row, outside_training, sentence

    found = outside_training(fitted, values)
    if found:
        tell(Notice(text=sentence(found), severity="warning"))
    return by_row(found)


def tell_refused(reasons: Mapping[int, str], what: str, tell: Tell, hint: str = "") -> None:
    """Warn of rows that could not be `what` ("decoded"), by the first of them."""
    if reasons:
        row, why = next(iter(reasons.items()))
        text = f"{counted(len(reasons), 'row')} could not be {what}, the first is row {row} of the results. {why} {hint}"
        tell(Notice(text=text.strip(), severity="warning"))


def tell_cut_otherwise(count: int, tell: Tell) -> None:
    """Warn of generated sequences whose text, when it is scored, is cut into other subwords than it was made of."""
    if count:
        made = "One sequence is" if count == 1 else f"{count:,} sequences are"
        text = (
            f"{made} made of other subwords than the same text is cut into; log_probability is that of the subwords "
            "that were chosen, and score finds the text as likely as it is cut."
        )
        tell(Notice(text=text, severity="warning"))
