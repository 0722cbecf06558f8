"""A coloured badge with the result of a run's certificate in a word. A click on it opens the certificate."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PyQt5.QtCore import QRectF, QSize, Qt
from PyQt5.QtGui import QFontMetricsF, QPainter, QPaintEvent
from PyQt5.QtWidgets import QAbstractButton, QSizePolicy, QWidget

from seqdec_gui.gui.look import theme
from seqdec_gui.gui.widgets.certificate_words import verdict_color, verdict_of, verdict_text, verdict_tip

if TYPE_CHECKING:
    from seqdec_gui.runs.certificate import Certificate

HEIGHT = 5 * theme.SPACE
"""The height of the badge, in pixels."""


class CertificateBadge(QAbstractButton):
    """Shows the verdict on a run. Hidden if the run has one device and no certificate. Object name `certificate_badge`."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("certificate_badge")
        self.setSizePolicy(QSizePolicy.Fixed, QSizePolicy.Fixed)
        self.setCursor(Qt.PointingHandCursor)
        self.certificate: Certificate | None = None
        self._devices = 0
        self.hide()

    def show_certificate(self, certificate: Certificate | None, devices: int) -> None:
        """Show the certificate of a run on this number of devices."""
        if certificate == self.certificate and devices == self._devices:
            return
        self.certificate = certificate
        self._devices = devices
        text = verdict_text(certificate, devices)
        self.setText(text)
        self.setAccessibleName(f"Certificate: {text}")
        self.setToolTip(f"{verdict_tip(certificate, devices)}\nClick to see or repeat the comparison.")
        self.setVisible(bool(text))
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        width = QFontMetricsF(theme.font("small", bold=True)).horizontalAdvance(self.text())
        return QSize(int(width) + 4 * theme.SPACE, HEIGHT)

    def paintEvent(self, event: QPaintEvent | None) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.Antialiasing)
        verdict = verdict_of(self.certificate, self._devices)
        color = verdict_color(verdict)
        outlined = verdict == "uncertified"
        ground = theme.color(color, 0.0 if outlined else 0.16)
        painter.setBrush(theme.color(color, 0.28) if self.underMouse() and not outlined else ground)
        painter.setPen(theme.color(color) if outlined or self.hasFocus() else Qt.NoPen)
        rect = QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5)
        painter.drawRoundedRect(rect, rect.height() / 2, rect.height() / 2)
        painter.setFont(theme.font("small", bold=True))
        painter.setPen(theme.color(color))
        painter.drawText(self.rect(), Qt.AlignCenter, self.text())
        painter.end()
