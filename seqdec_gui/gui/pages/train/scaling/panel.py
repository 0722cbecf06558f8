"""The advisor's panel on the Train page: a sentence, a table, and buttons to measure and to use a batch size."""

from __future__ import annotations

from PyQt5.QtCore import Qt, pyqtSignal, pyqtSlot
from PyQt5.QtGui import QHideEvent, QKeyEvent, QShowEvent
from PyQt5.QtWidgets import QFrame, QHBoxLayout, QLabel, QProgressBar, QPushButton, QToolButton, QVBoxLayout, QWidget

from seqdec_gui.gui.look import theme
from seqdec_gui.gui.look.icons import icon
from seqdec_gui.gui.look.stylesheet import polish
from seqdec_gui.gui.pages.train.scaling.advisor import Advisor, age
from seqdec_gui.gui.pages.train.scaling.table import AdviceTable
from seqdec_gui.gui.widgets.elided_label import ElidedLabel
from seqdec_gui.gui.workspace.workspace import Workspace
from seqdec_gui.runs.advice import CPU_BUDGET_S, GPU_BUDGET_S, Advice, devices_in_words
from seqdec_gui.runs.engines import engine_title

MEASURE = "Measure these devices"
"""The text of the button that starts the measurement."""


class AdvisorPanel(QFrame):
    """Shows the advice. Emits `closed` when the user closes it; a running measurement goes on. Object name `advisor_panel`."""

    closed = pyqtSignal()

    def __init__(self, workspace: Workspace, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("advisor_panel")
        self.setAttribute(Qt.WA_StyledBackground)
        self.setProperty("role", "panel")
        self.advisor = Advisor(workspace, self)
        self._batch = 0
        self._build()
        self._lay_out()
        self.advisor.changed.connect(self.refresh)
        workspace.document.design_changed.connect(self._on_document_design_changed)
        theme.notifier.changed.connect(self._on_theme_changed)
        self._on_theme_changed()

    def _build(self) -> None:
        self._title = ElidedLabel("advisor_title", Qt.ElideRight, fills=False)
        self._title.setProperty("role", "title")
        self._facts = ElidedLabel("advisor_facts", Qt.ElideRight, fills=False)
        self._facts.setProperty("role", "small")
        self.measure_button = QPushButton(MEASURE, objectName="measure_button")
        self.measure_button.clicked.connect(self.advisor.measure)
        self.cancel_button = QPushButton("Cancel", objectName="cancel_measuring", toolTip="Cancel the measurement")
        self.cancel_button.clicked.connect(self.advisor.cancel)
        self._close = QToolButton(objectName="close_advisor", toolTip="Close the panel", autoRaise=True)
        self._close.setAccessibleName("Close the panel")
        self._close.clicked.connect(self.closed)
        self.sentence = QLabel(objectName="advice_sentence", wordWrap=True, textInteractionFlags=Qt.TextSelectableByMouse)
        self._warning = QLabel(objectName="advice_warning", wordWrap=True)
        self._warning.setProperty("role", "warning")
        self.progress = QProgressBar(objectName="measuring_progress", textVisible=False)
        self.progress.setAccessibleName("Progress of the measurement")
        self._words = QLabel(objectName="measuring_words")
        self._words.setProperty("role", "small")
        self.table = AdviceTable()
        self.table.batch_chosen.connect(self._on_table_batch_chosen)
        self.table.doubleClicked.connect(self._on_use_clicked)
        self.use_button = QPushButton("Use this batch", objectName="use_batch")
        self.use_button.clicked.connect(self._on_use_clicked)

    def _lay_out(self) -> None:
        heading = QHBoxLayout()
        heading.setSpacing(2 * theme.SPACE)
        heading.addWidget(self._title)
        heading.addWidget(self._facts)
        heading.addStretch(1)
        heading.addWidget(self.measure_button)
        heading.addWidget(self.cancel_button)
        heading.addWidget(self._close)
        below = QHBoxLayout()
        below.addWidget(self._warning, 1)
        below.addWidget(self.use_button)
        content = QVBoxLayout(self)
        content.setContentsMargins(4 * theme.SPACE, 3 * theme.SPACE, 2 * theme.SPACE, 3 * theme.SPACE)
        content.setSpacing(2 * theme.SPACE)
        content.addLayout(heading)
        for widget in (self.sentence, self.progress, self._words):
            content.addWidget(widget)
        content.addWidget(self.table, 100)
        content.addLayout(below)
        content.addStretch(1)

    # -- display
    @pyqtSlot()
    def refresh(self) -> None:
        """Update every text and button."""
        advisor = self.advisor
        running, advice = advisor.running, advisor.advice
        on = devices_in_words(advisor.devices)
        self._title.setText(f"Scaling on {on}")
        self._show_state(running, advice)
        reason = advisor.reason
        self.measure_button.setVisible(not running)
        self.measure_button.setText(MEASURE if advice is None or not advisor.fits else "Measure again")
        needed = advice is None or not advisor.fits
        polish(self.measure_button, "kind", "primary" if needed else "")
        look = theme.current()
        self.measure_button.setIcon(icon("speedometer", look.accent_text if needed and not reason else None))
        self.measure_button.setEnabled(not reason)
        self.measure_button.setToolTip(reason or f"Short trainings on {on}")
        self.cancel_button.setVisible(running)
        self.progress.setVisible(running)
        self._words.setVisible(running)
        self.progress.setRange(0, advisor.expected)
        self.progress.setValue(len(advisor.measured))
        count = f"{len(advisor.measured)} of {advisor.expected}  ·  " if advisor.expected else ""
        self._words.setText(f"{count}{advisor.words}")
        shown = advisor.partial() if running else advice
        self.table.setVisible(shown is not None and bool(shown.measurements))
        if shown is not None:
            self.table.show_advice(shown, advisor.batch_size)
        self._show_use()

    def _show_state(self, running: bool, advice: Advice | None) -> None:
        advisor = self.advisor
        facts = ""
        if running:
            text = "Each row is a short training with these devices and this batch size; only its times are kept."
        elif advisor.fault:
            text = advisor.fault
        elif advice is None:
            gpu = advisor.devices.kind == "gpu"
            limit = f"{GPU_BUDGET_S:.0f} seconds" if gpu else f"{CPU_BUDGET_S / 60:.0f} minutes at most"
            compared = "one and all of the chosen devices" if advisor.devices.replicas > 1 else "the chosen device"
            text = f"Measures short trainings on {compared}, at the design's batch and at larger ones. Takes {limit}."
        else:
            text = advice.sentence
            facts = f"{engine_title(advice.engine)}  ·  {age(advisor.measured_at)}"
        self.sentence.setText(text)
        polish(self.sentence, "role", "error" if advisor.fault else "" if advice is not None else "dim")
        self._facts.setText(facts)
        self._facts.setToolTip(advice.why if advice is not None else "")
        stale = advice is not None and not advisor.fits
        timed = () if advice is None else [each for each in advice.measurements if each.step_s is not None]
        random = any(measurement.data == "random" for measurement in timed)
        words = "Measured before the design or the devices changed." if stale else ""
        if random and not stale:
            words = "Measured on random rows of the design's shapes: bind data to see the time of an epoch."
        self._warning.setText(words)
        polish(self._warning, "role", "warning" if stale else "small")

    def _show_use(self) -> None:
        same = self._batch == self.advisor.batch_size
        self.use_button.setVisible(self.table.isVisibleTo(self))
        self.use_button.setEnabled(bool(self._batch) and not same and not self.advisor.running)
        self.use_button.setText(f"Use batch {self._batch:,}" if self._batch and not same else "Use this batch")
        tip = "This is the design's batch already." if same else "Select the row with the batch size that you want."
        self.use_button.setToolTip("Set the design's batch_size (can be undone)" if self.use_button.isEnabled() else tip)

    # -- user actions
    @pyqtSlot(int)
    def _on_table_batch_chosen(self, batch_size: int) -> None:
        self._batch = batch_size
        self._show_use()

    @pyqtSlot()
    def _on_use_clicked(self, *_index: object) -> None:
        if self.use_button.isEnabled():
            self.advisor.use_batch(self._batch)

    @pyqtSlot(object, object)
    def _on_document_design_changed(self, _old: object, _new: object) -> None:
        if self.isVisible():
            self.refresh()

    @pyqtSlot()
    def _on_theme_changed(self) -> None:
        self._close.setIcon(icon("close"))
        self.refresh()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key_Escape:
            self.closed.emit()
        else:
            super().keyPressEvent(event)

    def showEvent(self, event: QShowEvent | None) -> None:
        super().showEvent(event)
        self.advisor.activate(True)
        self.refresh()

    def hideEvent(self, event: QHideEvent | None) -> None:
        super().hideEvent(event)
        self.advisor.activate(False)
