"""The settings of how a text file is read: what was detected, and fields to change it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from itertools import zip_longest
from pathlib import Path
from typing import Any

import msgspec
from PyQt5.QtCore import pyqtSlot
from PyQt5.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from seqdec_gui.data.formats.base import Table
from seqdec_gui.data.formats.registry import reading_options
from seqdec_gui.data.formats.spreadsheet import SpreadsheetTable
from seqdec_gui.data.remedies import Remedy, with_wrong_bytes
from seqdec_gui.domain import data_edits as edits
from seqdec_gui.domain.bindings import Reading
from seqdec_gui.domain.catalog import fields
from seqdec_gui.domain.codes import is_about_reading
from seqdec_gui.domain.design import Design
from seqdec_gui.domain.problems import Problem
from seqdec_gui.gui.look import theme
from seqdec_gui.gui.widgets.choice_box import SizedBox
from seqdec_gui.gui.widgets.flow_layout import EvenFlow
from seqdec_gui.gui.widgets.wrapped_label import WrappedLabel
from seqdec_gui.gui.workspace.workspace import Workspace

_LABELS = {
    "header": "Names in first line",
    "delimiter": "Delimiter",
    "quoting": "Quotes",
    "encoding": "Encoding",
    "decimal": "Decimal mark",
    "comment": "Comment lines",
    "sheet": "Sheet",
    "wrong_bytes": "Wrong bytes",
}
"""The words before a field, by the name of the setting."""
_CHOICES: dict[str, tuple[tuple[str, str], ...]] = {
    "header": (("yes", "Yes"), ("no", "No")),
    "delimiter": ((",", "Comma"), (";", "Semicolon"), ("tab", "Tab"), ("|", "Bar |"), ("space", "Space"), ("none", "None")),
    "quoting": (("yes", "Around cells"), ("no", "In the text")),
    "encoding": tuple(
        (name, shown)
        for name, shown in (
            ("utf-8", "UTF-8"), ("cp1252", "Western (cp1252)"), ("latin-1", "Latin-1"), ("utf-16", "UTF-16"),
            ("cp1250", "Central European (cp1250)"), ("cp1251", "Cyrillic (cp1251)"), ("koi8-r", "Cyrillic (KOI8-R)"),
            ("mac-roman", "Mac Roman"), ("shift_jis", "Japanese (Shift JIS)"), ("euc-jp", "Japanese (EUC)"),
            ("gb18030", "Chinese (GB 18030)"), ("big5", "Chinese (Big5)"), ("euc-kr", "Korean (EUC)"),
        )
    ),
    "decimal": ((".", "Point"), (",", "Comma")),
    "comment": (("none", "None"), ("#", "Begin with #"), ("%", "Begin with %"), (";", "Begin with ;"), ("//", "Begin with //")),
    "sheet": (),
    "wrong_bytes": (("replace", "As U+FFFD"), ("mark", "As U+007F")),
}  # fmt: skip
"""The values and words of each setting, after "automatic"."""

_AUTOMATIC = {"sheet": "", "wrong_bytes": "refuse"}
"""The value of a setting for what is found in the file, where it is not `auto`."""


LEAST_PLACES = 5
"""Fewer fields than this are as wide as if there were so many."""


class ReadingBar(QWidget):
    """The fields `field_header`, `field_delimiter`, ..., one per option of a `Reading`, and warnings in `reading_warnings`.

    Every change is an edit of the design, which can be undone. Only the options that apply to the kind of file are shown;
    the bar is hidden where none applies.
    """

    def __init__(self, workspace: Workspace, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("reading_bar")
        self._workspace = workspace
        self._filling = False
        self._table: Table | None = None
        help_texts = {field.name: field.help for field in fields(Reading)}
        self._fields: dict[str, SizedBox] = {}
        self._titles: dict[str, QLabel] = {}
        layout = QVBoxLayout(self)
        layout.setContentsMargins(3 * theme.SPACE, 0, 3 * theme.SPACE, 2 * theme.SPACE)
        layout.setSpacing(theme.SPACE)
        self._places: dict[str, QWidget] = {}
        flow = EvenFlow(least=LEAST_PLACES)
        layout.addLayout(flow)  # before it is filled: what is moved with its contents is styled once more
        for name, words in _LABELS.items():
            place = QWidget()
            flow.addWidget(place)
            column = QVBoxLayout(place)
            column.setContentsMargins(0, 0, 0, 0)
            column.setSpacing(2)
            label = QLabel(words)
            label.setProperty("role", "dim")
            field = SizedBox(letters=6, name=f"field_{name}")
            field.setToolTip(help_texts[name])
            field.setAccessibleName(words)
            label.setBuddy(field)
            field.currentIndexChanged.connect(self._on_field_changed)
            self._fields[name], self._titles[name] = field, label
            column.addWidget(label)
            column.addWidget(field)
            self._places[name] = place
        self._warnings = WrappedLabel(name="reading_warnings")
        self._warnings.setProperty("role", "warning")
        self._proposed = ""
        self._proposal = QPushButton(objectName="reading_proposal")
        self._proposal.clicked.connect(self._on_proposal_clicked)
        self._remedies: tuple[Remedy, ...] = ()
        self._remedy_buttons: list[QPushButton] = []
        buttons = QHBoxLayout()
        buttons.setSpacing(theme.SPACE)
        buttons.addWidget(self._proposal)
        for place, name in enumerate(("reading_replace", "reading_leave_out")):
            button = QPushButton(objectName=name)
            button.clicked.connect(partial(self._take_remedy, place))
            self._remedy_buttons.append(button)
            buttons.addWidget(button)
        buttons.addStretch(1)
        layout.addWidget(self._warnings)
        layout.addLayout(buttons)
        workspace.document.design_changed.connect(self._on_document_design_changed)
        self.show_table(None)

    def show_options_of(self, path: Path | None) -> None:
        """Show the options that apply to this kind of file, and hide the bar if there are none."""
        options = () if path is None else reading_options(path)
        for name in self._fields:
            for widget in (self._fields[name], self._titles[name], self._places[name]):
                widget.setVisible(name in options and (name != "wrong_bytes" or self._has_marks()))
        self.setVisible(bool(options))

    def _has_marks(self) -> bool:
        """Return whether the design says what stands for bytes that are no text; until a file has some, it is not asked."""
        return self._workspace.document.design.data.reading.wrong_bytes != "refuse"

    def show_refusal(self, problems: Sequence[Problem]) -> None:
        """Offer, as a button, the setting with which a file may be readable that is refused for these problems."""
        self._show_proposal(problems)
        has_proposals = any(problem.proposed is not msgspec.UNSET for problem in problems)
        self._remedies = with_wrong_bytes(self._workspace.document.design) if has_proposals else ()
        for button, remedy in zip_longest(self._remedy_buttons, self._remedies):
            button.setText(remedy.text if remedy is not None else "")
            button.setVisible(remedy is not None)

    def _show_proposal(self, problems: Sequence[Problem]) -> None:
        """Offer the first setting that these problems propose as a button; without one, the button is hidden."""
        proposed = [problem.proposed for problem in problems if problem.proposed is not msgspec.UNSET]
        self._proposed = next((each for each in proposed if not each.startswith("data.wrong_bytes")), "")
        name, _, value = self._proposed.removeprefix("data.").partition("=")
        shown = dict(_CHOICES.get(name, ())).get(value, value)
        self._proposal.setText(f"Read it as {shown}")
        self._proposal.setToolTip(f"Sets {self._proposed}; {_LABELS.get(name, name)} above shows it, and Undo takes it back.")
        self._proposal.setVisible(bool(self._proposed))

    def show_table(self, table: Table | None) -> None:
        """Show how this file was read; None: it could not be read."""
        self._table = table
        self.show_refusal(())
        problems = () if table is None else table.problems
        shown = [problem for problem in problems if is_about_reading(problem.code)]
        self._warnings.setText("\n".join(f"{problem.text} {problem.hint}".strip() for problem in shown))
        self._warnings.setVisible(bool(shown))
        self._show_proposal(shown)
        self.refresh()

    def refresh(self) -> None:
        """Show the settings of the present design."""
        reading = self._workspace.document.design.data.reading
        detected = _detected(self._table)
        sheets = getattr(self._table, "sheets", ())
        self._filling = True
        try:
            for name, field in self._fields.items():
                value = getattr(reading, name)
                automatic = _AUTOMATIC.get(name, "auto")
                choices = [*_CHOICES[name], *((sheet, sheet) for sheet in sheets if name == "sheet")]
                if value != automatic and value not in dict(choices):
                    choices.append((value, value))
                seen = detected.get(name, "") if value == automatic else ""
                words = dict(choices).get(seen, seen)
                field.clear()
                field.addItem("Refused" if name == "wrong_bytes" else f"Auto: {words}" if words else "Automatic", automatic)
                for choice, shown in choices:
                    field.addItem(shown, choice)
                field.setCurrentIndex(field.findData(value))
                field.setMinimumWidth(field.width_for(field.currentText()))
        finally:
            self._filling = False

    @pyqtSlot(int)
    def _on_field_changed(self, _index: int) -> None:
        if self._filling:
            return
        changes: dict[str, Any] = {name: field.currentData() for name, field in self._fields.items()}
        document = self._workspace.document
        document.edit(edits.with_reading(document.design, **changes), "Change how the file is read")

    @pyqtSlot()
    def _on_proposal_clicked(self) -> None:
        name, _, value = self._proposed.removeprefix("data.").partition("=")
        document = self._workspace.document
        document.edit(edits.with_reading(document.design, **{name: value}), self._proposal.text())

    def _take_remedy(self, place: int, _checked: bool = False) -> None:
        remedy = self._remedies[place]
        self._workspace.document.edit(remedy.design, remedy.text)

    @pyqtSlot(Design, Design)
    def _on_document_design_changed(self, old: Design, new: Design) -> None:
        if old.data.reading != new.data.reading:
            self.refresh()
            if not self._fields["wrong_bytes"].isHidden() or self._has_marks():
                self._fields["wrong_bytes"].setVisible(self._has_marks())
                self._titles["wrong_bytes"].setVisible(self._has_marks())
                self._places["wrong_bytes"].setVisible(self._has_marks())


def _detected(table: Table | None) -> dict[str, str]:
    """Return the detected value of each setting, in words."""
    dialect = None if table is None else table.dialect
    if isinstance(table, SpreadsheetTable):
        return {"sheet": table.sheet, "header": "yes" if table.header else "no"}
    if dialect is None:
        return {}
    return {
        "header": "yes" if dialect.header else "no",
        "delimiter": "none" if dialect.whole_lines else {"\t": "tab", " ": "space"}.get(dialect.delimiter, dialect.delimiter),
        "quoting": "yes" if dialect.quoted else "no",
        "encoding": "utf-8" if dialect.encoding == "utf-8-sig" else dialect.encoding,
        "decimal": dialect.decimal,
        "comment": dialect.comment or "none",
    }
