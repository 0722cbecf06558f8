"""The contents of a page that has nothing to show yet."""

from __future__ import annotations

from PyQt5.QtCore import Qt
from PyQt5.QtWidgets import QHBoxLayout, QLabel, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from seqdec_gui.gui.look import theme
from seqdec_gui.gui.look.icons import icon
from seqdec_gui.gui.widgets.wrapped_label import WrappedLabel


class EmptyState(QWidget):
    """An icon, a sentence, and a button for the next step."""

    def __init__(self, icon_name: str, title: str, text: str, button: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "page")
        self.setAttribute(Qt.WA_StyledBackground)
        self._icon_name = icon_name
        self._picture = QLabel(alignment=Qt.AlignCenter)
        heading = WrappedLabel(title)
        heading.setAlignment(Qt.AlignCenter)
        heading.setSizePolicy(QSizePolicy.Ignored, QSizePolicy.Preferred)
        heading.setProperty("role", "title")
        words = WrappedLabel(text)
        words.setAlignment(Qt.AlignCenter)
        words.setProperty("role", "dim")
        words.setMaximumWidth(420)
        line = QHBoxLayout()
        line.setContentsMargins(3 * theme.SPACE, 0, 3 * theme.SPACE, 0)
        line.addStretch(1)
        line.addWidget(words, 100)
        line.addStretch(1)
        layout = QVBoxLayout(self)
        layout.setSpacing(2 * theme.SPACE)
        layout.addStretch(2)
        layout.addWidget(self._picture)
        layout.addWidget(heading)
        layout.addLayout(line)
        self.button = QPushButton(button, self)  # without a parent it would be shown as a window of its own
        self.button.setProperty("kind", "primary")
        self.button.setVisible(bool(button))
        layout.addSpacing(2 * theme.SPACE)
        layout.addWidget(self.button, 0, Qt.AlignHCenter)
        self._more = QVBoxLayout()
        layout.addLayout(self._more)
        layout.addStretch(3)
        self.heading = heading
        self.words = words
        theme.notifier.changed.connect(self._on_theme_changed)
        self._on_theme_changed()

    def add_button(self, button: QPushButton) -> None:
        """Add another button below the first."""
        self._more.addWidget(button, 0, Qt.AlignHCenter)

    def _on_theme_changed(self) -> None:
        self._picture.setPixmap(icon(self._icon_name, theme.current().control_border).pixmap(40, 40))
