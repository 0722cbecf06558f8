"""A form made from the fields of a struct. Each has a label, an editor, a reset button, and a line for what is wrong."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec
from PyQt5.QtCore import QEvent, QObject, QPoint, QSize, Qt, QTimer, pyqtSignal, pyqtSlot
from PyQt5.QtGui import QFontMetrics
from PyQt5.QtWidgets import QApplication, QGridLayout, QLabel, QMenu, QSizePolicy, QToolButton, QWidget

from seqdec_gui.domain import form_words as words
from seqdec_gui.domain.catalog import Field, fields
from seqdec_gui.domain.kinds.layer_stack import StackLayer
from seqdec_gui.domain.problems import Problem
from seqdec_gui.gui.look import theme
from seqdec_gui.gui.look.icons import icon
from seqdec_gui.gui.look.stylesheet import polish
from seqdec_gui.gui.panels.inspector.editors import EDITORS, Editor, LineEditor
from seqdec_gui.gui.panels.inspector.layer_table import LayerTableEditor

MARGIN = 4 * theme.SPACE
"""The space at the left and right, in pixels."""
MIN_EDITOR_WIDTH = 64
"""The least width of an editor, in pixels."""


class Row(QObject):
    """One field of the form. `name` is the name of the parameter; `field.name`, the name of the widget, may have a prefix.

    An edit begins when the field gets the focus, and is complete with Enter, when the field loses the focus, or with a step of
    an arrow. Until then `before` is the value that the parameter has while the text is not a value, and that Escape restores.
    Text that is not a value does not outlive the edit: the field shows `before` again, and `note` says why.
    """

    edited = pyqtSignal(object)  # the row
    restored = pyqtSignal(object)  # `value` is `before` again
    reset_requested = pyqtSignal(object)
    focused = pyqtSignal(object)
    search_requested = pyqtSignal(object)

    def __init__(self, name: str, field: Field, parent: QWidget) -> None:
        super().__init__(parent)
        self.name = name
        self.field = field
        self.editor: Editor = make_editor(field, parent)
        self.title = words.label(field.name if field.name in words.LABELS else name)
        self.label = QLabel(self.title, parent)
        self.label.setWordWrap(True)
        self.label.setBuddy(self.editor.input)
        self.label.setContextMenuPolicy(Qt.CustomContextMenu)
        self.label.customContextMenuRequested.connect(self._open_menu)
        self.label.setMinimumHeight(theme.CONTROL_HEIGHT + theme.SPACE)
        self.reset = QToolButton(parent, objectName=f"reset_{field.name}")
        self.reset.setProperty("kind", "small")
        self.reset.setIconSize(QSize(10, 10))
        self.reset.setToolTip(f"Back to the default, {words.value(field, field.default)}")
        self.reset.setAccessibleName(f"Reset {self.title} to {words.value(field, field.default)}")
        self.reset.clicked.connect(lambda: self.reset_requested.emit(self))
        self.message = QLabel(parent, objectName=f"error_{field.name}", wordWrap=True)
        self.message.setProperty("role", "small")
        self.message.setSizePolicy(QSizePolicy.Ignored, QSizePolicy.Minimum)
        self.message.hide()
        self.value: Any = msgspec.UNSET
        self.note = ""
        """A sentence about text that was refused and reverted, shown until the next edit."""
        self._before: Any = msgspec.UNSET
        self.problem: Problem | None = None
        self.editor.edited.connect(lambda: self.edited.emit(self))
        self.editor.stepped.connect(self.complete)
        tip = "\n".join(filter(None, (field.help, f"Default: {words.value(field, field.default)}")))
        for widget in (self.label, self.editor.input):
            widget.setToolTip(tip)
        for watched in (self.editor.input, *self.editor.box.findChildren(QWidget), *self.editor.input.findChildren(QWidget)):
            watched.installEventFilter(self)

    @property
    def before(self) -> Any:
        """Return the value before the present edit."""
        return self._before

    @before.setter
    def before(self, value: Any) -> None:
        self._before = self.editor.fallback = value

    def _open_menu(self, at: QPoint) -> None:
        menu = QMenu(self.label, objectName="field_menu")
        menu.setAttribute(Qt.WA_DeleteOnClose)
        menu.addAction("Search This…", lambda: self.search_requested.emit(self)).setObjectName(f"search_{self.field.name}")
        menu.popup(self.label.mapToGlobal(at))

    def eventFilter(self, watched: QObject | None, event: QEvent) -> bool:
        kind = event.type()
        if kind == QEvent.FocusIn:
            self.complete()
            self.focused.emit(self)
        elif kind == QEvent.FocusOut and event.reason() != Qt.PopupFocusReason:
            self.complete()
            if event.reason() != Qt.ActiveWindowFocusReason and self.editor.typed:
                QTimer.singleShot(0, self._fall_back)  # when it is known what has the focus now
        elif kind in (QEvent.KeyPress, QEvent.ShortcutOverride) and self.editor.typed:
            if event.key() in (Qt.Key_Return, Qt.Key_Enter):
                self.complete()
            elif event.key() == Qt.Key_Escape and self._is_open():
                event.accept()
                if kind == QEvent.KeyPress:
                    self._restore()
                return True
        return False

    @pyqtSlot()
    def complete(self) -> None:
        """Complete the edit: a valid value can no longer be reverted with Escape."""
        if not self.editor.read().fault:
            self.before = self.value

    @pyqtSlot()
    def _fall_back(self) -> None:
        """Show the value again instead of text that was refused, once the field and its buttons have been left."""
        focus = QApplication.focusWidget()
        inside = focus is not None and (focus is self.editor.box or self.editor.box.isAncestorOf(focus))
        if not inside and self.before is not msgspec.UNSET and self.editor.read().fault:
            self._restore()

    def _is_open(self) -> bool:
        return self.before is not msgspec.UNSET and (bool(self.editor.read().fault) or self.value != self.before)

    def _restore(self) -> None:
        """Restore the value from before the edit."""
        fault = self.editor.read().fault
        self.editor.show_value(self.before)
        self.value = self.before
        self.restored.emit(self)
        self.note = f"{fault} Back to {words.value(self.field, self.value)}." if fault else ""
        self.reset.setVisible(self.value != self.field.default)
        self.show_problem(self.problem)

    def show_value(self, value: Any, problem: Problem | None) -> None:
        """Show the design's value, unless it is the one being typed."""
        reading = self.editor.read()
        if value != self.value and (self.value is msgspec.UNSET or reading.fault or reading.value != value):
            self.editor.show_value(value)
            reading = self.editor.read()
        if value != self.value:  # changed elsewhere than in this field
            self.before = value
            self.note = ""
        self.value = value
        self.problem = problem
        changed = value != self.field.default
        self.reset.setVisible(changed or bool(reading.fault))
        weight = theme.font("body", bold=changed)
        if self.label.font() != weight:
            self.label.setFont(weight)
        if reading.fault:
            self.show_fault(reading.fault)
        else:
            self.show_problem(problem)

    def show_fault(self, fault: str) -> None:
        """Show why the typed text is not accepted."""
        kept = "" if self.value is msgspec.UNSET else f" The design keeps {words.value(self.field, self.value)}."
        self._tell("error", fault + kept)

    def show_problem(self, problem: Problem | None) -> None:
        """Show the problem that the check of the design reports for this value, or none."""
        if problem is None:
            self._tell("", self.note)
        else:
            text = problem.text[:1].upper() + problem.text[1:]
            self._tell(problem.severity, f"{text} {problem.hint}".strip())

    def _tell(self, severity: str, text: str) -> None:
        polish(self.message, "role", {"error": "error", "warning": "warning"}.get(severity, "small"))
        self.message.setText(text)
        self.message.setVisible(bool(text))
        if bool(self.editor.input.property("invalid")) != (severity == "error"):
            polish(self.editor.input, "invalid", severity == "error")

    def set_shown(self, shown: bool) -> None:
        self.label.setVisible(shown and self.field.type != "table")
        self.editor.box.setVisible(shown)
        if not shown:
            self.reset.hide()
            self.message.hide()


def _label_width() -> int:
    """Return the width of the labels: the longest one in bold and a gap.

    It is the same in every form, so that the fields of all blocks are aligned.
    """
    return QFontMetrics(theme.font("body", bold=True)).horizontalAdvance(words.label("batch_normalization")) + 2 * theme.SPACE


class Form(QWidget):
    """A form for a struct. `edited` is emitted with each new valid value of one parameter."""

    edited = pyqtSignal(str, object, bool)  # parameter, value, whether it was typed
    focused = pyqtSignal(Field)
    search_requested = pyqtSignal(str)  # the parameter is to be searched

    def __init__(
        self,
        owner: str,
        fields: Iterable[Field],
        sections: tuple[tuple[str, tuple[str, ...]], ...] = (),
        prefix: str = "",
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._owner = owner
        self._values = None
        self._rows: dict[str, Row] = {}
        self._headings: list[tuple[QLabel, tuple[str, ...]]] = []
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, MARGIN, 2 * theme.SPACE)
        self._grid.setHorizontalSpacing(0)
        self._grid.setVerticalSpacing(0)  # hidden rows must not add up; the rows bring their own space
        self._grid.setColumnMinimumWidth(0, MARGIN)  # the reset buttons stand in the margin, so nothing moves for them
        self._grid.setColumnMinimumWidth(1, _label_width())
        self._grid.setColumnStretch(2, 1)
        by_name = {field.name: field for field in fields}
        for title, names in sections or (("", tuple(by_name)),):
            self._add_section(title, tuple(name for name in names if name in by_name), by_name, prefix)
        self._recolour()
        theme.notifier.changed.connect(self._recolour)

    @property
    def rows(self) -> dict[str, Row]:
        """Return the rows by the name of the parameter."""
        return self._rows

    def _add_section(self, title: str, names: tuple[str, ...], by_name: dict[str, Field], prefix: str) -> None:
        if title:
            heading = QLabel(title.upper())
            heading.setProperty("role", "section")
            line = self._grid.rowCount()
            self._grid.setRowMinimumHeight(line, 6 * theme.SPACE if self._rows else 0)
            self._grid.addWidget(heading, line + 1, 0, 1, 3)
            self._grid.setRowMinimumHeight(line + 2, theme.SPACE)
            heading.setIndent(MARGIN)
            self._headings.append((heading, names))
        for name in names:
            field = by_name[name]
            help_text = field.help or words.HELP.get(prefix + name, "")
            self._add_row(Row(name, msgspec.structs.replace(field, name=prefix + name, help=help_text), self))

    def _add_row(self, row: Row) -> None:
        line = self._grid.rowCount()
        if row.field.type == "table":
            self._grid.addWidget(row.editor.box, line, 0, 1, 3)
            row.editor.add_button(row.reset)
        else:
            self._grid.addWidget(row.reset, line, 0, Qt.AlignCenter)
            self._grid.addWidget(row.label, line, 1, Qt.AlignTop)
            if row.field.type == "choices":  # below the label, where there is room for the words of each
                line += 1
                self._grid.addWidget(row.editor.box, line, 1, 1, 2)
            else:
                self._grid.addWidget(row.editor.box, line, 2)
        self._grid.addWidget(row.message, line + 1, 2)
        row.edited.connect(self._on_row_edited)
        row.restored.connect(lambda restored: self.edited.emit(restored.name, restored.value, restored.editor.typed))
        row.reset_requested.connect(self._on_row_reset_requested)
        row.search_requested.connect(lambda wanted: self.search_requested.emit(wanted.name))
        row.focused.connect(lambda focused: self.focused.emit(focused.field))
        self._rows[row.name] = row

    def show_values(self, values: Any, problems: dict[str, Problem]) -> None:
        """Show the values of a struct, and the problem of each parameter that has one."""
        self._values = values
        for name, row in self._rows.items():
            problem = problems.get(name)
            row.set_shown(words.matters(self._owner, name, values) or problem is not None)
            row.show_value(getattr(values, name), problem)
            if row.editor.box.isHidden():
                row.set_shown(False)
        for heading, names in self._headings:
            heading.setVisible(any(not self._rows[name].editor.box.isHidden() for name in names))

    def _on_row_edited(self, row: Row) -> None:
        reading = row.editor.read()
        row.note = ""
        if reading.fault:
            if row.value != row.before:  # drop an intermediate value, such as 999 of 999999999
                row.value = row.before
                self.edited.emit(row.name, row.value, row.editor.typed)
            row.show_fault(reading.fault)
            row.reset.show()
        elif reading.value != row.value:
            row.value = reading.value
            if not row.editor.typed:
                row.before = reading.value
            self.edited.emit(row.name, reading.value, row.editor.typed)
        else:  # show the design's value again
            row.show_value(row.value, row.problem)

    def _on_row_reset_requested(self, row: Row) -> None:
        row.editor.show_value(row.field.default)
        self._on_row_edited(row)
        row.complete()
        row.editor.input.setFocus()

    def _recolour(self) -> None:
        for row in self._rows.values():
            row.reset.setIcon(icon("restore"))
            row.editor.recolour()


def make_editor(field: Field, parent: QWidget) -> Editor:
    """Return an editor for a field; its input is called `field_<name>`."""
    if field.type == "table":
        editor: Editor = LayerTableEditor(field, parent, _layer_form)
    elif field.type in ("integer", "number") and field.optional:
        editor = LineEditor(field, parent)
    else:
        editor = EDITORS[field.type](field, parent)
    editor.input.setObjectName(f"field_{field.name}")
    editor.input.setAccessibleName(words.label(field.name))
    editor.input.setAccessibleDescription(field.help)
    editor.box.setMinimumHeight(theme.CONTROL_HEIGHT)
    if field.type != "table":  # the range of a number must not set the width of the form
        policy = editor.input.sizePolicy()
        editor.input.setSizePolicy(QSizePolicy.Ignored, policy.verticalPolicy())
        editor.input.setMinimumWidth(MIN_EDITOR_WIDTH)
    return editor


def _layer_form(table: Field, layer: type[StackLayer]) -> Form:
    """Return the form of one layer of a table."""
    return Form("row", fields(layer), prefix=f"{table.name}_")
