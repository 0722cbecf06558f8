"""The upper part of the Sweep page: which parameters are searched, how, and the button that begins."""

from __future__ import annotations

from PyQt5.QtCore import Qt, pyqtSignal, pyqtSlot
from PyQt5.QtWidgets import (
    QComboBox,
    QFormLayout,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QPushButton,
    QSpinBox,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from seqdec_gui.domain import form_words
from seqdec_gui.domain.problems import InvalidInput
from seqdec_gui.gui.look import theme
from seqdec_gui.gui.look.stylesheet import polish
from seqdec_gui.gui.widgets.table_style import show_as_list
from seqdec_gui.gui.workspace.sweep_draft import SweepDraft
from seqdec_gui.gui.workspace.workspace import Workspace
from seqdec_gui.runs.sweep.folder import MOST_TRIALS
from seqdec_gui.runs.sweep.space import parse_space, searchable

SETUP_HEIGHT = 260
"""The most height of this part of the page, in pixels."""
SAMPLERS = {"tpe": "TPE (learns from trials)", "random": "Random", "grid": "Grid"}
PRUNERS = {"none": "Run all to the end", "median": "Stop below the median", "halving": "Successive halving"}
_HINT = "A range (1e-4..1e-2:log, 16..128, 0..0.5:step=0.1) or values with | between them (128|256)"


class Setup(QWidget):
    """Edits the draft of the sweep. `begin_requested` is emitted by its button, which is enabled for a valid search alone.

    Object names: `sweep_search`, `sweep_parameter`, `sweep_add`, `sweep_remove`, `sweep_trials`, `sweep_sampler`,
    `sweep_prune`, `sweep_goal`, `sweep_problems`, `sweep_begin`.
    """

    begin_requested = pyqtSignal()

    def __init__(self, workspace: Workspace, draft: SweepDraft) -> None:
        super().__init__()
        self._workspace, self._draft = workspace, draft
        self._filling = False
        self._build()
        draft.changed.connect(self.refresh)
        workspace.document.design_changed.connect(self._on_document_design_changed)
        self._fill_parameters()
        self.refresh()

    def _build(self) -> None:
        self.search = QTableWidget(0, 2, objectName="sweep_search")
        self.search.setAccessibleName("Searched parameters")
        self.search.horizontalHeader().setDefaultAlignment(Qt.AlignLeft | Qt.AlignVCenter)
        self.search.setHorizontalHeaderLabels(("Parameter", "Range or values"))
        show_as_list(self.search, 7 * theme.SPACE)
        self.search.setSelectionBehavior(QTableWidget.SelectRows)
        self.search.horizontalHeader().setSectionResizeMode(0, QHeaderView.ResizeToContents)
        self.search.horizontalHeader().setSectionResizeMode(1, QHeaderView.Stretch)
        self.search.setToolTip(_HINT)
        self.search.itemChanged.connect(self._on_search_item_changed)
        self.search.setMinimumHeight(110)
        self.setMaximumHeight(SETUP_HEIGHT)
        self.parameter = QComboBox(objectName="sweep_parameter")
        self.parameter.setAccessibleName("Parameter to search")
        add = QPushButton("Search This", objectName="sweep_add", toolTip="Vary this parameter from trial to trial")
        add.clicked.connect(lambda: self._draft.add(self.parameter.currentText()))
        remove = QPushButton("Remove", objectName="sweep_remove", toolTip="Do not vary the selected parameter")
        remove.clicked.connect(self._on_remove_clicked)
        self.trials = QSpinBox(objectName="sweep_trials", minimum=1, maximum=MOST_TRIALS, value=20)
        self.sampler, self.prune = QComboBox(objectName="sweep_sampler"), QComboBox(objectName="sweep_prune")
        for box, words, name in (
            (self.sampler, SAMPLERS, "How values are chosen"),
            (self.prune, PRUNERS, "Which trials end early"),
        ):
            box.setAccessibleName(name)
            for key, text in words.items():
                box.addItem(text, key)
        self.goal = QComboBox(objectName="sweep_goal", editable=True)
        for part in (self.goal, self.goal.lineEdit()):  # both are in the tree that screen readers walk
            part.setAccessibleName("Goal")
        for name in ("val_loss", "loss", "val_token_accuracy", "val_exact_accuracy"):
            self.goal.addItem(form_words.choice(name), name)
        self.begin = QPushButton("Begin Sweep", objectName="sweep_begin")
        self.begin.setProperty("kind", "primary")
        self.begin.clicked.connect(self.begin_requested)
        self._problems = QLabel(objectName="sweep_problems", wordWrap=True)
        self._problems.setTextFormat(Qt.PlainText)
        row = QHBoxLayout()
        for widget in (self.parameter, add, remove):
            row.addWidget(widget)
        row.addStretch(1)
        left = QVBoxLayout()
        left.addLayout(row)
        left.addWidget(self.search, 1)
        left.addWidget(self._problems)
        form = QFormLayout()
        for text, widget in (
            ("Trials", self.trials),
            ("Chosen by", self.sampler),
            ("Pruning", self.prune),
            ("Goal", self.goal),
        ):
            form.addRow(text, widget)
        form.addRow("", self.begin)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4 * theme.SPACE)
        layout.addLayout(left, 1)
        layout.addLayout(form)

    @property
    def wanted_goal(self) -> str:
        """Return the goal as reports name it: `val_loss` for *validation loss*; what was typed if it is none of the list."""
        text = self.goal.currentText().strip()
        place = self.goal.findText(text)
        return str(self.goal.itemData(place) or text) if place >= 0 else text

    @property
    def texts(self) -> tuple[str, ...]:
        """Return the search, one text for each parameter."""
        return tuple(self._draft.texts.values())

    @pyqtSlot()
    def refresh(self) -> None:
        """Show the draft, and what is wrong with it."""
        self._filling = True
        self.search.setRowCount(len(self._draft.texts))
        for row, (name, text) in enumerate(self._draft.texts.items()):
            fixed = QTableWidgetItem(name)
            fixed.setFlags(Qt.ItemIsSelectable | Qt.ItemIsEnabled)
            self.search.setItem(row, 0, fixed)
            self.search.setItem(row, 1, QTableWidgetItem(text.partition("=")[2]))
        self._filling = False
        try:
            parse_space(self.texts, self._workspace.document.design)
        except InvalidInput as error:
            wrong = bool(self.texts)
            self._problems.setText("\n".join(problem.sentence() for problem in error.problems) if wrong else
                                   "Choose a parameter above, or right-click its name in the inspector.")  # fmt: skip
            polish(self._problems, "role", "error" if wrong else "small")
            self.begin.setEnabled(False)
        else:
            self._problems.setText(_HINT)
            polish(self._problems, "role", "small")
            self.begin.setEnabled(True)

    def _fill_parameters(self) -> None:
        names = searchable(self._workspace.document.design)
        if names != tuple(self.parameter.itemText(row) for row in range(self.parameter.count())):
            chosen = self.parameter.currentText() or "training.learning_rate"
            self.parameter.clear()
            self.parameter.addItems(names)
            self.parameter.setCurrentIndex(max(0, self.parameter.findText(chosen)))

    @pyqtSlot()
    def _on_document_design_changed(self, *_designs: object) -> None:
        self._fill_parameters()
        self.refresh()

    @pyqtSlot(QTableWidgetItem)
    def _on_search_item_changed(self, item: QTableWidgetItem) -> None:
        if not self._filling and item.column() == 1:
            name = self.search.item(item.row(), 0).text()
            self._draft.set_text(name, f"{name}={item.text()}")

    @pyqtSlot()
    def _on_remove_clicked(self) -> None:
        rows = {index.row() for index in self.search.selectedIndexes()}
        for name in [self.search.item(row, 0).text() for row in rows]:
            self._draft.remove(name)
