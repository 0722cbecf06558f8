"""The dialog of the machines that are reached through ssh: adding, checking and preparing them.

Object names: `hosts_dialog`, `hosts_table`, `hosts_name`, `hosts_address`, `hosts_folder`, `hosts_add`, `hosts_remove`,
`hosts_check`, `hosts_prepare`, `hosts_output`, `hosts_progress`, `hosts_cancel`, `hosts_close`.
"""

from __future__ import annotations

from collections.abc import Callable

from PyQt5.QtCore import pyqtSlot
from PyQt5.QtWidgets import (
    QAbstractItemView,
    QDialog,
    QFormLayout,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QProgressBar,
    QPushButton,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from seqdec_gui import __version__
from seqdec_gui.domain.problems import InvalidInput, SeqdecError
from seqdec_gui.domain.wording import printable
from seqdec_gui.gui.look import fonts, theme
from seqdec_gui.gui.look.stylesheet import polish
from seqdec_gui.gui.tasks import notify
from seqdec_gui.gui.tasks.child_task import Job, sentence_of
from seqdec_gui.gui.widgets.focus import KeepsFocus
from seqdec_gui.gui.workspace.workspace import Workspace
from seqdec_gui.runs.hosts import book
from seqdec_gui.runs.hosts.book import FOLDER, Host
from seqdec_gui.runs.tasks import Cancelled

LINES = 5000
"""The lines of output that are kept."""


def open_hosts(workspace: Workspace, parent: QWidget) -> QDialog:
    """Show the hosts."""
    return notify.present(HostsDialog(workspace, parent))


class HostsDialog(KeepsFocus, QDialog):
    """Lists the hosts; what is done with one runs in a thread, and its output is shown line by line."""

    def __init__(self, workspace: Workspace, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("hosts_dialog")
        self.setWindowTitle("Hosts")
        self._workspace = workspace
        self.job = Job(self)
        self.job.progressed.connect(self._on_job_progressed)
        self.job.failed.connect(self._on_job_failed)
        self.job.finished.connect(self._on_job_finished)
        self._build()
        self._show_hosts()
        self.resize(720, 600)

    def _build(self) -> None:
        about = QLabel(
            "Machines that ssh reaches without asking for a password, with your own configuration, keys and agent. "
            "Prepare installs seqdec-gui there, in a virtual environment of its own.",
            wordWrap=True,
        )
        self._table = QTreeWidget(objectName="hosts_table")
        self._table.setAccessibleName("Hosts")
        self._table.setHeaderLabels(("Name", "Address", "Folder there"))
        self._table.setRootIsDecorated(False)
        self._table.setSelectionMode(QAbstractItemView.SingleSelection)
        self._table.header().setSectionResizeMode(QHeaderView.ResizeToContents)
        self._table.setMinimumHeight(110)
        self._table.itemSelectionChanged.connect(self._update)
        self._name = QLineEdit(objectName="hosts_name", placeholderText="lab")
        self._address = QLineEdit(
            objectName="hosts_address", placeholderText="user@server, or a name of your ssh configuration"
        )
        self._folder = QLineEdit(FOLDER, objectName="hosts_folder")
        form = QFormLayout()
        form.addRow("Name", self._name)
        form.addRow("Address", self._address)
        form.addRow("Folder there", self._folder)
        self._add = self._button("Add", "hosts_add", self._on_add_clicked)
        self._remove = self._button("Remove", "hosts_remove", self._on_remove_clicked)
        self._check = self._button("Check", "hosts_check", self._on_check_clicked)
        self._prepare = self._button("Prepare", "hosts_prepare", self._on_prepare_clicked)
        polish(self._prepare, "kind", "primary")
        self._prepare.setToolTip(f"Install seqdec-gui {__version__} there; every command is shown below")
        self._output = QPlainTextEdit(objectName="hosts_output", readOnly=True)
        self._output.setAccessibleName("What happens on the host")
        self._output.setFont(fonts.font(monospace=True))
        self._output.setMaximumBlockCount(LINES)
        self._output.setPlaceholderText("What is done on a host is shown here.")
        self._progress = QProgressBar(objectName="hosts_progress", textVisible=False)
        self._progress.setAccessibleName("Progress on the host")
        self._progress.setRange(0, 0)
        self._cancel = self._button("Cancel", "hosts_cancel", self.job.cancel)
        self._close = self._button("Close", "hosts_close", self.reject)
        adding = QHBoxLayout()
        adding.addLayout(form, 1)
        adding.addWidget(self._add)
        acts = QHBoxLayout()
        for button in (self._remove, self._check, self._prepare):
            acts.addWidget(button)
        acts.addStretch(1)
        end = QHBoxLayout()
        end.addWidget(self._progress, 1)
        end.addWidget(self._cancel)
        end.addStretch(1)
        end.addWidget(self._close)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(*4 * (6 * theme.SPACE,))
        layout.setSpacing(3 * theme.SPACE)
        layout.addWidget(about)
        layout.addLayout(adding)
        layout.addWidget(self._table)
        layout.addLayout(acts)
        layout.addWidget(self._output, 1)
        layout.addLayout(end)

    def _button(self, text: str, name: str, clicked: Callable[[], None]) -> QPushButton:
        button = QPushButton(text, objectName=name)
        button.setAutoDefault(False)
        button.clicked.connect(lambda _checked: clicked())
        return button

    def _show_hosts(self, chosen: str = "") -> None:
        self._table.clear()
        try:
            hosts = book.read()
        except SeqdecError as error:
            self._output.appendPlainText(str(error))
            hosts = ()
        for host in hosts:
            row = QTreeWidgetItem(self._table, [host.name, host.address, host.folder])
            if host.name == chosen or len(hosts) == 1:
                self._table.setCurrentItem(row)
        self._update()
        self._workspace.devices.refresh_hosts(now=True)

    @pyqtSlot()
    def _update(self) -> None:
        chosen, running = bool(self._chosen), self.job.running
        for button in (self._remove, self._check, self._prepare):
            button.setEnabled(chosen and not running)
        self._progress.setVisible(running)
        self._cancel.setVisible(running)

    @property
    def _chosen(self) -> str:
        rows = self._table.selectedItems()
        return rows[0].text(0) if rows else ""

    def _on_add_clicked(self) -> None:
        try:
            book.add(Host(self._name.text().strip(), self._address.text().strip(), self._folder.text().strip() or FOLDER))
        except InvalidInput as error:
            self._output.appendPlainText(sentence_of(error))
            return
        except SeqdecError as error:
            notify.failure(self, error)
            return
        name = self._name.text().strip()
        self._name.clear()
        self._address.clear()
        self._show_hosts(name)

    def _on_remove_clicked(self) -> None:
        try:
            host = book.remove(self._chosen)
        except SeqdecError as error:
            notify.failure(self, error)
            return
        self._output.appendPlainText(f"{host.name} is forgotten; what lies there stays ({host.folder} on {host.address}).")
        self._show_hosts()

    def _on_check_clicked(self) -> None:
        name = self._chosen
        self._begin(lambda tell, _cancelled: _look(name, tell))

    def _on_prepare_clicked(self) -> None:
        name = self._chosen

        def work(tell: Callable[[object], None], cancelled: Callable[[], bool]) -> None:
            from seqdec_gui.runs.hosts.prepare import prepare

            prepare(book.find(name), tell, cancelled=cancelled)
            _look(name, tell)

        self._begin(work)

    def _begin(self, work: Callable[[Callable[[object], None], Callable[[], bool]], None]) -> None:
        self.job.begin(work)
        self._update()

    @pyqtSlot(object)
    def _on_job_progressed(self, line: object) -> None:
        self._output.appendPlainText(printable(str(line)))

    @pyqtSlot(object)
    def _on_job_failed(self, error: Exception) -> None:
        self._output.appendPlainText("Cancelled." if isinstance(error, Cancelled) else printable(sentence_of(error)))

    @pyqtSlot()
    def _on_job_finished(self) -> None:
        self._update()
        self._workspace.devices.refresh_hosts(now=True)


def _look(name: str, tell: Callable[[object], None]) -> None:
    """Reach a host and tell what it is. Runs in a thread. Raises SeqdecError."""
    from seqdec_gui.runs.hosts.starting import look

    tell(f"{name}: connecting")
    facts = look(name)
    tell(f"{name}: {facts.sentence()}")
    for device in facts.devices:
        tell(f"  {device.id}  {device.name}{'  (busy)' if device.busy else ''}")
    if facts.version != __version__:
        tell(f"It has {facts.version} and this is {__version__}: press Prepare before you train there.")
