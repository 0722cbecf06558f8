"""The welcome page of a window without a design: templates, examples with data, and recent designs, as cards with pictures."""

from __future__ import annotations

from collections import deque
from pathlib import Path

from PyQt5.QtCore import QSize, Qt, QTimer, pyqtSignal, pyqtSlot
from PyQt5.QtGui import QPixmap, QResizeEvent, QShowEvent
from PyQt5.QtWidgets import QHBoxLayout, QLabel, QPushButton, QScrollArea, QVBoxLayout, QWidget

from seqdec_gui import resource_files
from seqdec_gui.domain import document as design_file
from seqdec_gui.domain.problems import SeqdecError
from seqdec_gui.gui.look import preferences, theme
from seqdec_gui.gui.pages.design.picture import picture
from seqdec_gui.gui.widgets.cards import Card, GridLayout
from seqdec_gui.gui.workspace.files import Template, examples, templates

PICTURE_HEIGHT = 66
"""The height of the picture on a card, in pixels."""
CARD_WIDTH = 146
"""The least width of a card, in pixels."""
MOST_RECENTS = 5
"""The greatest number of recent designs: a row on a laptop, which leaves the examples and templates in sight."""
EXAMPLE_WIDTH = 210
"""The least width of the card of an example, in pixels."""
WIDEST = 1200
"""The greatest width of the page's contents, in pixels."""


class Welcome(QScrollArea):
    """The welcome page, with cards `template_<name>`, `example_<name>`, `recent_<number>`. Object name `welcome_page`."""

    template_chosen = pyqtSignal(Path)  # a design to begin from
    design_chosen = pyqtSignal(Path)  # a recent design to open
    new_requested = pyqtSignal()
    open_requested = pyqtSignal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("welcome_page")
        self.setAccessibleName("Welcome")
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarAlwaysOff)
        self._pictured: list[tuple[Card, Path]] = []
        self._waiting: deque[tuple[Card, Path]] = deque()
        self._timer = QTimer(self, interval=0, timeout=self._draw_next)
        page = QWidget()
        page.setProperty("role", "ground")
        page.setAttribute(Qt.WA_StyledBackground)
        column = QWidget()
        column.setMaximumWidth(WIDEST)
        outer = QHBoxLayout(page)
        outer.setContentsMargins(8 * theme.SPACE, 6 * theme.SPACE, 8 * theme.SPACE, 6 * theme.SPACE)
        outer.addStretch(1)
        outer.addWidget(column, WIDEST)
        outer.addStretch(1)
        self._column = QVBoxLayout(column)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(3 * theme.SPACE)
        self._column.addLayout(self._header())
        self._recent_heading, self._recents = self._section("Recent designs", CARD_WIDTH)
        self._add_cards("Examples with data, ready to train", "example", examples(), EXAMPLE_WIDTH)
        self._add_cards("Templates (more in File, Examples and Templates)", "template", templates(), CARD_WIDTH)
        self._column.addStretch(1)
        self.setWidget(page)
        self.refresh_recents()
        theme.notifier.changed.connect(self._on_theme_changed)
        self._on_theme_changed()

    def _header(self) -> QHBoxLayout:
        picture = QLabel()
        try:
            ratio = self.devicePixelRatioF()
            logo = QPixmap(str(resource_files.path("icons/seqdec-gui-128.png")))
            logo = logo.scaled(QSize(44, 44) * ratio, Qt.KeepAspectRatio, Qt.SmoothTransformation)
            logo.setDevicePixelRatio(ratio)
            picture.setPixmap(logo)
        except FileNotFoundError:
            picture.hide()
        heading = QLabel("seqdec-gui")
        heading.setProperty("role", "headline")
        words = QLabel("Stack Keras submodels, train them on several devices, export them.", wordWrap=True)
        words.setProperty("role", "dim")
        texts = QVBoxLayout()
        texts.setSpacing(0)
        texts.addWidget(heading)
        texts.addWidget(words)
        opens = QPushButton("Open design…", objectName="welcome_open")
        opens.clicked.connect(self.open_requested)
        new = QPushButton("New design", objectName="welcome_new")
        new.setProperty("kind", "primary")
        new.clicked.connect(self.new_requested)
        row = QHBoxLayout()
        row.setSpacing(3 * theme.SPACE)
        row.addWidget(picture)
        row.addLayout(texts, 1)
        row.addWidget(opens)
        row.addWidget(new)
        return row

    def _section(self, title: str, least_width: int) -> tuple[QLabel, QWidget]:
        heading = QLabel(title)
        heading.setProperty("role", "title")
        self._column.addSpacing(2 * theme.SPACE)
        self._column.addWidget(heading)
        holder = QWidget()
        policy = holder.sizePolicy()
        policy.setHeightForWidth(True)
        holder.setSizePolicy(policy)
        GridLayout(holder, least_width)
        self._column.addWidget(holder)
        return heading, holder

    def _add_cards(self, title: str, name: str, templates: tuple[Template, ...], width: int) -> None:
        heading, holder = self._section(title, width)
        heading.setVisible(bool(templates))
        holder.setVisible(bool(templates))
        for template in templates:
            if template.path.stem == "blank" or template.is_variant:  # the button New design, and the menu
                continue
            card = Card(template.title, template.summary, PICTURE_HEIGHT)
            card.setObjectName(f"{name}_{template.path.stem}")
            card.activated.connect(lambda path=template.path: self.template_chosen.emit(path))
            holder.layout().addWidget(card)
            self._pictured.append((card, template.path))

    @pyqtSlot()
    def refresh_recents(self) -> None:
        """Show the recent designs as they are now."""
        layout = self._recents.layout()
        while layout.count():
            former = layout.takeAt(0).widget()
            former.hide()
            former.deleteLater()
        recents = preferences.recent_designs()[:MOST_RECENTS]
        for number, path in enumerate(recents):
            card = Card(path.stem, str(path.parent).replace(str(Path.home()), "~", 1))
            card.setObjectName(f"recent_{number}")
            card.activated.connect(lambda path=path: self.design_chosen.emit(path))
            layout.addWidget(card)
        self._recent_heading.setVisible(bool(recents))
        self._recents.setVisible(bool(recents))

    @pyqtSlot()
    def _on_theme_changed(self) -> None:
        self._draw_again()

    def _draw_again(self) -> None:
        """Draw all pictures, one in each turn of the event loop, once the page is shown."""
        self._waiting = deque(self._pictured)
        if self.isVisible():
            self._timer.start()

    @pyqtSlot()
    def _draw_next(self) -> None:
        if not self._waiting or not self.isVisible():
            self._timer.stop()
            return
        card, path = self._waiting.popleft()
        try:
            design = design_file.load(path)
        except SeqdecError:  # a damaged template has no picture; opening it says why
            return
        card.set_picture(picture(design, QSize(card.room, PICTURE_HEIGHT), self.devicePixelRatioF()))

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._timer.start()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Draw the pictures again where the cards have another width."""
        super().resizeEvent(event)
        if event.size().width() != event.oldSize().width():
            self._draw_again()
