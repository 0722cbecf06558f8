"""The details of one column: figures, a histogram, and for text the symbols with their counts."""

from __future__ import annotations

from PyQt5.QtCore import Qt, pyqtSignal, pyqtSlot
from PyQt5.QtWidgets import (
    QComboBox,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QScrollArea,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from seqdec_gui.data.display import number_text, symbol_text, type_text
from seqdec_gui.data.formats.base import Column
from seqdec_gui.data.statistics import NumberStatistics, TextStatistics
from seqdec_gui.domain.wording import counted
from seqdec_gui.gui.look import theme
from seqdec_gui.gui.pages.data.histogram import HistogramView
from seqdec_gui.gui.pages.data.measuring import Measured
from seqdec_gui.gui.widgets.discarding import discard_all
from seqdec_gui.gui.widgets.elided_label import ElidedLabel

MAX_SYMBOLS = 500
"""The number of symbols that are listed, the most frequent first."""


class ColumnDetails(QScrollArea):
    """Shows the figures of a column. Emits `tokens_changed` when the user switches between characters and words.

    Object name `column_details`.
    """

    tokens_changed = pyqtSignal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("column_details")
        self.setAccessibleName("Figures of the column")
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarAlwaysOff)
        self.setFrameShape(QFrame.NoFrame)
        self._name = ElidedLabel("column_name")
        self._name.setProperty("role", "value")
        self._type = QLabel()
        self._type.setProperty("role", "small")
        self._tokens = QComboBox(objectName="column_tokens")
        self._tokens.addItem("Characters", "characters")
        self._tokens.addItem("Words", "words")
        self._tokens.setAccessibleName("Count characters or words")
        self._tokens.currentIndexChanged.connect(self._on_tokens_current_index_changed)
        self._grid = QGridLayout()
        self._grid.setHorizontalSpacing(3 * theme.SPACE)
        self._grid.setVerticalSpacing(theme.SPACE)
        self._grid.setColumnStretch(1, 1)
        self._caption = QLabel()
        self._caption.setProperty("role", "section")
        self._histogram = HistogramView()
        self._charset_caption = QLabel()
        self._charset_caption.setProperty("role", "section")
        self._charset = _charset_list()
        content = QWidget()
        column = QVBoxLayout(content)
        column.setContentsMargins(3 * theme.SPACE, 2 * theme.SPACE, 3 * theme.SPACE, 2 * theme.SPACE)
        column.setSpacing(theme.SPACE)
        heading = QHBoxLayout()
        titles = QVBoxLayout()
        titles.setSpacing(0)
        titles.addWidget(self._name)
        titles.addWidget(self._type)
        heading.addLayout(titles, 1)
        heading.addWidget(self._tokens, 0, Qt.AlignTop)
        column.addLayout(heading)
        column.addSpacing(theme.SPACE)
        column.addLayout(self._grid)
        column.addSpacing(2 * theme.SPACE)
        column.addWidget(self._caption)
        column.addWidget(self._histogram)
        column.addSpacing(2 * theme.SPACE)
        column.addWidget(self._charset_caption)
        column.addWidget(self._charset, 1)
        column.addStretch(0)
        self.setWidget(content)
        self.show_column(None, None)

    @property
    def tokens(self) -> str:
        return str(self._tokens.currentData())

    def show_column(self, column: Column | None, measured: Measured | None, failure: str = "") -> None:
        """Show a column. `measured` is None while the column is being measured."""
        self.widget().setVisible(column is not None)
        if column is None:
            return
        self._name.setText(column.name)
        self._type.setText(type_text(column))
        self._tokens.setVisible(column.kind == "text")
        self._show_figures(_figures(column, measured, failure))
        histogram = None if measured is None else measured.histogram
        text = column.kind == "text"
        self._caption.setText(f"LENGTH IN {self.tokens.upper()}" if text else "VALUES")
        self._histogram.show_histogram(histogram, "rows" if text else "values")
        self._caption.setVisible(histogram is not None)
        self._histogram.setVisible(histogram is not None)
        self._show_charset(measured)

    def _show_figures(self, figures: list[tuple[str, str]]) -> None:
        discard_all(self._grid)
        for row, (name, value) in enumerate(figures):
            title = QLabel(name)
            title.setProperty("role", "small")
            words = QLabel(value, wordWrap=True, textInteractionFlags=Qt.TextSelectableByMouse)
            words.setAlignment(Qt.AlignRight | Qt.AlignVCenter)
            words.setObjectName(f"figure_{name.lower().replace(' ', '_')}")
            self._grid.addWidget(title, row, 0)
            self._grid.addWidget(words, row, 1)

    def _show_charset(self, measured: Measured | None) -> None:
        statistics = measured.statistics if measured is not None else None
        shown = isinstance(statistics, TextStatistics)
        self._charset.setVisible(shown)
        self._charset_caption.setVisible(shown)
        self._charset.clear()
        if not isinstance(statistics, TextStatistics):
            return
        total = sum(statistics.symbols.values()) or 1
        self._charset_caption.setText(
            counted(len(statistics.symbols), "symbol" if self.tokens == "characters" else "word").upper()
        )
        ranked = sorted(statistics.symbols.items(), key=lambda item: -item[1])[:MAX_SYMBOLS]
        items = [QTreeWidgetItem([symbol_text(symbol), f"{count:,}", f"{count / total:.1%}"]) for symbol, count in ranked]
        for item in items:
            item.setTextAlignment(1, int(Qt.AlignRight | Qt.AlignVCenter))
            item.setTextAlignment(2, int(Qt.AlignRight | Qt.AlignVCenter))
        self._charset.addTopLevelItems(items)
        if len(statistics.symbols) > MAX_SYMBOLS:
            self._charset.addTopLevelItem(QTreeWidgetItem([f"and {len(statistics.symbols) - MAX_SYMBOLS:,} more"]))

    @pyqtSlot(int)
    def _on_tokens_current_index_changed(self, _index: int) -> None:
        self.tokens_changed.emit(self.tokens)


def _charset_list() -> QTreeWidget:
    tree = QTreeWidget(objectName="column_charset")
    tree.setHeaderLabels(["Symbol", "Count", "Share"])
    tree.setRootIsDecorated(False)
    tree.setUniformRowHeights(True)
    tree.setSelectionMode(QTreeWidget.NoSelection)
    tree.setFocusPolicy(Qt.NoFocus)
    tree.setMinimumHeight(120)
    tree.setFont(theme.font("small"))
    header = tree.header()
    header.setStretchLastSection(False)
    header.setSectionResizeMode(0, QHeaderView.Stretch)
    header.setSectionResizeMode(1, QHeaderView.ResizeToContents)
    header.setSectionResizeMode(2, QHeaderView.ResizeToContents)
    header.setDefaultAlignment(Qt.AlignRight | Qt.AlignVCenter)
    tree.headerItem().setTextAlignment(0, int(Qt.AlignLeft | Qt.AlignVCenter))
    return tree


def _figures(column: Column, measured: Measured | None, failure: str) -> list[tuple[str, str]]:
    """Return the names and values of the figures to show."""
    rows = ("Rows", f"{column.rows:,}")
    if failure:
        return [rows, ("Error", failure)]
    if measured is None:
        return [rows, ("Figures", "measuring…")]
    statistics = measured.statistics
    missing = ("Missing", f"{statistics.missing:,}")
    if isinstance(statistics, NumberStatistics):
        distinct = [] if statistics.distinct is None else [("Distinct", f"{statistics.distinct:,}")]
        return [
            rows,
            missing,
            *distinct,
            ("Minimum", number_text(statistics.minimum)),
            ("Mean", number_text(statistics.mean)),
            ("Maximum", number_text(statistics.maximum)),
            ("Deviation", number_text(statistics.deviation)),
        ]
    return [rows, missing, ("Distinct", f"{statistics.distinct:,}"), ("Longest", f"{statistics.longest:,}")]
