"""Dragging columns with the mouse onto a widget that accepts them.

It does not use Qt's drag and drop, which blocks and cannot be driven by tests.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, runtime_checkable

from PyQt5.QtCore import QEvent, QObject, QPoint, Qt, QTimer, pyqtSlot
from PyQt5.QtGui import QMouseEvent
from PyQt5.QtWidgets import QAbstractItemView, QApplication, QLabel, QTabBar, QWidget

from seqdec_gui.gui.look import theme

Columns = tuple[str, ...]
_OFFSET = QPoint(12, 8)
"""The position of the dragged label relative to the mouse, in pixels."""
REST_MS = 400
"""The time that the mouse rests on a tab before the tab comes to the front, in milliseconds."""


@runtime_checkable
class ColumnTarget(Protocol):
    """A place where columns may be dropped: a row of the table of ports, or a part of a view that contains ports.

    `place` is in global coordinates. `columns_hovered` returns whether a drop would be accepted there, and marks the place.
    """

    def columns_hovered(self, columns: Columns, place: QPoint) -> bool: ...

    def columns_left(self) -> None: ...

    def columns_dropped(self, columns: Columns, place: QPoint) -> None: ...


@runtime_checkable
class HasColumnTarget(Protocol):
    """A widget that passes columns dropped on it to another object, `column_target`; None while it accepts none."""

    column_target: ColumnTarget | None


class ColumnDrag(QObject):
    """Starts and follows drags in the viewport of a view.

    `columns_at(position)` returns the columns that a press there would drag, () for none.
    """

    def __init__(self, view: QAbstractItemView, columns_at: Callable[[QPoint], Columns]) -> None:
        super().__init__(view)
        self._viewport = view.viewport()
        self._columns_at = columns_at
        self._columns: Columns = ()
        self._pressed = QPoint()
        self._label: QLabel | None = None
        self._tabs: tuple[QTabBar, int] | None = None
        self._resting = QTimer(self)
        self._resting.setSingleShot(True)
        self._resting.setInterval(REST_MS)
        self._resting.timeout.connect(self._on_resting_timeout)
        self._target: ColumnTarget | None = None
        self._viewport.installEventFilter(self)

    @property
    def dragging(self) -> bool:
        return self._label is not None

    def eventFilter(self, watched: QObject | None, event: QEvent) -> bool:
        if event.type() == QEvent.KeyPress and self.dragging and event.key() == Qt.Key_Escape:
            self._end()
            return True
        if not isinstance(event, QMouseEvent) or not isinstance(watched, QWidget):
            return False
        if watched is not self._viewport and not self.dragging:
            return False
        if event.type() == QEvent.MouseButtonPress and event.button() == Qt.LeftButton and not self.dragging:
            self._columns = self._columns_at(event.pos())
            self._pressed = event.pos()
            return False
        if event.type() == QEvent.MouseMove and self._columns and event.buttons() & Qt.LeftButton:
            return self._move(event)  # on whatever widget: the list itself may be hidden by another tab meanwhile
        if event.type() == QEvent.MouseButtonRelease and event.button() == Qt.LeftButton:
            return self._release(event)
        return False

    def _move(self, event: QMouseEvent) -> bool:
        label = self._label
        if label is None:
            if (event.pos() - self._pressed).manhattanLength() < QApplication.startDragDistance():
                return True  # otherwise the view would select the rows under the mouse
            label = self._begin()
        place = event.globalPos()
        window = self._viewport.window()
        label.move(window.mapFromGlobal(place) + _OFFSET)
        self._hover_tab(window, place)
        target = _target_under(window, place)
        if self._target is not None and target is not self._target:
            self._target.columns_left()
        self._target = target
        taken = target is not None and target.columns_hovered(self._columns, place)
        self._viewport.setCursor(Qt.DragCopyCursor if taken else Qt.ClosedHandCursor)
        return True

    def _hover_tab(self, window: QWidget, place: QPoint) -> None:
        """Bring a tab to the front when the mouse rests on it."""
        under = window.childAt(window.mapFromGlobal(place))
        tabs = under if isinstance(under, QTabBar) else None
        at = -1 if tabs is None else tabs.tabAt(tabs.mapFromGlobal(place))
        hovered = None if tabs is None or at < 0 or at == tabs.currentIndex() else (tabs, at)
        if hovered != self._tabs:
            self._tabs = hovered
            self._resting.start() if hovered is not None else self._resting.stop()

    @pyqtSlot()
    def _on_resting_timeout(self) -> None:
        if self._label is not None and self._tabs is not None:
            tabs, at = self._tabs
            tabs.setCurrentIndex(at)
            self._label.raise_()

    def _release(self, event: QMouseEvent) -> bool:
        dragged, target, columns = self.dragging, self._target, self._columns
        self._end()
        if dragged and target is not None:
            target.columns_dropped(columns, event.globalPos())
        return dragged

    def _begin(self) -> QLabel:
        """Return the label that follows the mouse, shown."""
        words = self._columns[0] if len(self._columns) == 1 else f"{len(self._columns)} columns"
        label = QLabel(words, self._viewport.window())
        label.setObjectName("dragged_columns")
        label.setProperty("role", "chip")
        look = theme.current()
        label.setStyleSheet(
            f"background: {look.accent}; color: {look.accent_text}; border-radius: {theme.RADIUS}px;"
            f"padding: {theme.SPACE}px {2 * theme.SPACE}px; font-weight: 600;"
        )
        label.setAttribute(Qt.WA_TransparentForMouseEvents)
        label.adjustSize()
        label.show()
        self._label = label
        QApplication.instance().installEventFilter(self)
        return label

    def _end(self) -> None:
        self._columns = ()
        self._tabs = None
        self._resting.stop()
        if self._label is not None:
            QApplication.instance().removeEventFilter(self)
            self._label.deleteLater()
            self._label = None
            self._viewport.unsetCursor()
        if self._target is not None:
            self._target.columns_left()
            self._target = None


def _target_under(window: QWidget, place: QPoint) -> ColumnTarget | None:
    widget: QWidget | None = window.childAt(window.mapFromGlobal(place))
    while widget is not None:
        if isinstance(widget, ColumnTarget):
            return widget
        if isinstance(widget, HasColumnTarget) and widget.column_target is not None:
            return widget.column_target
        widget = widget.parentWidget()
    return None
