"""The welcome page of a window without a design: templates, examples with data, and recent designs, as cards with pictures."""

from __future__ import annotations

from pathlib import Path

from PyQt5.QtCore import QSize, Qt, pyqtSignal, pyqtSlot
from PyQt5.QtGui import QPixmap
from PyQt5.QtWidgets import QHBoxLayout, QLabel, QPushButton, QScrollArea, QVBoxLayout, QWidget

from seqdec_gui import resource_files
from seqdec_gui.domain import document as design_file
from seqdec_gui.domain.problems import SeqdecError
from seqdec_gui.gui.look import preferences, theme
from seqdec_gui.gui.widgets.cards import Card, GridLayout
from seqdec_gui.gui.widgets.thumbnail import thumbnail
from seqdec_gui.gui.workspace.files import Template, examples, templates

PICTURE_SIZE = QSize(190, 84)
"""The size of the picture on a card, in pixels."""
CARD_WIDTH = 200
"""The least width of a card, in pixels."""


class Welcome(QScrollArea):
    """The welcome page, with cards `template_<name>`, `example_<name>`, `recent_<number>`. Object name `welcome_page`."""

    template_chosen = pyqtSignal(Path)  # a design to begin from
    design_chosen = pyqtSignal(Path)  # a recent design to open
    new_requested = pyqtSignal()
    open_requested = pyqtSignal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("welcome_page")
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarAlwaysOff)
        self._pictured: list[tuple[Card, Path]] = []
        page = QWidget()
        page.setProperty("role", "ground")
        page.setAttribute(Qt.WA_StyledBackground)
        column = QWidget()
        column.setMaximumWidth(1000)
        outer = QHBoxLayout(page)
        outer.setContentsMargins(8 * theme.SPACE, 8 * theme.SPACE, 8 * theme.SPACE, 8 * theme.SPACE)
        outer.addStretch(1)
        outer.addWidget(column, 1000)
        outer.addStretch(1)
        self._column = QVBoxLayout(column)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(3 * theme.SPACE)
        self._column.addLayout(self._header())
        self._add_cards("Start from a template", "template", templates())
        self._recent_heading, self._recents = self._section("Recent designs", CARD_WIDTH)
        self._add_cards("Examples with data", "example", examples())
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
        self._column.addSpacing(3 * theme.SPACE)
        self._column.addWidget(heading)
        holder = QWidget()
        policy = holder.sizePolicy()
        policy.setHeightForWidth(True)
        holder.setSizePolicy(policy)
        GridLayout(holder, least_width)
        self._column.addWidget(holder)
        return heading, holder

    def _add_cards(self, title: str, name: str, templates: tuple[Template, ...]) -> None:
        heading, holder = self._section(title, CARD_WIDTH)
        heading.setVisible(bool(templates))
        holder.setVisible(bool(templates))
        for template in templates:
            if template.path.stem == "blank":  # the button New design
                continue
            card = Card(template.title, template.summary, PICTURE_SIZE.height())
            card.setObjectName(f"{name}_{template.path.stem}")
            card.activated.connect(lambda path=template.path: self.template_chosen.emit(path))
            holder.layout().addWidget(card)
            self._pictured.append((card, template.path))

    @pyqtSlot()
    def refresh_recents(self) -> None:
        """Show the recent designs as they are now."""
        layout = self._recents.layout()
        while layout.count():
            layout.takeAt(0).widget().deleteLater()
        recents = preferences.recent_designs()[:6]
        for number, path in enumerate(recents):
            card = Card(path.stem, str(path.parent).replace(str(Path.home()), "~", 1))
            card.setObjectName(f"recent_{number}")
            card.activated.connect(lambda path=path: self.design_chosen.emit(path))
            layout.addWidget(card)
        self._recent_heading.setVisible(bool(recents))
        self._recents.setVisible(bool(recents))

    @pyqtSlot()
    def _on_theme_changed(self) -> None:
        for card, path in self._pictured:
            try:
                card.set_picture(thumbnail(design_file.load(path), PICTURE_SIZE, self.devicePixelRatioF()))
            except SeqdecError:  # a damaged template has no picture; opening it says why
                continue
