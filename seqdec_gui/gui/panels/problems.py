"""The list of what prevents training or makes it doubtful. A click on a problem goes to its place."""

from __future__ import annotations

from PyQt5.QtCore import Qt, QTimer, pyqtSignal, pyqtSlot
from PyQt5.QtWidgets import QLabel, QListWidget, QListWidgetItem, QStackedLayout, QWidget

from seqdec_gui.domain.design import Design
from seqdec_gui.domain.problems import Problem
from seqdec_gui.domain.validation import unbound
from seqdec_gui.gui.look import theme
from seqdec_gui.gui.look.icons import icon
from seqdec_gui.gui.tasks import notify
from seqdec_gui.gui.widgets.wrapped_items import PLACE_ROLE, WrappedItems
from seqdec_gui.gui.workspace.workspace import Workspace
from seqdec_gui.runs.batches import batch_problems

ICONS = {"error": "alert-circle", "warning": "alert", "info": "information"}
"""The icon of a problem, by its severity."""


class ProblemsPanel(QWidget):
    """The list `problems_list`, errors first. Emits `problem_chosen` when a problem is clicked or Enter is pressed."""

    problem_chosen = pyqtSignal(Problem)
    counted = pyqtSignal(int, int)  # errors, warnings

    def __init__(self, workspace: Workspace, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._workspace = workspace
        self._shown: tuple[tuple[Problem, ...], bool] | None = None
        self._list = QListWidget(objectName="problems_list")
        self._list.setAccessibleName("Problems")
        self._list.setItemDelegate(WrappedItems(self._list))
        self._list.setUniformItemSizes(False)
        self._list.setResizeMode(QListWidget.Adjust)  # a wider list needs fewer lines
        self._list.setVerticalScrollMode(QListWidget.ScrollPerPixel)  # one item may be higher than the list
        self._list.setHorizontalScrollBarPolicy(Qt.ScrollBarAlwaysOff)
        self._list.itemClicked.connect(self._on_list_item_chosen)
        self._list.itemActivated.connect(self._on_list_item_chosen)
        self._calm = QLabel("No problems.", alignment=Qt.AlignCenter)
        self._calm.setProperty("role", "dim")
        self._stack = QStackedLayout(self)
        self._stack.addWidget(self._list)
        self._stack.addWidget(self._calm)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self.refresh)
        workspace.document.design_changed.connect(self._on_document_design_changed)
        workspace.checking.changed.connect(self._on_checking_changed)
        theme.notifier.changed.connect(self._on_theme_changed)
        self.refresh()

    @pyqtSlot(Design, Design)
    def _on_document_design_changed(self, _old: Design, _new: Design) -> None:
        self._timer.start(0)

    @pyqtSlot()
    def _on_checking_changed(self) -> None:
        self._timer.start(0)

    @pyqtSlot()
    def refresh(self) -> None:
        """Show the problems of the present design and its data."""
        document = self._workspace.document
        problems = document.report.problems
        if document.design.blocks and document.report.ok:
            problems = (*problems, *_data_problems(document.design, document.report.inference))
        shared = batch_problems(document.design.training, self._workspace.devices.resolved)
        problems = _errors_first((*problems, *shared, *self._workspace.checking.problems))
        empty = not document.design.blocks
        if (problems, empty) == self._shown:
            return
        self._shown = problems, empty
        row = self._list.currentRow()
        self._list.clear()
        for problem in problems:
            sign = icon(ICONS[problem.severity], theme.current().severity(problem.severity))
            sentence = notify.without_place(problem)
            item = QListWidgetItem(sign, sentence)
            item.setData(Qt.UserRole, problem)
            item.setData(PLACE_ROLE, _place_length(sentence, problem))
            item.setData(Qt.AccessibleTextRole, f"{problem.severity}: {sentence}")
            self._list.addItem(item)
        self._list.setCurrentRow(min(row, len(problems) - 1))
        self._calm.setText("The design is empty." if empty else "No problems.")
        self._stack.setCurrentIndex(0 if problems and not empty else 1)
        severities = [] if empty else [problem.severity for problem in problems]
        self.counted.emit(severities.count("error"), severities.count("warning"))

    @pyqtSlot(QListWidgetItem)
    def _on_list_item_chosen(self, item: QListWidgetItem) -> None:
        self.problem_chosen.emit(item.data(Qt.UserRole))

    @pyqtSlot()
    def _on_theme_changed(self) -> None:
        self._shown = None
        self.refresh()


def _place_length(sentence: str, problem: Problem) -> int:
    """Return how many characters of the sentence name the place that a click leads to."""
    place, colon, _ = sentence.partition(": ")
    return len(place) if colon and problem.where and not problem.text.startswith(place) else 0


def _errors_first(problems: tuple[Problem, ...]) -> tuple[Problem, ...]:
    return tuple(sorted(problems, key=lambda problem: list(ICONS).index(problem.severity)))


def _data_problems(design: Design, inference: object) -> tuple[Problem, ...]:
    """Return what the design still needs from the data. These are hints while it is drawn; they only prevent training."""
    if not design.data.file and not any(binding.file for binding in design.data.bindings):
        return (Problem("info", "no_data", "data", "The design has no data yet.", "Open a data file on the Data tab."),)
    ports = unbound(design, inference)  # type: ignore[arg-type]
    text = "No column is bound to this port."
    return tuple(Problem("warning", "unbound_port", port.port, text, "Choose a column on the Data tab.") for port in ports)
