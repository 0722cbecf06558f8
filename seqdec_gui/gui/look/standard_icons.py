"""The standard pictures of Qt's dialogs and fields, drawn as icons in the colours of the theme."""

from __future__ import annotations

import os
from collections.abc import Callable

from PyQt5.QtCore import QPoint, QRect, QSize, Qt
from PyQt5.QtGui import QIcon, QIconEngine, QPainter, QPixmap
from PyQt5.QtWidgets import QStyle

Colours = Callable[[], tuple[str, str]]
"""Returns the colours of an icon now: enabled and disabled."""

NAMES = {
    QStyle.SP_LineEditClearButton: "close-circle",
    QStyle.SP_FileDialogToParent: "arrow-up",
    QStyle.SP_FileDialogNewFolder: "folder-plus-outline",
    QStyle.SP_FileDialogDetailedView: "format-list-bulleted",
    QStyle.SP_FileDialogListView: "view-grid-outline",
    QStyle.SP_FileDialogBack: "arrow-left",
    QStyle.SP_FileDialogStart: "home-outline",
    QStyle.SP_FileDialogEnd: "arrow-right",
    QStyle.SP_FileDialogContentsView: "magnify",
    QStyle.SP_FileDialogInfoView: "information-outline",
    QStyle.SP_ArrowBack: "arrow-left",
    QStyle.SP_ArrowForward: "arrow-right",
    QStyle.SP_ArrowLeft: "arrow-left",
    QStyle.SP_ArrowRight: "arrow-right",
    QStyle.SP_ArrowUp: "arrow-up",
    QStyle.SP_ArrowDown: "arrow-down",
    QStyle.SP_DirIcon: "folder-outline",
    QStyle.SP_DirClosedIcon: "folder-outline",
    QStyle.SP_DirOpenIcon: "folder-open-outline",
    QStyle.SP_DirLinkIcon: "folder-arrow-right-outline",
    QStyle.SP_DirHomeIcon: "home-outline",
    QStyle.SP_FileIcon: "file-outline",
    QStyle.SP_FileLinkIcon: "file-link-outline",
    QStyle.SP_ComputerIcon: "laptop",
    QStyle.SP_DesktopIcon: "monitor",
    QStyle.SP_DriveHDIcon: "harddisk",
    QStyle.SP_DriveNetIcon: "server-network-outline",
    QStyle.SP_DriveCDIcon: "disc",
    QStyle.SP_DriveDVDIcon: "disc",
    QStyle.SP_DriveFDIcon: "content-save-outline",
    QStyle.SP_TrashIcon: "trash-can-outline",
    QStyle.SP_MessageBoxInformation: "information-outline",
    QStyle.SP_MessageBoxWarning: "alert-outline",
    QStyle.SP_MessageBoxCritical: "alert-circle-outline",
    QStyle.SP_MessageBoxQuestion: "help-circle-outline",
    QStyle.SP_TitleBarCloseButton: "close",
    QStyle.SP_DockWidgetCloseButton: "close",
    QStyle.SP_ToolBarHorizontalExtensionButton: "chevron-double-right",
    QStyle.SP_ToolBarVerticalExtensionButton: "chevron-double-down",
    QStyle.SP_BrowserReload: "refresh",
    QStyle.SP_BrowserStop: "close",
}
"""The icon instead of each standard picture."""


def standard_icon(which: QStyle.StandardPixmap, colours: Colours) -> QIcon | None:
    """Return the icon instead of a standard picture, None where Qt's own one stays (buttons of dialogs have none)."""
    name = NAMES.get(which)
    return QIcon(_Engine(name, colours)) if name is not None else None


class _Engine(QIconEngine):
    """Paints an icon in the colours of the moment, so that it follows the theme where Qt keeps the icon."""

    def __init__(self, name: str, colours: Colours) -> None:
        super().__init__()
        self._name = name
        self._colours = colours

    def paint(self, painter: QPainter, rect: QRect, mode: QIcon.Mode, state: QIcon.State) -> None:
        os.environ.setdefault("QT_API", "pyqt5")
        import qtawesome

        colour, disabled = self._colours()
        qtawesome.icon(f"mdi6.{self._name}", color=colour, color_disabled=disabled).paint(
            painter, rect, Qt.AlignCenter, mode, state
        )

    def pixmap(self, size: QSize, mode: QIcon.Mode, state: QIcon.State) -> QPixmap:
        if size.isEmpty():  # a field that is not laid out yet asks for a picture of no size
            return QPixmap()
        pixmap = QPixmap(size)
        pixmap.fill(Qt.transparent)
        painter = QPainter(pixmap)
        self.paint(painter, QRect(QPoint(), size), mode, state)
        painter.end()
        return pixmap

    def clone(self) -> QIconEngine:
        return _Engine(self._name, self._colours)
