"""The dialog *Connect to...*: all wires that can begin at a block or port, as a list to search. It draws wires by keyboard."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from PyQt5.QtCore import Qt, pyqtSignal, pyqtSlot
from PyQt5.QtGui import QColor, QKeyEvent
from PyQt5.QtWidgets import QDialog, QDialogButtonBox, QLabel, QLineEdit, QListWidget, QListWidgetItem, QVBoxLayout, QWidget

from seqdec_gui.domain.adapters import Adapter
from seqdec_gui.domain.design import Link
from seqdec_gui.domain.link_judge import End, LinkJudge, ends_of
from seqdec_gui.gui.look import theme
from seqdec_gui.gui.look.theme import SPACE
from seqdec_gui.gui.widgets.focus import KeepsFocus
from seqdec_gui.gui.workspace.document import DesignDocument

MAX_REPAIRED = 40
"""The number of refused wires for which adapters are searched; more would delay the dialog noticeably."""


class Choice(NamedTuple):
    """One line of the list: a wire, whether it is possible, the reason, and the adapter that it goes through or None."""

    link: Link
    ok: bool
    reason: str
    adapter: Adapter | None = None


def choices(document: DesignDocument, starts: Iterable[End]) -> list[Choice]:
    """Return all wires from these ports: possible ones first, then those through an adapter, then refused ones."""
    good: list[Choice] = []
    repaired: list[Choice] = []
    refused: list[Choice] = []
    for start in starts:
        judge = LinkJudge(document.design, document.report.inference, start)
        for end in judge.candidates():
            link, verdict = judge.link(end), judge.verdict(end)
            if link is None:
                continue
            if verdict.ok:
                good.append(Choice(link, True, verdict.reason))
                continue
            refused.append(Choice(link, False, verdict.reason))
            if len(refused) <= MAX_REPAIRED:
                repaired += [Choice(link, True, adapter.title, adapter) for adapter in judge.adapters(end)[:1]]
    return [*good, *repaired, *refused]


def starts_of(document: DesignDocument, block_id: str) -> list[End]:
    """Return the ports of a block that a new wire can begin at: all outputs, and the inputs without a wire."""
    block, design = document.design.block(block_id), document.design
    return [end for end in ends_of(block) if end.is_output or design.into(end.port) is None]


class ConnectDialog(KeepsFocus, QDialog):
    """Lets the user choose one wire."""

    chosen = pyqtSignal(Choice)
    """The Choice that was accepted."""

    def __init__(self, document: DesignDocument, title: str, starts: Iterable[End], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("connect_dialog")
        self.setWindowTitle(title)
        self.setAttribute(Qt.WA_DeleteOnClose)
        self.resize(520, 420)
        self._choices = choices(document, starts)
        self.filter = QLineEdit()
        self.filter.setObjectName("connect_filter")
        self.filter.setPlaceholderText("Search ports")
        self.filter.setAccessibleName("Search ports")
        self.filter.setClearButtonEnabled(True)
        self.filter.textChanged.connect(self._on_filter_text_changed)
        self.targets = QListWidget()
        self.targets.setObjectName("connect_targets")
        self.targets.setAccessibleName(title)
        self.targets.setWordWrap(True)
        self.targets.itemActivated.connect(self._on_targets_item_activated)
        self.targets.itemSelectionChanged.connect(self._on_targets_item_selection_changed)
        self._nothing = QLabel("No port fits the search.")
        self._nothing.setProperty("role", "dim")
        self._buttons = QDialogButtonBox(QDialogButtonBox.Ok | QDialogButtonBox.Cancel)
        self._buttons.button(QDialogButtonBox.Ok).setText("Connect")
        self._buttons.button(QDialogButtonBox.Ok).setProperty("kind", "primary")
        self._buttons.accepted.connect(self._on_buttons_accepted)
        self._buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(4 * SPACE, 4 * SPACE, 4 * SPACE, 4 * SPACE)
        layout.setSpacing(2 * SPACE)
        for widget in (self.filter, self._nothing, self.targets, self._buttons):
            layout.addWidget(widget)
        self._fill("")
        self.filter.setFocus()

    def _fill(self, words: str) -> None:
        self.targets.clear()
        search_words = words.lower().split()
        for number, choice in enumerate(self._choices):
            line = f"{choice.link.source} → {choice.link.target}"
            if choice.adapter is not None:
                line += f"  through a new block: {choice.adapter.title}"
            if all(word in line.lower() for word in search_words):
                item = QListWidgetItem(line if choice.adapter is not None else f"{line}\n{choice.reason}")
                item.setData(Qt.UserRole, number)
                item.setData(Qt.AccessibleTextRole, f"{line}, {'' if choice.ok else 'not possible: '}{choice.reason}")
                item.setToolTip(choice.reason)
                if not choice.ok:
                    item.setFlags(Qt.NoItemFlags)
                    item.setForeground(QColor(theme.current().text_dim))
                self.targets.addItem(item)
        self._nothing.setVisible(not self.targets.count())
        if not self._choices:
            self._nothing.setText("There is no other port to connect to.")
        if self.targets.count() and self.targets.item(0).flags() & Qt.ItemIsEnabled:
            self.targets.setCurrentRow(0)
        self._on_targets_item_selection_changed()

    @pyqtSlot(str)
    def _on_filter_text_changed(self, text: str) -> None:
        self._fill(text)

    @pyqtSlot()
    def _on_targets_item_selection_changed(self) -> None:
        self._buttons.button(QDialogButtonBox.Ok).setEnabled(bool(self.targets.selectedItems()))

    @pyqtSlot(QListWidgetItem)
    def _on_targets_item_activated(self, _item: QListWidgetItem) -> None:
        self._on_buttons_accepted()

    @pyqtSlot()
    def _on_buttons_accepted(self) -> None:
        items = self.targets.selectedItems()
        if items:
            choice = self._choices[items[0].data(Qt.UserRole)]
            self.accept()
            self.chosen.emit(choice)

    def keyPressEvent(self, event: QKeyEvent | None) -> None:
        """Up and Down walk the list while the search field keeps the focus."""
        assert event is not None
        if event.key() in (Qt.Key_Up, Qt.Key_Down) and self.filter.hasFocus():
            step = -1 if event.key() == Qt.Key_Up else 1
            row = self.targets.currentRow() + step
            if 0 <= row < self.targets.count() and self.targets.item(row).flags() & Qt.ItemIsEnabled:
                self.targets.setCurrentRow(row)
            return
        super().keyPressEvent(event)
