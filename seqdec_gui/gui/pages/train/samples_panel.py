"""What a run generated for some validation rows at its last report that measured quality: input, target, generated."""

from __future__ import annotations

from pathlib import Path

from PyQt5.QtCore import QAbstractTableModel, QModelIndex, QObject, Qt
from PyQt5.QtWidgets import QAbstractItemView, QLabel, QTableView, QVBoxLayout, QWidget

from seqdec_gui.domain.wording import counted
from seqdec_gui.gui.look import theme
from seqdec_gui.gui.widgets.last_column import LastColumn
from seqdec_gui.gui.widgets.table_style import show_as_list
from seqdec_gui.gui.widgets.text_differences import OTHER, DifferenceCells
from seqdec_gui.runs.quality.edits import distance
from seqdec_gui.runs.quality.samples import Sampled, SampledRow, read_last

TITLES = ("", "Input", "Target", "Generated")
SIGN, INPUT, TARGET, GENERATED = range(4)
RIGHT, WRONG, FREE = "✓", "✗", "·"
"""Signs of a row that is right, of one that is wrong, and of a sample that has no target."""
WIDEST = 160
"""The width up to which inputs and targets grow with their texts, in pixels."""
LEAST_WIDTH = 240
"""The least width of the panel, in pixels."""


class SamplesModel(QAbstractTableModel):
    """The rows of one report."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.rows: tuple[SampledRow, ...] = ()

    def show_rows(self, rows: tuple[SampledRow, ...]) -> None:
        self.beginResetModel()
        self.rows = rows
        self.endResetModel()

    def rowCount(self, parent: QModelIndex | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self.rows)

    def columnCount(self, parent: QModelIndex | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(TITLES)

    def data(self, index: QModelIndex, role: int = Qt.DisplayRole) -> object:
        row = self.rows[index.row()]
        cells = (_sign(row), row.input, row.target or "", row.generated)
        if role == Qt.DisplayRole:
            return cells[index.column()].replace("\n", "⏎")
        if role == OTHER:
            return row.target if index.column() == GENERATED else None
        if role in (Qt.ToolTipRole, Qt.AccessibleTextRole) and index.column() in (SIGN, GENERATED):
            return _words(row) if index.column() == SIGN or role == Qt.ToolTipRole else row.generated
        if role == Qt.ToolTipRole:
            return cells[index.column()]
        if role == Qt.FontRole and index.column() in (TARGET, GENERATED):
            return theme.font(monospace=True)
        if role == Qt.TextAlignmentRole:
            return int(Qt.AlignVCenter | (Qt.AlignHCenter if index.column() == SIGN else Qt.AlignLeft))
        return None

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.DisplayRole) -> object:
        if orientation == Qt.Vertical:
            return None
        if role == Qt.DisplayRole:
            return TITLES[section]
        if role == Qt.AccessibleTextRole:
            return TITLES[section] or "Right or wrong"  # as narrow as its sign
        if role == Qt.TextAlignmentRole:
            return int(Qt.AlignVCenter | Qt.AlignLeft)
        return None


def _sign(row: SampledRow) -> str:
    return FREE if row.target is None else RIGHT if row.generated == row.target else WRONG


def _words(row: SampledRow) -> str:
    """Return what is to be said about a row, for a tooltip and for screen readers."""
    if row.target is None:
        return f"Row {row.row + 1}: drawn at random, without a target"
    if row.generated == row.target:
        return f"Row {row.row + 1}: right"
    return f"Row {row.row + 1}: {counted(distance(row.target, row.generated), 'edit')} away from {row.target}"


class SamplesPanel(QWidget):
    """The table of the last report, object name `samples_table`. It is hidden where the run has not decoded any rows."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("samples_panel")
        self.file: Path | None = None
        """The file whose last report is shown; None before a run is."""
        self._stamp: tuple[int, int] | None = None
        self.caption = QLabel(objectName="samples_caption")
        self.caption.setProperty("role", "dim")
        self.table = QTableView(objectName="samples_table")
        self.table.setAccessibleName("What the model generates for validation rows")
        self.model = SamplesModel(self)
        self.table.setModel(self.model)
        self.table.setItemDelegateForColumn(GENERATED, DifferenceCells(self.table))
        self.table.setSelectionBehavior(QAbstractItemView.SelectRows)
        self.table.setAlternatingRowColors(True)
        show_as_list(self.table, 24)
        self._last = LastColumn(self.table)
        self.setMinimumWidth(LEAST_WIDTH)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, theme.SPACE, 0, 0)
        layout.setSpacing(theme.SPACE)
        self.caption.setContentsMargins(2 * theme.SPACE, 0, 0, 0)
        layout.addWidget(self.caption)
        layout.addWidget(self.table, 1)
        self.hide()

    def show_file(self, file: Path | None) -> None:
        """Show the samples of another run, by the path of their file."""
        self.file, self._stamp = file, None
        self._show(None)
        self.refresh()

    def refresh(self) -> None:
        """Read the last report again if the file has changed."""
        if self.file is None:
            return
        try:
            status = self.file.stat()
        except OSError:
            return
        stamp = (status.st_size, status.st_mtime_ns)
        if stamp != self._stamp:
            self._stamp = stamp
            self._show(read_last(self.file))

    def _show(self, sampled: Sampled | None) -> None:
        rows = sampled.rows if sampled is not None else ()
        self.model.show_rows(rows)
        self.setVisible(bool(rows))
        if sampled is None or not rows:
            return
        judged = [row for row in rows if row.target is not None]
        right = sum(row.generated == row.target for row in judged)
        said = f": {right} of {counted(len(judged), 'row')} right" if judged else ""
        self.caption.setText(f"Generated after epoch {sampled.epoch}{said}")
        self.table.setColumnHidden(INPUT, not any(row.input for row in rows))
        self.table.setColumnHidden(TARGET, not judged)
        self.table.setColumnWidth(SIGN, 28)
        for column in (INPUT, TARGET):
            self.table.setColumnWidth(column, min(WIDEST, max(56, self.table.sizeHintForColumn(column) + 2 * theme.SPACE)))
        self._last.fit()
