"""The fonts of the program: a size for each role of a text."""

from __future__ import annotations

from PyQt5.QtGui import QFont, QFontDatabase, QFontInfo
from PyQt5.QtWidgets import QApplication

SCALE = {"small": 0.88, "body": 1.0, "title": 1.2, "headline": 1.7}
"""The sizes of the roles, as factors of the base size."""
BASE_POINTS = 9.75
"""The base size in points, unless the desktop asks for large text."""
LARGE_POINTS = 12.5
"""The size in points from which the desktop's font counts as large text and keeps its size."""


def font(role: str = "body", bold: bool = False, monospace: bool = False) -> QFont:
    """Return the font of a role: small, body, title or headline."""
    base = QApplication.font()
    points = base.pointSizeF() * SCALE[role]
    chosen = QFontDatabase.systemFont(QFontDatabase.FixedFont) if monospace else QFont(base)
    if monospace and not QFontInfo(chosen).fixedPitch():  # a platform without a theme names no such font
        chosen = QFont("monospace")
        chosen.setStyleHint(QFont.Monospace)
    chosen.setPointSizeF(points)
    if bold:
        chosen.setWeight(QFont.DemiBold)
    return chosen


def base_font(system: QFont) -> QFont:
    """Return the desktop's font at BASE_POINTS, or at its own size if that is large."""
    resized = QFont(system)
    if system.pointSizeF() < LARGE_POINTS:
        resized.setPointSizeF(BASE_POINTS)
    return resized
