"""The dialog with the versions of the program and its libraries."""

from __future__ import annotations

import platform
from importlib import metadata

from PyQt5.QtCore import PYQT_VERSION_STR, QT_VERSION_STR, Qt
from PyQt5.QtGui import QPixmap
from PyQt5.QtWidgets import QApplication, QDialog, QDialogButtonBox, QGridLayout, QHBoxLayout, QLabel, QVBoxLayout, QWidget

import seqdec_gui
from seqdec_gui import resource_files
from seqdec_gui.gui.look import theme
from seqdec_gui.gui.widgets.focus import KeepsFocus
from seqdec_gui.runs.engines import ENGINES

_FRAMEWORKS = tuple(info.distributions[0] for info in ENGINES.values())
"""The package of each engine's framework, by its name in the package index."""
PACKAGES = ("keras", *_FRAMEWORKS, "numpy", "h5py", "pyarrow", "pyqtgraph")
"""The packages whose versions the dialog lists, by their names in the package index."""


def versions() -> dict[str, str]:
    """Return the versions that matter for a bug report, by name. They are read from package metadata; nothing is imported."""
    by_name = {"seqdec-gui": seqdec_gui.__version__, "Python": platform.python_version()}
    by_name |= {"Qt": QT_VERSION_STR, "PyQt": PYQT_VERSION_STR}
    for name in PACKAGES:
        try:
            by_name[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            by_name[name] = "not installed"
    return by_name | {"System": f"{platform.system()} {platform.release()}"}


class AboutDialog(KeepsFocus, QDialog):
    """The dialog *About*, with a button that copies the versions. Object name `about_dialog`."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("about_dialog")
        self.setWindowTitle("About seqdec-gui")
        picture = QLabel()
        try:
            picture.setPixmap(QPixmap(str(resource_files.path("icons/seqdec-gui-64.png"))))
        except FileNotFoundError:
            picture.hide()
        heading = QLabel("seqdec-gui")
        heading.setProperty("role", "headline")
        words = QLabel("Stack Keras submodels, train them on several devices, export them.\nGPL, version 3 or later.")
        words.setProperty("role", "dim")
        texts = QVBoxLayout()
        texts.setSpacing(theme.SPACE)
        texts.addWidget(heading)
        texts.addWidget(words)
        top = QHBoxLayout()
        top.setSpacing(4 * theme.SPACE)
        top.addWidget(picture, 0, Qt.AlignTop)
        top.addLayout(texts, 1)
        grid = QGridLayout()
        grid.setHorizontalSpacing(6 * theme.SPACE)
        grid.setVerticalSpacing(theme.SPACE)
        grid.setColumnStretch(1, 1)
        self._versions = versions()
        for row, (name, version) in enumerate(self._versions.items()):
            label = QLabel(name)
            label.setProperty("role", "dim")
            value = QLabel(version)
            value.setTextInteractionFlags(Qt.TextSelectableByMouse)
            grid.addWidget(label, row, 0)
            grid.addWidget(value, row, 1)
        buttons = QDialogButtonBox(QDialogButtonBox.Close)
        copy = buttons.addButton("Copy", QDialogButtonBox.ActionRole)
        copy.setObjectName("about_copy")
        copy.clicked.connect(self._on_copy_clicked)
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(*4 * (6 * theme.SPACE,))
        layout.setSpacing(6 * theme.SPACE)
        layout.addLayout(top)
        layout.addLayout(grid)
        layout.addWidget(buttons)

    def _on_copy_clicked(self) -> None:
        QApplication.clipboard().setText("\n".join(f"{name} {version}" for name, version in self._versions.items()))
