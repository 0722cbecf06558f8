"""The table of runs: one row per run, sortable by any column."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
from PyQt5.QtCore import QAbstractTableModel, QModelIndex, QObject, QSortFilterProxyModel, Qt

from seqdec_gui.runs.run_words import STATE_WORDS, device_words
from seqdec_gui.gui.look import theme
from seqdec_gui.gui.widgets.certificate_words import verdict_color, verdict_of, verdict_text, verdict_tip
from seqdec_gui.runs.listing import Entry
from seqdec_gui.gui.widgets.state_badge import state_color
from seqdec_gui.runs.curves import family, in_order, is_validation
from seqdec_gui.domain.short_numbers import clock, value_text
from seqdec_gui.runs.engines import engine_title
from seqdec_gui.runs.metric_words import in_words

SORT_ROLE = Qt.UserRole
"""The item role with the value to sort by."""
ENTRY_ROLE = Qt.UserRole + 1
"""The item role with the Entry of the row."""
HEADER_TIP = "Right-click to choose columns; drag to move them"
"""The last line of the tooltip of every header."""


class Column(msgspec.Struct, frozen=True):
    """One column. `text` returns what is shown, `key` what to sort by: a number or a text; None is sorted last."""

    title: str
    text: Callable[[Entry], str]
    key: Callable[[Entry], Any]
    number: bool = True
    tip: str = ""


class RunsModel(QAbstractTableModel):
    """A table model of the runs. Updates keep the rows, so that selection and scroll position stay."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.entries: list[Entry] = []
        self.metrics: list[str] = []
        self.columns = _columns(self.metrics)

    def update(self, entries: Sequence[Entry]) -> None:
        """Show these runs. Metrics that are new get columns."""
        names = {name for entry in entries for name in entry.summary.metrics if family(name) in ("loss", "metrics")}
        metrics = in_order(names)
        if metrics != self.metrics:
            self.beginResetModel()
            self.metrics = metrics
            self.columns = _columns(metrics)
            self.entries = list(entries)
            self.endResetModel()
            return
        by_path = {entry.path: entry for entry in entries}
        for row in reversed(range(len(self.entries))):
            if self.entries[row].path not in by_path:
                self.beginRemoveRows(QModelIndex(), row, row)
                del self.entries[row]
                self.endRemoveRows()
        for row, entry in enumerate(self.entries):
            fresh = by_path.pop(entry.path)
            if fresh is not entry or fresh.alive:
                self.entries[row] = fresh
                self.dataChanged.emit(self.index(row, 0), self.index(row, len(self.columns) - 1))
        if by_path:
            first = len(self.entries)
            self.beginInsertRows(QModelIndex(), first, first + len(by_path) - 1)
            self.entries += by_path.values()
            self.endInsertRows()

    def rowCount(self, parent: QModelIndex | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self.entries)

    def columnCount(self, parent: QModelIndex | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self.columns)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.DisplayRole) -> Any:
        if orientation == Qt.Horizontal and section < len(self.columns):
            if role == Qt.DisplayRole:
                return self.columns[section].title
            if role == Qt.TextAlignmentRole:
                side = Qt.AlignRight if self.columns[section].number else Qt.AlignLeft
                return int(side | Qt.AlignVCenter) | int(Qt.TextWordWrap)
            if role == Qt.ToolTipRole:
                return "\n".join(filter(None, (self.columns[section].tip, HEADER_TIP)))
        return None

    def data(self, index: QModelIndex, role: int = Qt.DisplayRole) -> Any:
        entry, column = self.entries[index.row()], self.columns[index.column()]
        if role in (Qt.DisplayRole, Qt.AccessibleTextRole):
            return column.text(entry)
        if role == SORT_ROLE:
            return column.key(entry)
        if role == ENTRY_ROLE:
            return entry
        if role == Qt.TextAlignmentRole:
            return int((Qt.AlignRight if column.number else Qt.AlignLeft) | Qt.AlignVCenter)
        if role == Qt.ForegroundRole and column.title == "State":
            return theme.color(state_color(entry.summary.state))
        if role == Qt.ForegroundRole and column.title == "Certificate":
            return theme.color(verdict_color(verdict_of(entry.certificate, len(entry.summary.devices))))
        if role == Qt.ToolTipRole:
            if column.title == "Run":
                return "\n".join(part for part in (str(entry.path), entry.note.note) if part)
            if column.title == "Certificate":
                return verdict_tip(entry.certificate, len(entry.summary.devices)) or None
            return entry.summary.text if column.title == "State" else None
        return None


class SortedRuns(QSortFilterProxyModel):
    """Sorts by number where there is one. Missing values come last in both directions."""

    def __init__(self, model: RunsModel, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.own_only = True
        self.setSourceModel(model)
        self.setDynamicSortFilter(True)

    def show_own(self, own_only: bool) -> None:
        """Show only the runs of the open design, or all."""
        self.own_only = own_only
        self.invalidateFilter()

    def filterAcceptsRow(self, row: int, parent: QModelIndex) -> bool:
        model = self.sourceModel()
        return not self.own_only or model.entries[row].own

    def lessThan(self, left: QModelIndex, right: QModelIndex) -> bool:
        first, second = left.data(SORT_ROLE), right.data(SORT_ROLE)
        if first is None or second is None:
            ascending = self.sortOrder() == Qt.AscendingOrder
            return (second is None and first is not None) if ascending else (first is None and second is not None)
        return first < second


def _columns(metrics: list[str]) -> list[Column]:
    """Return the columns.

    Those that help most to compare runs come first, where a small window shows them: the state, and the metrics on validation
    rows.
    """
    telling = [name for name in metrics if is_validation(name) and family(name) == "metrics"]
    others = [name for name in metrics if name not in telling]
    return [
        Column("Run", lambda entry: entry.name, lambda entry: entry.name.lower(), number=False),
        Column("State", _state, lambda entry: entry.summary.state, number=False),
        Column("Epochs", _epochs, lambda entry: entry.summary.epoch or None),
        Column("Best", _best, _best_key, tip="The lowest validation loss; the lowest training loss of a run without validation rows"),
        *(_metric_column(name) for name in telling),
        Column("Time", _time, _seconds),
        Column("Devices", lambda e: device_words(e.summary.devices), lambda e: ",".join(e.summary.devices), number=False),
        Column("Certificate", _certificate, lambda entry: _certificate(entry) or None, number=False),
        *(_metric_column(name) for name in others),
        Column("Engine", _engine, lambda entry: entry.summary.engine, number=False),
        Column("Parameters", _parameters, lambda entry: entry.summary.parameters.total or None),
        Column("Started", _started, lambda entry: entry.summary.created or 0.0),
    ]


def _metric_column(name: str) -> Column:
    def text(entry: Entry) -> str:
        return value_text(name, entry.summary.metrics[name]) if name in entry.summary.metrics else ""

    title = in_words(name)
    return Column(title[0].upper() + title[1:], text, lambda entry: entry.summary.metrics.get(name))


def _state(entry: Entry) -> str:
    return STATE_WORDS.get(entry.summary.state, entry.summary.state)


def _epochs(entry: Entry) -> str:
    return f"{entry.summary.epoch} / {entry.summary.epochs}" if entry.summary.epochs else ""


def _best_key(entry: Entry) -> float | None:
    best = entry.summary.best
    return best.get("val_loss", best.get("loss", next(iter(best.values()), None)))


def _best(entry: Entry) -> str:
    best = entry.summary.best
    name = next((name for name in ("val_loss", "loss", *best) if name in best), "")
    return value_text(name, best[name]) if name else ""


def _seconds(entry: Entry) -> float | None:
    if entry.summary.started is None:
        return None
    return max(0.0, (entry.summary.ended or time.time()) - entry.summary.started)


def _time(entry: Entry) -> str:
    seconds = _seconds(entry)
    return "" if seconds is None else clock(seconds)


def _certificate(entry: Entry) -> str:
    return verdict_text(entry.certificate, len(entry.summary.devices))


def _engine(entry: Entry) -> str:
    return engine_title(entry.summary.engine)


def _parameters(entry: Entry) -> str:
    return f"{entry.summary.parameters.total:,}" if entry.summary.parameters.total else ""


def _started(entry: Entry) -> str:
    created = entry.summary.created
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(created)) if created else ""
