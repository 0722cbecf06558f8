"""The design as a tree of blocks, ports and wires, for the keyboard and for screen readers."""

from __future__ import annotations

from typing import NamedTuple

from PyQt5.QtCore import QEvent, QPoint, Qt, QTimer, pyqtSlot
from PyQt5.QtGui import QColor, QIcon, QKeyEvent, QKeySequence, QShowEvent
from PyQt5.QtWidgets import QAbstractItemDelegate, QAbstractItemView, QMenu, QToolTip, QTreeWidget, QTreeWidgetItem, QWidget

from seqdec_gui.domain.design import Design, Link
from seqdec_gui.domain.link_judge import End, ends_of
from seqdec_gui.gui.dialogs.connect import ConnectDialog, starts_of
from seqdec_gui.gui.look import canvas_style, theme
from seqdec_gui.gui.pages.design.design_view import DesignView
from seqdec_gui.gui.widgets.menu_entry import add_entry

ITEM_ROLE = Qt.UserRole
"""The item role with what a line stands for: a block's id, an End or a Link."""
BROKEN = ""
"""The key of the row with the wires that lead nowhere; no block has this id."""


class Row(NamedTuple):
    """One line of the tree: what it stands for, its texts, and the lines below it."""

    what: str | End | Link
    text: str
    tip: str
    severity: str
    below: tuple[Row, ...] = ()


class Outline(QTreeWidget):
    """The tree of the design. It selects, renames, deletes and connects through the canvas."""

    def __init__(self, view: DesignView, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("outline")
        self.setAccessibleName("Outline of the design")
        self.setHeaderHidden(True)
        self.setUniformRowHeights(True)
        self.setIndentation(16)
        self.setTextElideMode(Qt.ElideRight)
        self.setEditTriggers(QAbstractItemView.NoEditTriggers)
        self.setSelectionMode(QAbstractItemView.ExtendedSelection)
        self.setContextMenuPolicy(Qt.CustomContextMenu)
        self._view = view
        self._editor = view.editor
        self._document = view.editor.document
        self._rows: dict[str, Row] = {}
        self._items: dict[str, QTreeWidgetItem] = {}
        self._following = False
        self._refresh = QTimer(self)
        self._refresh.setSingleShot(True)
        self._refresh.setInterval(0)
        self._refresh.timeout.connect(self._on_refresh_timeout)
        self._document.design_changed.connect(self._on_document_design_changed)
        self._document.selection_changed.connect(self._on_document_selection_changed)
        self.itemSelectionChanged.connect(self._on_item_selection_changed)
        self.itemChanged.connect(self._on_item_changed)
        self.customContextMenuRequested.connect(self._on_custom_context_menu_requested)
        theme.notifier.changed.connect(self._on_theme_changed)
        self._show()

    # -- following the document
    @pyqtSlot(Design, Design)
    def _on_document_design_changed(self, _old: Design, _new: Design) -> None:
        self._refresh.start()

    @pyqtSlot()
    def _on_refresh_timeout(self) -> None:
        if self.isVisible():
            self._show()

    def showEvent(self, event: QShowEvent | None) -> None:
        super().showEvent(event)
        self._show()

    @pyqtSlot()
    def _on_theme_changed(self) -> None:
        self._rows.clear()
        self._show()

    def refresh(self) -> None:
        """Show the present design at once."""
        self._refresh.stop()
        self._show()

    def _show(self) -> None:
        """Update the tree. Lines whose texts are unchanged are kept."""
        self._following = True
        try:
            rows = _rows(self._view)
            for block_id in self._items.keys() - rows.keys():
                self.takeTopLevelItem(self.indexOfTopLevelItem(self._items.pop(block_id)))
                self._rows.pop(block_id, None)
            for place, (block_id, row) in enumerate(rows.items()):
                item = self._items.get(block_id)
                if item is None:
                    item = self._items[block_id] = QTreeWidgetItem()
                    self.insertTopLevelItem(place, item)
                elif self.topLevelItem(place) is not item:
                    expanded = item.isExpanded()
                    self.takeTopLevelItem(self.indexOfTopLevelItem(item))
                    self.insertTopLevelItem(place, item)
                    item.setExpanded(expanded)
                if self._rows.get(block_id) != row:
                    self._rows[block_id] = row
                    self._fill(item, row)
                    for number, below in enumerate(row.below):
                        self._show_below(item, number, below)
                    while item.childCount() > len(row.below):
                        item.takeChild(item.childCount() - 1)
            self._show_selection()
        finally:
            self._following = False

    def _show_below(self, parent: QTreeWidgetItem, number: int, row: Row) -> None:
        item = parent.child(number)
        if item is None:
            item = QTreeWidgetItem(parent)
            item.setExpanded(True)
        self._fill(item, row)
        for place, below in enumerate(row.below):
            self._show_below(item, place, below)
        while item.childCount() > len(row.below):
            item.takeChild(item.childCount() - 1)

    def _fill(self, item: QTreeWidgetItem, row: Row) -> None:
        look = canvas_style.current()
        item.setText(0, row.text)
        item.setToolTip(0, row.tip)
        item.setData(0, ITEM_ROLE, row.what)
        item.setData(0, Qt.AccessibleTextRole, f"{row.text}. {row.tip}" if row.severity else row.text)
        item.setForeground(0, QColor(look.theme.severity(row.severity)) if row.severity in ("error", "warning") else look.text)
        if isinstance(row.what, str) and row.what != BROKEN:
            kind = self._document.design.block(row.what).parameters
            item.setIcon(0, QIcon(look.icon(kind)))
            item.setFlags(item.flags() | Qt.ItemIsEditable)
        elif isinstance(row.what, End):
            item.setForeground(0, QColor(look.theme.severity(row.severity)) if row.severity == "error" else look.dim)

    # -- selection, both ways
    @pyqtSlot(frozenset)
    def _on_document_selection_changed(self, _selection: frozenset[str]) -> None:
        if not self._refresh.isActive():
            self._following = True
            self._show_selection()
            self._following = False

    def _show_selection(self) -> None:
        """Select the lines of the selected blocks, unless a line below one of them is selected."""
        selected = self._document.selection
        shown = {self._block_of(item) for item in self.selectedItems()}
        if shown - {None} == selected:
            return
        self.clearSelection()
        chosen = [self._items[block_id] for block_id in self._items if block_id in selected]
        for item in chosen:
            item.setSelected(True)
        if chosen:
            self.setCurrentItem(chosen[0], 0)
            for item in chosen:
                item.setSelected(True)
            self.scrollToItem(chosen[0])

    def _block_of(self, item: QTreeWidgetItem | None) -> str | None:
        """Return the id of the block that a line belongs to."""
        while item is not None and item.parent() is not None:
            item = item.parent()
        value = None if item is None else item.data(0, ITEM_ROLE)
        return value if isinstance(value, str) and value != BROKEN else None

    @pyqtSlot()
    def _on_item_selection_changed(self) -> None:
        if self._following:
            return
        blocks = {self._block_of(item) for item in self.selectedItems()}
        links = {item.data(0, ITEM_ROLE) for item in self.selectedItems() if isinstance(item.data(0, ITEM_ROLE), Link)}
        self._document.select(block_id for block_id in blocks if block_id is not None)
        if links:
            self._view.design_scene.select_links(links)
        only = self._editor.only_selected()
        if only is not None:
            self._view.reveal(only)

    # -- signals of the user
    @pyqtSlot(QTreeWidgetItem, int)
    def _on_item_changed(self, item: QTreeWidgetItem, _column: int) -> None:
        """Rename the block of an edited line; if that is impossible, say why and restore the line."""
        value = item.data(0, ITEM_ROLE)
        if self._following or not isinstance(value, str) or value not in self._rows:
            return
        name = item.text(0).strip()
        fault = "" if name == self._rows[value].text else self._document.rename_fault(value, name)
        self._following = True
        item.setText(0, self._rows[value].text)
        self._following = False
        if fault:
            QToolTip.showText(self.viewport().mapToGlobal(self.visualItemRect(item).bottomLeft()), fault, self)
            self._editor.refused.emit(fault)
        elif name != value and name != self._rows[value].text:
            self._document.rename(value, name)

    def rename(self) -> None:
        """Edit the name of the current line's block in place."""
        item = self._items.get(self._block_of(self.currentItem()) or BROKEN)
        if item is not None and item.data(0, ITEM_ROLE) != BROKEN:
            self._following = True
            item.setText(0, item.data(0, ITEM_ROLE))  # the name alone, without the words behind it
            self._following = False
            self.setCurrentItem(item)
            self.editItem(item, 0)

    def closeEditor(self, editor: QWidget | None, hint: QAbstractItemDelegate.EndEditHint) -> None:
        """Show the complete text of the line again, with the words after the name."""
        super().closeEditor(editor, hint)
        item = self.currentItem()
        row = None if item is None else self._rows.get(self._block_of(item) or BROKEN)
        if item is not None and row is not None and row.what == item.data(0, ITEM_ROLE):
            self._following = True
            item.setText(0, row.text)
            self._following = False

    def delete(self) -> None:
        """Delete the blocks of the selected lines; if only wires are selected, delete those."""
        values = [item.data(0, ITEM_ROLE) for item in self.selectedItems()]
        links = [value for value in values if isinstance(value, Link)]
        if links and not any(isinstance(value, str) for value in values):
            self._editor.disconnect_links(links)
        elif any(isinstance(value, str) for value in values):
            self._editor.delete()

    def connect_current(self) -> ConnectDialog | None:
        """Open *Connect to...* for the current line: a port, or all ports of a block."""
        item = self.currentItem()
        value = item.data(0, ITEM_ROLE) if item else None
        block_id = self._block_of(item)
        if block_id is None:
            return None
        starts = [value] if isinstance(value, End) else starts_of(self._document, block_id)
        title = f"Connect {value.port} to" if isinstance(value, End) else f"Connect {block_id} to"
        dialog = ConnectDialog(self._document, title, starts, self)
        dialog.chosen.connect(self._editor.connect_choice)
        dialog.open()
        return dialog

    def event(self, event: QEvent) -> bool:
        """Handle keys in this tree while it has the focus, although actions of the window use them too."""
        overriding = isinstance(event, QKeyEvent) and event.type() == QEvent.ShortcutOverride
        if overriding and event.key() in (Qt.Key_F2, Qt.Key_Delete, Qt.Key_Backspace):
            event.accept()
            return True
        return bool(super().event(event))

    def keyPressEvent(self, event: QKeyEvent | None) -> None:
        assert event is not None
        block_id = self._block_of(self.currentItem())
        if event.key() == Qt.Key_F2:
            self.rename()
        elif event.matches(QKeySequence.Delete) or event.key() == Qt.Key_Backspace:
            self.delete()
        elif event.key() == Qt.Key_C and not event.modifiers():
            self.connect_current()
        elif event.key() in (Qt.Key_Return, Qt.Key_Enter) and block_id is not None:
            self._editor.edit_requested.emit(block_id)
        else:
            super().keyPressEvent(event)

    @pyqtSlot(QPoint)
    def _on_custom_context_menu_requested(self, at: QPoint) -> None:
        item = self.itemAt(at) or self.currentItem()
        if item is None:
            return
        if not item.isSelected():
            self.setCurrentItem(item)
        what, block_id = item.data(0, ITEM_ROLE), self._block_of(item)
        menu = QMenu(self)
        menu.setObjectName("menu_outline")
        menu.setAttribute(Qt.WA_DeleteOnClose)
        if isinstance(what, Link):
            add_entry(menu, "Remove wire", self.delete, "Del")
        elif block_id is not None:
            add_entry(menu, "Connect to…", self.connect_current, "C")
            if isinstance(what, str):
                add_entry(menu, "Edit parameters", lambda: self._editor.edit_requested.emit(block_id), "Enter")
                add_entry(menu, "Rename", self.rename, "F2")
                add_entry(menu, "Duplicate", self._editor.duplicate, "Ctrl+D")
                add_entry(menu, "Delete", self.delete, "Del")
        if menu.isEmpty():
            menu.deleteLater()
        else:
            menu.popup(self.viewport().mapToGlobal(at))


def _rows(view: DesignView) -> dict[str, Row]:
    """Return the rows of the present design, by block id."""
    design, report = view.editor.design, view.editor.document.report
    into: dict[End, list[Link]] = {}
    for link in design.links:
        into.setdefault(End(link.source, True), []).append(link)
        into.setdefault(End(link.target, False), []).append(link)
    rows_by_block: dict[str, Row] = {}
    ends: set[End] = set()
    for block in design.blocks:
        inferred, ports = report.inference.blocks[block.id], []
        problems = view.design_scene.blocks[block.id].problems
        for end in ends_of(block):
            port_type = (inferred.outputs if end.is_output else inferred.inputs).get(end.port.port)
            wires = []
            ends.add(end)
            for link in into.get(end, ()):
                other = f"to {link.target}" if end.is_output else f"from {link.source}"
                wires.append(Row(link, other, str(port_type or ""), ""))
            wrong = [problem for problem in problems if problem.where == str(end.port) and not end.is_output]
            side = "output" if end.is_output else "input"
            text, tip = f"{end.port.port} ({side})", side
            if port_type is not None:
                text, tip = f"{end.port.port}: {canvas_style.short_type(port_type)}", f"{side}, {port_type}"
            tip = wrong[0].text if wrong else tip
            ports.append(Row(end, text, tip, wrong[0].severity if wrong else "", tuple(wires)))
        texts = "\n".join(problem.sentence() for problem in problems)
        text = f"{block.id}  ·  {block.parameters.title}"
        rows_by_block[block.id] = Row(
            block.id, text, texts or block.parameters.summary, problems[0].severity if problems else "", tuple(ports)
        )
    broken = [link for link in design.links if not {End(link.source, True), End(link.target, False)} <= ends]
    if broken:
        rows = tuple(Row(link, str(link), "This wire names a port that does not exist.", "error") for link in broken)
        tip = "Delete them, or add the blocks that they name."
        rows_by_block[BROKEN] = Row(BROKEN, "Wires without an end", tip, "error", rows)
    return rows_by_block
