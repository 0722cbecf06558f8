"""What is proposed for a port: the column with the reason and a button, or a button for each of several."""

from __future__ import annotations

from PyQt5.QtCore import Qt, pyqtSignal, pyqtSlot
from PyQt5.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from seqdec_gui.data.candidates import Candidate
from seqdec_gui.data.proposals import Proposal
from seqdec_gui.domain.data_edits import shown_name
from seqdec_gui.domain.menu_text import literal
from seqdec_gui.domain.wording import counted
from seqdec_gui.gui.look import theme
from seqdec_gui.gui.look.icons import icon
from seqdec_gui.gui.widgets.discarding import discard
from seqdec_gui.gui.widgets.flow_layout import FlowLayout
from seqdec_gui.gui.widgets.wrapped_label import WrappedLabel

LONGEST_NAME = 28
"""The number of characters of a column's name that a button shows."""


class ProposalLine(QWidget):
    """The proposal of one port, hidden where there is none. Buttons are called `propose_<name>_<number>`."""

    chosen = pyqtSignal(Candidate)

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._object_name = name
        self._shown: Proposal | None = None
        self._buttons: list[QPushButton] = []
        self._sign = QLabel()
        self._sign.setFixedWidth(16)
        self._words = WrappedLabel(name=f"proposal_{name}")
        self._words.setProperty("role", "small")
        line = QHBoxLayout()
        line.setSpacing(theme.SPACE)
        line.addWidget(self._sign, 0, Qt.AlignTop)
        line.addWidget(self._words, 1)
        self._choices = QWidget()
        self._flow = FlowLayout(self._choices, 2 * theme.SPACE)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.SPACE)
        column.addLayout(line)
        column.addWidget(self._choices)
        theme.notifier.changed.connect(self._on_theme_changed)
        self._on_theme_changed()
        self.hide()

    def show_proposal(self, proposal: Proposal | None) -> None:
        """Show what is proposed; None hides the line."""
        if proposal == self._shown and proposal is not None:
            return
        self._shown = proposal
        for button in self._buttons:
            self._flow.removeWidget(button)
            discard(button)
        self._buttons = []
        self.setVisible(proposal is not None)
        if proposal is None:
            return
        follows = f" It gives {proposal.follows} too, one step ahead." if proposal.follows else ""
        self._words.setText(f"{proposal.reason}{follows}")
        offered = (proposal.taken,) if proposal.taken is not None else proposal.choices
        for number, candidate in enumerate(offered):
            button = QPushButton(literal(f"Bind {words_of(candidate)}"), objectName=f"propose_{self._object_name}_{number}")
            button.setToolTip(_tip(candidate))
            if proposal.taken is not None:
                button.setIcon(icon("link-variant"))
            button.clicked.connect(lambda _checked, wish=candidate: self.chosen.emit(wish))
            self._flow.addWidget(button)
            self._buttons.append(button)

    @pyqtSlot()
    def _on_theme_changed(self) -> None:
        self._sign.setPixmap(icon("lightbulb-on-outline", theme.current().accent).pixmap(14, 14))


class ProposalBanner(QFrame):
    """One line above the ports: how many columns are proposed, with the button `bind_all_button`."""

    accepted = pyqtSignal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("proposal_banner")
        self.setProperty("role", "bar")
        self._words = WrappedLabel(name="proposal_words")
        self.button = QPushButton("Bind all", objectName="bind_all_button")
        self.button.setProperty("kind", "primary")
        self.button.clicked.connect(self.accepted)
        row = QHBoxLayout(self)
        row.setContentsMargins(3 * theme.SPACE, 2 * theme.SPACE, 2 * theme.SPACE, 2 * theme.SPACE)
        row.setSpacing(2 * theme.SPACE)
        row.addWidget(self._words, 1)
        row.addWidget(self.button)
        self.hide()

    def show_proposals(self, proposals: tuple[Proposal, ...]) -> None:
        """Show what one click binds, and how many ports are left to choose for; hidden where no click binds anything."""
        taken = [proposal for proposal in proposals if proposal.taken is not None]
        left = len(proposals) - len(taken)
        self.setVisible(bool(taken))
        if not taken:
            return
        pairs = "   ".join(f"{shown_name(proposal.port)} ← {words_of(proposal.taken)}" for proposal in taken if proposal.taken)
        rest = f"   ·   {counted(left, 'port')} left to choose for" if left else ""
        self._words.setText(f"Found in the file:  {pairs}{rest}")
        self.button.setText("Bind all" if not left and len(taken) > 1 else f"Bind {counted(len(taken), 'port')}")


def words_of(candidate: Candidate) -> str:
    """Return the columns as shown in a sentence or on a button: the name, or the first and the last of several."""
    names = [name if len(name) <= LONGEST_NAME else name[: LONGEST_NAME - 1] + "…" for name in candidate.columns]
    shown = names[0] if len(names) == 1 else f"{names[0]} … {names[-1]}"
    return shown + ("  (needs a change)" if candidate.flaw else "")


def _tip(candidate: Candidate) -> str:
    names = ", ".join(candidate.columns[:12]) + (", …" if len(candidate.columns) > 12 else "")
    flaw = f"\n{candidate.flaw}: the list below will offer to mend that" if candidate.flaw else ""
    return f"{names}: {candidate.holds}{flaw}"
