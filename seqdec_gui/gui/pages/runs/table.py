"""The table of runs: one row per run that passes the filter, sortable by any column."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
from PyQt5.QtCore import QAbstractTableModel, QModelIndex, QObject, Qt, pyqtSignal

from seqdec_gui.domain.short_numbers import clock, value_text
from seqdec_gui.gui.look import theme
from seqdec_gui.gui.widgets.certificate_words import verdict_color, verdict_of, verdict_text, verdict_tip
from seqdec_gui.gui.widgets.state_badge import state_color
from seqdec_gui.runs.curves import family, in_order, is_validation
from seqdec_gui.runs.engines import engine_title
from seqdec_gui.runs.listing import Entry
from seqdec_gui.runs.metric_words import in_words
from seqdec_gui.runs.run_filter import RunFilter
from seqdec_gui.runs.run_words import STATE_WORDS, device_words

ENTRY_ROLE = Qt.UserRole + 1
"""The item role with the Entry of the row."""
HEADER_TIP = "Right-click to choose columns; drag to move them"
"""The last line of the tooltip of every header."""
STARTED = "Started"
"""The title of the column by which runs are sorted at first."""


class Column(msgspec.Struct, frozen=True):
    """One column. `text` returns what is shown, `key` what to sort by: a number or a text; None is sorted last."""

    title: str
    text: Callable[[Entry], str]
    key: Callable[[Entry], Any]
    number: bool = True
    tip: str = ""


class _Shape(msgspec.Struct, frozen=True):
    """What the columns depend on."""

    metrics: tuple[str, ...] = ()
    designs: bool = False
    tags: bool = False


class RunsModel(QAbstractTableModel):
    """The runs that pass `filter`, sorted. Updates keep the rows where they can, so that selection and scroll position stay."""

    columns_changed = pyqtSignal()
    entries_changed = pyqtSignal(object)  # list[Entry]: those that are new or different

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.every: list[Entry] = []
        self.entries: list[Entry] = []
        self.filter = RunFilter(own_only=True)
        self._shape = _Shape()
        self.columns = _columns(self._shape)
        self._sorted_by = STARTED
        self._order = Qt.DescendingOrder

    @property
    def titles(self) -> list[str]:
        return [column.title for column in self.columns]

    @property
    def sorted_by(self) -> tuple[int, Qt.SortOrder]:
        """Return the place of the column that the rows are sorted by, and the direction."""
        titles = self.titles
        return titles.index(self._sorted_by if self._sorted_by in titles else STARTED), self._order

    def update(self, entries: Sequence[Entry]) -> None:
        """Show those of these runs that pass the filter."""
        self.every = list(entries)
        self._arrange()

    def set_filter(self, wanted: RunFilter) -> None:
        if wanted != self.filter:
            self.filter = wanted
            self._arrange()

    def sort(self, column: int, order: Qt.SortOrder = Qt.AscendingOrder) -> None:
        self._sorted_by, self._order = self.titles[column], order
        self._arrange()

    def _arrange(self) -> None:
        """Choose the columns and rows, and tell views as little as is true."""
        shown = [entry for entry in self.every if self.filter.passes(entry)]
        designs = not self.filter.own_only
        shape = _shape(shown, designs) if shown else msgspec.structs.replace(self._shape, designs=designs)
        if shape != self._shape:
            self.beginResetModel()
            self._shape, self.columns = shape, _columns(shape)
            self.entries = self._in_order(shown)
            self.endResetModel()
            self.columns_changed.emit()
            self.entries_changed.emit(shown)
            return
        shown = self._in_order(shown)
        fresh = self._fresh(shown)
        if len(shown) == len(self.entries) and all(map(_is_run_of, shown, self.entries)):
            self._replace(shown)
        elif len(shown) == len(self.entries) and {entry.path for entry in shown} == {entry.path for entry in self.entries}:
            self._reorder(shown)
        else:
            self.beginResetModel()
            self.entries = shown
            self.endResetModel()
        if fresh:
            self.entries_changed.emit(fresh)

    def _fresh(self, shown: list[Entry]) -> list[Entry]:
        """Return the entries that are new or different. Those that are the same objects, which most are, cost nothing."""
        known = set(map(id, self.entries))
        others = [entry for entry in shown if id(entry) not in known]
        if not others:
            return []
        before = {entry.path: entry for entry in self.entries}
        return [entry for entry in others if entry != before.get(entry.path)]

    def _replace(self, shown: list[Entry]) -> None:
        before, self.entries = self.entries, shown
        last = len(self.columns) - 1
        for row, (old, new) in enumerate(zip(before, shown, strict=True)):
            if new.alive or (old is not new and old != new):
                self.dataChanged.emit(self.index(row, 0), self.index(row, last))

    def _reorder(self, shown: list[Entry]) -> None:
        self.layoutAboutToBeChanged.emit()
        rows = {entry.path: row for row, entry in enumerate(shown)}
        old = self.persistentIndexList()
        new = [self.index(rows[self.entries[index.row()].path], index.column()) for index in old]
        self.entries = shown
        self.changePersistentIndexList(old, new)
        self.layoutChanged.emit()

    def _in_order(self, entries: list[Entry]) -> list[Entry]:
        """Return the entries in the order of the chosen column, without values last in both directions."""
        column = self.columns[self.sorted_by[0]]
        keyed = [(column.key(entry), entry) for entry in entries]
        known = [pair for pair in keyed if pair[0] is not None]
        known.sort(key=lambda pair: pair[0], reverse=self._order == Qt.DescendingOrder)
        return [entry for _, entry in known] + [entry for key, entry in keyed if key is None]

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
        if role == ENTRY_ROLE:
            return entry
        if role == Qt.TextAlignmentRole:
            return int((Qt.AlignRight if column.number else Qt.AlignLeft) | Qt.AlignVCenter)
        if role == Qt.ForegroundRole:
            return _ink(entry, column)
        if role == Qt.ToolTipRole:
            return _tip(entry, column)
        return None


def _is_run_of(one: Entry, other: Entry) -> bool:
    """Return whether two entries are of the same run."""
    return one is other or one.path == other.path


def _ink(entry: Entry, column: Column) -> Any:
    if entry.missing:
        return theme.color(theme.current().text_dim)
    if column.title == "State":
        return theme.color(state_color(entry.state))
    if column.title == "Certificate":
        return theme.color(verdict_color(verdict_of(entry.certificate, len(entry.summary.devices))))
    return None


def _tip(entry: Entry, column: Column) -> str | None:
    match column.title:
        case "Run":
            return "\n".join(part for part in (entry.name, str(entry.path), entry.note.note) if part)
        case "Design":
            return entry.summary.design_path or f"{entry.summary.design}, which was in no file when the run was started"
        case "State" if entry.missing:
            return f"{entry.path} is gone, or cannot be reached from here. When it was last seen: {entry.summary.text}"
        case "State":
            return entry.summary.text
        case "Tags":
            return column.text(entry) or None
        case "Certificate":
            return verdict_tip(entry.certificate, len(entry.summary.devices)) or None
    return None


TELLING = ("metrics", "quality", "scores")
"""The families of metrics that help most to compare runs, where they are of validation rows."""


def _shape(entries: Sequence[Entry], designs: bool) -> _Shape:
    names = {name for entry in entries for name in entry.summary.metrics}
    told = {name for name in names if family(name) in ("loss", *TELLING)}
    return _Shape(tuple(in_order(told)), designs, any(entry.note.tags for entry in entries))


def _columns(shape: _Shape) -> list[Column]:
    """Return the columns.

    Those that help most to compare runs come first, where a small window shows them: the state, and the metrics on validation
    rows.
    """
    telling = [name for name in shape.metrics if is_validation(name) and family(name) in TELLING]
    others = [name for name in shape.metrics if name not in telling]
    design = Column("Design", lambda e: e.summary.design, lambda e: e.summary.design.casefold() or None, number=False)
    tags = Column("Tags", lambda e: ", ".join(e.note.tags), lambda e: ", ".join(e.note.tags).casefold() or None, number=False)
    return [
        Column("Run", lambda entry: entry.name, lambda entry: entry.name.casefold(), number=False),
        *([design] if shape.designs else []),
        Column("State", _state, lambda entry: entry.state, number=False),
        Column("Epochs", _epochs, lambda entry: entry.summary.epoch or None),
        Column(
            "Best",
            _best,
            _best_key,
            tip="The lowest validation loss; the lowest training loss of a run without validation rows",
        ),
        *(_metric_column(name) for name in telling),
        Column("Best epoch", _best_epoch, lambda entry: entry.summary.best_epoch or None, tip="The epoch of the best weights"),
        *([tags] if shape.tags else []),
        Column("Time", _time, _seconds),
        Column("Devices", lambda e: device_words(e.summary.devices), lambda e: ",".join(e.summary.devices), number=False),
        Column("Certificate", _certificate, lambda entry: _certificate(entry) or None, number=False),
        *(_metric_column(name) for name in others),
        Column("Engine", _engine, lambda entry: entry.summary.engine, number=False),
        Column("Parameters", _parameters, lambda entry: entry.summary.parameters.total or None),
        Column(STARTED, _started, lambda entry: entry.summary.created or 0.0),
    ]


def _metric_column(name: str) -> Column:
    def text(entry: Entry) -> str:
        return value_text(name, entry.summary.metrics[name]) if name in entry.summary.metrics else ""

    title = in_words(name)
    return Column(title[0].upper() + title[1:], text, lambda entry: entry.summary.metrics.get(name))


def _state(entry: Entry) -> str:
    return STATE_WORDS.get(entry.state, entry.state)


def _epochs(entry: Entry) -> str:
    return f"{entry.summary.epoch} / {entry.summary.epochs}" if entry.summary.epochs else ""


def _best_key(entry: Entry) -> float | None:
    best = entry.summary.best
    return best.get("val_loss", best.get("loss", next(iter(best.values()), None)))


def _best(entry: Entry) -> str:
    best = entry.summary.best
    name = next((name for name in ("val_loss", "loss", *best) if name in best), "")
    return value_text(name, best[name]) if name else ""


def _best_epoch(entry: Entry) -> str:
    return str(entry.summary.best_epoch) if entry.summary.best_epoch else ""


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
