"""The field for the file that says what a decoder is fed after what it predicts."""

from __future__ import annotations

from pathlib import Path

from PyQt5.QtCore import pyqtSignal, pyqtSlot
from PyQt5.QtWidgets import QHBoxLayout, QLabel, QLineEdit, QPushButton, QVBoxLayout, QWidget

from seqdec_gui.data.feed_map import as_pairs, read_feed_map
from seqdec_gui.domain.paths import expanded
from seqdec_gui.domain.problems import InvalidInput
from seqdec_gui.gui.look import theme
from seqdec_gui.gui.look.stylesheet import polish
from seqdec_gui.gui.pages.generate.feed_map_dialog import FeedMapDialog
from seqdec_gui.gui.pages.generate.mapping_words import in_words
from seqdec_gui.gui.tasks import notify
from seqdec_gui.gui.tasks.child_task import sentence_of
from seqdec_gui.gui.widgets.wrapped_label import WrappedLabel
from seqdec_gui.runs.generate_inputs import Predictions, RunInputs


class FeedMapForm(QWidget):
    """A mapping for a run whose decoder takes other symbols or numbers than it predicts; hidden for other runs.

    Object names: `feed_map_file`, `choose_feed_map`, `make_feed_map`, `keep_feed_map`, `feed_map_words`.
    """

    edited = pyqtSignal()
    kept = pyqtSignal(object)  # the pairs that the design is to keep

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._predicted: Predictions | None = None
        title = QLabel("What is fed after a prediction")
        title.setProperty("role", "section")
        self._file = QLineEdit(objectName="feed_map_file", placeholderText="CSV or JSON: predicted to fed")
        self._file.setAccessibleName(title.text())
        self._file.textChanged.connect(self._on_file_text_changed)
        choose = QPushButton("Choose…", objectName="choose_feed_map")
        choose.clicked.connect(self._on_choose_clicked)
        make = QPushButton("Fill in…", objectName="make_feed_map", toolTip="Say in a table what is fed, and save it as a file")
        make.clicked.connect(self._on_make_clicked)
        row = QHBoxLayout()
        row.setSpacing(2 * theme.SPACE)
        row.addWidget(choose)
        row.addWidget(make)
        self._keep = QPushButton("Keep in Design", objectName="keep_feed_map", enabled=False)
        self._keep.setToolTip(
            "Write the mapping into the open design: what is trained from now on, and its bundles, need no file"
        )
        self._keep.clicked.connect(self._on_keep_clicked)
        row.addWidget(self._keep)
        row.addStretch(1)
        self._words = WrappedLabel(name="feed_map_words")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2 * theme.SPACE)
        layout.addWidget(title)
        layout.addWidget(self._file)
        layout.addLayout(row)
        layout.addWidget(self._words)
        self.hide()

    @property
    def needed(self) -> bool:
        """Whether the run generates only with a mapping."""
        return self._predicted is not None and bool(self._predicted.needs_mapping)

    @property
    def path(self) -> str:
        """The absolute path of the file; empty if none is needed or chosen."""
        name = self._file.text().strip()
        return str(expanded(name).absolute()) if self.needed and name else ""

    @property
    def name(self) -> str:
        """What is typed for the file."""
        return str(self._file.text().strip())

    def show_run(self, inputs: RunInputs | None, name: str) -> None:
        """Show the field if a run needs it, with the file that was last chosen for it."""
        self._predicted = None if inputs is None else inputs.predicted
        self._file.setText(name if self.needed else "")
        self.setVisible(self.needed)
        self._judge()

    @property
    def fault(self) -> str:
        """Return why the mapping cannot be used; empty if it can, or if none is chosen yet."""
        return self._look()[0]

    @property
    def missing(self) -> str:
        """Return what has to be chosen first, a sentence; empty if nothing is missing."""
        return "Give a mapping from what is predicted to what is fed." if self.needed and not self.path else ""

    def _look(self) -> tuple[str, str]:
        """Return what is wrong with the file, and what it says."""
        found = self._predicted
        if found is None or not self.path or found.fed is None:
            return "", ""
        try:
            return "", in_words(read_feed_map(Path(self.path)), found)
        except InvalidInput as error:
            return sentence_of(error), ""

    def _judge(self) -> None:
        fault, words = self._look()
        needs = "" if self._predicted is None else self._predicted.needs_mapping.split(", so that", 1)[0]
        polish(self._words, "role", "error" if fault else "small")
        polish(self._file, "invalid", bool(fault))
        self._words.setText(fault or words or needs)
        self._keep.setEnabled(bool(words))

    @pyqtSlot(str)
    def _on_file_text_changed(self, _text: str) -> None:
        self._judge()
        self.edited.emit()

    @pyqtSlot()
    def _on_choose_clicked(self) -> None:
        notify.choose_file(self, "Mapping", ["Mappings (*.csv *.json)"], lambda path: self._file.setText(str(path)))

    @pyqtSlot()
    def _on_make_clicked(self) -> None:
        found = self._predicted
        if found is None or found.fed is None:
            return
        before = Path(self.path) if self.path and not self.fault else None
        dialog = FeedMapDialog(found, before, self)
        dialog.saved.connect(self._on_saved)
        notify.present(dialog)

    @pyqtSlot()
    def _on_keep_clicked(self) -> None:
        self.kept.emit(as_pairs(read_feed_map(Path(self.path))))

    @pyqtSlot(object)
    def _on_saved(self, path: Path) -> None:
        self._file.setText(str(path))
        self._judge()
        self.edited.emit()
