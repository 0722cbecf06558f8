"""A table in which a user says what a decoder is fed after what it predicts; it is saved as a file."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from PyQt5.QtCore import Qt, pyqtSignal, pyqtSlot
from PyQt5.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QHeaderView,
    QPushButton,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from seqdec_gui.data.codecs import FittedCategory, FittedText
from seqdec_gui.data.feed_map import BEGIN, FeedMap, read_feed_map
from seqdec_gui.domain.problems import InvalidInput
from seqdec_gui.gui.look import theme
from seqdec_gui.gui.pages.generate.mapping_words import explanation, in_words
from seqdec_gui.gui.tasks import background, notify
from seqdec_gui.gui.tasks.child_task import sentence_of
from seqdec_gui.gui.widgets.wrapped_label import WrappedLabel
from seqdec_gui.runs.files import write_atomically
from seqdec_gui.runs.generate_inputs import Predictions


class FeedMapDialog(QDialog):
    """A row for each predicted symbol, with a cell for what is fed; of a decoder of numbers a row for each fed number.

    Emits `saved` with the path of the file.

    Object names: `feed_map_dialog`, `feed_map_table`, `feed_map_fault`, `same_ids_button`, `save_feed_map`.
    """

    saved = pyqtSignal(object)

    def __init__(self, predicted: Predictions, before: Path | None, parent: QWidget | None = None) -> None:
        super().__init__(parent, objectName="feed_map_dialog", windowTitle="What is fed after a prediction")
        self._predicted = predicted
        words = WrappedLabel(explanation(predicted))
        words.setProperty("role", "small")
        names = names_of_rows(predicted)
        self._table = QTableWidget(len(names) + 1, 2, objectName="feed_map_table")
        numbers = predicted.numbers
        self._table.setAccessibleName(
            "Where each fed number comes from" if numbers else "What is fed after each predicted symbol"
        )
        self._table.setHorizontalHeaderLabels(["Fed number", "Comes from"] if numbers else ["Predicted", "Fed"])
        self._table.verticalHeader().hide()
        self._table.horizontalHeader().setSectionResizeMode(QHeaderView.Stretch)
        for row, name in enumerate((BEGIN, *names)):
            item = QTableWidgetItem(name)
            item.setFlags(Qt.ItemIsEnabled | Qt.ItemIsSelectable)
            self._table.setItem(row, 0, item)
            self._table.setItem(row, 1, QTableWidgetItem(""))
        if before is not None:
            self._fill(read_feed_map(before))
        self._table.setCurrentCell(1, 1)
        self._table.itemChanged.connect(self._judge)
        self._fault = WrappedLabel(name="feed_map_fault")
        self._fault.setProperty("role", "error")
        same = QPushButton("Same places" if numbers else "Same ids", objectName="same_ids_button")
        same.setToolTip(f"Feed each {'number in its own place' if numbers else 'symbol under its own number'}")
        same.clicked.connect(self._on_same_clicked)
        buttons = QDialogButtonBox(QDialogButtonBox.Cancel)
        self._save = buttons.addButton("Save as…", QDialogButtonBox.AcceptRole)
        self._save.setObjectName("save_feed_map")
        self._save.setProperty("kind", "primary")
        buttons.addButton(same, QDialogButtonBox.ResetRole)
        buttons.rejected.connect(self.reject)
        self._save.clicked.connect(self._on_save_clicked)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(*4 * (4 * theme.SPACE,))
        layout.setSpacing(3 * theme.SPACE)
        for widget in (words, self._table, self._fault, buttons):
            layout.addWidget(widget)
        self.resize(460, 560)
        self._judge()

    def mapping(self) -> FeedMap:
        """Return what the table says."""
        cells = [[self._table.item(row, column).text().strip() for column in (0, 1)] for row in range(self._table.rowCount())]
        pairs = [(name, said) for name, said in cells[1:] if said]
        return FeedMap(tuple((said, name) if self._predicted.numbers else (name, said) for name, said in pairs), cells[0][1])

    def _fill(self, mapping: FeedMap) -> None:
        pairs = ((fed, predicted) if self._predicted.numbers else (predicted, fed) for predicted, fed in mapping.pairs)
        given = dict(pairs) | {BEGIN: mapping.begin}
        for row in range(self._table.rowCount()):
            self._table.item(row, 1).setText(given.get(self._table.item(row, 0).text(), ""))

    @pyqtSlot()
    def _judge(self, *_item: object) -> None:
        mapping, fault = self.mapping(), ""
        try:
            in_words(mapping, self._predicted)
        except InvalidInput as error:
            fault = sentence_of(error)
        self._fault.setText(fault)
        self._fault.setVisible(bool(fault))
        self._save.setEnabled(not fault and bool(mapping.pairs))

    @pyqtSlot()
    def _on_same_clicked(self) -> None:
        for row in range(1, self._table.rowCount()):
            most = self._predicted.width if self._predicted.numbers else self._predicted.taken
            if not self._table.item(row, 1).text() and row - 1 < most:
                self._table.item(row, 1).setText(str(row - 1))

    @pyqtSlot()
    def _on_save_clicked(self) -> None:
        notify.choose_target(self, "Save the mapping", ["CSV (*.csv)"], "csv", self._save_to)

    def _save_to(self, path: Path) -> None:
        content = as_csv(self.mapping())

        def done(_nothing: None) -> None:
            self.saved.emit(path)
            self.accept()

        background.run(lambda: write_atomically(path, content.encode()), done, None, self)


def names_of_rows(predicted: Predictions) -> list[str]:
    """Return a name for each symbol that may be predicted: the symbol or label of the data, else its id.

    Of a decoder of numbers the place of each number that is fed.
    """
    if predicted.numbers:
        return [str(number) for number in range(predicted.taken)]
    codec = predicted.port.codec
    if isinstance(codec, FittedText):
        return list(codec.charset)
    if isinstance(codec, FittedCategory):
        return list(codec.labels)
    return [str(number) for number in range(predicted.width)]


def as_csv(mapping: FeedMap) -> str:
    """Return the file of a mapping, which `generate --feed-map` reads too."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(("predicted", "fed"))
    writer.writerows((*([(BEGIN, mapping.begin)] if mapping.begin else []), *mapping.pairs))
    return out.getvalue()
