"""The dialog that chooses several numeric columns, which are joined to one vector."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PyQt5.QtCore import Qt, pyqtSlot
from PyQt5.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QHBoxLayout,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from seqdec_gui.domain.wording import counted
from seqdec_gui.gui.look import theme
from seqdec_gui.gui.tasks import notify
from seqdec_gui.gui.widgets.focus import KeepsFocus


class SeveralColumns(KeepsFocus, QDialog):
    """A list `several_columns_list` with a check box per column. `then` is called with the chosen names.

    Object name `several_columns`.
    """

    def __init__(
        self,
        port: str,
        columns: Sequence[str],
        chosen: Sequence[str],
        then: Callable[[tuple[str, ...]], None],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setObjectName("several_columns")
        self.setWindowTitle(f"Columns for {port}")
        self._then = then
        words = QLabel(f"The ticked columns, in this order, make the vector of {port}.", wordWrap=True)
        self._list = QListWidget(objectName="several_columns_list")
        self._list.setAccessibleName(f"Columns for {port}")
        for name in columns:
            item = QListWidgetItem(name)
            item.setFlags(Qt.ItemIsUserCheckable | Qt.ItemIsEnabled | Qt.ItemIsSelectable)
            item.setCheckState(Qt.Checked if name in chosen else Qt.Unchecked)
            self._list.addItem(item)
        self._list.itemChanged.connect(self._on_list_item_changed)
        select_all = QPushButton("All", objectName="several_columns_all")
        select_all.clicked.connect(self._on_select_all_clicked)
        none = QPushButton("None")
        none.clicked.connect(self._on_none_clicked)
        self._count = QLabel()
        self._count.setProperty("role", "dim")
        row = QHBoxLayout()
        row.addWidget(select_all)
        row.addWidget(none)
        row.addStretch(1)
        row.addWidget(self._count)
        self._buttons = QDialogButtonBox(QDialogButtonBox.Ok | QDialogButtonBox.Cancel)
        self._buttons.button(QDialogButtonBox.Ok).setProperty("kind", "primary")
        self._buttons.button(QDialogButtonBox.Ok).setText("Bind")
        self._buttons.accepted.connect(self.accept)
        self._buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(*4 * (4 * theme.SPACE,))
        layout.setSpacing(3 * theme.SPACE)
        layout.addWidget(words)
        layout.addWidget(self._list, 1)
        layout.addLayout(row)
        layout.addWidget(self._buttons)
        self.resize(360, 420)
        self.accepted.connect(self._on_accepted)
        self._on_list_item_changed()

    @property
    def chosen(self) -> tuple[str, ...]:
        items = (self._list.item(row) for row in range(self._list.count()))
        return tuple(item.text() for item in items if item.checkState() == Qt.Checked)

    def _on_list_item_changed(self) -> None:
        self._count.setText(counted(len(self.chosen), "column"))
        self._buttons.button(QDialogButtonBox.Ok).setEnabled(bool(self.chosen))

    @pyqtSlot()
    def _on_select_all_clicked(self) -> None:
        self._set_all(Qt.Checked)

    @pyqtSlot()
    def _on_none_clicked(self) -> None:
        self._set_all(Qt.Unchecked)

    def _set_all(self, state: Qt.CheckState) -> None:
        for row in range(self._list.count()):
            self._list.item(row).setCheckState(state)

    @pyqtSlot()
    def _on_accepted(self) -> None:
        self._then(self.chosen)


def choose_columns(
    parent: QWidget,
    port: str,
    columns: Sequence[str],
    chosen: Sequence[str],
    then: Callable[[tuple[str, ...]], None],
) -> QDialog:
    """Open the dialog without blocking, and return it."""
    return notify.present(SeveralColumns(port, columns, chosen, then, notify.window_of(parent)))
