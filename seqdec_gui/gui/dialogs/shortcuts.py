"""The sheet of keys: all shortcuts of the window, made from its actions, and the keys of the canvas."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from PyQt5.QtCore import Qt
from PyQt5.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QScrollArea,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from seqdec_gui.gui.look import theme
from seqdec_gui.gui.widgets.focus import KeepsFocus

COLUMNS = 3
"""The number of columns of the sheet."""

Rows = Sequence[tuple[str, str]]
"""Names of actions with their keys, as they are shown."""


class ShortcutSheet(KeepsFocus, QDialog):
    """Shows the keys in groups, with a field that searches names and keys. Object names `shortcut_sheet`, `shortcut_search`."""

    def __init__(self, groups: Mapping[str, Rows], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("shortcut_sheet")
        self.setWindowTitle("Keyboard shortcuts")
        self._lines: list[tuple[str, str, QWidget]] = []
        self._headings: dict[str, QWidget] = {}
        self._search = QLineEdit(objectName="shortcut_search", placeholderText="Search names and keys", clearButtonEnabled=True)
        self._search.setAccessibleName("Search shortcuts")
        self._search.textChanged.connect(self._on_search_text_changed)
        page = QWidget()
        columns = QHBoxLayout(page)
        columns.setContentsMargins(0, 0, 3 * theme.SPACE, 0)
        columns.setSpacing(8 * theme.SPACE)
        for column in _divided(groups, COLUMNS):
            holder = QWidget()
            holder.setSizePolicy(QSizePolicy.Ignored, QSizePolicy.Preferred)  # columns of equal width
            lines = QVBoxLayout(holder)
            lines.setContentsMargins(0, 0, 0, 0)
            lines.setSpacing(theme.SPACE)
            for name in column:
                self._add_group(lines, name, groups[name])
            lines.addStretch(1)
            columns.addWidget(holder, 1)
        area = QScrollArea()
        area.setWidgetResizable(True)
        area.setFocusPolicy(Qt.NoFocus)
        area.setWidget(page)
        buttons = QDialogButtonBox(QDialogButtonBox.Close)
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(*4 * (6 * theme.SPACE,))
        layout.setSpacing(4 * theme.SPACE)
        layout.addWidget(self._search)
        layout.addWidget(area, 1)
        layout.addWidget(buttons)
        self.resize(1000, 640)

    def _add_group(self, layout: QVBoxLayout, name: str, rows: Rows) -> None:
        heading = QLabel(name)
        heading.setProperty("role", "section")
        heading.setContentsMargins(0, 2 * theme.SPACE, 0, 0)
        self._headings[name] = heading
        layout.addWidget(heading)
        for words, keys in rows:
            line = QWidget()
            grid = QGridLayout(line)
            grid.setContentsMargins(0, 0, 0, 0)
            grid.setColumnStretch(0, 1)
            title = QLabel(words, wordWrap=True)
            value = QLabel(keys, alignment=Qt.AlignRight | Qt.AlignTop)
            value.setProperty("role", "dim")
            grid.addWidget(title, 0, 0)
            grid.addWidget(value, 0, 1)
            layout.addWidget(line)
            self._lines.append((name, f"{words} {keys}".lower(), line))

    def _on_search_text_changed(self, text: str) -> None:
        words = text.lower().split()
        shown = set()
        for group, line, widget in self._lines:
            fits = all(word in line or word in group.lower() for word in words)
            widget.setVisible(fits)
            if fits:
                shown.add(group)
        for group, heading in self._headings.items():
            heading.setVisible(group in shown)


def _divided(groups: Mapping[str, Rows], columns: int) -> list[list[str]]:
    """Return the names of the groups in columns of about equal length, in their order."""
    total = sum(len(rows) + 2 for rows in groups.values())
    divided: list[list[str]] = [[]]
    length = 0.0
    for name, rows in groups.items():
        if divided[-1] and length + (len(rows) + 2) / 2 > total / columns * len(divided) and len(divided) < columns:
            divided.append([])
        divided[-1].append(name)
        length += len(rows) + 2
    return divided
