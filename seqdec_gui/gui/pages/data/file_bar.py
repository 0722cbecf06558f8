"""The bar above the data: the name and size of the file, and buttons to open another."""

from __future__ import annotations

from pathlib import Path

from PyQt5.QtCore import pyqtSignal, pyqtSlot
from PyQt5.QtWidgets import QHBoxLayout, QLabel, QMenu, QPushButton, QToolButton, QVBoxLayout, QWidget

from seqdec_gui.domain.menu_text import literal
from seqdec_gui.gui.look import theme
from seqdec_gui.gui.look.icons import icon
from seqdec_gui.gui.pages.data.recent_data import recent_data
from seqdec_gui.gui.widgets.elided_label import ElidedLabel


class FileBar(QWidget):
    """Shows the data file. Emits `open_requested`, `reload_requested`, and `file_chosen` with the Path of a recent file."""

    open_requested = pyqtSignal()
    reload_requested = pyqtSignal()
    file_chosen = pyqtSignal(Path)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._name = ElidedLabel("data_file_name")
        self._name.setProperty("role", "value")
        self._figures = QLabel(objectName="data_file_figures")
        self._figures.setProperty("role", "small")
        self._reload = QToolButton(objectName="reload_data_button", toolTip="Read the file again")
        self._reload.setAccessibleName("Read the file again")
        self._reload.clicked.connect(self.reload_requested)
        self._open = QPushButton("Open data file…", objectName="open_data_button")
        self._open.clicked.connect(self.open_requested)
        self._recent = recent_button(self)
        self._recent.menu().triggered.connect(lambda action: self.file_chosen.emit(action.data()))
        titles = QVBoxLayout()
        titles.setSpacing(0)
        titles.addWidget(self._name)
        titles.addWidget(self._figures)
        row = QHBoxLayout(self)
        row.setContentsMargins(3 * theme.SPACE, 2 * theme.SPACE, 3 * theme.SPACE, 2 * theme.SPACE)
        row.setSpacing(2 * theme.SPACE)
        row.addLayout(titles, 1)
        row.addWidget(self._reload)
        row.addWidget(self._recent)
        row.addWidget(self._open)
        theme.notifier.changed.connect(self._on_theme_changed)
        self._on_theme_changed()

    def show_file(self, path: Path | None, figures: str) -> None:
        """Show the name of the file and `figures`, a text about its size."""
        self._name.setText("" if path is None else path.name)
        self._name.setToolTip("" if path is None else str(path))
        self._figures.setText(figures)
        self._reload.setEnabled(path is not None)

    @pyqtSlot()
    def _on_theme_changed(self) -> None:
        self._reload.setIcon(icon("refresh"))


def recent_button(parent: QWidget) -> QToolButton:
    """Return a button `recent_data_button` with a menu of recently opened files."""
    button = QToolButton(parent, objectName="recent_data_button", text="Recent")
    button.setProperty("kind", "picker")
    button.setPopupMode(QToolButton.InstantPopup)
    menu = QMenu(button)

    def fill() -> None:
        menu.clear()
        for path in recent_data():
            action = menu.addAction(literal(path.name))
            action.setToolTip(str(path))
            action.setData(path)
        if menu.isEmpty():
            menu.addAction("No files yet").setEnabled(False)

    menu.setToolTipsVisible(True)
    menu.aboutToShow.connect(fill)
    button.setMenu(menu)
    return button
