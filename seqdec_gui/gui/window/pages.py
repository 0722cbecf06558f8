"""The tabs in the centre and the commands that other modules bring.

A page is a module with `create_page(workspace: Workspace) -> QWidget`, called when its tab is first shown. A command is a
function `f(workspace, *arguments)`. What is not installed leaves a sentence in its place; the window works without it.
"""

from __future__ import annotations

import importlib
import logging
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

import msgspec
from PyQt5.QtCore import Qt
from PyQt5.QtWidgets import QHBoxLayout, QLabel, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from seqdec_gui.gui.look import theme
from seqdec_gui.gui.look.icons import icon
from seqdec_gui.gui.workspace.workspace import Workspace


class Page(msgspec.Struct, frozen=True):
    """One tab: where its widget comes from, and what stands there without it."""

    name: str
    title: str
    icon: str
    factory: str
    absent: str = ""


_GUI = "seqdec_gui.gui"
PAGES: tuple[Page, ...] = (
    Page("design", "Design", "sitemap-outline", f"{_GUI}.pages.design:create_page", "The design view is missing."),
    Page("code", "Code", "code-tags", f"{_GUI}.pages.code.page:create_page"),
    Page("data", "Data", "table", f"{_GUI}.pages.data:create_page", "Opening data files is not part of this version yet."),
    Page("train", "Train", "chart-line", f"{_GUI}.pages.train:create_page", "Training is not part of this version yet."),
    Page("runs", "Runs", "history", f"{_GUI}.pages.runs:create_page", "The list of runs is not part of this version yet."),
    Page("generate", "Generate", "creation", f"{_GUI}.pages.generate:create_page", "Generating is not part of this version."),
)

# Functions f(workspace, design_view), for the left side.
SIDE: tuple[tuple[str, str], ...] = (
    ("Blocks", f"{_GUI}.panels.palette:create_palette"),
    ("Outline", f"{_GUI}.panels.outline:create_outline"),
)

COMMANDS: dict[str, str] = {
    "import_keras": "seqdec_gui.gui.dialogs.import_keras:import_keras",  # (workspace)
    "follow_runs": "seqdec_gui.gui.pages.train:follow_runs",  # (workspace), soon after the start
    "export": "seqdec_gui.gui.dialogs.export:open_export",  # (workspace, format or "")
}


def installed(factory: str) -> bool:
    """Whether the module of `module:function` is there. Imports nothing but its parents."""
    try:
        return find_spec(factory.partition(":")[0]) is not None
    except ModuleNotFoundError:
        return False


def resolve(factory: str) -> Callable[..., Any]:
    """The function that `module:function` names."""
    module, _, name = factory.partition(":")
    found: Callable[..., Any] = getattr(importlib.import_module(module), name)
    return found


def build(page: Page, workspace: Workspace) -> QWidget:
    """The page's widget, or a sentence where its module is missing or fails: one page must not take the window with it."""
    return create(page.factory, page.icon, page.title, page.absent, workspace)


def create(factory: str, icon_name: str, title: str, absent: str, *arguments: Any) -> QWidget:
    """The widget of a factory, or a sentence in its place."""
    if not installed(factory):
        return EmptyState(icon_name, title, absent)
    try:
        widget: QWidget = resolve(factory)(*arguments)
    except Exception:
        logging.getLogger("seqdec_gui").exception("%s cannot be shown", title)
        return EmptyState("alert-circle-outline", title, "This part could not be opened; the log says why.")
    return widget


class EmptyState(QWidget):
    """A page with nothing to show yet: an icon, a sentence, and a button that does the next step."""

    def __init__(self, icon_name: str, title: str, text: str, button: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "page")
        self.setAttribute(Qt.WA_StyledBackground)
        self._icon_name = icon_name
        self._picture = QLabel(alignment=Qt.AlignCenter)
        heading = QLabel(title, alignment=Qt.AlignCenter, wordWrap=True)
        heading.setSizePolicy(QSizePolicy.Ignored, QSizePolicy.Preferred)  # a name in it must not widen the window
        heading.setProperty("role", "title")
        words = QLabel(text, alignment=Qt.AlignCenter, wordWrap=True)
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
        self.heading, self.words = heading, words
        theme.notifier.changed.connect(self._on_theme_changed)
        self._on_theme_changed()

    def add_button(self, button: QPushButton) -> None:
        """One more thing to do, below the first."""
        self._more.addWidget(button, 0, Qt.AlignHCenter)

    def _on_theme_changed(self) -> None:
        self._picture.setPixmap(icon(self._icon_name, theme.current().control_border).pixmap(40, 40))
