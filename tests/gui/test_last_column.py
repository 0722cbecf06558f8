"""The last column of a table is whole: where there is no room for it, the table scrolls."""

from __future__ import annotations

from PyQt5.QtWidgets import QTableWidget, QTableWidgetItem
from pytestqt.qtbot import QtBot

from seqdec_gui.gui.widgets.last_column import LastColumn


def test_it_takes_what_is_left_and_never_less_than_it_needs(qtbot: QtBot) -> None:
    table = QTableWidget(1, 3)
    qtbot.addWidget(table)
    last = LastColumn(table)
    words = "a long sentence that stands in the last column"
    for place, text in enumerate(("a", "b", words)):
        table.setItem(0, place, QTableWidgetItem(text))
    table.show()
    last.fit()
    needed = table.fontMetrics().horizontalAdvance(words)
    for width in (1000, 320, 90, 700):
        table.resize(width, 120)
        qtbot.waitUntil(lambda width=width: table.width() == width)
        before = table.columnWidth(0) + table.columnWidth(1)
        assert table.columnWidth(2) >= needed
        assert before + table.columnWidth(2) >= table.viewport().width()
        assert (table.horizontalScrollBar().maximum() > 0) == (before + needed > table.viewport().width() - 12)
    table.resize(last.width, 120)
    table.setColumnWidth(0, table.sizeHintForColumn(0))
    assert last.width >= needed
