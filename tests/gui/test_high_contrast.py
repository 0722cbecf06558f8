"""The pages in high contrast as they are drawn: text has a contrast of 7 with its ground, and icons one of 4.5."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PyQt5.QtGui import QImage
from PyQt5.QtWidgets import QAbstractButton, QCheckBox, QLabel, QTabBar, QWidget
from pytestqt.qtbot import QtBot

from seqdec_gui.gui.look import theme
from seqdec_gui.gui.window.main_window import MainWindow
from tests.gui.every_dialog import settle
from tests.gui.trained_runs import example_in, trained

PAGES = ("design", "code", "data", "train", "runs", "queue", "sweep", "generate")
TEXT, ICON = 7.0, 4.5
EDGE = 4
"""The pixels at the edge of a control that are not looked at: its border."""


def pixels(picture: QImage) -> np.ndarray:
    """Return the colours of a picture, (height, width), each 0xffrrggbb."""
    picture = picture.convertToFormat(QImage.Format_RGB32)
    rows = np.frombuffer(picture.constBits().asstring(picture.byteCount()), np.uint32)
    return rows.reshape(picture.height(), picture.bytesPerLine() // 4)[:, : picture.width()]


def strongest(drawn: np.ndarray) -> float:
    """Return the greatest contrast that any pixel has with the most frequent colour."""
    colours, counts = np.unique(drawn, return_counts=True)
    parts = np.stack([colours >> shift & 255 for shift in (16, 8, 0)], axis=1) / 255.0
    linear = np.where(parts <= 0.03928, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
    bright = linear @ (0.2126, 0.7152, 0.0722) + 0.05
    ground = bright[counts.argmax()]
    return float(np.max(np.maximum(bright, ground) / np.minimum(bright, ground)))


def least_of(widget: QWidget) -> float:
    """Return the contrast that a widget needs; 0 if nothing is written or drawn on it."""
    if isinstance(widget, QLabel):
        picture = widget.pixmap()
        return ICON if picture is not None and not picture.isNull() else TEXT if widget.text().strip() else 0.0
    if isinstance(widget, QAbstractButton) and not isinstance(widget, QCheckBox):
        return TEXT if widget.text().strip() and widget.width() > 60 else 0.0 if widget.icon().isNull() else ICON
    return TEXT if isinstance(widget, QTabBar) and widget.count() else 0.0


@pytest.mark.parametrize("mode", ["light_contrast", "dark_contrast"])
def test_what_is_drawn_on_every_page_stands_out(
    opened: Callable[..., MainWindow], tmp_path: Path, qtbot: QtBot, mode: theme.Mode
) -> None:
    path = example_in(tmp_path, "roman")
    trained(path, "first")
    window = opened(path)
    theme.set_mode(mode)
    faint, seen = [], 0
    for page in PAGES:
        window.pages.show_page(page)
        settle(qtbot)
        drawn = pixels(window.grab().toImage())
        for widget in window.findChildren(QWidget):
            least = least_of(widget) if widget.isVisible() and widget.isEnabled() else 0.0
            shown = widget.visibleRegion().boundingRect().adjusted(EDGE, EDGE, -EDGE, -EDGE)
            if not least or shown.width() < 8 or shown.height() < 6:
                continue
            at = shown.translated(widget.mapTo(window, widget.rect().topLeft()))
            ratio = strongest(drawn[at.top() : at.bottom() + 1, at.left() : at.right() + 1])
            seen += 1
            if ratio < least:
                name = widget.objectName() or getattr(widget, "text", lambda: "")()
                faint.append(f"{page}: {type(widget).__name__} {name!r} {ratio:.1f} of {least}")
    assert seen > 150
    assert faint == [], "\n".join(faint)
