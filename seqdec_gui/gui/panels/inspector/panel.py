"""The right panel: the name of the selected block, facts about it, and the form that edits it."""

from __future__ import annotations

from typing import Any

import msgspec
from PyQt5.QtCore import QEvent, QSize, Qt, QTimer, pyqtSlot
from PyQt5.QtGui import QKeySequence, QShowEvent
from PyQt5.QtWidgets import (
    QApplication,
    QFrame,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QScrollArea,
    QShortcut,
    QVBoxLayout,
    QWidget,
)

from seqdec_gui.domain import form_words as words
from seqdec_gui.domain.bindings import Split
from seqdec_gui.domain.catalog import Field, fields
from seqdec_gui.domain.design import Design
from seqdec_gui.domain.field_text import range_words
from seqdec_gui.domain.problems import Problem
from seqdec_gui.domain.training import Training
from seqdec_gui.gui.look import theme
from seqdec_gui.gui.look.icons import icon, kind_icon
from seqdec_gui.gui.look.stylesheet import polish
from seqdec_gui.gui.panels.inspector.facts import FactsView, block_facts, design_facts
from seqdec_gui.gui.panels.inspector.form import Form
from seqdec_gui.gui.panels.inspector.weights_row import WeightsRow
from seqdec_gui.gui.widgets.elided_label import ElidedLabel
from seqdec_gui.gui.workspace.sweep_draft import SweepDraft
from seqdec_gui.gui.workspace.workspace import PageName, Workspace

MIN_WIDTH = 328
"""The least width of the panel, in pixels."""


class Inspector(QFrame):
    """Shows and edits the selected block.

    Object name `inspector`; fields `field_<parameter>`, the block's name `field_id`, facts `fact_<name>`.
    """

    def __init__(self, workspace: Workspace, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("inspector")
        self.setProperty("role", "panel")
        self.setMinimumWidth(MIN_WIDTH)
        self._workspace = workspace
        self._document = workspace.document
        self._block_id = ""
        self._kind = ""
        self._forms: dict[str, Form] = {}
        self._typing: tuple[object, Design, Design] | None = None
        self._due = True
        """Whether the first form, most of what a design's tab takes to build, waits for a moment after the first look."""
        self._build()
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._show_design)
        self._document.design_changed.connect(self._on_document_design_changed)
        self._document.selection_changed.connect(self._on_document_selection_changed)
        self._document.path_changed.connect(self._show_heading)
        workspace.field_requested.connect(self.focus_field)
        theme.notifier.changed.connect(self._on_theme_changed)

    def complete(self) -> None:
        """Make the first form now, if it is not there yet."""
        if self._due:
            self._show_selection()

    def showEvent(self, event: QShowEvent | None) -> None:
        super().showEvent(event)
        if self._due:
            self._timer.start(0)

    # -- building
    def _build(self) -> None:
        self._picture = QLabel()
        self._title = QLabel()
        self._title.setProperty("role", "section")
        self._name = QLineEdit(objectName="field_id")
        self._name.setAccessibleName("Name of the block")
        self._name.setToolTip("The name in the script, in exports and on the canvas. F2 edits it.")
        self._name.textEdited.connect(self._on_name_edited)
        self._name.editingFinished.connect(self._on_name_editing_finished)
        QShortcut(QKeySequence(Qt.Key_Escape), self._name, self._restore_name, context=Qt.WidgetShortcut)
        self._name_fault = QLabel(objectName="error_id", wordWrap=True)
        self._name_fault.setProperty("role", "error")
        self._name_fault.hide()
        self._heading = ElidedLabel("design_name")
        self._heading.setProperty("role", "title")
        top = QHBoxLayout()
        top.setSpacing(2 * theme.SPACE)
        top.addWidget(self._picture)
        top.addWidget(self._title, 1)
        head = QVBoxLayout()
        head.setContentsMargins(4 * theme.SPACE, 3 * theme.SPACE, 4 * theme.SPACE, 3 * theme.SPACE)
        head.setSpacing(theme.SPACE)
        for item in (self._name, self._name_fault, self._heading):
            head.addWidget(item)
        head.insertLayout(0, top)
        self._facts = FactsView()
        self._weights = WeightsRow(self._workspace)
        self._place = QVBoxLayout()
        self._place.setContentsMargins(0, 3 * theme.SPACE, 0, 0)
        self._place.setSpacing(4 * theme.SPACE)
        body = QWidget()
        column = QVBoxLayout(body)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(head)
        column.addWidget(self._facts)
        column.addWidget(self._weights)
        column.addWidget(_line())
        column.addLayout(self._place)
        column.addStretch(1)
        self._scroll = QScrollArea(widgetResizable=True)
        self._scroll.setAccessibleName("Parameters")
        self._scroll.setFrameShape(QFrame.NoFrame)
        self._scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarAlwaysOff)
        self._scroll.setWidget(body)
        self._help = HelpStrip()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self._scroll, 1)
        layout.addWidget(_line())
        layout.addWidget(self._help)

    # -- display
    @pyqtSlot(frozenset)
    def _on_document_selection_changed(self, _selection: frozenset[str]) -> None:
        if self._block_id and self._is_shown():  # it was only renamed
            self._refresh()
        elif self._due:
            self._wait_for_look()
        else:
            self._show_selection()

    @pyqtSlot(Design, Design)
    def _on_document_design_changed(self, _old: Design, _new: Design) -> None:
        if self._is_shown():
            self._refresh()
        elif self._due:
            self._wait_for_look()
        else:  # a change of selection may follow, as with a new name
            self._timer.start(0)

    def _wait_for_look(self) -> None:
        """Make the first form soon if the panel is seen, otherwise when it is shown."""
        if self.isVisible():
            self._timer.start(0)

    @pyqtSlot()
    def _show_design(self) -> None:
        if not self._is_shown():
            self._show_selection()

    def _is_shown(self) -> bool:
        """Return whether the form belongs to the present selection."""
        chosen = self._chosen()
        kind = self._document.design.block(chosen).kind if chosen else ""
        return not self._due and (chosen, kind) == (self._block_id, self._kind)

    def _chosen(self) -> str:
        """Return the id of the selected block; empty if not exactly one block is selected."""
        selection = self._document.selection
        return next(iter(selection)) if len(selection) == 1 else ""

    def _show_selection(self) -> None:
        """Make the form for the present selection."""
        self._due = False
        self._block_id = self._chosen()
        self._kind = self._document.design.block(self._block_id).kind if self._block_id else ""
        for index in reversed(range(self._place.count())):
            widget = self._place.takeAt(index).widget()
            widget.hide()
            widget.setParent(None)  # at once, so that no two widgets have one name
            widget.deleteLater()
        self._forms = {}
        self._help.describe(None)
        many = len(self._document.selection) > 1
        if self._block_id:
            parameters = self._document.design.block(self._block_id).parameters
            shown = tuple(field for field in fields(type(parameters)) if field.name not in words.FACTS)
            self._add_form("block", Form("block", shown))
        elif not many:
            self._add_form("training", Form("training", fields(Training), words.TRAINING_SECTIONS))
            names = tuple(field.name for field in fields(Split))
            self._add_form("split", Form("split", fields(Split), (("Data split", names),), prefix="split_"))
        else:
            buttons = self._many_buttons()
            self._place.addWidget(buttons)
            buttons.show()
        self._name.setModified(False)
        self._show_name_fault("")
        self._refresh()
        if self.isVisible():  # laid out now, or it is drawn once in the height of the form before
            self._scroll.widget().layout().activate()
            QApplication.sendEvent(self._scroll, QEvent(QEvent.LayoutRequest))
        self._scroll.verticalScrollBar().setValue(0)

    def _add_form(self, owner: str, form: Form) -> None:
        form.edited.connect(lambda name, value, typed: self._on_form_edited(owner, name, value, typed))
        form.focused.connect(self._on_form_focused)
        form.search_requested.connect(lambda name: self._search(owner, name))
        self._place.addWidget(form)
        form.show()  # now; the layout would show it later
        self._forms[owner] = form

    def _many_buttons(self) -> QWidget:
        holder = QWidget()
        row = QHBoxLayout(holder)
        row.setContentsMargins(4 * theme.SPACE, 0, 4 * theme.SPACE, 0)
        for name, text in (("duplicate", "Duplicate"), ("delete", "Delete")):
            button = QPushButton(text, objectName=f"selection_{name}")
            button.clicked.connect(lambda _checked, name=name: self._trigger(f"action_{name}"))
            row.addWidget(button)
        row.addStretch(1)
        return holder

    def _trigger(self, action_name: str) -> None:
        from PyQt5.QtWidgets import QAction

        action = self.window().findChild(QAction, action_name)
        if action is not None:
            action.trigger()

    @pyqtSlot()
    def _refresh(self) -> None:
        """Show the present values, facts and problems."""
        design, report = self._document.design, self._document.report
        problems: dict[str, Problem] = {}
        for problem in reversed(report.problems):  # the first one, which is the worst, wins
            problems[problem.where] = problem
        if self._block_id and design.has(self._block_id):
            block = design.block(self._block_id)
            prefix = f"{block.id}."
            of_block = {where: problem for where, problem in problems.items() if where.startswith(prefix)}
            shown_problems = {where.removeprefix(prefix): problem for where, problem in of_block.items()}
            self._title.setText(block.parameters.title.upper())
            if not self._name.hasFocus() or not self._name.isModified():
                self._name.setText(block.id)
                self._show_name_fault("")
                if not self._name.hasFocus():
                    self._name.setCursorPosition(0)  # the beginning of a long one
            self._facts.show_facts(block_facts(design, report.inference, block.id))
            self._weights.show_block(block, report.inference.blocks[block.id].parameters > 0)
            self._forms["block"].show_values(block.parameters, shown_problems)
        else:
            self._weights.show_block(None, False)
            many = len(self._document.selection)
            self._title.setText("SELECTION" if many > 1 else "DESIGN")
            self._show_heading()
            self._facts.show_facts(design_facts(design, report.inference))
            if "training" in self._forms:
                shown_problems = {where.removeprefix("training."): problem for where, problem in problems.items()}
                self._forms["training"].show_values(design.training, shown_problems)
                self._forms["split"].show_values(design.data.split, {})
        self._facts.setVisible(bool(design.blocks))
        self._name.setVisible(bool(self._block_id))
        self._heading.setVisible(not self._block_id)
        self._show_picture()

    @pyqtSlot()
    def _show_heading(self) -> None:
        """Show what is selected if it is not a single block: the design by its name, or how many blocks."""
        many = len(self._document.selection)
        self._heading.setText(f"{many} blocks" if many > 1 else self._document.name)

    def _show_picture(self) -> None:
        if self._block_id and self._document.design.has(self._block_id):
            self._picture.setPixmap(kind_icon(self._document.design.block(self._block_id).parameters).pixmap(QSize(18, 18)))
        else:
            self._picture.setPixmap(icon("tune-variant").pixmap(QSize(18, 18)))

    def _search(self, owner: str, name: str) -> None:
        """Have a sweep vary a parameter of the training or of the block."""
        if owner in ("training", "block"):
            where = self._block_id if owner == "block" else owner
            self._workspace.part(SweepDraft).add(f"{where}.{name}")
            self._workspace.page_requested.emit(PageName.SWEEP)

    # -- edits
    def _on_form_edited(self, owner: str, name: str, value: Any, typed: bool) -> None:
        key = (owner, self._block_id, name)
        base = self._base(key if typed else None)
        replace = msgspec.structs.replace
        if owner == "block":
            block = base.block(self._block_id)
            new = base.with_parameters(block.id, replace(block.parameters, **{name: value}))
            text = f"Change {words.label(name).lower()} of {block.id}"
        elif owner == "training":
            new = base.with_training(replace(base.training, **{name: value}))
            text = f"Change {words.label(name).lower()}"
        else:
            new = base.with_data(replace(base.data, split=replace(base.data.split, **{name: value})))
            text = "Change the data split"
        self._typing = (key, base, new) if typed else None
        self._document.edit(new, text, merge_key=key if typed else None)

    def _base(self, key: object) -> Design:
        """Return the design that an edit starts from.

        While a field is being typed in, it is the design before the first key: an intermediate value (`1` on the way to `12`)
        must not remove the wires of ports for good.
        """
        if key is not None and self._typing is not None and self._typing[0] == key and self._typing[2] is self._document.design:
            return self._typing[1]
        return self._document.design

    @pyqtSlot(object)
    def _on_form_focused(self, field: Field) -> None:
        self._help.describe(field)
        self._typing = None
        self._document.end_merge()

    def edit_id(self) -> None:
        """Put the cursor into the field with the name of the selected block."""
        self.complete()
        if self._block_id:
            self._name.setFocus()
            self._name.selectAll()

    @pyqtSlot(str)
    def _on_name_edited(self, text: str) -> None:
        self._show_name_fault(self._document.rename_fault(self._block_id, text) if text != self._block_id else "")

    def _show_name_fault(self, fault: str) -> None:
        """Show what is wrong with the name in the field; without a fault neither the sentence nor the red frame stays."""
        self._name_fault.setText(fault)
        self._name_fault.setVisible(bool(fault))
        if bool(self._name.property("invalid")) != bool(fault):
            polish(self._name, "invalid", bool(fault))

    def _restore_name(self) -> None:
        """Show the present name again instead of one that was refused or given up."""
        self._name.setText(self._block_id)
        self._name.setModified(False)
        self._show_name_fault("")

    @pyqtSlot()
    def _on_name_editing_finished(self) -> None:
        new = self._name.text()
        if not self._block_id or new == self._block_id or not self._document.design.has(self._block_id):
            return
        if self._document.rename_fault(self._block_id, new):
            if not self._name.hasFocus():  # after Return the refused name stays, to be mended
                self._restore_name()
            return
        self._name.setModified(False)
        old, self._block_id = self._block_id, new  # the form stays: it is the same block
        self._document.rename(old, new)

    @pyqtSlot(str)
    def focus_field(self, name: str) -> None:
        """Put the cursor into the field of this parameter, or into the first field if `name` is empty."""
        self.complete()
        for form in self._forms.values():
            row = form.rows.get(name or next(iter(form.rows), ""))
            if row is not None:
                self._scroll.ensureWidgetVisible(row.editor.box)
                row.editor.input.setFocus()
                return

    @pyqtSlot()
    def _on_theme_changed(self) -> None:
        self._refresh()  # the picture and the ports in the new colours


class HelpStrip(QWidget):
    """Explains the focused field: its meaning, its range and its default."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("field_help")
        self.setFixedHeight(84)
        self._heading = QLabel()
        self._text = QLabel(wordWrap=True)
        self._heading.setProperty("role", "value")
        self._text.setProperty("role", "small")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(4 * theme.SPACE, 2 * theme.SPACE, 4 * theme.SPACE, 2 * theme.SPACE)
        layout.setSpacing(2)
        layout.addWidget(self._heading)
        layout.addWidget(self._text)
        layout.addStretch(1)

    def describe(self, field: Field | None) -> None:
        """Explain a field; None shows nothing."""
        if field is None:
            self._heading.setText("")
            self._text.setText("Click into a field to see its meaning and its range.")
            return
        self._heading.setText(words.label(field.name))
        span = range_words(field)
        facts = ". ".join(filter(None, (span[:1].upper() + span[1:], f"Default: {words.value(field, field.default)}")))
        self._text.setText(" ".join(filter(None, (field.help, f"{facts}."))))


def _line() -> QFrame:
    line = QFrame()
    line.setProperty("role", "line")
    return line
