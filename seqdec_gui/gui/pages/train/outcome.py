"""The bar about how a run ended and what to do next."""

from __future__ import annotations

from PyQt5.QtCore import Qt, QTimer, pyqtSignal, pyqtSlot
from PyQt5.QtGui import QFontMetrics, QGuiApplication
from PyQt5.QtWidgets import QFrame, QHBoxLayout, QLabel, QPlainTextEdit, QPushButton, QVBoxLayout, QWidget

from seqdec_gui.domain.short_numbers import value_text
from seqdec_gui.gui.look import theme
from seqdec_gui.gui.look.icons import icon
from seqdec_gui.gui.pages.train.batch_button import BatchButton
from seqdec_gui.gui.widgets.state_badge import state_color
from seqdec_gui.runs.curves import is_validation
from seqdec_gui.runs.events import Failed
from seqdec_gui.runs.folder import RunFolder
from seqdec_gui.runs.history import RunHistory
from seqdec_gui.runs.metric_words import in_words
from seqdec_gui.runs.state import RunStatus

TITLES = {
    "invalid": "The run could not begin", "diverged": "The loss is no longer a number", "out_of_memory": "Out of memory",
    "disk_full": "The disk is full", "killed": "The run was killed", "crashed": "The run crashed",
}  # fmt: skip
"""The title of the bar, by the kind of failure."""
ADVICE = {
    "diverged": "A smaller learning rate, gradient clipping (clip_norm) or float32 usually helps.",
    "invalid": "Correct the design or the data, then train again.",
}
"""The sentence about what to do, by the kind of failure."""
_PICTURES = {"finished": "check-circle-outline", "stopped": "stop-circle-outline", "paused": "pause-circle-outline"}
DETAIL_LINES = 4
"""The number of lines of the details that are shown without scrolling."""


class Outcome(QFrame):
    """A bar below the header, hidden while a run is active. Object name `outcome`."""

    generate_requested = pyqtSignal()
    export_requested = pyqtSignal()

    def __init__(self, batch_button: BatchButton, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("outcome")
        self._batch_button = batch_button
        batch_button.told.connect(self._on_batch_button_told)
        self._state = ""
        self._copied = ""
        self._picture = QLabel()
        self.title = QLabel(objectName="outcome_title")
        self.title.setProperty("role", "value")
        self.sentence = QLabel(objectName="outcome_sentence", wordWrap=True)
        self.sentence.setTextFormat(Qt.PlainText)
        self.sentence.setTextInteractionFlags(Qt.TextSelectableByMouse)
        self.details = QPlainTextEdit(objectName="outcome_details", readOnly=True)
        self.details.setProperty("kind", "plain")
        self.details.setLineWrapMode(QPlainTextEdit.NoWrap)
        self.details.document().setDocumentMargin(0)
        self.copy_button = QPushButton("Copy", objectName="copy_outcome", toolTip="Copy the whole report")
        self.copy_button.clicked.connect(self._on_copy_clicked)
        self.generate_button = QPushButton("Generate…", objectName="outcome_generate")
        self.generate_button.clicked.connect(self.generate_requested)
        self.export_button = QPushButton("Export…", objectName="outcome_export")
        self.export_button.clicked.connect(self.export_requested)
        self._lay_out()
        theme.notifier.changed.connect(self._on_theme_changed)
        self.hide()

    def _lay_out(self) -> None:
        words = QVBoxLayout()
        words.setSpacing(2)
        words.addWidget(self.title)
        words.addWidget(self.sentence)
        row = QHBoxLayout()
        row.setSpacing(3 * theme.SPACE)
        row.addWidget(self._picture, 0, Qt.AlignTop)
        row.addLayout(words, 1)
        for button in (self._batch_button, self.generate_button, self.export_button, self.copy_button):
            row.addWidget(button, 0, Qt.AlignTop)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(4 * theme.SPACE, 2 * theme.SPACE, 4 * theme.SPACE, 3 * theme.SPACE)
        layout.setSpacing(2 * theme.SPACE)
        layout.addLayout(row)
        words.addWidget(self.details)

    def show_status(self, status: RunStatus | None, history: RunHistory, run: RunFolder | None = None) -> None:
        """Show how the run ended; hide the bar if it has not."""
        self.setVisible(status is not None)
        if status is None:
            return
        self._state = status.state
        self._batch_button.show_run(run if is_out_of_memory(status) else None)
        failed = status.final if isinstance(status.final, Failed) else None
        kind = failed.kind if failed else ""
        self.title.setText(TITLES.get(kind, "") if failed else "")
        self.title.setVisible(bool(self.title.text()))
        sentence = status.text
        if failed and kind in ADVICE and ADVICE[kind] not in sentence:
            sentence = f"{sentence} {ADVICE[kind]}"
        best = "" if failed else _best(history)
        self.sentence.setText(f"{sentence} {best}".strip())
        details = failed.details.rstrip() if failed else ""
        self.details.setVisible(bool(details))
        self.details.setPlainText(details)
        lines = min(DETAIL_LINES, details.count("\n") + 1)
        spacing = QFontMetrics(theme.font("small", monospace=True)).lineSpacing()
        self.details.setFixedHeight(lines * spacing + 2 * theme.SPACE)
        QTimer.singleShot(0, self._show_end)
        self.copy_button.setVisible(failed is not None)
        self.copy_button.setText("Copy")
        usable = history.saved is not None
        self.generate_button.setVisible(usable and failed is None)
        self.export_button.setVisible(usable and failed is None)
        self._copied = "\n\n".join(part for part in (self.title.text(), sentence, details) if part)
        self._on_theme_changed()

    @pyqtSlot(str)
    def _on_batch_button_told(self, sentence: str) -> None:
        self.sentence.setText(f"{self.sentence.text()} {sentence}")
        self._copied = f"{self._copied}\n\n{sentence}"

    @pyqtSlot()
    def _show_end(self) -> None:
        bar = self.details.verticalScrollBar()
        bar.setValue(bar.maximum())

    @pyqtSlot()
    def _on_copy_clicked(self) -> None:
        QGuiApplication.clipboard().setText(self._copied)
        self.copy_button.setText("Copied")

    @pyqtSlot()
    def _on_theme_changed(self) -> None:
        if not self._state:
            return
        color = state_color(self._state)
        name = _PICTURES.get(self._state, "alert-circle-outline")
        self._picture.setPixmap(icon(name, color).pixmap(20, 20))
        fixed = theme.font("small", monospace=True)
        ground, ink = theme.color(color, 0.10), theme.color(color, 0.35)
        self.setStyleSheet(
            f"QFrame#outcome {{ background: rgba{ground.getRgb()}; border: none; border-top: 1px solid rgba{ink.getRgb()};"
            f" border-bottom: 1px solid rgba{ink.getRgb()}; }} QPlainTextEdit {{ background: transparent;"
            f" padding: 0; font-family: '{fixed.family()}'; font-size: {fixed.pointSizeF():.2f}pt; }}"
        )


def is_out_of_memory(status: RunStatus) -> bool:
    """Return whether a run ended because memory ran out."""
    return isinstance(status.final, Failed) and status.final.kind == "out_of_memory"


def _best(history: RunHistory) -> str:
    """Return a sentence about the best epoch: `Best validation loss 0.123 in epoch 18.`"""
    if history.best is None or not history.best.metrics:
        return ""
    metrics = history.best.metrics
    name = "val_loss" if "val_loss" in metrics else next(iter(metrics))
    value = metrics[name]
    label = ("validation " if is_validation(name) else "") + in_words(name.removeprefix("val_"))
    return f"Best {label} {value_text(name, value)} in epoch {history.best.epoch}."
