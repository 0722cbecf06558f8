"""The layout of an open design: its pages with their tabs, the panels left, right and below, and the splitters between them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from PyQt5.QtCore import QByteArray, QEvent, QObject, QPoint, QRect, QSettings, QSize, Qt, pyqtSignal, pyqtSlot
from PyQt5.QtGui import QResizeEvent
from PyQt5.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QSplitter,
    QTabWidget,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from seqdec_gui.gui.look import theme
from seqdec_gui.gui.look.icons import icon
from seqdec_gui.gui.window.message_bar import MessageBar
from seqdec_gui.gui.window.page_stack import Pages
from seqdec_gui.gui.window.pages import Page
from seqdec_gui.gui.workspace.workspace import PageName

LEFT_WIDTH = 220
"""The first width of the left panel, in pixels, if its contents need no more."""
CENTRE_WIDTH = 720
"""The first width of the pages, in pixels."""
RIGHT_WIDTH = 340
"""The first width of the right panel, in pixels."""
LEAST_LEFT = 168
"""The least width of the left panel, in pixels."""
LEAST_PANEL = 84
"""The least height of one of several panels below each other, in pixels: its heading and a line or two."""
LEAST_PAGE = QSize(320, 240)
"""The room that panels leave to the page in front, in pixels, where one of them is in a window too small for all."""
LEAST = QSize(440, 240)
"""The least size of a design with its pages, in pixels: those of a screen of 1280x800 at 200 %, and less."""
BOTTOM_HEIGHT = 112
"""The first height of the bottom panel, in pixels."""


class Panel(QFrame):
    """A widget below a small heading."""

    def __init__(self, title: str, content: QWidget, corner: QWidget | None = None, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "panel")
        self.setMinimumHeight(LEAST_PANEL)
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
    """Keeps a widget over the whole area of others, which stay as they are below it."""

    def __init__(self, above: QWidget, parent: QWidget, below: Sequence[QWidget]) -> None:
        super().__init__(above)
        self._above = above
        self._below = tuple(below)
        above.setParent(parent)
        for widget in self._below:
            widget.installEventFilter(self)
        self._place()

    def _place(self) -> None:
        area = QRect()
        for widget in self._below:
            if not widget.isHidden():
                area = area.united(QRect(widget.mapTo(self._above.parentWidget(), QPoint()), widget.size()))
        self._above.setGeometry(area)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() in (QEvent.Resize, QEvent.Move, QEvent.Show, QEvent.Hide):
            self._place()
        return False


class BottomPanel(QTabWidget):
    """The tabs with problems and logs, and a button that hides them."""

    close_requested = pyqtSignal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("bottom_panel")
        self.tabBar().setAccessibleName("Problems and logs")
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


class Panels:
    """Which panels are beside each page: those that act there and are not hidden. All designs of a window share the choice."""

    def __init__(self) -> None:
        self._hidden: dict[tuple[str, str], bool] = {}

    def shown(self, page: Page, part: str) -> bool:
        """Return whether a panel is beside a page."""
        return part in page.panels and not self._hidden.get((page.name, part), part in page.on_request)

    def show(self, page: Page, part: str, on: bool) -> None:
        """Show or hide a panel on a page. Nothing happens if it does not act there."""
        if part in page.panels:
            self._hidden[page.name, part] = not on

    def save(self, settings: QSettings) -> None:
        for (page, part), hidden in self._hidden.items():
            settings.setValue(_panel_key(page, part), hidden)

    def restore(self, settings: QSettings, pages: Iterable[Page]) -> None:
        """Read what `save` wrote."""
        for page in pages:
            for part in page.panels:
                if settings.contains(key := _panel_key(page.name, part)):
                    self._hidden[page.name, part] = settings.value(key, False, type=bool)


def _panel_key(page: str, part: str) -> str:
    """Return the key of a hidden panel. On the Design page it is the one from the time when all pages had the same panels."""
    return f"window/{part}_hidden" if page == PageName.DESIGN else f"window/{page}_{part}_hidden"


class Shell(QWidget):
    """The message bar and the tabs of the pages, and below them the page in front with the panels that act on it.

    `corner` lies at the right of the tabs. The panels are put in by `put_left` and `put_right`. In a window without room for
    all of them one is beside the page at a time: the left one, or the one that was asked for last; and the bottom panel is
    shown when it is asked for.
    """

    panels_changed = pyqtSignal()  # others are shown than before

    def __init__(self, pages: Pages, bottom: BottomPanel, panels: Panels, corner: Sequence[QWidget] = ()) -> None:
        super().__init__()
        self.left = _splitter(Qt.Vertical)
        self.left.setMinimumWidth(LEAST_LEFT)
        self.pages = pages
        self.right: QWidget = QWidget()
        self.bottom = bottom
        self.panels = panels
        self._asked: set[str] = set()
        """The panels that were asked for last, as far as there is room for one at a time: a side, and the bottom."""
        self.bar = MessageBar()
        self._middle = _splitter(Qt.Vertical, (pages, bottom))
        self.columns = _splitter(Qt.Horizontal, (self.left, self._middle))
        self.columns.setObjectName("columns")
        self.columns.setStretchFactor(1, 1)
        self._middle.setStretchFactor(0, 1)
        self._middle.setSizes([600, BOTTOM_HEIGHT])
        row = QFrame(objectName="page_row")
        tabs = QHBoxLayout(row)
        tabs.setContentsMargins(0, 0, 2 * theme.SPACE, 0)
        tabs.setSpacing(theme.SPACE // 2)
        tabs.addWidget(pages.bar, 1)
        for button in corner:
            tabs.addWidget(button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.bar)
        layout.addWidget(row)
        layout.addWidget(self.columns, 1)
        pages.currentChanged.connect(self.refresh)

    def put_left(self, widgets: Iterable[QWidget]) -> None:
        """Put the panels left of the pages, one below the other."""
        for place, widget in enumerate(widgets):
            self.left.addWidget(widget)
            self.left.setStretchFactor(place, 3 if place == 0 else 2)

    def put_right(self, widget: QWidget) -> None:
        """Put a panel right of the pages. It is built fastest if `columns` is its parent already."""
        self.right = widget
        if widget.parent() is not self.columns:
            self.columns.addWidget(widget)
        self.columns.setSizes([max(LEFT_WIDTH, self.left.sizeHint().width()), CENTRE_WIDTH, RIGHT_WIDTH])
        self.refresh()

    @property
    def parts(self) -> dict[str, QWidget]:
        """Return the panels that can be hidden, by their name in the settings."""
        return {"left": self.left, "right": self.right, "bottom": self.bottom}

    @property
    def reading_order(self) -> tuple[QWidget, ...]:
        """Return the parts in the order in which Tab moves through them; the tabs of the pages come before."""
        return self.left, self.pages, self.bottom, self.right

    def cover(self, widget: QWidget) -> None:
        """Keep a widget over the page in front and the panels right of it and below it."""
        Overlay(widget, self, (self._middle, self.right))

    # -- which panels are shown
    @property
    def shown(self) -> set[str]:
        """Return the panels beside the page in front: those that act there, were not hidden, and have room."""
        wanted = {name for name in self.parts if self.panels.shown(self.pages.row, name)}
        if {"left", "right"} <= wanted and self.width() < _width(self.left) + _width(self.right) + LEAST_PAGE.width():
            wanted.remove("left" if "right" in self._asked else "right")
        if self.height() < self.bottom.minimumSizeHint().height() + LEAST_PAGE.height():
            wanted -= {"bottom"} - self._asked
        return wanted

    @pyqtSlot()
    def refresh(self) -> None:
        """Show the panels of the page in front."""
        shown, before = self.shown, {name for name, part in self.parts.items() if not part.isHidden()}
        for name, part in self.parts.items():
            part.setVisible(name in shown)
        if shown != before:
            for splitter in (self.columns, self._middle):
                splitter.refresh()  # so that the page has its size before it is painted
            self.panels_changed.emit()

    def show_panel(self, name: str, on: bool = True) -> None:
        """Show or hide a panel on the page in front."""
        self.panels.show(self.pages.row, name, on)
        if on and name != "bottom":
            self._asked -= {"left", "right"}
        self._asked = self._asked | {name} if on else self._asked - {name}
        self.refresh()

    def minimumSizeHint(self) -> QSize:
        """Return a size in which the page in front can be used, with its panels beside it one at a time."""
        return LEAST

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        super().resizeEvent(event)
        self.refresh()

    def _splitters(self) -> tuple[tuple[QSplitter, str], ...]:
        return ((self.columns, "window/columns"), (self._middle, "window/rows"), (self.left, "window/left"))

    def save(self, settings: QSettings) -> None:
        """Save the sizes of the panels."""
        for splitter, key in self._splitters():
            settings.setValue(key, splitter.saveState())

    def restore(self, settings: QSettings) -> None:
        """Restore the sizes that `save` wrote, if there are any."""
        for splitter, key in self._splitters():
            state = settings.value(key)
            if isinstance(state, QByteArray):
                splitter.restoreState(state)
                splitter.setHandleWidth(1)
        self.refresh()

    def take_sizes(self, other: Shell) -> None:
        """Give the panels the sizes that they have beside another design."""
        for (mine, _), (theirs, _) in zip(self._splitters(), other._splitters(), strict=True):
            mine.restoreState(theirs.saveState())
            mine.setHandleWidth(1)
        self.refresh()


def _width(part: QWidget) -> int:
    """Return the least width of a panel."""
    return max(part.minimumWidth(), part.minimumSizeHint().width())


def _splitter(orientation: Qt.Orientation, widgets: Iterable[QWidget] = ()) -> QSplitter:
    splitter = QSplitter(orientation)
    splitter.setChildrenCollapsible(False)
    splitter.setHandleWidth(1)
    for widget in widgets:
        splitter.addWidget(widget)
    return splitter
