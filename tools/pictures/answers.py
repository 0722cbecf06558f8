"""States of what a trained model answers: sequences, scores and codes on the Generate page, samples, and the errors of a run.

The numbers stand here, as the runs of the pictures are not trained; the window shows them as it shows those of a task.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from seqdec_gui.runs.folder import RunFolder
    from seqdec_gui.runs.quality.errors import StepChoice
    from tools.pictures.studio import Studio

NUMERALS = (
    ("1987", "MCMLXXXVII", "MCMLXXXVII"),
    ("44", "XLIV", "XLVI"),
    ("3888", "MMMDCCCLXXXVIII", "MMMDCCCLXXXVII"),
    ("499", "CDXCIX", "CDXCXI"),
    ("14", "XIV", "XVV"),
    ("90", "XC", "XC"),
    ("2026", "MMXXVI", "MMXXVI"),
    ("666", "DCLXVI", "DCLXVI"),
)
"""Numbers, their Roman numerals, and what was generated."""
SAMPLED_EPOCHS = 3
"""The number of reports with samples."""


def _generate_page(studio: Studio, window: Any, mode: str = "generate") -> Any:
    """Bring the Generate page to the front in a mode, with numbers typed, and return it."""
    from PyQt5.QtWidgets import QAbstractButton, QPlainTextEdit, QWidget

    window.pages.show_page("generate")
    studio.settle(0.3)
    page = window.findChild(QWidget, "generate_panel")
    page.findChild(QAbstractButton, f"generate_mode_{mode}").click()
    studio.settle(0.3)
    page.findChild(QPlainTextEdit, "input_number").setPlainText("\n".join(number for number, _, _ in NUMERALS))
    studio.settle()
    return page


def results(studio: Studio, window: Any) -> None:
    """Two sequences of each number, one of which is unfinished."""
    from PyQt5.QtWidgets import QAbstractButton

    from seqdec_gui.data.generated_results import Result
    from seqdec_gui.gui.pages.generate.mode import Source
    from seqdec_gui.runs.task_results import Generated

    page = _generate_page(studio, window)
    page.findChild(QAbstractButton, "generate_strategy_sampling").click()
    made = []
    for row, (_, target, generated) in enumerate(NUMERALS):
        for sample, text in enumerate(sorted({target, generated})):
            made.append(Result(row, sample, text, -0.02 - 0.4 * sample - 0.05 * row, finished=row != 2))
    page.generating.show_result(
        Generated(path="", samples=len(made)), made, Source(words=tuple(number for number, _, _ in NUMERALS))
    )
    studio.settle(0.3)


def steps(studio: Studio, window: Any) -> None:
    """The likeliest symbols at each step of a sequence."""
    from PyQt5.QtWidgets import QAbstractButton

    from seqdec_gui.gui.pages.generate.mode import Source
    from seqdec_gui.runs.task_results import Scored

    results(studio, window)
    page = _generate_page(studio, window)
    page.findChild(QAbstractButton, "show_steps").click()
    shown = _steps(NUMERALS[0][2])
    page.generating.show_result(Scored(path="", rows=1, symbols=len(shown), log_probability=-1.0), shown, Source())
    studio.settle(0.3)


def leave_steps(studio: Studio, window: Any) -> None:
    """Show sequences without steps again."""
    from PyQt5.QtWidgets import QAbstractButton

    window.findChild(QAbstractButton, "show_steps").setChecked(False)
    studio.settle()


def _steps(text: str) -> tuple[StepChoice, ...]:
    from seqdec_gui.runs.quality.errors import Candidate, StepChoice

    found = []
    for place, symbol in enumerate(text):
        sure = 0.55 + 0.4 * abs(math.cos(place))
        others = [other for other in "IVXLCDM" if other != symbol][:3]
        rest = (Candidate(other, (1 - sure) * share) for other, share in zip(others, (0.6, 0.25, 0.1), strict=True))
        found.append(StepChoice(symbol, sure, (Candidate(symbol, sure), *rest)))
    return tuple(found)


def scores(studio: Studio, window: Any) -> None:
    """How likely the model finds the right numerals."""
    from PyQt5.QtWidgets import QPlainTextEdit

    from seqdec_gui.gui.pages.generate.mode import Source
    from seqdec_gui.gui.pages.generate.scores import ScoredRow
    from seqdec_gui.runs.task_results import Scored

    leave_steps(studio, window)
    page = _generate_page(studio, window, "score")
    page.findChild(QPlainTextEdit, "input_decoder_inputs").setPlainText("\n".join(target for _, target, _ in NUMERALS))
    rows = []
    for row, (_, target, generated) in enumerate(NUMERALS):
        logs = [-0.02 - 0.1 * abs(math.sin(place + row)) for place in range(len(target) + 1)]
        logs[-1] -= 2.0 * (target != generated)
        rows.append(ScoredRow(row, target, sum(logs), (*target, "⏹"), tuple(logs)))
    total, symbols = sum(row.log_probability or 0.0 for row in rows), sum(len(row.logs) for row in rows)
    scored = Scored(path="", rows=len(rows), symbols=symbols, log_probability=total)
    page.mode.show_result(scored, rows, Source(words=tuple(number for number, _, _ in NUMERALS)))
    studio.settle(0.3)


def codes(studio: Studio, window: Any) -> None:
    """The codes of a hundred rows, coloured by a column."""
    import numpy as np
    from PyQt5.QtWidgets import QComboBox

    from seqdec_gui.data.code_points import Codes, principal_plane
    from seqdec_gui.gui.pages.generate.mode import Source
    from seqdec_gui.runs.task_results import Encoded

    page = _generate_page(studio, window, "codes")
    places = np.arange(100, dtype=np.float32)
    made = np.stack([places * np.cos(places / 8), places * np.sin(places / 8), np.sin(places)], axis=1)
    plane = principal_plane(made)
    encoded = Encoded(path="", rows=100, width=3, ports=("encoder.states",))
    content = (Codes(made, np.arange(100), {}), plane, plane.project(made))
    page.mode.show_result(encoded, content, Source(words=tuple(str(number) for number in range(1, 101))))
    page.findChild(QComboBox, "codes_colour").setCurrentText("row")
    studio.settle(0.3)


def errors(run: RunFolder) -> Any:
    """Return what shows the errors of a run."""

    def show(studio: Studio, window: Any) -> Any:
        import msgspec

        from seqdec_gui.gui.dialogs.errors.dialog import open_errors
        from seqdec_gui.runs.quality.errors import Pair, errors_of

        dialog = open_errors(window.workspace, run.path)
        pairs = [
            Pair(row, number, target, generated, target, generated, -1.5 - 0.2 * row, -0.3)
            for row, (number, target, generated) in enumerate(NUMERALS)
        ]
        found = errors_of(pairs, "validation", "character error rate", "CER")
        worst = tuple(msgspec.structs.replace(row, steps=_steps(row.generated)) for row in found.worst)
        studio.settle(0.2)
        dialog._on_read(msgspec.structs.replace(found, worst=worst))
        studio.settle(0.3)
        return dialog

    return show


def write_samples(run: RunFolder, steps_per_epoch: int, time: float) -> None:
    """Write what a run would have generated for the same rows at the end of its first epochs."""
    from seqdec_gui.runs.quality import samples
    from seqdec_gui.runs.quality.samples import Sampled, SampledRow

    for epoch in range(1, SAMPLED_EPOCHS + 1):
        rows = tuple(
            SampledRow(row, number, target, target if row < epoch else generated)
            for row, (number, target, generated) in enumerate(NUMERALS)
        )
        samples.append(run.samples, Sampled(epoch=epoch, step=epoch * steps_per_epoch, rows=rows, time=time + 10 * epoch))
