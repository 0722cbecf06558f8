"""The layout of the window: panels left, right and below, tabs in the centre, and the splitters between them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from PyQt5.QtCore import QByteArray, QEvent, QObject, QSettings, Qt, pyqtSignal, pyqtSlot
from PyQt5.QtWidgets import QFrame, QHBoxLayout, QLabel, QSplitter, QTabWidget, QToolButton, QVBoxLayout, QWidget

from seqdec_gui.gui.look import theme
from seqdec_gui.gui.look.icons import icon
from seqdec_gui.gui.window.message_bar import MessageBar
from seqdec_gui.gui.window.pages import Page, build
from seqdec_gui.gui.workspace.workspace import Workspace

LEFT_WIDTH = 220
"""The first width of the left panel, in pixels."""
CENTRE_WIDTH = 704
"""The first width of the pages, in pixels."""
RIGHT_WIDTH = 400
"""The first width of the right panel, in pixels."""
BOTTOM_HEIGHT = 112
"""The first height of the bottom panel, in pixels."""


class Panel(QFrame):
    """A widget below a small heading."""

    def __init__(self, title: str, content: QWidget, corner: QWidget | None = None, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "panel")
        self.content = content
        heading = QLabel(title)
        heading.setProperty("role", "section")
        bar = QHBoxLayout()
        bar.setContentsMargins(3 * theme.SPACE, 2 * theme.SPACE, 2 * theme.SPACE, theme.SPACE)
        bar.addWidget(heading, 1)
        if corner is not None:
            bar.addWidget(corner)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(bar)
        layout.addWidget(content, 1)


class Overlay(QObject):
    """Keeps one widget over the whole area of another, which stays visible and usable below it."""

    def __init__(self, above: QWidget, below: QWidget) -> None:
        super().__init__(above)
        self._above = above
        self._below = below
        above.setParent(below)
        below.installEventFilter(self)
        above.setGeometry(below.rect())
        above.raise_()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self._below and event.type() == QEvent.Resize:
            self._above.setGeometry(self._below.rect())
        return False


class Pages(QTabWidget):
    """The tabs of the window. A page is built when it is first shown. `page_shown` is emitted with its name.

    Object name `pages`.
    """

    page_shown = pyqtSignal(str)

    def __init__(
        self, rows: Sequence[Page], workspace: Workspace, built: Mapping[str, QWidget], parent: QWidget | None = None
    ) -> None:
        """Make a tab for each of `rows`. `built` has the widgets of pages that exist already, by name."""
        super().__init__(parent)
        self.setObjectName("pages")
        self.tabBar().setObjectName("page_tabs")
        self.tabBar().setAccessibleName("Pages")
        self.tabBar().setExpanding(False)
        self._rows = tuple(rows)
        self._workspace = workspace
        self._built: dict[str, QWidget] = {}
        for page in self._rows:
            holder = QWidget()
            holder.setObjectName(f"page_{page.name}")
            layout = QVBoxLayout(holder)
            layout.setContentsMargins(0, 0, 0, 0)
            self.addTab(holder, page.title)
        for name, widget in built.items():
            self._put(name, widget)
        self.currentChanged.connect(self._on_current_changed)

    @property
    def current(self) -> str:
        """Return the name of the page in front."""
        return self._rows[self.currentIndex()].name

    def page(self, name: str) -> QWidget:
        """Return the page's widget, which is built now if it does not exist."""
        if name not in self._built:
            self._put(name, build(self._rows[self._index(name)], self._workspace))
        return self._built[name]

    def _put(self, name: str, widget: QWidget) -> None:
        self._built[name] = widget
        self.widget(self._index(name)).layout().addWidget(widget)

    def _index(self, name: str) -> int:
        return next(index for index, page in enumerate(self._rows) if page.name == name)

    def show_page(self, name: str) -> None:
        """Bring a page to the front."""
        self.page(name)
        self.setCurrentIndex(self._index(name))

    def step(self, by: int) -> None:
        """Show the page `by` tabs to the right. The first page follows the last."""
        self.setCurrentIndex((self.currentIndex() + by) % self.count())

    @pyqtSlot(int)
    def _on_current_changed(self, index: int) -> None:
        name = self._rows[index].name
        page = self.page(name)
        if not self.tabBar().hasFocus():
            page.setFocus()
        self.page_shown.emit(name)

    def recolour(self) -> None:
        look = theme.current()
        for index, page in enumerate(self._rows):
            self.setTabIcon(index, icon(page.icon, look.accent if index == self.currentIndex() else look.text_dim))


class BottomPanel(QTabWidget):
    """The tabs with problems and logs, and a button that hides them."""

    close_requested = pyqtSignal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("bottom_panel")
        self.tabBar().setExpanding(False)
        self._page_tab: QWidget | None = None
        self._former_tab: QWidget | None = None
        self._close = QToolButton(objectName="bottom_close", toolTip="Hide the panel")
        self._close.setAccessibleName("Hide problems and log")
        self._close.setProperty("kind", "small")
        self._close.clicked.connect(self.close_requested)
        self.setCornerWidget(self._close, Qt.TopRightCorner)

    def show_for_page(self, widget: QWidget) -> None:
        """Show the tab that belongs to the page in front, until `restore_tab` is called."""
        if self._page_tab is None:
            self._former_tab = self.currentWidget()
            self._page_tab = widget
            self.setCurrentWidget(widget)

    def restore_tab(self) -> None:
        """Show the tab from before `show_for_page` again, unless the user has chosen another meanwhile."""
        if self._former_tab is not None and self.currentWidget() is self._page_tab:
            self.setCurrentWidget(self._former_tab)
        self._page_tab = self._former_tab = None

    def recolour(self) -> None:
        self._close.setIcon(icon("chevron-down"))


class Shell(QWidget):
    """The panels left and right of the pages, the bottom panel below the pages, and a message bar above everything."""

    def __init__(self, left: tuple[QWidget, ...], pages: Pages, right: QWidget, bottom: BottomPanel) -> None:
        super().__init__()
        self.left = _column(left)
        self.pages = pages
        self.right = right
        self.bottom = bottom
        self.parts = {"left": self.left, "right": right, "bottom": bottom}
        """The panels that can be hidden, by their name in the settings."""
        self.bar = MessageBar()
        self._middle = _splitter(Qt.Vertical, (pages, bottom), (1, 0))
        self._across = _splitter(Qt.Horizontal, (self.left, self._middle, right), (0, 1, 0))
        self._across.setObjectName("columns")
        self._across.setSizes([LEFT_WIDTH, CENTRE_WIDTH, RIGHT_WIDTH])
        self._middle.setSizes([600, BOTTOM_HEIGHT])
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.bar)
        layout.addWidget(self._across, 1)

    def save(self, settings: QSettings) -> None:
        """Save the sizes of the panels and which of them are hidden."""
        settings.setValue("window/columns", self._across.saveState())
        settings.setValue("window/rows", self._middle.saveState())
        settings.setValue("window/left", self.left.saveState())
        for name, part in self.parts.items():
            settings.setValue(f"window/{name}_hidden", part.isHidden())

    def restore(self, settings: QSettings) -> None:
        """Restore the sizes and visibility that `save` wrote, if there are any."""
        pairs = ((self._across, "window/columns"), (self._middle, "window/rows"), (self.left, "window/left"))
        for splitter, key in pairs:
            state = settings.value(key)
            if isinstance(state, QByteArray):
                splitter.restoreState(state)
                splitter.setHandleWidth(1)
        for name, part in self.parts.items():
            part.setHidden(settings.value(f"window/{name}_hidden", False, type=bool))


def _column(widgets: tuple[QWidget, ...]) -> QSplitter:
    column = _splitter(Qt.Vertical, widgets, (3, 2))
    column.setMinimumWidth(168)
    return column


def _splitter(orientation: Qt.Orientation, widgets: tuple[QWidget, ...], stretches: tuple[int, ...]) -> QSplitter:
    splitter = QSplitter(orientation)
    splitter.setChildrenCollapsible(False)
    splitter.setHandleWidth(1)
    for index, (widget, stretch) in enumerate(zip(widgets, stretches, strict=False)):
        splitter.addWidget(widget)
        splitter.setStretchFactor(index, stretch)
    return splitter
