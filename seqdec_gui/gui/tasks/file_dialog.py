"""The dialog that chooses a file or a folder."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from PyQt5.QtCore import Qt
from PyQt5.QtWidgets import (
    QComboBox,
    QDialogButtonBox,
    QFileDialog,
    QGridLayout,
    QHeaderView,
    QLabel,
    QLineEdit,
    QListView,
    QTreeView,
    QWidget,
)

ALL_FILES = "All files (*)"
"""The filter that shows every file."""


class FileDialog(QFileDialog):
    """Qt's own dialog, with what Qt 5.15 leaves open mended: cut columns, filters longer than their list, and its keys.

    Object name `file_dialog`.
    """

    def __init__(self, parent: QWidget | None, title: str, filters: Iterable[str], start: Path) -> None:
        super().__init__(parent, title, str(start))
        self.setObjectName("file_dialog")
        self.setOption(QFileDialog.DontUseNativeDialog)
        self.setOption(QFileDialog.HideNameFilterDetails)  # a filter may have twenty endings
        self.setAttribute(Qt.WA_DeleteOnClose)
        self.setNameFilters([*filters, ALL_FILES])
        self._show_columns_whole()
        self.resize(760, 520)

    def open(self) -> None:
        """Open the dialog over its window."""
        self._mend_keys()  # only now: Qt sets the order of Tab anew for each kind of choice
        super().open()

    def _show_columns_whole(self) -> None:
        """Give sizes, kinds and dates the width that they need, and names the rest."""
        table = self.findChild(QTreeView, "treeView")
        header = table.header()
        header.setStretchLastSection(False)
        header.setMinimumSectionSize(40)
        for column in range(header.count()):
            header.setSectionResizeMode(column, QHeaderView.Stretch if column == 0 else QHeaderView.ResizeToContents)
        self.findChild(QComboBox, "fileTypeCombo").setToolTip("\n".join(self.nameFilters()))

    def _mend_keys(self) -> None:
        """Name the lists that Qt leaves without a name by their labels, and let Tab reach the lower one.

        When a file is saved, Tab goes from the name to the box of buttons, which passes it on to its first one.
        """
        for words, box in (("lookInLabel", "lookInCombo"), ("fileTypeLabel", "fileTypeCombo")):
            self.findChild(QLabel, words).setBuddy(self.findChild(QComboBox, box))
        self.findChild(QDialogButtonBox).setFocusProxy(None)

    def accept(self) -> None:
        """Choose what is typed.

        Qt prefers what is selected, and selects folders while a path is typed through them; it may have kept one of them, and
        would show that folder instead of opening the file.
        """
        typed = self.findChild(QLineEdit, "fileNameEdit").text().strip()
        if typed.startswith(("/", "~")):
            self.findChild(QListView, "listView").selectionModel().clearSelection()
        super().accept()

    def add_below(self, widget: QWidget) -> None:
        """Put a widget below everything else."""
        layout = self.layout()
        if isinstance(layout, QGridLayout):
            layout.addWidget(widget, layout.rowCount(), 0, 1, -1)
