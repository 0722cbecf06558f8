"""The dialog that exports a trained model.

The written file is opened again in a child process and its predictions are compared, before success is reported.

Object names: `export_dialog`, `export_run`, `export_checkpoint`, `export_format`, `export_part`, `export_path`,
`export_browse`, `export_table`, `export_button`, `export_cancel`, `export_progress`, `export_status`, `export_result`,
`export_as_keras`, `export_open_folder`.
"""

from __future__ import annotations

from pathlib import Path

from PyQt5.QtCore import Qt, QTimer, QUrl, pyqtSlot
from PyQt5.QtGui import QDesktopServices
from PyQt5.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from seqdec_gui.domain.design import Design
from seqdec_gui.domain.paths import expanded
from seqdec_gui.domain.problems import InvalidInput, SeqdecError
from seqdec_gui.gui.dialogs.export_table import ExportTable
from seqdec_gui.gui.look import theme
from seqdec_gui.gui.look.stylesheet import polish
from seqdec_gui.gui.tasks import background, notify
from seqdec_gui.gui.tasks.child_task import ChildTask, sentence_of
from seqdec_gui.gui.widgets.focus import KeepsFocus
from seqdec_gui.gui.widgets.run_picker import RunPicker
from seqdec_gui.gui.workspace.workspace import Workspace
from seqdec_gui.runs.export_choices import block_parts, lines_of, notes_on, read_run, step_parts, verdict_on
from seqdec_gui.runs.export_formats import (
    EXPORT_FORMATS,
    ExportFormat,
    export_format,
    file_to_write,
    has_suffix_of,
    holds,
    not_installed,
    with_ending_of,
)
from seqdec_gui.runs.folder import RunFolder
from seqdec_gui.runs.task_results import Exported, ExportedAll
from seqdec_gui.runs.tasks import Cancelled, ExportAllTask, ExportTask, Notice, Progress

ALL_HELP = (
    "Each format is written, opened in a fresh process by the library that it is for, and compared with the trained model."
)
NARROW, WIDE = 640, 880
"""The least widths of the dialog, in pixels: without and with the table of formats."""


class ExportDialog(KeepsFocus, QDialog):
    """Choices of run, format, part, weights and path, with the result of the check below them. Object name `export_dialog`."""

    def __init__(self, workspace: Workspace, format: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("export_dialog")
        self.setWindowTitle("Export a trained model")
        self._workspace = workspace
        self._suggested = ""
        self._approved = ""
        self._design: tuple[RunFolder, Design] | None = None
        self.task = ChildTask(self)
        self.picker = RunPicker(workspace, "export")
        self._format = QComboBox(objectName="export_format")
        for row in EXPORT_FORMATS.values():
            self._format.addItem(row.title, row.name)
        self._format.addItem("All formats, with a table of what came out", "")
        self._format.setCurrentIndex(max(0, self._format.findData(format or next(iter(EXPORT_FORMATS)))))
        self._table = ExportTable()
        self._table.hide()
        self._help = QLabel(wordWrap=True)
        self._help.setProperty("role", "small")
        self._part = QComboBox(objectName="export_part")
        self._raw = QCheckBox("The file standardises its inputs itself", objectName="export_raw_inputs")
        self._raw.hide()
        self._path = QLineEdit(objectName="export_path")
        self._browse = QPushButton("Browse…", objectName="export_browse", autoDefault=False)
        self._status = QLabel(objectName="export_status", wordWrap=True, textInteractionFlags=Qt.TextSelectableByMouse)
        self._status.setProperty("role", "small")
        self._result = QLabel(objectName="export_result", wordWrap=True, textInteractionFlags=Qt.TextSelectableByMouse)
        self._progress = QProgressBar(objectName="export_progress", textVisible=False, accessibleName="Progress of the export")
        self._progress.hide()
        self._as_keras = QPushButton(objectName="export_as_keras", autoDefault=False)
        self._as_keras.hide()
        self._open_folder = QPushButton("Open folder", objectName="export_open_folder", autoDefault=False)
        self._open_folder.hide()
        self._cancel = QPushButton("Close", objectName="export_cancel", autoDefault=False)
        self._button = QPushButton("Export", objectName="export_button", default=True)
        self._button.setProperty("kind", "primary")
        self._arrange()
        self._connect()
        self._on_format_current_index_changed(0)
        self._button.setEnabled(False)
        self._say("Looking for trained runs…")
        self.picker.refresh()

    def _arrange(self) -> None:
        self._choices = QWidget()
        form = QFormLayout(self._choices)
        form.setContentsMargins(0, 0, 0, 0)
        form.setHorizontalSpacing(4 * theme.SPACE)
        form.setVerticalSpacing(2 * theme.SPACE)
        form.setLabelAlignment(Qt.AlignLeft | Qt.AlignTop)
        where = QHBoxLayout(spacing=2 * theme.SPACE)
        where.addWidget(self._path, 1)
        where.addWidget(self._browse)
        kind = QVBoxLayout(spacing=theme.SPACE)
        kind.addWidget(self._format)
        kind.addWidget(self._help)
        part = QVBoxLayout(spacing=theme.SPACE)
        part.addWidget(self._part)
        part.addWidget(self._raw)
        self._path_label = QLabel("File")
        for words, field in (("Run", self.picker), ("Format", kind), ("Part", part), ("File", where)):
            label = self._path_label if words == "File" else QLabel(words)
            label.setProperty("role", "dim")
            label.setFixedHeight(theme.CONTROL_HEIGHT)
            form.addRow(label, field)
            form.itemAt(form.rowCount() - 1, QFormLayout.LabelRole).setAlignment(Qt.AlignTop)
        for named, words in ((self._part, "Part"), (self._format, "Format"), (self._path, "File")):
            named.setAccessibleName(words)
        buttons = QHBoxLayout(spacing=2 * theme.SPACE)
        for button in (self._open_folder, self._as_keras):
            buttons.addWidget(button)
        buttons.addStretch(1)
        buttons.addWidget(self._cancel)
        buttons.addWidget(self._button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(*4 * (5 * theme.SPACE,))
        layout.setSpacing(3 * theme.SPACE)
        layout.addWidget(self._choices)
        layout.addWidget(self._table)
        layout.addWidget(self._progress)
        layout.addWidget(self._status)
        layout.addWidget(self._result)
        layout.addStretch(1)
        layout.addLayout(buttons)
        self._result.hide()

    def _connect(self) -> None:
        self._format.currentIndexChanged.connect(self._on_format_current_index_changed)
        self._part.currentIndexChanged.connect(self._on_part_current_index_changed)
        self._browse.clicked.connect(self._on_browse_clicked)
        self._button.clicked.connect(self._on_button_clicked)
        self._cancel.clicked.connect(self._on_cancel_clicked)
        self._table.height_changed.connect(self._fit_height, Qt.QueuedConnection)
        self._as_keras.clicked.connect(self._on_as_keras_clicked)
        self._open_folder.clicked.connect(self._on_open_folder_clicked)
        self.picker.refreshed.connect(self._on_picker_changed)
        self.picker.changed.connect(self._on_picker_changed)
        self.task.progressed.connect(self._on_task_progressed)
        self.task.returned.connect(self._on_task_returned)
        self.task.failed.connect(self._on_task_failed)
        self.task.finished.connect(self._on_task_finished)

    # -- user actions
    @property
    def format(self) -> ExportFormat | None:
        """The format that is chosen; None for all of them."""
        name = self._format.currentData()
        return export_format(name) if name else None

    @property
    def part(self) -> str:
        """The part that is chosen."""
        return self._part.currentData() or "full"

    @pyqtSlot()
    def _on_picker_changed(self) -> None:
        chosen = self.picker.run
        self._button.setEnabled(False)
        if chosen is None:
            self._say("There is no run of this design with weights yet: train it first.", "warning")
            return
        if self._design is not None and self._design[0] == chosen.run:
            self._enable_choices()
            return
        run = chosen.run
        background.run(lambda: read_run(run), self._on_design_read, self._on_task_failed, self)

    def _on_design_read(self, read: tuple[RunFolder, Design, bool]) -> None:
        if self.picker.run is None or self.picker.run.run != read[0]:
            return  # another run was chosen meanwhile
        self._design = read[:2]
        self._raw.setVisible(read[2])
        self._show_parts()
        self._enable_choices()

    def _enable_choices(self) -> None:
        """Enable the choices for a run that can be exported."""
        self._suggest_path()
        self._button.setEnabled(not self.task.running)

    def _show_parts(self) -> None:
        before = self._part.currentData()
        self._part.blockSignals(True)
        self._part.clear()
        self._part.addItem("Full model", "full")
        row = self.format
        if self._design is not None and (row is None or row.blocks):
            for block, parameters in block_parts(self._design[1]):
                self._part.addItem(f"{block} ({parameters:,} parameters)", block)
        if self._design is not None:
            for name, words in step_parts(self._design[1]):
                if row is None or holds(row, name):
                    self._part.addItem(words, name)
        self._part.setCurrentIndex(max(0, self._part.findData(before)))
        self._part.setEnabled(self._part.count() > 1)
        self._part.blockSignals(False)

    def _suggest_path(self) -> None:
        """Set the path to one beside the design. Once the user has typed or chosen one, only its ending follows the format."""
        if self.picker.run is None:
            return
        self._say("")  # what was said was about other choices
        part, row = self.part, self.format
        now = self._path.text()
        if now in ("", self._suggested):
            name = self.picker.stem if part == "full" else f"{self.picker.stem}-{part}"
            ending = "-exports" if row is None else row.proposed_ending
            self._suggested = str(self._workspace.proposed_file(f"{name}{ending}"))
            self._path.setText(self._suggested)
        elif row is not None and any(has_suffix_of(Path(now), other) for other in EXPORT_FORMATS.values()):
            self._path.setText(str(with_ending_of(Path(now), row)))

    @pyqtSlot(int)
    def _on_format_current_index_changed(self, _index: int) -> None:
        row = self.format
        missing = "" if row is None else not_installed(row)
        self._help.setText(ALL_HELP if row is None else f"{row.help} {missing}".strip())
        polish(self._help, "role", "warning" if missing else "small")
        self._table.setVisible(row is None)
        self.setMinimumWidth(NARROW if row is not None else WIDE)
        self._path_label.setText("Folder" if row is None or row.marker else "File")
        self._as_keras.hide()
        self._show_parts()
        self._show_possible()
        self._suggest_path()
        QTimer.singleShot(0, self._fit_height)

    def _show_possible(self) -> None:
        """Mark the formats that cannot hold the chosen part."""
        self._table.clear_results(row for row in EXPORT_FORMATS.values() if holds(row, self.part))

    @pyqtSlot(int)
    def _on_part_current_index_changed(self, _index: int) -> None:
        self._show_possible()
        self._suggest_path()

    @pyqtSlot()
    def _on_browse_clicked(self) -> None:
        format = self.format
        start = Path(self._path.text()) if self._path.text() else None
        if start is not None and not start.parent.is_dir():
            start = Path.home() / start.name
        if format is None or format.marker:
            notify.choose_folder(self, "Export", self._on_path_chosen, start)
            return
        notify.choose_target(
            self, "Export", [f"{format.title} ({' '.join(f'*{suffix}' for suffix in format.suffixes)})"],
            format.suffixes[0][1:], self._on_path_chosen, start,
        )  # fmt: skip

    def _on_path_chosen(self, path: Path) -> None:
        self._path.setText(str(path))
        self._approved = str(path)  # the file dialog asked already

    # -- exporting
    @pyqtSlot()
    def _on_button_clicked(self) -> None:
        path = expanded(self._path.text().strip())
        if not self._path.text().strip() or not path.is_absolute():
            self._say("Expected the full path of a file, such as /home/me/model.h5; choose one with Browse.", "error")
            return
        row = self.format
        if row is None:
            self._export(path)
            return
        try:
            target = file_to_write(path, row)
        except InvalidInput as error:
            self._say(sentence_of(error), "error")
            return
        replaces = target.is_file() or (target.is_dir() and any(target.iterdir()))
        if replaces and str(target) != self._approved:
            text = f"{target.name} exists already in {target.parent}."
            notify.ask(
                self,
                "Replace the folder?" if target.is_dir() else "Replace the file?",
                text,
                self._on_replace_answered,
                "Replace",
                destructive=True,
            )
        else:
            self._export(path)

    def _on_replace_answered(self, answer: str) -> None:
        if answer == "accept":
            self._export(expanded(self._path.text().strip()))

    def _export(self, path: Path) -> None:
        """Export the chosen format into a file, or all of them into a folder, which is made if it is not there."""
        chosen, row = self.picker.run, self.format
        if chosen is None or self.task.running:
            return
        raw_inputs = self._raw.isVisible() and self._raw.isChecked()
        task: ExportTask | ExportAllTask = ExportAllTask(
            run=str(chosen.run.path), folder=str(path), formats=tuple(EXPORT_FORMATS), part=self.part,
            checkpoint=self.picker.checkpoint, raw_inputs=raw_inputs,
        )  # fmt: skip
        if row is not None:
            task = ExportTask(
                run=str(chosen.run.path), format=row.name, output=str(path), part=self.part,
                checkpoint=self.picker.checkpoint, raw_inputs=raw_inputs,
            )  # fmt: skip
        elif not path.is_dir():
            try:
                path.mkdir()
            except OSError as error:
                self._say(f"The folder {path} cannot be made: {error.strerror}. Choose another.", "error")
                return
        self._show_possible()
        self._result.hide()
        self._open_folder.hide()
        self._as_keras.hide()
        self._say("Starting")
        self._progress.setRange(0, 0)
        self._progress.show()
        self._button.setEnabled(False)
        self._choices.setEnabled(False)  # what is shown is what is exported
        self._cancel.setText("Cancel")
        self.task.start(task)

    @pyqtSlot(object)
    def _on_task_progressed(self, event: Progress | Notice) -> None:
        if isinstance(event, Progress):
            self._progress.setRange(0, event.total)
            self._progress.setValue(event.done)
            self._say(event.text)
        else:
            self._result.setText(event.text)
            polish(self._result, "role", "warning" if event.severity == "warning" else "small")
            self._result.show()

    @pyqtSlot(object)
    def _on_task_returned(self, made: Exported | ExportedAll) -> None:
        if isinstance(made, ExportedAll):
            self._show_all(made)
            return
        warned = self._result.text() if self._result.isVisible() else ""
        self._say("Exported, opened again in a fresh process, and compared with the trained model.", "ok")
        self._result.setText("\n".join([*([warned] if warned else []), *lines_of(made)]))
        polish(self._result, "role", "")
        self._result.show()
        self._open_folder.show()
        self._approved = ""
        self._workspace.status_message.emit(f"Exported {made.paths[0]}." if made.paths else "Exported.")

    def _show_all(self, made: ExportedAll) -> None:
        """Show what came of each format."""
        self._table.show_results(made.results)
        text, role = verdict_on(made)
        self._say(text, role)
        lines = notes_on(made)
        self._result.setText("\n".join(lines))
        self._result.setVisible(bool(lines))
        self._open_folder.show()
        self._workspace.status_message.emit(text)

    @pyqtSlot(object)
    def _on_task_failed(self, error: Exception) -> None:
        if not isinstance(error, SeqdecError):
            raise error
        if isinstance(error, Cancelled):
            self._say("Cancelled; nothing was written.")
            return
        self._say(sentence_of(error), "error")
        row = self.format
        if row is None or not row.instead:
            return
        codes = {problem.code for problem in getattr(error, "problems", ())}
        self._as_keras.setText(f"Export as {export_format(row.instead).suffixes[0]}")
        self._as_keras.setVisible(f"not_in_{row.code_name}" in codes)

    @pyqtSlot()
    def _on_task_finished(self) -> None:
        self._progress.hide()
        self._button.setEnabled(self.picker.run is not None)
        self._choices.setEnabled(True)
        self._cancel.setText("Close")

    @pyqtSlot()
    def _on_as_keras_clicked(self) -> None:
        self._format.setCurrentIndex(self._format.findData(getattr(self.format, "instead", "")))
        self._on_button_clicked()

    @pyqtSlot()
    def _on_open_folder_clicked(self) -> None:
        path = expanded(self._path.text())
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(path if self.format is None else path.parent)))

    @pyqtSlot()
    def _on_cancel_clicked(self) -> None:
        if self.task.running:
            self.task.cancel()
        else:
            self.reject()

    def reject(self) -> None:
        """Cancel the export and close. Escape and the close button of the window end here too."""
        self.task.cancel()
        super().reject()

    def _say(self, text: str, role: str = "small") -> None:
        polish(self._status, "role", role)
        self._status.setText(text)
        self._status.setVisible(bool(text))
        QTimer.singleShot(0, self._fit_height)

    @pyqtSlot()
    def _fit_height(self) -> None:
        """Make the dialog higher if its texts need it; Qt does not do so for texts of several lines."""
        height = max(self.layout().totalHeightForWidth(self.width()), self.layout().totalSizeHint().height())
        if height > self.height():
            self.resize(self.width(), height)


def open_export(workspace: Workspace, format: str = "") -> QDialog:
    """Open the dialog over the window with a format chosen (a name of `EXPORT_FORMATS`)."""
    return notify.present(ExportDialog(workspace, format, notify.window_of(workspace)))


def open_export_of(workspace: Workspace, run: Path) -> QDialog:
    """Open the dialog with a run chosen."""
    dialog = open_export(workspace)
    workspace.run_requested.emit(run)
    return dialog
