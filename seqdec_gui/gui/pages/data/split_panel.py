"""The settings of the split into training, validation and test rows."""

from __future__ import annotations

from collections.abc import Sequence

from PyQt5.QtCore import Qt, pyqtSlot
from PyQt5.QtWidgets import QComboBox, QFormLayout, QLabel, QVBoxLayout, QWidget

from seqdec_gui.data.dataset import Trial
from seqdec_gui.data.formats.base import Column
from seqdec_gui.domain import data_edits as edits
from seqdec_gui.domain.bindings import Split
from seqdec_gui.domain.design import Design
from seqdec_gui.domain.wording import counted
from seqdec_gui.gui.look import theme
from seqdec_gui.gui.widgets.number_boxes import DecimalBox, WholeNumberBox
from seqdec_gui.gui.workspace.workspace import Workspace

MAX_SEED = 2**31 - 1
"""The largest seed."""


class SplitPanel(QWidget):
    """The settings of the split, and the number of rows of each part in `split_rows`.

    Fields: `split_kind`, `split_validation`, `split_test` (percent), `split_seed`, `split_column`.
    """

    def __init__(self, workspace: Workspace, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._workspace = workspace
        self._filling = False
        self._kind = QComboBox(objectName="split_kind")
        self._kind.addItem("At random", "random")
        self._kind.addItem("By a column", "column")
        self._kind.currentIndexChanged.connect(self._on_field_changed)
        self._validation = _share("split_validation")
        self._validation.valueChanged.connect(self._on_field_changed)
        self._test = _share("split_test")
        self._test.valueChanged.connect(self._on_field_changed)
        self._seed = WholeNumberBox(objectName="split_seed")
        self._seed.setRange(0, MAX_SEED)
        self._seed.valueChanged.connect(self._on_field_changed)
        self._column = QComboBox(objectName="split_column")
        self._column.currentIndexChanged.connect(self._on_field_changed)
        for box in (self._validation, self._test, self._seed):
            box.refused.connect(workspace.status_message)
        for field in (self._kind, self._validation, self._test, self._seed, self._column):
            field.setFixedWidth(180)
        self._form = QFormLayout()
        self._form.setHorizontalSpacing(4 * theme.SPACE)
        self._form.setVerticalSpacing(2 * theme.SPACE)
        self._form.setLabelAlignment(Qt.AlignLeft | Qt.AlignVCenter)
        self._labels: dict[QWidget, QLabel] = {}
        for words, field, help_text in (
            ("Rows are split", self._kind, "How rows are divided into training, validation and test."),
            ("Validation", self._validation, "Share of the rows on which the model is evaluated after each epoch."),
            ("Test", self._test, "Share of the rows that are used neither for training nor for validation."),
            ("Seed", self._seed, "The same seed gives the same split on every machine."),
            ("Column", self._column, "A column that contains train, validation or test in every row."),
        ):
            label = QLabel(words)
            label.setProperty("role", "dim")
            label.setBuddy(field)
            field.setToolTip(help_text)
            field.setAccessibleName(words)
            self._labels[field] = label
            self._form.addRow(label, field)
        self._rows = QLabel(objectName="split_rows", wordWrap=True)
        self._rows.setProperty("role", "small")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(*4 * (3 * theme.SPACE,))
        layout.setSpacing(3 * theme.SPACE)
        layout.addLayout(self._form)
        layout.addWidget(self._rows)
        layout.addStretch(1)
        workspace.document.design_changed.connect(self._on_document_design_changed)
        self._columns: tuple[Column, ...] = ()
        self.refresh()

    def show_columns(self, columns: Sequence[Column]) -> None:
        self._columns = tuple(column for column in columns if column.kind in ("text", "integer"))
        self.refresh()

    def show_trial(self, trial: Trial | None) -> None:
        """Show the number of rows in each part."""
        if trial is None or trial.parts is None:
            self._rows.setText("")
            return
        parts = (("train", trial.parts.training), ("validate", trial.parts.validation), ("test", trial.parts.test))
        self._rows.setText(", ".join(f"{counted(len(rows), 'row')} {words}" for words, rows in parts) + ".")

    def refresh(self) -> None:
        """Show the split of the present design."""
        split = self._workspace.document.design.data.split
        self._filling = True
        try:
            self._kind.setCurrentIndex(self._kind.findData(split.kind))
            self._validation.setValue(100 * split.validation)
            self._test.setValue(100 * split.test)
            self._seed.setValue(min(split.seed, MAX_SEED))
            self._column.clear()
            self._column.addItem("Choose a column", "")
            for column in self._columns:
                self._column.addItem(column.name, column.name)
            if split.column and self._column.findData(split.column) < 0:
                self._column.addItem(f"{split.column} (not in this file)", split.column)
            self._column.setCurrentIndex(max(0, self._column.findData(split.column)))
        finally:
            self._filling = False
        by_column = split.kind == "column"
        for field in (self._validation, self._test, self._seed, self._column):
            shown = by_column == (field is self._column)
            field.setVisible(shown)
            self._labels[field].setVisible(shown)

    def _on_field_changed(self, _value: object) -> None:
        if self._filling:
            return
        document = self._workspace.document
        old = document.design.data.split
        new = Split(
            kind=self._kind.currentData(),
            validation=_share_of(old.validation, self._validation.value()),
            test=_share_of(old.test, self._test.value()),
            seed=old.seed if old.seed > MAX_SEED else self._seed.value(),
            column=self._column.currentData() or "",
        )
        fields = {name: getattr(new, name) for name in Split.__struct_fields__}
        document.edit(edits.with_split(document.design, **fields), "Change the split", merge_key=("split", self.sender()))

    @pyqtSlot(Design, Design)
    def _on_document_design_changed(self, old: Design, new: Design) -> None:
        if old.data.split != new.data.split:
            self.refresh()


def _share(name: str) -> DecimalBox:
    box = DecimalBox(objectName=name, suffix=" %")
    box.setRange(0.0, 99.9)
    box.setDecimals(1)
    box.setSingleStep(5.0)
    return box


def _share_of(share: float, percent: float) -> float:
    """Return the share for a percentage. If the percentage is only the rounded old share, return the old share."""
    return share if abs(100 * share - percent) < 0.05 else percent / 100
