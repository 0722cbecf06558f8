"""The attention of one sequence: a picture for each layer and head, to look at, copy and save."""

from __future__ import annotations

from pathlib import Path

from PyQt5.QtCore import QSize, Qt, pyqtSignal, pyqtSlot
from PyQt5.QtGui import QKeyEvent, QPainter
from PyQt5.QtSvg import QSvgGenerator
from PyQt5.QtWidgets import (
    QApplication,
    QComboBox,
    QFrame,
    QHBoxLayout,
    QLabel,
    QMenu,
    QPushButton,
    QScrollArea,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from seqdec_gui.domain.problems import SeqdecError
from seqdec_gui.gui.look import theme
from seqdec_gui.gui.tasks import notify
from seqdec_gui.gui.widgets.attention.heat_map import HeatMap
from seqdec_gui.gui.workspace.workspace import Workspace
from seqdec_gui.runs.attention import MEAN, AttentionMap, RowAttention
from seqdec_gui.runs.files import write_atomically

NOTHING = "Click a row to see what the model attends to while it makes its sequence."
"""What the view says before there is anything to show."""
FILE_KINDS = ["PNG (*.png)", "SVG (*.svg)", "CSV (*.csv)"]
"""The kinds of files that a picture is saved as."""


class AttentionView(QWidget):
    """The weights of one layer and head, or of their mean. `failed` is emitted with an error. Names in the package."""

    failed = pyqtSignal(object)

    def __init__(self, workspace: Workspace, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("attention_view")
        self._workspace = workspace
        self._shown: RowAttention | None = None
        self.layers = QComboBox(objectName="attention_layer")
        self.layers.setAccessibleName("Layer")
        self.layers.setSizeAdjustPolicy(QComboBox.AdjustToMinimumContentsLengthWithIcon)
        self.layers.setMinimumContentsLength(10)
        self.heads = QComboBox(objectName="attention_head")
        self.heads.setAccessibleName("Head")
        self.map = HeatMap()
        self._words = QLabel(NOTHING, objectName="attention_words", wordWrap=True)
        self._words.setProperty("role", "small")
        self._area = QScrollArea(widgetResizable=True)
        self._area.setAccessibleName("Picture of attention")
        self._area.setFrameShape(QFrame.NoFrame)
        self._area.setWidget(self.map)
        self._lay_out()
        self.layers.currentIndexChanged.connect(self._on_layer_changed)
        self.heads.currentIndexChanged.connect(self._on_head_changed)
        self.show_attention(None)

    def _lay_out(self) -> None:
        menu = QMenu(self)
        for name, words, slot in (
            ("copy_attention_picture", "Picture", self.copy_picture), ("copy_attention_table", "Table", self.copy_table),
        ):  # fmt: skip
            action = menu.addAction(words)
            action.setObjectName(name)
            action.triggered.connect(slot)
        self.copy_button = QToolButton(objectName="copy_attention", text="Copy", toolTip="Copy the picture, or its table")
        self.copy_button.setPopupMode(QToolButton.InstantPopup)
        self.copy_button.setMenu(menu)
        self.save_button = QPushButton("Save as…", objectName="save_attention")
        self.save_button.setToolTip("Save the picture as PNG or SVG, or its numbers as CSV")
        self.save_button.clicked.connect(self._on_save_clicked)
        row = QHBoxLayout()
        row.setSpacing(2 * theme.SPACE)
        row.addWidget(self.layers, 1)
        row.addWidget(self.heads)
        row.addWidget(self.copy_button)
        row.addWidget(self.save_button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(3 * theme.SPACE, theme.SPACE, 3 * theme.SPACE, theme.SPACE)
        layout.setSpacing(theme.SPACE)
        layout.addLayout(row)
        layout.addWidget(self._words)
        layout.addWidget(self._area, 1)

    def sizeHint(self) -> QSize:
        return QSize(360, 300)

    # -- what is shown
    def show_attention(self, found: RowAttention | None, why: str = "") -> None:
        """Show the attention of a sequence; the layer stays the one that was chosen, if there is such a one. None: nothing."""
        before, head = self.layers.currentText(), self.heads.currentText()
        self._shown = found
        maps = found.maps if found is not None else ()
        self.layers.blockSignals(True)
        self.layers.clear()
        self.layers.addItems([each.title for each in maps])
        cross = next((number for number, each in enumerate(maps) if not each.itself), 0)
        self.layers.setCurrentIndex(max(self.layers.findText(before), 0 if before else cross) if maps else -1)
        self.layers.blockSignals(False)
        for widget in (self.layers, self.heads, self.copy_button, self.save_button):
            widget.setEnabled(bool(maps))
        self._area.setVisible(bool(maps))
        self._words.setText(why or NOTHING)
        self._on_layer_changed()
        self.heads.setCurrentIndex(max(0, self.heads.findText(head)))

    @property
    def current(self) -> AttentionMap | None:
        """The attention that is chosen."""
        number = self.layers.currentIndex()
        return None if self._shown is None or number < 0 else self._shown.maps[number]

    @property
    def head(self) -> int:
        """The head that is chosen, or `MEAN`."""
        number = self.heads.currentData()
        return MEAN if number is None else int(number)

    @pyqtSlot()
    def _on_layer_changed(self, *_number: object) -> None:
        chosen = self.current
        self.heads.blockSignals(True)
        self.heads.clear()
        if chosen is not None:
            if chosen.heads > 1:
                self.heads.addItem(f"Mean of {chosen.heads} heads", MEAN)
            for head in range(chosen.heads):
                self.heads.addItem(f"Head {head + 1}", head)
        self.heads.blockSignals(False)
        self.heads.setVisible(self.heads.count() > 1)
        self._on_head_changed()

    @pyqtSlot()
    def _on_head_changed(self, *_number: object) -> None:
        chosen = self.current
        if chosen is None:
            self.map.show_weights((), (), ())
            return
        self.map.show_weights(chosen.targets, chosen.sources, chosen.of_head(self.head))
        what = "symbols before it" if chosen.itself else chosen.attends_to
        row = f"Row {self._shown.row + 1}: " if self._shown is not None else ""
        self._words.setText(f"{row}each line is a step of {chosen.block}, each column a step of {what}; a line sums to 1.")

    # -- copy and save
    @pyqtSlot()
    def copy_picture(self) -> None:
        """Put the picture on the clipboard."""
        QApplication.clipboard().setImage(self.map.picture())
        self._workspace.status_message.emit("The picture is on the clipboard.")

    @pyqtSlot()
    def copy_table(self) -> None:
        """Put the numbers on the clipboard, for a spreadsheet."""
        chosen = self.current
        if chosen is not None:
            lines = [["", *chosen.sources]]
            lines += [
                [target, *(f"{weight:.6g}" for weight in row)]
                for target, row in zip(chosen.targets, chosen.of_head(self.head), strict=True)
            ]
            cells = [[cell.replace("\t", " ").replace("\n", "⏎") for cell in line] for line in lines]
            QApplication.clipboard().setText("\n".join("\t".join(line) for line in cells))
            self._workspace.status_message.emit("The table is on the clipboard.")

    @pyqtSlot()
    def _on_save_clicked(self) -> None:
        start = self._workspace.proposed_file("attention.png")
        notify.choose_target(self, "Save attention", FILE_KINDS, "png", self.save, start)

    def save(self, path: Path) -> None:
        """Save what is shown as PNG, SVG or CSV, by the ending of the file."""
        chosen = self.current
        if chosen is None:
            return
        try:
            if path.suffix.lower() == ".csv":
                write_atomically(path, chosen.table(self.head).encode())
            elif path.suffix.lower() == ".svg":
                self._save_svg(path)
            elif not self.map.picture().save(str(path), "PNG"):
                raise OSError(f"{path} could not be written.")
        except (OSError, SeqdecError) as error:
            notify.failure(self, error)
            return
        self._workspace.status_message.emit(f"Attention saved to {path}.")

    def _save_svg(self, path: Path) -> None:
        generator = QSvgGenerator()
        generator.setFileName(str(path))
        generator.setSize(self.map.size())
        generator.setViewBox(self.map.rect())
        generator.setTitle(self.layers.currentText())
        painter = QPainter()
        if not painter.begin(generator):
            raise OSError(f"{path} could not be written.")
        painter.fillRect(self.map.rect(), theme.color(theme.current().surface))
        self.map.paint(painter)
        painter.end()
        if not path.is_file():
            raise OSError(f"{path} could not be written.")

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key_C and event.modifiers() == Qt.ControlModifier:
            self.copy_picture()
            return
        super().keyPressEvent(event)
