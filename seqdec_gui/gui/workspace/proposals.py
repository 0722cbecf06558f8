"""Which columns of the shown data file are proposed for which ports, kept up to date with the design."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PyQt5.QtCore import QObject, QTimer, pyqtSignal, pyqtSlot

from seqdec_gui.domain.data_edits import shown_name
from seqdec_gui.domain.dataflow import DataPort, data_ports
from seqdec_gui.domain.design import Design
from seqdec_gui.gui.tasks import background
from seqdec_gui.gui.workspace.document import DesignDocument

if TYPE_CHECKING:
    from seqdec_gui.data.candidates import Candidate
    from seqdec_gui.data.formats.base import Column, Table
    from seqdec_gui.data.proposals import Proposal
    from seqdec_gui.data.text_facts import TextFacts

MAX_NAMES = 3
"""How many columns the name of an undo step lists."""
FEW_COLUMNS = 200
"""The number of columns up to which proposing takes no noticeable time."""


class Proposals(QObject):
    """Keeps the proposals for the open design. The first rows of a file are read in a thread before anything is proposed."""

    changed = pyqtSignal()

    def __init__(self, document: DesignDocument, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._document = document
        self._table: Table | None = None
        self._facts: dict[str, TextFacts] | None = None
        self._reading: background.Operation | None = None
        self._proposing: background.Operation | None = None
        self._basis: object = None
        self._all: tuple[Proposal, ...] = ()
        self._timer = QTimer(self, singleShot=True, interval=0, timeout=self._refresh)
        document.design_changed.connect(self._on_document_design_changed)

    @property
    def all(self) -> tuple[Proposal, ...]:
        """Return a proposal for every port that needs a column, where the file has one that could be meant."""
        return self._all

    def of(self, port: DataPort) -> Proposal | None:
        """Return the proposal for this port; None if there is none."""
        return next((proposal for proposal in self._all if proposal.port.name == port.name), None)

    def show_table(self, table: Table | None) -> None:
        """Propose the columns of another file."""
        if self._reading is not None:
            self._reading.cancel()
            self._reading = None
        self._table, self._facts = table, None
        self._refresh()
        if table is not None:
            self._reading = background.run(lambda: _facts_of(table), self._on_facts_read, self._on_facts_failed, self)

    def take_all(self) -> None:
        """Bind every column that speaks for itself, in one step that can be undone."""
        from seqdec_gui.data.proposals import with_proposals

        taken = [proposal for proposal in self._all if proposal.taken is not None]
        if taken:
            names = ", ".join(shown_name(proposal.port) for proposal in taken[:MAX_NAMES])
            design = with_proposals(self._document.design, self._ports(), taken)
            self._document.edit(design, f"Bind {names}{', …' if len(taken) > MAX_NAMES else ''}")

    def take(self, port: DataPort, candidate: Candidate) -> None:
        """Bind these columns to the port."""
        from seqdec_gui.data.proposals import with_candidate

        names = ", ".join(candidate.columns[:MAX_NAMES])
        design = with_candidate(self._document.design, self._ports(), port, candidate)
        self._document.edit(design, f"Bind {names} to {shown_name(port)}")

    def _ports(self) -> tuple[DataPort, ...]:
        return data_ports(self._document.design, self._document.report.inference)

    @pyqtSlot()
    def _refresh(self) -> None:
        """Propose anew if the ports, the bindings or the file are others; for a wide file in a thread."""
        if self._table is None or self._facts is None:
            self._basis = None
            self._show(())
            return
        design, ports, columns, facts = self._document.design, self._ports(), self._table.columns, self._facts
        basis = (columns, facts, design.data, ports)
        if basis == self._basis:
            return
        self._basis = basis
        if self._proposing is not None:
            self._proposing.cancel()
            self._proposing = None
        if len(columns) <= FEW_COLUMNS:
            self._show(_propose(design, ports, columns, facts))
        else:
            self._proposing = background.run(lambda: _propose(design, ports, columns, facts), self._show, owner=self)

    def _show(self, found: tuple[Proposal, ...]) -> None:
        if found != self._all:
            self._all = found
            self.changed.emit()

    def _on_facts_read(self, facts: dict[str, TextFacts]) -> None:
        self._reading, self._facts = None, facts
        self._refresh()

    def _on_facts_failed(self, _error: Exception) -> None:
        """Propose from types and names alone; the check of the data says what is wrong with the file."""
        self._on_facts_read({})

    @pyqtSlot(Design, Design)
    def _on_document_design_changed(self, _old: Design, _new: Design) -> None:
        if self._table is not None:
            self._timer.start()


def _propose(
    design: Design, ports: tuple[DataPort, ...], columns: tuple[Column, ...], facts: dict[str, TextFacts]
) -> tuple[Proposal, ...]:
    from seqdec_gui.data.proposals import propose

    return propose(design, ports, columns, facts)


def _facts_of(table: Table) -> dict[str, TextFacts]:
    from seqdec_gui.data.text_facts import text_facts

    return text_facts(table)
