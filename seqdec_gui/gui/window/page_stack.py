"""The pages of an open design, of which one is in front, and their tabs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from PyQt5.QtCore import QEvent, QObject, Qt, pyqtSignal, pyqtSlot
from PyQt5.QtGui import QIcon, QResizeEvent, QShowEvent
from PyQt5.QtWidgets import QApplication, QFrame, QScrollArea, QStackedWidget, QTabBar, QWidget

from seqdec_gui.gui.look import theme
from seqdec_gui.gui.look.icons import icon
from seqdec_gui.gui.look.stylesheet import polish
from seqdec_gui.gui.window.pages import Page, build
from seqdec_gui.gui.workspace.workspace import Workspace

LEAST_TABS = 320
"""The least width of the tabs of the pages, in pixels."""


class PageTabs(QTabBar):
    """Tabs with icons, which are left out where there is no room for them beside the titles, as then is most of the border."""

    def __init__(self) -> None:
        super().__init__()
        self._icons: list[QIcon] = []
        self._with_icons = False

    def set_icons(self, icons: Sequence[QIcon]) -> None:
        """Show these icons, one for each tab, as far as there is room."""
        self._icons = list(icons)
        if self._with_icons:
            for index, picture in enumerate(self._icons):
                self.setTabIcon(index, picture)
        self._show_icons()

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        super().resizeEvent(event)
        self._show_icons()

    def _show_icons(self) -> None:
        metrics = self.fontMetrics()
        titles = sum(metrics.horizontalAdvance(self.tabText(index)) + 8 * theme.SPACE + 2 for index in range(self.count()))
        polish(self, "tight", self.isVisible() and titles > self.width())
        width = self.sizeHint().width()
        if not self._with_icons:
            width += len(self._icons) * (self.iconSize().width() + theme.SPACE)
        fits = width <= self.width() or not self.isVisible()
        if fits == self._with_icons:
            return
        self._with_icons = fits
        for index, picture in enumerate(self._icons):
            self.setTabIcon(index, picture if fits else QIcon())

    def showEvent(self, event: QShowEvent | None) -> None:
        super().showEvent(event)
        self._show_icons()


class PageHolder(QScrollArea):
    """Gives a page all the room there is, and scrolls where the page needs more.

    `widgetResizable` gives a page with wrapped texts its preferred height, so that it would scroll in every window.
    """

    def __init__(self, name: str) -> None:
        super().__init__(objectName=name, frameShape=QFrame.NoFrame)
        self.setFocusPolicy(Qt.NoFocus)
        self.viewport().setAutoFillBackground(False)

    def hold(self, page: QWidget) -> None:
        """Show a page."""
        self.setWidget(page)
        page.show()
        self._fit()

    def _fit(self) -> None:
        page, room = self.widget(), self.maximumViewportSize()
        if page is None:
            return
        needed = page.minimumSizeHint().expandedTo(page.minimumSize())
        if needed.height() > room.height():
            room.setWidth(room.width() - self.verticalScrollBar().sizeHint().width())
        if needed.width() > room.width():
            room.setHeight(room.height() - self.horizontalScrollBar().sizeHint().height())
        page.resize(room.expandedTo(needed))

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        self._fit()
        super().resizeEvent(event)

    def eventFilter(self, watched: QObject | None, event: QEvent) -> bool:
        if watched is self.widget() and event.type() == QEvent.LayoutRequest:
            self._fit()
        return bool(super().eventFilter(watched, event))


class Pages(QStackedWidget):
    """The pages of a design. A page is built when it is first shown. `page_shown` is emitted with its name.

    A page scrolls in a window that is too small for it. The tabs are in `bar`, which the shell puts above the panels, so that
    there is always room for all of them. Object names `pages` and `page_tabs`.
    """

    page_shown = pyqtSignal(str)

    def __init__(
        self, rows: Sequence[Page], workspace: Workspace, built: Mapping[str, QWidget], parent: QWidget | None = None
    ) -> None:
        """Make a tab for each of `rows`. `built` has the widgets of pages that exist already, by name."""
        super().__init__(parent)
        self.setObjectName("pages")
        self.bar = PageTabs()
        self.bar.setObjectName("page_tabs")
        self.bar.setAccessibleName("Pages")
        self.bar.setExpanding(False)
        self.bar.setUsesScrollButtons(False)  # in a very narrow window the names are shortened instead
        self.bar.setElideMode(Qt.ElideRight)
        self.bar.setMinimumWidth(LEAST_TABS)
        self._rows = tuple(rows)
        self._workspace = workspace
        self._built: dict[str, QWidget] = {}
        self._prepared: dict[str, QWidget] = {}
        for page in self._rows:
            self.addWidget(PageHolder(f"page_{page.name}"))
            self.bar.addTab(page.title)
        for name, widget in built.items():
            self._put(name, widget)
        self.bar.currentChanged.connect(self._bring)
        self.currentChanged.connect(self._on_current_changed)

    def tabBar(self) -> QTabBar:
        """Return the tabs of the pages."""
        return self.bar

    def tabText(self, index: int) -> str:
        """Return the title of a page."""
        return self.bar.tabText(index)

    @property
    def current(self) -> str:
        """Return the name of the page in front."""
        return self.row.name

    @property
    def row(self) -> Page:
        """Return the row of the page in front."""
        return self._rows[self.currentIndex()]

    @property
    def rows(self) -> tuple[Page, ...]:
        """Return the rows of all pages, from left to right."""
        return self._rows

    def page(self, name: str) -> QWidget:
        """Return the page's widget, which is built now if it does not exist."""
        if name not in self._built:
            self.prepare(name)
            self._put(name, self._prepared.pop(name))
        return self._built[name]

    def prepare(self, name: str) -> None:
        """Make the page's widget, so that `page` only has to put it in its place."""
        if name not in self._built and name not in self._prepared:
            self._prepared[name] = build(self._rows[self._index(name)], self._workspace)

    def built(self, name: str) -> QWidget | None:
        """Return the page's widget, None if it has not been built yet."""
        return self._built.get(name)

    def _put(self, name: str, widget: QWidget) -> None:
        self._built[name] = widget
        holder = self.widget(self._index(name))
        assert isinstance(holder, PageHolder)
        holder.hold(widget)

    def _index(self, name: str) -> int:
        return next(index for index, page in enumerate(self._rows) if page.name == name)

    def show_page(self, name: str) -> None:
        """Bring a page to the front."""
        self.page(name)
        self._enter(self._index(name))

    def show_place(self, place: int) -> None:
        """Bring the page at this place to the front, if there is one; the first is 0."""
        if place < self.count():
            self._enter(place)

    def step(self, by: int) -> None:
        """Show the page `by` tabs to the right. The first page follows the last."""
        self._enter((self.currentIndex() + by) % self.count())

    def _enter(self, index: int) -> None:
        """Bring the page at a place to the front, and the keys to it, which the arrows along the tabs leave to the tabs."""
        self._bring(index)
        if self.bar.hasFocus():
            self.page(self.current).setFocus()

    @pyqtSlot(int)
    def _bring(self, index: int) -> None:
        """Bring the page at a place to the front, which takes the focus if the page before had it."""
        former, focused = self.currentWidget(), QApplication.focusWidget()
        if former is not None and focused is not None and former.isAncestorOf(focused) and former is not self.widget(index):
            focused.clearFocus()  # else Qt looks for another place for it among all controls of what is about to be hidden
        self.setCurrentIndex(index)

    @pyqtSlot(int)
    def _on_current_changed(self, index: int) -> None:
        self.bar.setCurrentIndex(index)
        name = self._rows[index].name
        page = self.page(name)
        if not self.bar.hasFocus():
            page.setFocus()
        self.page_shown.emit(name)

    def recolour(self) -> None:
        look = theme.current()
        inks = [look.accent if index == self.currentIndex() else look.text_dim for index in range(len(self._rows))]
        self.bar.set_icons([icon(page.icon, ink) for page, ink in zip(self._rows, inks, strict=True)])
