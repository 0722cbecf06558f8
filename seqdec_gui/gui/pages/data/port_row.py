"""The row of one port: which column feeds it and how, what the column contains, and what is wrong."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from PyQt5.QtCore import QPoint, QSize, Qt, pyqtSignal, pyqtSlot
from PyQt5.QtWidgets import (
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from seqdec_gui.data.binding_state import BindingState, Word
from seqdec_gui.data.candidates import Candidate
from seqdec_gui.data.codecs import FittedBits, FittedCategory, FittedCodec, FittedIds, FittedNumbers, FittedText
from seqdec_gui.data.formats.base import Column
from seqdec_gui.data.remedies import Remedy
from seqdec_gui.data.scaling import in_short
from seqdec_gui.domain.bindings import Binding, Codec
from seqdec_gui.domain.data_edits import object_name, shown_name
from seqdec_gui.domain.dataflow import DataPort
from seqdec_gui.domain.menu_text import literal
from seqdec_gui.domain.wording import counted
from seqdec_gui.gui.look import theme
from seqdec_gui.gui.look.icons import icon
from seqdec_gui.gui.look.stylesheet import polish
from seqdec_gui.gui.pages.data.codec_form import CodecForm, chosen_for
from seqdec_gui.gui.pages.data.column_drag import Columns
from seqdec_gui.gui.pages.data.proposal_line import ProposalLine
from seqdec_gui.gui.widgets.choice_box import SizedBox
from seqdec_gui.gui.widgets.discarding import discard_all
from seqdec_gui.gui.widgets.elided_label import ElidedLabel
from seqdec_gui.gui.widgets.wrapped_label import WrappedLabel

SEVERAL = "Several columns…"
"""The last entry of the list of columns, which opens the dialog for several."""
SEVERITY_ROLE = {"error": "error", "warning": "warning", "info": "small"}
"""The style sheet's role of a remark, by its severity."""
SIGNS: dict[Word, tuple[str, str]] = {
    "error": ("alert-circle", "error"),
    "warning": ("alert", "warning"),
    "unknown": ("dots-horizontal", "text_dim"),
    "ok": ("check-circle", "ok"),
    "unbound": ("circle-outline", "control_border"),
}
"""The icon of a binding and the name of its colour, by its state."""
STATE_WORDS: dict[Word, str] = {
    "error": "Does not fit",
    "warning": "Doubtful",
    "unknown": "Not checked yet",
    "ok": "Fits",
    "unbound": "Not bound",
}
"""The state of a binding in words, for those who do not see the icon."""


class Remark(NamedTuple):
    """A sentence below the port, with the buttons that correct what it says. Severity "" is a hint."""

    severity: str
    text: str
    remedies: tuple[Remedy, ...] = ()


class PortRow(QFrame):
    """One row of the table of ports, which accepts dropped columns.

    Its signals carry the user's changes; `columns_chosen` with () unbinds the port.
    """

    columns_chosen = pyqtSignal(DataPort, tuple)  # the names of the columns
    several_requested = pyqtSignal(DataPort)
    codec_chosen = pyqtSignal(DataPort, object)  # Codec or None
    remedy_chosen = pyqtSignal(Remedy)
    candidate_chosen = pyqtSignal(DataPort, Candidate)

    def __init__(self, port: DataPort, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.port = port
        self._filling = False
        self._taught = False
        name = object_name(port)
        self.setObjectName(f"port_{name}")
        self.setProperty("role", "port_row")
        self._state = QLabel(objectName=f"state_{name}")
        self._state.setFixedWidth(18)
        self._name = ElidedLabel(f"name_{name}")
        self._name.setText(shown_name(port))
        self._name.setToolTip(f"{shown_name(port)} ({'targets' if port.role == 'target' else 'input'})")
        self._name.setProperty("role", "value")
        self._type = ElidedLabel(f"type_{name}")
        self._type.setProperty("role", "small")
        self.columns = SizedBox(letters=0, name=f"bind_{name}")
        self.columns.setAccessibleName(f"Column for {shown_name(port)}")
        self.columns.setMinimumWidth(150)
        self.columns.setMaximumWidth(360)
        self.columns.setMaxVisibleItems(20)
        self.columns.currentIndexChanged.connect(self._on_columns_current_index_changed)
        self._options = QToolButton(objectName=f"options_{name}", checkable=True, toolTip="How the values are written")
        self._options.setAccessibleName(f"Options of {shown_name(port)}")
        self._options.setIconSize(QSize(18, 18))
        self._options.toggled.connect(self._on_options_toggled)
        self.form = CodecForm(name)
        self.form.codec_changed.connect(self._on_form_codec_changed)
        self.form.hide()
        self._found = WrappedLabel()
        self._found.setProperty("role", "small")
        self.proposal = ProposalLine(name)
        self.proposal.chosen.connect(self._on_proposal_chosen)
        self._remarks = QVBoxLayout()
        self._remarks.setSpacing(theme.SPACE)
        head = QWidget()
        head.setSizePolicy(QSizePolicy.Ignored, QSizePolicy.Preferred)  # so that the combo boxes of all rows begin in line
        titles = QVBoxLayout(head)
        titles.setContentsMargins(0, 0, 0, 0)
        titles.setSpacing(0)
        titles.addWidget(self._name)
        titles.addWidget(self._type)
        grid = QGridLayout(self)
        grid.setContentsMargins(3 * theme.SPACE, 2 * theme.SPACE, 2 * theme.SPACE, 2 * theme.SPACE)
        grid.setHorizontalSpacing(2 * theme.SPACE)
        grid.setVerticalSpacing(theme.SPACE)
        grid.setColumnStretch(1, 1)
        grid.setColumnStretch(2, 2)
        grid.setColumnMinimumWidth(1, 150)
        grid.addWidget(self._state, 0, 0, Qt.AlignTop)
        grid.addWidget(head, 0, 1)
        grid.addWidget(self.columns, 0, 2)
        grid.addWidget(self._options, 0, 3)
        grid.addWidget(self._found, 1, 1, 1, 3)
        grid.addWidget(self.proposal, 2, 1, 1, 3)
        grid.addLayout(self._remarks, 3, 1, 1, 3)
        grid.addWidget(self.form, 4, 1, 1, 3)
        theme.notifier.changed.connect(self._on_theme_changed)
        self._word: Word = "unbound"
        self._on_theme_changed()

    # -- display
    def show_port(self, port: DataPort) -> None:
        """Show the same port after an edit of the design, which may have changed its type."""
        self.port = port
        symbols = f", {port.type.symbols:,} symbols" if port.type.symbols else ""
        self._type.setText(f"{port.type}{symbols}")
        self._type.setToolTip(self._type.full_text())

    def show_binding(self, binding: Binding | None, columns: Sequence[Column], teacher: DataPort | None) -> None:
        """Show the columns to choose from, and which of them is bound."""
        self._filling = True
        try:
            self.columns.clear()
            self.columns.addItem("Not bound" if teacher is None else f"From {shown_name(teacher)}", ())
            for column in columns:
                self.columns.addItem(column.name, (column.name,))
            if sum(1 for column in columns if column.kind in ("integer", "number")) > 1:
                self.columns.addItem(SEVERAL, None)
            self.columns.setCurrentIndex(self._index_of(binding, {column.name for column in columns}))
            self.columns.setToolTip("" if binding is None else ", ".join(binding.columns))
        finally:
            self._filling = False
        self._taught = teacher is not None and binding is None
        self._options.setEnabled(binding is not None)
        if binding is None:
            self._options.setChecked(False)

    def _index_of(self, binding: Binding | None, known: set[str]) -> int:
        if binding is None:
            return 0
        if len(binding.columns) == 1 and binding.columns[0] in known and not binding.file:
            return self.columns.findText(binding.columns[0], Qt.MatchExactly | Qt.MatchCaseSensitive)
        words = ", ".join(binding.columns)
        if len(binding.columns) > 1:
            words = f"{counted(len(binding.columns), 'column')}: {words}"
        if binding.file:
            words += f" ({binding.file})"
        elif any(name not in known for name in binding.columns):
            words += " (not in this file)"
        self.columns.insertItem(1, words, binding.columns)
        return 1

    def show_codec(self, codec: Codec | None, fitted: FittedCodec | None) -> None:
        self.form.show_codec(codec, chosen_for(fitted))
        words = "The same column, one step ahead" if self._taught else ""
        self._found.setText(words if fitted is None else contents_text(fitted))
        self._found.setVisible(bool(self._found.text()))

    def show_remarks(self, remarks: Sequence[Remark], state: BindingState) -> None:
        """Show the state of the binding, what is wrong with it and what could be improved."""
        discard_all(self._remarks)
        number = 0
        for remark in remarks:
            line = QWidget()
            column = QVBoxLayout(line)
            column.setContentsMargins(0, 0, 0, 0)
            column.setSpacing(theme.SPACE)
            row = QHBoxLayout()
            row.setSpacing(2 * theme.SPACE)
            words = WrappedLabel(remark.text)
            words.setTextInteractionFlags(Qt.TextSelectableByMouse)
            words.setProperty("role", SEVERITY_ROLE.get(remark.severity, "small"))
            column.addWidget(words)
            column.addLayout(row)
            for remedy in remark.remedies:
                button = QPushButton(literal(remedy.text), objectName=f"remedy_{object_name(self.port)}_{number}")
                button.clicked.connect(lambda _checked, wish=remedy: self.remedy_chosen.emit(wish))
                row.addWidget(button)
                number += 1
            row.addStretch(1)
            self._remarks.addWidget(line)
        self._word = state.word
        self._state.setAccessibleName(STATE_WORDS[state.word])
        self._state.setToolTip(STATE_WORDS[state.word])
        if state.teacher is not None:
            there = f": see {shown_name(state.teacher)}" if state.word in ("error", "warning") else ""
            self._found.setText(f"The same column, one step ahead{there}")
            polish(self._found, "role", SEVERITY_ROLE.get(state.word, "small"))
        else:
            polish(self._found, "role", "small")
        self._on_theme_changed()

    # -- columns dropped on it
    def columns_hovered(self, _columns: Columns, _place: QPoint) -> bool:
        polish(self, "hot", True)
        return True

    def columns_left(self) -> None:
        polish(self, "hot", False)

    def columns_dropped(self, columns: Columns, _place: QPoint) -> None:
        self.columns_chosen.emit(self.port, columns)

    # -- slots
    @pyqtSlot(int)
    def _on_columns_current_index_changed(self, index: int) -> None:
        if self._filling or index < 0:
            return
        chosen = self.columns.itemData(index)
        if chosen is None:
            self.several_requested.emit(self.port)
        else:
            self.columns_chosen.emit(self.port, tuple(chosen))

    @pyqtSlot(Candidate)
    def _on_proposal_chosen(self, candidate: Candidate) -> None:
        self.candidate_chosen.emit(self.port, candidate)

    @pyqtSlot(bool)
    def _on_options_toggled(self, shown: bool) -> None:
        self.form.setVisible(shown)

    @pyqtSlot(object)
    def _on_form_codec_changed(self, codec: Codec | None) -> None:
        self.codec_chosen.emit(self.port, codec)

    @pyqtSlot()
    def _on_theme_changed(self) -> None:
        look = theme.current()
        name, colour = SIGNS[self._word]
        self._state.setPixmap(icon(name, getattr(look, colour)).pixmap(16, 16))
        self._options.setIcon(icon("tune-variant"))


def contents_text(fitted: FittedCodec) -> str:
    """Return a line about what the column contains."""
    if isinstance(fitted, FittedText):
        kept, used = fitted.numbering.marks, (fitted.begin, fitted.end)
        words = zip(("begin", "end"), kept, used, strict=True)
        marks = [mark if rows_have_it else f"{mark} (reserved)" for mark, has_id, rows_have_it in words if has_id]
        kinds = {"smiles": "atoms and bonds", "selfies": "symbols", "bpe": "subwords", "unigram": "subwords"}
        kind = kinds.get(fitted.tokens, fitted.tokens)
        parts = [f"{len(fitted.charset):,} {kind}", "padding", *marks]
        return f"{' + '.join(parts)} = {fitted.symbols:,} symbols; {fitted.length:,} ids a row"
    if isinstance(fitted, FittedCategory):
        shown = ", ".join(fitted.labels[:6]) + (", …" if len(fitted.labels) > 6 else "")
        return f"{counted(len(fitted.labels), 'label')}: {shown}"
    if isinstance(fitted, FittedIds):
        kind = f"One-hot rows of {fitted.depth:,}, stored as ids" if fitted.depth else "Ids as they are"
        if fitted.pad_id is None:
            return f"{kind}; every id counts"
        return f"{kind}; {'a row of zeros' if fitted.depth == fitted.pad_id else f'id {fitted.pad_id:,}'} is padding"
    if isinstance(fitted, FittedBits):
        return f"{fitted.bits:,} bits, a number each"
    if isinstance(fitted, FittedNumbers):
        return in_short(fitted)
    raise AssertionError(fitted)
