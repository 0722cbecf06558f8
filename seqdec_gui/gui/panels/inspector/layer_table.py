"""The editor of a layer stack: a table of layers, and below it the parameters of the chosen one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import msgspec
from PyQt5.QtCore import QSize, Qt
from PyQt5.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QMenu,
    QTableWidget,
    QTableWidgetItem,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from seqdec_gui.domain import form_words as words
from seqdec_gui.domain.catalog import Field, fields
from seqdec_gui.domain.field_text import Reading
from seqdec_gui.domain.kinds import layer_stack
from seqdec_gui.gui.look import theme
from seqdec_gui.gui.look.icons import icon
from seqdec_gui.gui.panels.inspector.editors import Editor

MARGIN = 4 * theme.SPACE
"""The space at the left and right, in pixels."""
MAX_LINES = 10
"""The number of layers that the table shows without scrolling."""
LAYERS: dict[str, type[layer_stack.StackLayer]] = {
    str(kind.__struct_config__.tag): kind for kind in layer_stack.StackLayer.__subclasses__()
}
"""The layers that a stack may contain, by their tag in the design file."""
MakeForm: TypeAlias = Callable[[Field, type[layer_stack.StackLayer]], QWidget]
"""A function that makes the form of a layer.

Forms contain tables, so this module gets it as an argument and does not import `form`.
"""
BUTTONS = (
    ("add", "plus", "Add a layer"),
    ("duplicate", "content-duplicate", "Duplicate the layer"),
    ("up", "arrow-up", "Move up"),
    ("down", "arrow-down", "Move down"),
    ("remove", "trash-can-outline", "Remove the layer"),
)
"""The buttons below the table: name, icon and tooltip."""


class LayerTableEditor(Editor):
    """Edits the layers of a stack.

    The table is `field_layers`, with buttons `layers_add`, `layers_duplicate`, `layers_up`, `layers_down`, `layers_remove`.

    The fields of the chosen layer are called `field_layers_<parameter>`; an invalid value leaves the layer as it was.
    """

    def _make(self, parent: QWidget) -> QWidget:
        return QTableWidget(0, 2, parent)

    def __init__(self, field: Field, parent: QWidget, make_form: MakeForm) -> None:
        super().__init__(field, parent)
        self._make_form = make_form
        self._layers: tuple[layer_stack.StackLayer, ...] = ()
        self._form: Any = None
        self._set_up_table()
        self.box = QWidget(parent)
        column = QVBoxLayout(self.box)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.SPACE)
        above = QVBoxLayout()  # indented like the labels of the form
        above.setContentsMargins(MARGIN, 0, 0, 0)
        above.setSpacing(theme.SPACE)
        self._bar = self._button_row()
        above.addLayout(self._bar)
        above.addWidget(self.input)
        self._title = QLabel()
        self._title.setProperty("role", "section")
        above.addWidget(self._title)
        column.addLayout(above)
        self._place = QVBoxLayout()
        column.addLayout(self._place)

    def _set_up_table(self) -> None:
        table: QTableWidget = self.input
        table.setHorizontalHeaderLabels(["Layer", "Parameters"])
        table.horizontalHeader().setStretchLastSection(True)
        table.horizontalHeader().setSectionResizeMode(0, QHeaderView.ResizeToContents)
        table.horizontalHeader().setDefaultAlignment(Qt.AlignLeft | Qt.AlignVCenter)
        table.horizontalHeader().setHighlightSections(False)
        table.verticalHeader().setDefaultSectionSize(theme.CONTROL_HEIGHT)
        table.verticalHeader().setMinimumWidth(24)
        table.verticalHeader().setHighlightSections(False)
        table.setSelectionBehavior(QAbstractItemView.SelectRows)
        table.setSelectionMode(QAbstractItemView.SingleSelection)
        table.setEditTriggers(QAbstractItemView.NoEditTriggers)
        table.setShowGrid(False)
        table.setTabKeyNavigation(False)
        table.currentCellChanged.connect(self._on_table_current_cell_changed)

    def recolour(self) -> None:
        for name, icon_name, _ in BUTTONS:
            self._buttons[name].setIcon(icon(icon_name))

    def _button_row(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(2)
        self._buttons: dict[str, QToolButton] = {}
        for name, _, tip in BUTTONS:
            button = QToolButton(self.box, objectName=f"layers_{name}", toolTip=tip)
            button.setAccessibleName(tip)
            button.setIconSize(QSize(16, 16))
            row.addWidget(button)
            self._buttons[name] = button
        row.addStretch(1)
        self._buttons["add"].setFocusPolicy(Qt.StrongFocus)
        menu = QMenu(self._buttons["add"])
        menu.setObjectName("layers_menu")
        for name in LAYERS:
            menu.addAction(name).triggered.connect(lambda _checked, name=name: self._insert(LAYERS[name]()))
        self._buttons["add"].setMenu(menu)
        self._buttons["add"].setPopupMode(QToolButton.InstantPopup)
        self._buttons["duplicate"].clicked.connect(lambda: self._insert(self._layers[self._row]))
        self._buttons["up"].clicked.connect(lambda: self._move(-1))
        self._buttons["down"].clicked.connect(lambda: self._move(1))
        self._buttons["remove"].clicked.connect(self._remove)
        return row

    def add_button(self, button: QToolButton) -> None:
        self._bar.addWidget(button)

    @property
    def _row(self) -> int:
        return max(0, self.input.currentRow())

    def read(self) -> Reading:
        return Reading(self._layers)

    def _show(self, value: Any) -> None:
        row = min(self._row, len(value) - 1)
        self._layers = tuple(value)
        table: QTableWidget = self.input
        table.blockSignals(True)
        table.setRowCount(len(value))
        for line, layer in enumerate(value):
            for column, text in enumerate((layer.type_name(), summary(layer))):
                item = QTableWidgetItem(text)
                item.setToolTip(text)
                table.setItem(line, column, item)
        table.setCurrentCell(max(0, row), 0)
        table.setFixedHeight((min(len(value), MAX_LINES) + 1) * theme.CONTROL_HEIGHT + 3 * theme.SPACE)
        table.blockSignals(False)
        self._show_row()

    def _on_table_current_cell_changed(self, row: int, _column: int, old: int, _old_column: int) -> None:
        if row != old:
            self._show_row()

    def _show_row(self) -> None:
        """Show the form of the chosen layer; a new form is made only if the type of the layer changed."""
        layer = self._layers[self._row] if self._layers else None
        if self._form is None or layer is None or self._form.property("layer") != layer.type_name():
            if self._form is not None:
                self._place.removeWidget(self._form)
                self._form.setParent(None)
                self._form.deleteLater()
                self._form = None
            if layer is not None:
                self._form = self._make_form(self.field, type(layer))
                self._form.layout().setContentsMargins(0, 0, 0, 0)
                self._form.setProperty("layer", layer.type_name())
                self._form.edited.connect(self._on_form_edited)
                self._place.addWidget(self._form)
                self._form.show()
        if layer is not None and self._form is not None:
            self._title.setText(f"{self._row + 1}  {layer.type_name().upper()}")
            self._form.show_values(layer, {})
        count = len(self._layers)
        self._buttons["up"].setEnabled(self._row > 0)
        self._buttons["down"].setEnabled(self._row < count - 1)
        self._buttons["remove"].setEnabled(count > (self.field.min_items or 0))
        full = self.field.max_items is not None and count >= self.field.max_items
        for name in ("add", "duplicate"):
            self._buttons[name].setEnabled(not full)

    def _on_form_edited(self, name: str, value: Any, _typed: bool) -> None:
        row = self._row
        changed = msgspec.structs.replace(self._layers[row], **{name: value})
        self._take((*self._layers[:row], changed, *self._layers[row + 1 :]), row, typed=True)

    def _insert(self, layer: layer_stack.StackLayer) -> None:
        row = self._row + 1
        self._take((*self._layers[:row], layer, *self._layers[row:]), row)

    def _move(self, by: int) -> None:
        row, layers = self._row, list(self._layers)
        layers.insert(row + by, layers.pop(row))
        self._take(tuple(layers), row + by)

    def _remove(self) -> None:
        row = self._row
        self._take((*self._layers[:row], *self._layers[row + 1 :]), max(0, row - 1))

    def _take(self, layers: tuple[layer_stack.StackLayer, ...], row: int, typed: bool = False) -> None:
        self.typed = typed
        self.show_value(layers)
        self.input.setCurrentCell(row, 0)
        self.edited.emit()


def summary(layer: layer_stack.StackLayer) -> str:
    """Return the values of a layer in their order, without those that are off: `64, ReLU`."""
    values = [(field, getattr(layer, field.name)) for field in fields(type(layer))]
    shown = [
        field.name.replace("_", " ") if value is True else words.value(field, value)
        for field, value in values
        if value is not False
    ]
    return ", ".join(shown)
