"""The form for what generated sequences must be like: symbols, a beginning, the least length."""

from __future__ import annotations

from PyQt5.QtCore import Qt, pyqtSignal, pyqtSlot
from PyQt5.QtWidgets import QFormLayout, QLabel, QLineEdit, QToolButton, QVBoxLayout, QWidget

from seqdec_gui.data.codecs import FittedText
from seqdec_gui.data.constraint_faults import constraint_faults
from seqdec_gui.domain.decoding import UNCONSTRAINED, Constraints
from seqdec_gui.gui.look import theme
from seqdec_gui.gui.look.stylesheet import polish
from seqdec_gui.gui.widgets.number_boxes import WholeNumberBox
from seqdec_gui.gui.widgets.wrapped_label import WrappedLabel
from seqdec_gui.runs.generate_inputs import Predictions, RunInputs

FIELDS = {
    "allow": ("Allowed symbols", "all", "The only symbols that may be chosen. A sequence may always end."),
    "forbid": ("Forbidden symbols", "none", "Symbols that may not be chosen."),
    "prefix": ("Begins with", "anything", "What each sequence begins with; it counts in log p and need not be allowed."),
    "prefix_column": ("… or by column", "no column", "The column of the file that has the beginning of each row."),
}
"""The title, the words of the empty field, and the help of each constraint that is a text."""


class LimitsForm(QWidget):
    """What sequences must be like, folded away until it is wanted. Object names `generate_<field>`, `limits_fault`."""

    edited = pyqtSignal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._predicted: Predictions | None = None
        self._fold = QToolButton(objectName="generate_limits", checkable=True, text="Limits")
        self._fold.setToolButtonStyle(Qt.ToolButtonTextBesideIcon)
        self._fold.setToolTip("Which symbols may be chosen, what sequences begin with, and how long they are at least")
        self._fold.toggled.connect(self._show_fold)
        self._inside = QWidget()
        form = QFormLayout(self._inside)
        form.setContentsMargins(0, 0, 0, 0)
        form.setHorizontalSpacing(3 * theme.SPACE)
        form.setVerticalSpacing(2 * theme.SPACE)
        self._edits: dict[str, QLineEdit] = {}
        self._labels: dict[str, QLabel] = {}
        for name, (title, empty, tip) in FIELDS.items():
            edit = QLineEdit(objectName=f"generate_{name}", placeholderText=empty)
            edit.textChanged.connect(self._on_edited)
            self._edits[name] = edit
            self._add(form, name, title, edit, tip)
        self._least = WholeNumberBox(objectName="generate_min_length", minimum=0, maximum=100_000)
        self._least.setSpecialValueText("any length")
        self._least.valueChanged.connect(self._on_edited)
        self._add(form, "min_length", "Least length", self._least, "How many symbols each sequence has at least.")
        self._fault = WrappedLabel(name="limits_fault")
        self._fault.setProperty("role", "error")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2 * theme.SPACE)
        layout.addWidget(self._fold, 0, Qt.AlignLeft)
        layout.addWidget(self._inside)
        layout.addWidget(self._fault)
        self.offer_column(False)
        self._show_fold()
        self._fault.hide()

    def _add(self, form: QFormLayout, name: str, words: str, field: QWidget, tip: str) -> None:
        label = QLabel(words)
        label.setProperty("role", "dim")
        label.setBuddy(field)
        for widget in (label, field):
            widget.setToolTip(tip)
        field.setAccessibleName(words)
        field.setAccessibleDescription(tip)
        self._labels[name] = label
        form.addRow(label, field)

    def offer_column(self, offered: bool) -> None:
        """Offer a column of prefixes, which a file of rows may have."""
        if not offered:
            self._edits["prefix_column"].clear()
        for widget in (self._labels["prefix_column"], self._edits["prefix_column"]):
            widget.setVisible(offered)

    def show_run(self, inputs: RunInputs | None, constraints: Constraints) -> None:
        """Show the limits that were last chosen for a run."""
        self._predicted = None if inputs is None else inputs.predicted
        codec = None if self._predicted is None else self._predicted.port.codec
        separated = not (isinstance(codec, FittedText) and codec.tokens == "characters")
        hint = "with spaces between them" if separated else "without spaces between them"
        for name in ("allow", "forbid"):
            self._edits[name].setToolTip(f"{FIELDS[name][2]} Written as in the data, {hint}.")
        for name, edit in self._edits.items():
            edit.setText(getattr(constraints, name))
        self._least.setValue(constraints.min_length)
        if constraints != UNCONSTRAINED:
            self._fold.setChecked(True)
        self._on_edited()

    def constraints(self) -> Constraints:
        values = {name: edit.text().strip() if name != "prefix" else edit.text() for name, edit in self._edits.items()}
        return Constraints(min_length=self._least.value(), **values)

    @property
    def fault(self) -> str:
        """Return why no sequence can be like this; empty if one may be."""
        return next(iter(self._faults().values()), "")

    def _faults(self) -> dict[str, str]:
        found = self._predicted
        return {} if found is None or found.numbers else constraint_faults(found.port.codec, self.constraints(), found.width)

    def _show_fold(self, _on: bool = False) -> None:
        shown = self._fold.isChecked()
        self._inside.setVisible(shown)
        self._fold.setArrowType(Qt.DownArrow if shown else Qt.RightArrow)
        chosen = self.constraints()
        count = sum(getattr(chosen, name) != getattr(UNCONSTRAINED, name) for name in Constraints.__struct_fields__)
        self._fold.setText(f"Limits ({count})" if count else "Limits")

    @pyqtSlot()
    def _on_edited(self, *_value: object) -> None:
        faults = self._faults()
        for name, edit in self._edits.items():
            polish(edit, "invalid", name in faults)
        self._fault.setText(next(iter(faults.values()), ""))
        self._fault.setVisible(bool(faults))
        self._show_fold()
        self.edited.emit()
