"""Paint the icon as PNG files of the usual sizes: python tools/make_icons.py. Run it after a change of the SVG."""

from __future__ import annotations

import os
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
from PyQt5.QtCore import Qt
from PyQt5.QtGui import QGuiApplication, QImage, QPainter
from PyQt5.QtSvg import QSvgRenderer

SIZES = (16, 24, 32, 48, 64, 128, 256)
ICONS = Path(__file__).resolve().parent.parent / "resources" / "icons"


def main() -> None:
    application = QGuiApplication([])
    renderer = QSvgRenderer(str(ICONS / "seqdec-gui.svg"))
    for size in SIZES:
        image = QImage(size, size, QImage.Format_ARGB32)
        image.fill(Qt.transparent)
        painter = QPainter(image)
        renderer.render(painter)
        painter.end()
        target = ICONS / f"seqdec-gui-{size}.png"
        image.save(str(target))
        print(target)
    application.quit()


if __name__ == "__main__":
    main()
