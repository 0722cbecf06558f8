"""Dragging columns with the mouse onto something that takes them: a gesture of our own, as Qt's blocks and cannot be driven."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, runtime_checkable

from PyQt5.QtCore import QEvent, QObject, QPoint, Qt
from PyQt5.QtGui import QMouseEvent
from PyQt5.QtWidgets import QAbstractItemView, QApplication, QLabel, QWidget

from seqdec_gui.gui import theme

Columns = tuple[str, ...]
_OFFSET = QPoint(12, 8)


@runtime_checkable
class ColumnTarget(Protocol):
    """A widget that columns may be dropped on: a row of the port table, or a view with ports inside.

    `place` is in global coordinates. `columns_hovered` says whether a drop there would be taken, and marks the place.
    """

    def columns_hovered(self, columns: Columns, place: QPoint) -> bool: ...

    def columns_left(self) -> None: ...

    def columns_dropped(self, columns: Columns, place: QPoint) -> None: ...


class ColumnDrag(QObject):
    """Watches the viewport of a view: `columns_at(position)` says which columns a press there would drag, () for none."""

    def __init__(self, view: QAbstractItemView, columns_at: Callable[[QPoint], Columns]) -> None:
        super().__init__(view)
        self._viewport, self._columns_at = view.viewport(), columns_at
        self._columns: Columns = ()
        self._pressed = QPoint()
        self._label: QLabel | None = None
        self._target: ColumnTarget | None = None
        self._viewport.installEventFilter(self)

    @property
    def dragging(self) -> bool:
        return self._label is not None

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:
        if event.type() == QEvent.KeyPress and self.dragging and event.key() == Qt.Key_Escape:
            self._end()
            return True
        if watched is not self._viewport or not isinstance(event, QMouseEvent):
            return False
        if event.type() == QEvent.MouseButtonPress and event.button() == Qt.LeftButton:
            self._columns, self._pressed = self._columns_at(event.pos()), event.pos()
            return False
        if event.type() == QEvent.MouseMove and self._columns and event.buttons() & Qt.LeftButton:
            return self._move(event)
        if event.type() == QEvent.MouseButtonRelease and event.button() == Qt.LeftButton:
            return self._release(event)
        return False

    def _move(self, event: QMouseEvent) -> bool:
        if not self.dragging:
            if (event.pos() - self._pressed).manhattanLength() < QApplication.startDragDistance():
                return True  # or the view would begin to select what the mouse passes
            self._begin()
        place = event.globalPos()
        window = self._viewport.window()
        self._label.move(window.mapFromGlobal(place) + _OFFSET)
        target = _target_under(window, place)
        if self._target is not None and target is not self._target:
            self._target.columns_left()
        self._target = target
        taken = target is not None and target.columns_hovered(self._columns, place)
        self._viewport.setCursor(Qt.DragCopyCursor if taken else Qt.ClosedHandCursor)
        return True

    def _release(self, event: QMouseEvent) -> bool:
        dragged, target, columns = self.dragging, self._target, self._columns
        self._end()
        if dragged and target is not None:
            target.columns_dropped(columns, event.globalPos())
        return dragged

    def _begin(self) -> None:
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

    def _end(self) -> None:
        self._columns = ()
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
        widget = widget.parentWidget()
    return None
