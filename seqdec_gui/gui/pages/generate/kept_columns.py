"""A list of the columns of a file of rows that may be carried over to what is generated from them."""

from __future__ import annotations

from pathlib import Path

from PyQt5.QtCore import Qt
from PyQt5.QtWidgets import QFrame, QLabel, QListWidget, QListWidgetItem, QVBoxLayout, QWidget

from seqdec_gui.data.rows import ColumnBeside, columns_beside
from seqdec_gui.gui.look import theme
from seqdec_gui.gui.tasks import background
from seqdec_gui.runs.generate_inputs import RunInputs

SHOWN_ROWS = 6
"""The number of columns that are seen without scrolling."""


class KeptColumns(QWidget):
    """The columns of a file that no input reads, each with a box to tick; hidden while there are none.

    Columns that name or number the rows are carried over in any case: they are ticked and stay so.
    Object name of the list: `generate_keep`.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._reading: background.Operation | None = None
        self._path = ""
        title = QLabel("Columns to carry over into the results")
        title.setProperty("role", "dim")
        self._list = QListWidget(objectName="generate_keep")
        self._list.setAccessibleName(title.text())
        self._list.setFrameShape(QFrame.NoFrame)
        title.setBuddy(self._list)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, theme.SPACE, 0, 0)
        layout.setSpacing(theme.SPACE)
        layout.addWidget(title)
        layout.addWidget(self._list)
        self.hide()

    def look_at(self, inputs: RunInputs | None, path: str) -> None:
        """Read, in a thread, which columns this file has beside those of the inputs. An empty path: no file."""
        if self._reading is not None:
            self._reading.cancel()
            self._reading = None
        before = set(self.chosen()) if path == self._path else set()
        self._path = path
        self._show((), set())
        if inputs is None or not path:
            return
        fitted, how = inputs.fitted, inputs.reading
        self._reading = background.run(
            lambda: columns_beside(fitted, Path(path), how), lambda found: self._show(found, before), self._on_failed, self
        )

    def chosen(self) -> tuple[str, ...]:
        """Return the names of the columns that are ticked."""
        items = [self._list.item(row) for row in range(self._list.count())]
        return tuple(item.text() for item in items if item.checkState() == Qt.Checked)

    def _show(self, columns: tuple[ColumnBeside, ...], ticked: set[str]) -> None:
        self._list.clear()
        for column in columns:
            item = QListWidgetItem(column.name)
            item.setFlags(Qt.ItemIsUserCheckable | Qt.ItemIsSelectable | (Qt.NoItemFlags if column.is_id else Qt.ItemIsEnabled))
            item.setCheckState(Qt.Checked if column.is_id or column.name in ticked else Qt.Unchecked)
            if column.is_id:
                item.setToolTip("A column that names or numbers the rows is always carried over.")
            self._list.addItem(item)
        rows = min(SHOWN_ROWS, len(columns))
        self._list.setFixedHeight(max(1, rows) * max(20, self._list.sizeHintForRow(0)) + 2)
        self.setVisible(bool(columns))

    def _on_failed(self, _error: Exception) -> None:
        """Offer nothing: generating says what is wrong with the file."""
        self._reading = None
