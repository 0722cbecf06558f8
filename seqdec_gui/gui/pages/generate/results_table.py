"""The table of generated sequences, to sort, filter and copy. It stays quick with many rows: it sorts and filters lists."""

from __future__ import annotations

from collections.abc import Sequence

from PyQt5.QtCore import QObject
from PyQt5.QtGui import QKeyEvent, QKeySequence
from PyQt5.QtWidgets import QApplication, QWidget

from seqdec_gui.data.generated_results import Filter, Result, as_lines, kept_names
from seqdec_gui.gui.pages.generate.list_model import ListModel
from seqdec_gui.gui.pages.generate.list_table import ListTable

CUT_SIGN = " …"
"""The text shown after a sequence that reached the greatest length before its end."""
TITLES = ("Row", "Sample", "Text", "log p", "Input", "Problem", "Finished")
"""The titles of the columns of the table; columns that were carried over follow under their own names."""
SAMPLE_COLUMN = 1
"""The table's column with the number of the sample."""
TEXT_COLUMN = 2
"""The table's column with the sequence."""
LOG_COLUMN = 3
"""The table's column with the logarithm of the probability."""
INPUT_COLUMN = 4
"""The table's column with what the row was made from."""
PROBLEM_COLUMN = 5
"""The table's column with the reason why a row could not be decoded."""
FINISHED_COLUMN = 6
"""The table's column that says whether a sequence ended by itself."""
MIN_INPUT_WIDTH = 64
"""The least width of the column of inputs, in pixels."""
MAX_INPUT_WIDTH = 160
"""The greatest width of the column of inputs, and of those carried over, in pixels."""
MAX_PROBLEM_WIDTH = 320
"""The greatest width of the column of problems, in pixels."""


class ResultsModel(ListModel):
    """A table model of the results that pass the filter, in the order of the column that was sorted by.

    Rows and samples are shown from 1. `results` are all results.
    """

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.results: list[Result] = []
        self.inputs: Sequence[str] = ()
        self._kept: list[str] = []
        self._filter = Filter()

    @property
    def titles(self) -> Sequence[str]:
        return (*TITLES, *self._kept)

    def show_results(self, results: list[Result], inputs: Sequence[str]) -> None:
        self.beginResetModel()
        self.results = results
        self.inputs = inputs
        self._kept = kept_names(results)
        self.choose(self._filter.of(results, inputs))
        self.endResetModel()

    def set_filter(self, wanted: Filter) -> None:
        """Show the results that pass this filter."""
        self.beginResetModel()
        self._filter = wanted
        self.choose(wanted.of(self.results, self.inputs))
        self.endResetModel()

    def result_at(self, row: int) -> Result:
        """Return the result in a row of the table."""
        return self.results[self.place(row)]

    def value(self, place: int, column: int) -> object:
        result = self.results[place]
        if column < INPUT_COLUMN:
            return result[column]
        if column == FINISHED_COLUMN:
            return None if result.problem else result.finished
        if column > FINISHED_COLUMN:
            return result.kept[column - len(TITLES)][1]
        if column == PROBLEM_COLUMN:
            return result.problem
        return self.inputs[result.row] if result.row < len(self.inputs) else ""

    def holds_text(self, column: int) -> bool:
        return column == TEXT_COLUMN or column >= INPUT_COLUMN

    def shown_text(self, value: object, column: int, place: int) -> str:
        if column < TEXT_COLUMN:
            return "–" if value is None else f"{int(value) + 1:,}"  # type: ignore[call-overload]
        if column == LOG_COLUMN:
            return "–" if value is None else f"{value:.3f}"
        if column == FINISHED_COLUMN:
            return "–" if value is None else "yes" if value else "cut"
        cut = CUT_SIGN if column == TEXT_COLUMN and not self.results[place].finished else ""
        return str(value).replace("\n", "⏎") + cut

    def tip(self, value: object, column: int, place: int) -> str:
        if column == TEXT_COLUMN and not self.results[place].finished:
            return f"{value}\nUnfinished: it had no end symbol yet at the greatest length, and was cut there."
        return str(value) if self.holds_text(column) and column != FINISHED_COLUMN else ""

    def title_tip(self, column: int) -> str:
        return {
            LOG_COLUMN: "Natural logarithm of the probability of the whole sequence, its end included",
            FINISHED_COLUMN: "Whether a sequence ended by itself, or was cut at the greatest length",
        }.get(column, "")

    def monospaced(self, column: int) -> bool:
        return column == TEXT_COLUMN


def _greatest_width(column: int) -> int:
    return MAX_PROBLEM_WIDTH if column == PROBLEM_COLUMN else MAX_INPUT_WIDTH


class ResultsTable(ListTable):
    """The table of results, sorted by a click on a header. Ctrl+C copies the selected rows. Object name `results_table`."""

    def __init__(self, parent: QWidget | None = None) -> None:
        self.results = ResultsModel()
        widths = {0: 52, SAMPLE_COLUMN: 68, LOG_COLUMN: 84, FINISHED_COLUMN: 76}
        super().__init__(self.results, "results_table", TEXT_COLUMN, widths, parent)
        self.results.setParent(self)
        self.setAccessibleName("Generated sequences")
        header = self.horizontalHeader()
        header.moveSection(INPUT_COLUMN, TEXT_COLUMN)
        header.moveSection(header.visualIndex(FINISHED_COLUMN), header.visualIndex(LOG_COLUMN) + 1)

    def show_results(self, results: list[Result], inputs: Sequence[str] = ()) -> None:
        """Show these results. `inputs` are texts about what each row was generated from, if known."""
        self.show_unsorted()
        self.results.show_results(results, inputs)
        self.setColumnHidden(INPUT_COLUMN, not any(inputs))
        self.setColumnWidth(INPUT_COLUMN, min(MAX_INPUT_WIDTH, max(MIN_INPUT_WIDTH, self.sizeHintForColumn(INPUT_COLUMN))))
        self.setColumnHidden(SAMPLE_COLUMN, not any(result.sample for result in results))
        self.setColumnHidden(PROBLEM_COLUMN, not any(result.problem for result in results))
        self.setColumnHidden(FINISHED_COLUMN, all(result.finished for result in results))
        for column in (PROBLEM_COLUMN, *range(len(TITLES), self.results.columnCount())):
            width = max(self.sizeHintForColumn(column), self.horizontalHeader().sectionSizeHint(column))
            self.setColumnWidth(column, min(_greatest_width(column), max(MIN_INPUT_WIDTH, width)))
        self.scrollToTop()

    def all_shown(self) -> list[Result]:
        """Return the results in the table, in its order."""
        return [self.results.result_at(row) for row in range(self.results.rowCount())]

    def shown(self) -> list[Result]:
        """Return the selected rows in the order of the table, or all rows if none is selected."""
        chosen = sorted({index.row() for index in self.selectionModel().selectedIndexes()})
        return [self.results.result_at(row) for row in chosen] if chosen else self.all_shown()

    def copy(self) -> int:
        """Copy the rows of `shown` to the clipboard, separated by tabs for spreadsheets. Return their number."""
        rows = self.shown()
        QApplication.clipboard().setText(as_lines(rows))
        return len(rows)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.matches(QKeySequence.Copy):
            self.copy()
        else:
            super().keyPressEvent(event)
