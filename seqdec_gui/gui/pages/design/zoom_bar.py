"""The zoom control in the corner of the canvas: out, percent, in, fit, and the button of the mini-map."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from PyQt5.QtCore import QPoint, Qt, pyqtSignal, pyqtSlot
from PyQt5.QtGui import QResizeEvent
from PyQt5.QtWidgets import QFrame, QHBoxLayout, QLayout, QMenu, QToolButton, QWidget

from seqdec_gui.gui.look import icons, theme
from seqdec_gui.gui.pages.design.canvas_view import CanvasView
from seqdec_gui.gui.widgets.menu_entry import add_entry

PERCENTS = (200, 100, 75, 50, 25)
"""The zooms that the menu offers, in percent."""


class ZoomBar(QFrame):
    """Buttons `zoom_out`, `zoom_percent`, `zoom_in`, `zoom_fit` and `zoom_minimap`."""

    minimap_toggled = pyqtSignal(bool)

    size_changed = pyqtSignal()
    """The bar became larger or smaller, as when it gets its style; its place at the right edge is another one then."""

    def __init__(self, view: CanvasView, parent: QWidget | None = None) -> None:
        super().__init__(parent or view)
        self._view = view
        self.setObjectName("zoom_bar")
        self.setAccessibleName("Zoom")
        self.setProperty("role", "card")
        self.setAttribute(Qt.WA_NoMousePropagation)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(2, 2, 2, 2)
        layout.setSpacing(0)
        layout.setSizeConstraint(QLayout.SetFixedSize)
        self._out = self._button("zoom_out", "Zoom out (Ctrl+-)", view.zoom_out)
        self.percent = self._button("zoom_percent", "Zoom to 100 % or another size", self._open_menu)
        self._in = self._button("zoom_in", "Zoom in (Ctrl++)", view.zoom_in)
        self._fit = self._button("zoom_fit", "Zoom to fit (F)", view.fit)
        self.minimap = self._button("zoom_minimap", "Mini-map (M)", self._toggle_minimap)
        self.minimap.setCheckable(True)
        self.percent.setMinimumWidth(52)
        for button in (self._out, self.percent, self._in, self._fit, self.minimap):
            layout.addWidget(button)
        view.viewport_moved.connect(self._on_view_viewport_moved)
        theme.notifier.changed.connect(self._on_theme_changed)
        self._on_theme_changed()
        self._on_view_viewport_moved()

    def _button(self, name: str, text: str, command: Callable[[], object]) -> QToolButton:
        button = QToolButton(self)
        button.setObjectName(name)
        button.setToolTip(text)
        button.setAccessibleName(text)
        button.setAutoRaise(True)
        button.setFocusPolicy(Qt.TabFocus)  # a click leaves the focus to the canvas
        button.clicked.connect(lambda _checked: command())
        return button

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        super().resizeEvent(event)
        self.size_changed.emit()

    def set_minimap(self, shown: bool) -> None:
        """Show whether there is a mini-map."""
        self.minimap.setChecked(shown)

    def _toggle_minimap(self) -> None:
        self.minimap_toggled.emit(self.minimap.isChecked())

    def _open_menu(self) -> None:
        menu = QMenu(self)
        menu.setObjectName("menu_zoom")
        menu.setAttribute(Qt.WA_DeleteOnClose)
        for percent in PERCENTS:
            add_entry(menu, f"{percent} %", partial(self._zoom_to, percent), "Ctrl+0" if percent == 100 else "")
        menu.addSeparator()
        add_entry(menu, "Fit, readable", self._view.fit, "F")
        add_entry(menu, "Whole design", self._view.show_all, "Shift+F")
        menu.popup(self.percent.mapToGlobal(QPoint(0, -menu.sizeHint().height())))

    def _zoom_to(self, percent: int) -> None:
        self._view.zoom_by(percent / 100 / self._view.zoom)

    @pyqtSlot()
    def _on_view_viewport_moved(self) -> None:
        text = f"{round(100 * self._view.zoom)} %"
        if text != self.percent.text():
            self.percent.setText(text)
            self.percent.setAccessibleName(f"Zoom {text}")

    @pyqtSlot()
    def _on_theme_changed(self) -> None:
        for button, name in (
            (self._out, "minus"), (self._in, "plus"), (self._fit, "fit-to-page-outline"), (self.minimap, "map-outline"),
        ):  # fmt: skip
            button.setIcon(icons.icon(name))
