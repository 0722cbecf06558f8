"""The dialog that shows a run's parallelism certificate, and makes one on devices that the user chooses."""

from __future__ import annotations

import time
from pathlib import Path

import msgspec
from PyQt5.QtCore import Qt, QTimer, pyqtSlot
from PyQt5.QtGui import QColor
from PyQt5.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QDialog,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QProgressBar,
    QPushButton,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from seqdec_gui.domain.edit import parse_assignment, set_value
from seqdec_gui.domain.problems import InvalidInput, SeqdecError
from seqdec_gui.gui.look import theme
from seqdec_gui.gui.look.stylesheet import polish
from seqdec_gui.gui.tasks import background, notify
from seqdec_gui.gui.tasks.child_task import IsCancelled, Job, OnProgress, sentence_of
from seqdec_gui.gui.widgets.certificate_words import Verdict, differences, digits, verdict_color, verdict_of, verdict_text
from seqdec_gui.gui.widgets.focus import KeepsFocus
from seqdec_gui.gui.widgets.last_column import LastColumn
from seqdec_gui.gui.widgets.table_style import show_as_list
from seqdec_gui.gui.workspace.workspace import Workspace
from seqdec_gui.runs import certificate as certificates
from seqdec_gui.runs.advice import devices_in_words
from seqdec_gui.runs.certificate import Certificate
from seqdec_gui.runs.folder import RunFolder
from seqdec_gui.runs.notes import display_name
from seqdec_gui.runs.spec import DeviceChoice, RunSpec
from seqdec_gui.runs.tasks import Cancelled, Progress

EXPLANATION = (
    "Trains the run's design for a few steps on these devices and on the first of them alone: same seed, same rows, full "
    "float32, random layers switched off. Then predictions, weights and metrics are compared."
)
"""The text of a dialog for a run without a certificate: what the button will do."""
ROW_HEIGHT = 6 * theme.SPACE
"""The height of a row of the table, in pixels."""
MAX_ROWS = 12
"""The number of rows that the table shows without scrolling."""
WIDTH = 640
"""The least width of the dialog, in pixels."""
REPAIRS = {"training.batch_statistics=global": "Use global batch statistics"}
"""The words of the repair button, by the repair that a certificate proposes."""


class RunContents(msgspec.Struct, frozen=True):
    """The settings and the certificate of a run folder. `fault` is a sentence about why it could not be read."""

    spec: RunSpec | None
    certificate: Certificate | None
    fault: str = ""


class CertificateDialog(KeepsFocus, QDialog):
    """Shows and makes the certificate of one run. Closing the dialog cancels a certification.

    Object name `certificate_dialog`.
    """

    def __init__(self, workspace: Workspace, path: Path, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("certificate_dialog")
        self._workspace = workspace
        self._run = RunFolder(path)
        self.setWindowTitle(f"Certificate of {display_name(self._run.path)}")
        self._spec: RunSpec | None = None
        self.certificate: Certificate | None = None
        self._repaired = False
        self.job = Job(self)
        self._build()
        self._lay_out()
        self.job.progressed.connect(self._on_job_progressed)
        self.job.returned.connect(self._on_job_returned)
        self.job.failed.connect(self._on_job_failed)
        workspace.training_changed.connect(self.refresh)
        theme.notifier.changed.connect(self._on_theme_changed)
        self.refresh()
        background.run(lambda: _read(self._run), self._on_read, owner=self)

    def _build(self) -> None:
        self._verdict = QLabel(objectName="certificate_verdict")
        self._verdict.setProperty("role", "title")
        self._facts = QLabel(objectName="certificate_facts")
        self._facts.setProperty("role", "small")
        self.sentence = QLabel(objectName="certificate_sentence", wordWrap=True)
        self.sentence.setTextInteractionFlags(Qt.TextSelectableByMouse)
        self.table = QTableWidget(0, 3, objectName="certificate_table")
        self.table.setAccessibleName("Differences")
        self.table.setHorizontalHeaderLabels(["Compared", "Largest difference", "Where"])
        show_as_list(self.table, ROW_HEIGHT)
        self.table.setEditTriggers(QAbstractItemView.NoEditTriggers)
        self.table.setSelectionMode(QAbstractItemView.NoSelection)
        self.table.setFocusPolicy(Qt.NoFocus)
        header = self.table.horizontalHeader()
        header.setDefaultAlignment(Qt.AlignLeft | Qt.AlignVCenter)
        for place in (0, 1):
            header.setSectionResizeMode(place, QHeaderView.ResizeToContents)
        self._last_column = LastColumn(self.table)
        self._repair = QPushButton(objectName="certificate_repair")
        self._repair.clicked.connect(self._on_repair_clicked)
        self._devices_label = QLabel("Devices")
        self._devices_label.setProperty("role", "dim")
        self.devices = QComboBox(objectName="certificate_devices")
        self.devices.setMinimumWidth(50 * theme.SPACE)
        self.devices.setAccessibleName("Devices to compare with one of them")
        self.devices.currentIndexChanged.connect(self.refresh)
        self.certify_button = QPushButton("Certify", objectName="certify_button")
        self.certify_button.clicked.connect(self.certify)
        self._progress = QProgressBar(objectName="certificate_progress", textVisible=False)
        self._progress.setAccessibleName("Progress of the comparison")
        self._progress_words = QLabel(objectName="certificate_progress_words")
        self._progress_words.setProperty("role", "small")
        self._cancel = QPushButton("Cancel", objectName="cancel_certifying")
        self._cancel.clicked.connect(self.job.cancel)
        self._close = QPushButton("Close", objectName="certificate_close")
        self._close.clicked.connect(self.reject)

    def _lay_out(self) -> None:
        heading = QHBoxLayout()
        heading.addWidget(self._verdict)
        heading.addStretch(1)
        heading.addWidget(self._facts)
        choice = QHBoxLayout()
        choice.setSpacing(2 * theme.SPACE)
        choice.addWidget(self._devices_label)
        choice.addWidget(self.devices)
        choice.addStretch(1)
        buttons = QHBoxLayout()
        buttons.setSpacing(2 * theme.SPACE)
        buttons.addStretch(1)
        for button in (self._repair, self._cancel, self.certify_button, self._close):
            buttons.addWidget(button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(*4 * (5 * theme.SPACE,))
        layout.setSpacing(3 * theme.SPACE)
        layout.addLayout(heading)
        layout.addWidget(self.sentence)
        layout.addWidget(self.table)
        layout.addWidget(self._progress)
        layout.addWidget(self._progress_words)
        layout.addLayout(choice)
        layout.addLayout(buttons)
        self.setMinimumWidth(WIDTH)

    # -- state
    def _on_read(self, contents: RunContents) -> None:
        self._spec = contents.spec
        self.certificate = contents.certificate
        for choice in choices(contents, self._workspace.devices.here):
            self.devices.addItem(devices_in_words(choice), choice)
        self.refresh()
        if contents.fault:
            self._show_fault(contents.fault)

    @pyqtSlot()
    def refresh(self, *_changes: object) -> None:
        """Update every text and button."""
        running, certificate = self.job.running, self.certificate
        verdict = verdict_of(certificate, 2)
        self._verdict.setText("Comparing" if running else verdict_text(certificate, 2))
        self._paint_verdict("" if running else verdict)
        self._facts.setText("" if certificate is None or running else _facts(certificate))
        self._facts.setToolTip("" if certificate is None else "\n".join((*certificate.machine, *certificate.versions)))
        polish(self.sentence, "role", "dim" if certificate is None or running else "")
        self.sentence.setText(EXPLANATION if certificate is None or running else _in_dialog(certificate))
        self._show_table(None if running else certificate)
        for widget in (self._progress, self._progress_words, self._cancel):
            widget.setVisible(running)
        for widget in (self.devices, self._devices_label, self.certify_button, self._close):
            widget.setVisible(not running)
        reason = self.reason
        self.certify_button.setEnabled(not reason)
        self.certify_button.setToolTip(reason)
        self.certify_button.setText("Certify" if certificate is None else "Certify again")
        self._show_repair(None if running else certificate)
        offered = self._repair.isVisibleTo(self) and self._repair.isEnabled()
        polish(self.certify_button, "kind", "primary" if certificate is None or self._repaired else "")
        polish(self._repair, "kind", "primary" if offered else "")
        self.certify_button.setDefault(not offered)
        QTimer.singleShot(0, self._fit)

    @pyqtSlot()
    def _fit(self) -> None:
        """Set the height of the dialog to that of its contents."""
        if not self.layout().hasHeightForWidth():
            return  # the contents scroll on a small screen
        width = max(WIDTH, self.width())
        if self.table.isVisibleTo(self):
            margins, room = self.layout().contentsMargins(), self.screen().availableGeometry().width() - 8 * theme.SPACE
            width = max(width, min(room, self._last_column.width + margins.left() + margins.right()))
        self.resize(width, self.layout().totalHeightForWidth(width))

    @property
    def reason(self) -> str:
        """Return why the run cannot be certified now, in a sentence; empty if it can."""
        if self._spec is None:
            return "The run's settings cannot be read."
        if self._workspace.training.running:
            return "A run is training: stop it, or wait until it ends."
        return "" if self.devices.count() else "This machine has no two devices to compare."

    def _show_table(self, certificate: Certificate | None) -> None:
        table = self.table
        table.setVisible(certificate is not None)
        if certificate is None:
            return
        rows = differences(certificate)
        rows += [(f"Block {block.block}", digits(block.difference), block.weight) for block in certificate.blocks]
        table.setRowCount(len(rows))
        look = theme.current()
        for row, texts in enumerate(rows):
            for column, text in enumerate(texts):
                item = QTableWidgetItem(text)
                item.setToolTip(text)
                if certificate.culprit and texts[0] == f"Block {certificate.culprit}":
                    item.setForeground(QColor(look.error))
                table.setItem(row, column, item)
        height = table.horizontalHeader().sizeHint().height() + min(len(rows), MAX_ROWS) * ROW_HEIGHT + 2
        table.setFixedHeight(height)
        self._last_column.fit()

    def _show_repair(self, certificate: Certificate | None) -> None:
        repair = "" if certificate is None else certificate.repair
        self._repair.setVisible(bool(repair))
        if repair:
            self._repair.setText(REPAIRS.get(repair, f"Set {repair}"))
            self._repair.setToolTip("Change the open design (can be undone); the run stays as it was trained.")
            self._repair.setEnabled(not self._repaired)

    def _paint_verdict(self, verdict: Verdict) -> None:
        color = verdict_color(verdict) if verdict in ("equal", "not_equal") else theme.current().text
        self._verdict.setStyleSheet(f"color: {color};")

    def _show_fault(self, sentence: str) -> None:
        polish(self.sentence, "role", "error")
        self.sentence.setText(sentence)
        QTimer.singleShot(0, self._fit)

    # -- certifying
    @pyqtSlot()
    def certify(self) -> None:
        """Start comparing the chosen devices with the first of them."""
        if self.reason or self.job.running:
            return
        spec, run, devices = self._spec, self._run, self.devices.currentData()
        assert spec is not None
        self._progress.setRange(0, 0)
        self._progress_words.setText("Starting")
        self.job.begin(lambda tell, cancelled: _certify(spec, run, devices, tell, cancelled))
        self.refresh()

    @pyqtSlot(object)
    def _on_job_progressed(self, event: object) -> None:
        if isinstance(event, Progress):
            self._progress.setRange(0, event.total if event.done else 0)
            self._progress.setValue(event.done)
            self._progress_words.setText(f"{event.done} of {event.total} steps on {event.text}")

    @pyqtSlot(object)
    def _on_job_returned(self, certificate: Certificate) -> None:
        self.certificate = certificate
        self._repaired = False
        self.refresh()
        self._workspace.run_certified.emit(self._run.path)

    @pyqtSlot(object)
    def _on_job_failed(self, error: Exception) -> None:
        self.refresh()
        if not isinstance(error, SeqdecError):
            raise error
        if not isinstance(error, Cancelled):
            self._show_fault(sentence_of(error))

    @pyqtSlot()
    def _on_repair_clicked(self) -> None:
        """Change the open design as the certificate proposes."""
        assert self.certificate is not None
        document = self._workspace.document
        new = set_value(document.design, *parse_assignment(self.certificate.repair))
        document.edit(new, REPAIRS.get(self.certificate.repair, f"Set {self.certificate.repair}"))
        self._repaired = True
        self.refresh()
        self._workspace.status_message.emit("The design was changed as proposed; train it again, then certify the new run.")

    def reject(self) -> None:
        self.job.cancel()
        super().reject()

    @pyqtSlot()
    def _on_theme_changed(self) -> None:
        self.refresh()


def choices(contents: RunContents, chosen: DeviceChoice) -> list[DeviceChoice]:
    """Return the devices that can be compared: those of the run, those chosen now, and two virtual CPU devices."""
    placed = [] if contents.spec is None else [contents.spec.placed_devices]
    if contents.certificate is not None:
        placed.append(contents.certificate.devices)
    every = [*placed, chosen, DeviceChoice("cpu", count=2)]
    return list(dict.fromkeys(choice for choice in every if choice.replicas > 1))


def _read(run: RunFolder) -> RunContents:
    try:
        return RunContents(run.read_spec(), certificates.read(run))
    except InvalidInput as error:
        return RunContents(None, None, sentence_of(error))


def _certify(spec: RunSpec, run: RunFolder, devices: DeviceChoice, tell: OnProgress, cancelled: IsCancelled) -> Certificate:
    """Compare the devices with the engine that trained the run, and save the certificate in the run's folder."""
    design, folder = certificates.design_of(spec)
    certificate = certificates.certify(
        design, folder, devices, engine=spec.placed_engine, on_progress=tell, cancelled=cancelled
    )
    certificates.write(certificate, run)
    return certificate


def _in_dialog(certificate: Certificate) -> str:
    """Return the certificate's sentence without the verdict, which is shown above it, and with the rows that were compared."""
    return f"{certificate.sentence.partition(': ')[2]} {certificate.rows_sentence}"


def _facts(certificate: Certificate) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(certificate.created)) if certificate.created else ""


def open_certificate(workspace: Workspace, run: Path) -> CertificateDialog:
    """Open the certificate dialog of a run."""
    dialog = CertificateDialog(workspace, run, notify.window_of(workspace))
    notify.present(dialog)
    return dialog
