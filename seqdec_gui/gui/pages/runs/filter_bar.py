"""The line above the table of runs by which a user finds some of many: words, state, design and tag."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec
from PyQt5.QtCore import Qt, QTimer, pyqtSignal, pyqtSlot
from PyQt5.QtGui import QKeySequence
from PyQt5.QtWidgets import QComboBox, QHBoxLayout, QLineEdit, QPushButton, QShortcut, QSizePolicy, QWidget

from seqdec_gui.gui.look import theme
from seqdec_gui.gui.look.icons import icon
from seqdec_gui.gui.widgets.choice_box import SizedBox
from seqdec_gui.runs.listing import Entry
from seqdec_gui.runs.run_filter import RunFilter, designs_of, tags_in

STATES = {
    "": "Any state",
    "active": "Training",
    "finished": "Finished",
    "stopped": "Stopped",
    "failed": "Failed",
    "other": "Other",
}
"""The texts of the states, by their names in `run_filter.STATES`."""
TYPING_MS = 150
"""The time from the last key to filtering, in milliseconds."""
WIDEST = 160
"""The greatest width of a choice, in pixels."""


class FilterBar(QWidget):
    """The fields `runs_search`, `runs_state`, `runs_design` and `runs_tag`, and the button `clear_filters`."""

    changed = pyqtSignal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.search = QLineEdit(objectName="runs_search", clearButtonEnabled=True)
        self.search.setPlaceholderText("Search name, note, #tag, folder")
        self.search.setAccessibleName("Search runs")
        self._picture = self.search.addAction(icon("magnify"), QLineEdit.LeadingPosition)
        self.search.textChanged.connect(self._on_search_text_changed)
        QShortcut(QKeySequence(Qt.Key_Escape), self.search, self.search.clear, context=Qt.WidgetShortcut)
        self._states = _choice("runs_state", "State")
        self._designs = _choice("runs_design", "Design")
        self._tags = _choice("runs_tag", "Tag")
        self._clear = QPushButton("Clear", objectName="clear_filters", toolTip="Show all runs again")
        self._clear.setProperty("kind", "flat")
        self._clear.clicked.connect(self.clear)
        for value, text in STATES.items():
            self._states.addItem(text, value)
        for choice in (self._states, self._designs, self._tags):
            choice.currentIndexChanged.connect(self._on_choice_changed)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(TYPING_MS)
        self._timer.timeout.connect(self._tell)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(2 * theme.SPACE)
        row.addWidget(self.search, 1)
        for widget in (self._states, self._designs, self._tags, self._clear):
            row.addWidget(widget)
        self._own_only = True
        self.show_choices(())
        theme.notifier.changed.connect(self._on_theme_changed)

    @property
    def filter(self) -> RunFilter:
        """Return what is wanted; `own_only` as it was set."""
        return RunFilter(
            words=self.search.text(),
            state=self._states.currentData() or "",
            design=(self._designs.currentData() or "") if not self._own_only else "",
            tag=self._tags.currentData() or "",
            own_only=self._own_only,
        )

    def set_own_only(self, own_only: bool) -> None:
        """Let only runs of the open design pass, or those of all; there is no choice of a design then."""
        self._own_only = own_only
        self._show_which()

    def choose_state(self, state: str) -> None:
        """Choose a state, and nothing else."""
        self.clear()
        self._states.setCurrentIndex(max(0, self._states.findData(state)))

    def show_choices(self, entries: Iterable[Entry]) -> None:
        """Offer the designs and tags that these runs have; what is chosen stays chosen."""
        known = list(entries)
        _fill(self._designs, {"": "Any design", **designs_of(known)})
        _fill(self._tags, {"": "Any tag", **{tag: f"#{tag}" for tag in tags_in(known)}})
        self._show_which()

    @pyqtSlot()
    def clear(self) -> None:
        """Let all runs pass."""
        for choice in (self._states, self._designs, self._tags):
            choice.setCurrentIndex(0)
        self.search.clear()
        self._tell()

    def _show_which(self) -> None:
        self._designs.setVisible(not self._own_only)
        self._tags.setVisible(self._tags.count() > 1)
        self._clear.setVisible(msgspec.structs.replace(self.filter, own_only=False).narrows)

    @pyqtSlot()
    def _tell(self) -> None:
        self._timer.stop()
        self._show_which()
        self.changed.emit()

    @pyqtSlot(str)
    def _on_search_text_changed(self, _text: str) -> None:
        self._timer.start()

    @pyqtSlot(int)
    def _on_choice_changed(self, _index: int) -> None:
        self._tell()

    @pyqtSlot()
    def _on_theme_changed(self) -> None:
        self._picture.setIcon(icon("magnify"))


def _choice(name: str, what: str) -> QComboBox:
    choice = SizedBox(name=name)
    choice.setAccessibleName(what)
    choice.setSizePolicy(QSizePolicy.Preferred, QSizePolicy.Fixed)
    choice.setMaximumWidth(WIDEST)
    return choice


def _fill(choice: QComboBox, texts: Mapping[str, str]) -> None:
    """Offer these texts by their values, unless they are offered already."""
    if [choice.itemData(place) for place in range(choice.count())] == list(texts) and [
        choice.itemText(place) for place in range(choice.count())
    ] == list(texts.values()):
        return
    chosen = choice.currentData()
    choice.blockSignals(True)
    choice.clear()
    for value, text in texts.items():
        choice.addItem(text, value)
        choice.setItemData(choice.count() - 1, text, Qt.ToolTipRole)
    choice.setCurrentIndex(max(0, choice.findData(chosen)))
    choice.blockSignals(False)
