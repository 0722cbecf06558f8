"""The table of ports: a row for each port of the design that needs data."""

from __future__ import annotations

from collections.abc import Sequence

from PyQt5.QtCore import Qt, QTimer, pyqtSignal, pyqtSlot
from PyQt5.QtWidgets import QFrame, QLabel, QScrollArea, QVBoxLayout, QWidget

from seqdec_gui.data.binding_state import binding_states, port_with_row
from seqdec_gui.data.candidates import Candidate
from seqdec_gui.data.codecs import FittedCodec
from seqdec_gui.data.dataset import Bound, Trial
from seqdec_gui.data.demands import Fit
from seqdec_gui.data.formats.base import Column
from seqdec_gui.data.remedies import Remedy, advice, remedies
from seqdec_gui.domain import data_edits as edits
from seqdec_gui.domain.bindings import Codec
from seqdec_gui.domain.dataflow import DataPort, data_ports
from seqdec_gui.domain.design import Design
from seqdec_gui.domain.problems import Problem
from seqdec_gui.gui.look import theme
from seqdec_gui.gui.pages.data.port_row import PortRow, Remark
from seqdec_gui.gui.pages.data.proposal_line import ProposalBanner
from seqdec_gui.gui.pages.data.several_columns import choose_columns
from seqdec_gui.gui.widgets.discarding import discard
from seqdec_gui.gui.widgets.wrapped_label import WrappedLabel
from seqdec_gui.gui.workspace.workspace import Workspace

MAX_NEW_ROWS = 1
"""The number of rows that are made in one turn of the event loop: one takes 10 to 20 ms."""
ABOVE_ROWS = 2
"""The place of the first row in the layout, below the banner and the problems of the whole file."""


class PortsPanel(QScrollArea):
    """Shows which column feeds which port. Object name `ports_panel`.

    Rows are kept while the ports are the same, so that focus and open options stay. An inactive panel follows nothing: edits of
    a large design must not wait for rows that are not visible.
    """

    errors_counted = pyqtSignal(int)

    def __init__(self, workspace: Workspace, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("ports_panel")
        self.setAccessibleName("Ports")
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarAlwaysOff)
        self._workspace = workspace
        self._columns: tuple[Column, ...] = ()
        self._rows: dict[str, PortRow] = {}
        self._trial: Trial | None = None
        self._active = False
        self._stale = True
        self._more = QTimer(self, interval=0, singleShot=True, timeout=self.refresh)
        content = QWidget()
        self._layout = QVBoxLayout(content)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(0)
        self._empty = QLabel(wordWrap=True, alignment=Qt.AlignCenter)
        self._empty.setText("The design has no port that needs data yet. Add an input block and a loss on the Design tab.")
        self._empty.setProperty("role", "dim")
        self._empty.setContentsMargins(*4 * (6 * theme.SPACE,))
        self._general = WrappedLabel(name="data_problem")
        self._general.setTextInteractionFlags(Qt.TextSelectableByMouse)
        self._general.setContentsMargins(3 * theme.SPACE, 2 * theme.SPACE, 3 * theme.SPACE, 2 * theme.SPACE)
        self._general.setProperty("role", "error")
        for label in (self._general, self._empty):
            label.hide()
        self.banner = ProposalBanner()
        self.banner.accepted.connect(workspace.proposals.take_all)
        self._layout.addWidget(self.banner)
        self._layout.addWidget(self._general)
        self._layout.addWidget(self._empty)
        self._layout.addStretch(1)
        self.setWidget(content)
        workspace.document.design_changed.connect(self._on_document_design_changed)
        workspace.proposals.changed.connect(self._on_proposals_changed)
        workspace.checking.changed.connect(self._on_checking_changed)

    def activate(self, active: bool) -> None:
        """Start or stop following the design."""
        self._active = active
        if active and self._stale:
            self._more.start()

    def show_columns(self, columns: Sequence[Column]) -> None:
        """Set the columns to choose from."""
        self._columns = tuple(columns)
        self.refresh()

    def reveal(self, name: str) -> None:
        """Scroll to the row of this port and focus it. Does nothing if the port has no row."""
        design, ports = self._workspace.document.design, self.ports
        where = port_with_row(name, design, ports)
        row = None if where is None else self._rows.get(edits.object_name(where))
        if row is not None:
            self.ensureWidgetVisible(row)
            row.columns.setFocus()

    def show_trial(self, trial: Trial | None) -> None:
        """Show the results of a trial, which are marked as out of date as long as a newer one is to be expected."""
        self._trial = trial
        if not self._stale:
            self._show_findings()

    @property
    def ports(self) -> edits.Ports:
        document = self._workspace.document
        return data_ports(document.design, document.report.inference)

    @pyqtSlot()
    def refresh(self) -> None:
        """Show the ports and bindings of the present design."""
        self._stale = not self._active
        if self._stale:
            return
        ports, design = self.ports, self._workspace.document.design
        for name in [name for name in self._rows if all(edits.object_name(port) != name for port in ports)]:
            discard(self._rows.pop(name))
        before = len(self._rows)
        for place, port in enumerate(ports):
            name = edits.object_name(port)
            row = self._rows.get(name)
            if row is None:
                if len(self._rows) == before + MAX_NEW_ROWS:
                    self._more.start()
                    break
                row = self._rows[name] = self._new_row(port)
            if self._layout.indexOf(row) != place + ABOVE_ROWS:
                self._layout.insertWidget(place + ABOVE_ROWS, row)
            row.show_port(port)
            row.show_binding(edits.binding_of(design, ports, port), self._columns, edits.teacher_of(design, ports, port))
        self._empty.setVisible(not ports)
        self._show_proposals()
        self._show_findings()

    def _new_row(self, port: DataPort) -> PortRow:
        row = PortRow(port)
        row.columns_chosen.connect(self._on_row_columns_chosen)
        row.several_requested.connect(self._on_row_several_requested)
        row.codec_chosen.connect(self._on_row_codec_chosen)
        row.remedy_chosen.connect(self._on_row_remedy_chosen)
        row.candidate_chosen.connect(self._on_row_candidate_chosen)
        return row

    def _show_proposals(self) -> None:
        """Show what is proposed for each port that has a row, and above them what one click binds."""
        self.banner.show_proposals(self._workspace.proposals.all)
        for row in self._rows.values():
            row.proposal.show_proposal(self._workspace.proposals.of(row.port))

    # -- results of trials
    def _show_findings(self) -> None:
        design, ports, checking = self._workspace.document.design, self.ports, self._workspace.checking
        known = () if self._trial is None else self._trial.problems
        states = binding_states(design, ports, (*known, *checking.problems), self._trial is not None and checking.current)
        for port in ports:
            row = self._rows.get(edits.object_name(port))
            if row is None:  # it is made in the next turn
                break
            state = states.ports[port.name]
            binding = edits.binding_of(design, ports, port)
            at, fit = self._result_for(port, binding.columns if binding else ())
            row.show_codec(binding.codec if binding else None, _codec(fit))
            row.show_remarks(self._remarks(design, at, fit, state.problems), state)
        self._general.setText("\n".join(problem.sentence() for problem in states.general))
        self._general.setVisible(bool(states.general))
        self.errors_counted.emit(states.errors)

    def _result_for(self, port: DataPort, columns: tuple[str, ...]) -> tuple[Bound | None, Fit | None]:
        """Return what the last trial fitted for this port, if the trial was about the same columns."""
        if self._trial is None:
            return None, None
        for place, at in enumerate(self._trial.bound):
            if at.port.name == port.name and at.binding.columns == columns:
                return at, self._trial.fits[place] if self._trial.fits else None
        return None, None

    def _remarks(self, design: Design, at: Bound | None, fit: Fit | None, problems: Sequence[Problem]) -> list[Remark]:
        remarks: list[Remark] = []
        offered: set[str] = set()
        for problem in problems:
            mending = remedies(design, at, problem) if at is not None else ()
            hint = "" if mending else problem.hint
            fresh = tuple(remedy for remedy in mending if remedy.text not in offered)
            offered |= {remedy.text for remedy in mending}
            remarks.append(Remark(problem.severity, f"{problem.text} {hint}".strip(), fresh))
        if at is not None and fit is not None and not any(remark.severity == "error" for remark in remarks):
            remarks += [Remark("", hint.text, (hint.remedy,)) for hint in advice(design, at, fit)]
        return remarks

    # -- signals of the user
    def _edit(self, new: Design, text: str) -> None:
        self._workspace.document.edit(new, text)

    @pyqtSlot(object, object)
    def _on_row_columns_chosen(self, port: DataPort, columns: tuple[str, ...]) -> None:
        name = edits.shown_name(port)
        words = f"Bind {', '.join(columns[:3])} to {name}" if columns else f"Unbind {name}"
        self._edit(edits.with_columns(self._workspace.document.design, self.ports, port, columns), words)
        self.refresh()

    @pyqtSlot(object)
    def _on_row_several_requested(self, port: DataPort) -> None:
        design, ports = self._workspace.document.design, self.ports
        binding = edits.binding_of(design, ports, port)
        numeric = [column.name for column in self._columns if column.kind in ("integer", "number")]

        def bind(columns: tuple[str, ...]) -> None:
            self._on_row_columns_chosen(port, columns)

        self.refresh()  # the combo box shows what is bound, not the request
        choose_columns(self, edits.shown_name(port), numeric, binding.columns if binding else (), bind)

    @pyqtSlot(object, object)
    def _on_row_codec_chosen(self, port: DataPort, codec: Codec | None) -> None:
        new = edits.with_codec(self._workspace.document.design, self.ports, port, codec)
        self._edit(new, f"Change how {edits.shown_name(port)} is written")

    @pyqtSlot(object)
    def _on_row_remedy_chosen(self, remedy: Remedy) -> None:
        self._edit(remedy.design, remedy.text)

    @pyqtSlot(object, object)
    def _on_row_candidate_chosen(self, port: DataPort, candidate: Candidate) -> None:
        self._workspace.proposals.take(port, candidate)

    @pyqtSlot()
    def _on_checking_changed(self) -> None:
        if not self._stale:
            self._show_findings()

    @pyqtSlot()
    def _on_proposals_changed(self) -> None:
        if not self._stale:
            self._show_proposals()

    @pyqtSlot(Design, Design)
    def _on_document_design_changed(self, _old: Design, _new: Design) -> None:
        self.refresh()


def _codec(fit: Fit | None) -> FittedCodec | None:
    return None if fit is None else fit.codec
