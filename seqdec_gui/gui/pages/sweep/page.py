"""The Sweep page: the search of the open design, and the trials of one of its sweeps as table and plots.

Object names: `sweep_choice`, `sweep_table`, `sweep_state`, `sweep_go_on`, `sweep_open`, `sweep_reuse`, and those of `setup` and
`plots`.
"""

from __future__ import annotations

from pathlib import Path

import msgspec
from PyQt5.QtCore import Qt, pyqtSlot
from PyQt5.QtGui import QColor
from PyQt5.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSplitter,
    QStackedWidget,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from seqdec_gui.domain import form_words
from seqdec_gui.domain.design import Design
from seqdec_gui.gui.look import theme
from seqdec_gui.gui.pages.sweep.plots import ImportancePlot, ParallelPlot
from seqdec_gui.gui.pages.sweep.setup import Setup
from seqdec_gui.gui.tasks import background, notify
from seqdec_gui.gui.widgets.empty_state import EmptyState
from seqdec_gui.gui.widgets.state_badge import state_color
from seqdec_gui.gui.widgets.table_style import show_as_list
from seqdec_gui.gui.widgets.while_shown import WhileShown
from seqdec_gui.gui.workspace.launch import design_key, request
from seqdec_gui.gui.workspace.sweep_draft import SweepDraft, go_on, make_sweep, sweeps_of
from seqdec_gui.gui.workspace.training_session import session_of
from seqdec_gui.gui.workspace.workspace import PageName, Workspace
from seqdec_gui.runs.folder import DesignKey, RunFolder
from seqdec_gui.runs.notes import plain_name
from seqdec_gui.runs.sweep.coordinates import coordinates, short_names
from seqdec_gui.runs.sweep.folder import SweepFolder, SweepSpec, Table, Trial
from seqdec_gui.runs.sweep.words import count_words

REFRESH_MS = 1000
"""The time between two looks at the sweep while the page is shown, in milliseconds."""
NO_SWEEP = (
    "A sweep trains the design again and again with other values, and finds out which are best. Choose a parameter above, say "
    "which values to try, and press Begin Sweep."
)
NO_RESULT = "A line for each trial is drawn here as soon as it has reported its goal."


class Seen(msgspec.Struct, frozen=True):
    """What a look at the folders has shown: the sweeps of the design, and one of them."""

    paths: tuple[Path, ...] = ()
    path: Path | None = None
    spec: SweepSpec | None = None
    table: Table = Table()
    worked_on: bool = False


class SweepPage(QWidget):
    """Looks at folders in threads; a sweep is worked on by a process of its own, which outlives the window."""

    def __init__(self, workspace: Workspace) -> None:
        super().__init__()
        self._workspace = workspace
        self._seen = Seen()
        self._wanted: Path | None = None
        self._busy = False
        self.setup = Setup(workspace, workspace.part(SweepDraft))
        self.setup.begin_requested.connect(self._on_begin_requested)
        self.parallel, self.importance = ParallelPlot(), ImportancePlot()
        self.parallel.chosen.connect(self.choose)
        self._build()
        WhileShown(self, self.refresh, REFRESH_MS)
        theme.notifier.changed.connect(self._show_table)
        self._show_buttons()

    def _build(self) -> None:
        self._choice = QComboBox(objectName="sweep_choice")
        self._choice.setAccessibleName("Sweep")
        self._choice.setMinimumWidth(220)
        self._choice.setSizeAdjustPolicy(QComboBox.AdjustToContents)
        self._choice.activated.connect(self._on_choice_activated)
        self._state = QLabel(objectName="sweep_state")
        self._state.setProperty("role", "small")
        one = QWidget()
        heading = QHBoxLayout()
        heading.addWidget(self._choice)
        heading.addWidget(self._state, 1)
        self.buttons: dict[str, QPushButton] = {}
        for name, text, tip, clicked in (
            ("go_on", "Go On", "Go on with this sweep: nobody works on it", self._on_go_on_clicked),
            ("open", "Open Run", "Show the selected trial on the Train tab", self._on_open_clicked),
            ("reuse", "Use Its Settings", "Make the design of the selected trial the open one", self._on_reuse_clicked),
        ):
            button = self.buttons[name] = QPushButton(text, objectName=f"sweep_{name}", toolTip=tip)
            button.clicked.connect(clicked)
            heading.addWidget(button)
        self.table = QTableWidget(objectName="sweep_table")
        self.table.setAccessibleName("Trials")
        show_as_list(self.table, 7 * theme.SPACE)
        self.table.horizontalHeader().setDefaultAlignment(Qt.AlignLeft | Qt.AlignVCenter)
        self.table.setEditTriggers(QAbstractItemView.NoEditTriggers)
        self.table.setSelectionBehavior(QAbstractItemView.SelectRows)
        self.table.setSelectionMode(QAbstractItemView.SingleSelection)
        self.table.itemSelectionChanged.connect(self._on_table_selection_changed)
        self.table.itemActivated.connect(self._on_open_clicked)
        lines = QWidget()
        drawn = QVBoxLayout(lines)
        drawn.setContentsMargins(0, 0, 0, 0)
        drawn.setSpacing(theme.SPACE)
        legend = QLabel("A line for each trial, stronger where it is better. Thick: the best one and the selected one.")
        legend.setProperty("role", "small")
        legend.setWordWrap(True)
        drawn.addWidget(legend)
        drawn.addWidget(self.parallel, 1)
        both = QSplitter(Qt.Vertical)
        both.addWidget(lines)
        both.addWidget(self.importance)
        both.setSizes([500, 200])
        self._plots = QStackedWidget()
        self._plots.addWidget(EmptyState("chart-line", "No result yet", NO_RESULT))
        self._plots.addWidget(both)
        below = QSplitter(Qt.Horizontal)
        below.addWidget(self.table)
        below.addWidget(self._plots)
        below.setSizes([500, 500])
        inner = QVBoxLayout(one)
        inner.setContentsMargins(0, 0, 0, 0)
        inner.setSpacing(2 * theme.SPACE)
        inner.addLayout(heading)
        inner.addWidget(below, 1)
        self._stack = QStackedWidget()
        self._stack.addWidget(EmptyState("tune-vertical", "No sweep of this design yet", NO_SWEEP))
        self._stack.addWidget(one)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(4 * theme.SPACE, 3 * theme.SPACE, 3 * theme.SPACE, 2 * theme.SPACE)
        layout.setSpacing(2 * theme.SPACE)
        layout.addWidget(self.setup)
        layout.addWidget(self._stack, 1)

    # -- looking
    @pyqtSlot()
    def refresh(self) -> None:
        """Look at the sweeps of the design, in a thread."""
        if self._busy:
            return
        self._busy = True
        key, wanted = design_key(self._workspace.document), self._wanted
        background.run(lambda: _look(key, wanted), self._on_looked, self._on_not_looked, self)

    def _on_looked(self, seen: Seen) -> None:
        self._busy = False
        going = " It is worked on." if seen.worked_on else ""
        self._state.setText(f"{count_words(seen.table, seen.spec.trials)}.{going}" if seen.spec else "")
        self._stack.setCurrentIndex(1 if seen.spec else 0)
        if seen == self._seen:
            return
        before, self._seen = self._seen, seen
        if seen.paths != before.paths:
            self._choice.clear()
            self._choice.addItems([plain_name(path.name) for path in seen.paths])
            for row, path in enumerate(seen.paths):
                self._choice.setItemData(row, str(path), Qt.ToolTipRole)
        if seen.path is not None:
            self._choice.setCurrentIndex(seen.paths.index(seen.path))
        self._show_table()
        self._show_plots()
        self._show_buttons()

    def _on_not_looked(self, error: Exception) -> None:
        self._busy = False
        self._state.setText(str(error))
        self._stack.setCurrentIndex(1)

    @pyqtSlot()
    def _show_table(self) -> None:
        spec, chosen = self._seen.spec, self.chosen
        names = [axis.name for axis in spec.axes] if spec else []
        titles = ["Trial", "State", form_words.choice(spec.goal) if spec else "Goal", *short_names(names)]
        self.table.blockSignals(True)
        self.table.setColumnCount(len(titles))
        self.table.setHorizontalHeaderLabels(titles)
        self.table.setRowCount(len(self._seen.table.trials))
        for row, trial in enumerate(self._seen.table.trials):
            best = trial.number == self._seen.table.best
            texts = [f"{trial.number}{' ★' if best else ''}", trial.state.capitalize(), _number(trial.value)]
            for column, text in enumerate([*texts, *(_number(trial.values.get(name)) for name in names)]):
                item = QTableWidgetItem(text)
                item.setToolTip(trial.text)
                if column == 1:
                    item.setForeground(QColor(state_color(trial.state)))
                self.table.setItem(row, column, item)
        self.table.resizeColumnsToContents()
        self.table.blockSignals(False)
        if chosen is not None:
            self.choose(chosen.number)

    def _show_plots(self) -> None:
        spec, table = self._seen.spec, self._seen.table
        if spec is not None:
            chosen = self.chosen
            shown = coordinates(spec.axes, table, form_words.choice(spec.goal), spec.maximize)
            self.parallel.show_trials(shown, table.best, chosen.number if chosen else 0)
            self.importance.show_shares(table.importance)
            self.importance.setVisible(bool(table.importance))
            self._plots.setCurrentIndex(1 if shown.lines else 0)

    # -- one trial
    @property
    def chosen(self) -> Trial | None:
        """Return the selected trial."""
        rows = {index.row() for index in self.table.selectedIndexes()}
        trials = self._seen.table.trials
        return trials[min(rows)] if rows and min(rows) < len(trials) else None

    @pyqtSlot(int)
    def choose(self, number: int) -> None:
        """Select a trial by its number."""
        for row, trial in enumerate(self._seen.table.trials):
            if trial.number == number:
                self.table.selectRow(row)

    @pyqtSlot()
    def _on_table_selection_changed(self) -> None:
        self._show_plots()
        self._show_buttons()

    def _show_buttons(self) -> None:
        seen, chosen = self._seen, self.chosen
        left = (
            seen.spec is not None
            and sum(t.state in ("finished", "pruned", "failed") for t in seen.table.trials) < seen.spec.trials
        )
        self.buttons["go_on"].setEnabled(left and not seen.worked_on)
        for name in ("open", "reuse"):
            self.buttons[name].setEnabled(chosen is not None and bool(chosen.run))

    @pyqtSlot()
    def _on_open_clicked(self, *_item: object) -> None:
        if (chosen := self.chosen) is not None:
            self._workspace.page_requested.emit(PageName.TRAIN)
            session_of(self._workspace).show(RunFolder(chosen.run), f"Trial {chosen.number}")

    @pyqtSlot()
    def _on_reuse_clicked(self) -> None:
        chosen = self.chosen
        if chosen is None:
            return
        document = self._workspace.document

        def then(design: Design) -> None:
            document.edit(design, f"Use the settings of trial {chosen.number}")
            self._workspace.status_message.emit(f"The design now has the settings of trial {chosen.number}; Undo restores it.")

        run = RunFolder(chosen.run)
        failed = lambda error: notify.failure(self, error, "The settings were not taken")  # noqa: E731
        background.run(lambda: run.read_spec().load_design(), then, failed, self)

    # -- sweeps
    @pyqtSlot(int)
    def _on_choice_activated(self, row: int) -> None:
        self._wanted = self._seen.paths[row]
        self.refresh()

    @pyqtSlot()
    def _on_go_on_clicked(self) -> None:
        if self._seen.path is not None:
            sweep = SweepFolder(self._seen.path)
            background.run(lambda: go_on(sweep), lambda _begun: self.refresh(), self._on_begin_failed, self)

    @pyqtSlot()
    def _on_begin_requested(self) -> None:
        setup, wanted, texts = self.setup, request(self._workspace), self.setup.texts
        trials, sampler = setup.trials.value(), setup.sampler.currentData()
        prune, goal = setup.prune.currentData(), setup.wanted_goal
        setup.begin.setEnabled(False)

        def begin() -> SweepFolder:
            sweep = make_sweep(wanted, texts, trials, sampler, prune, goal)
            go_on(sweep)
            return sweep

        background.run(begin, self._on_begun, self._on_begin_failed, self)

    def _on_begun(self, sweep: SweepFolder) -> None:
        self.setup.refresh()
        self._wanted = sweep.path
        self._workspace.status_message.emit(
            f"The sweep {plain_name(sweep.path.name)} has begun; it goes on if the window closes."
        )
        self.refresh()

    def _on_begin_failed(self, error: Exception) -> None:
        self.setup.refresh()
        notify.failure(self, error, "The sweep was not begun")


def _look(design: DesignKey, wanted: Path | None) -> Seen:
    """Return what the folders show now."""
    found = sweeps_of(design)
    paths = tuple(sweep.path for sweep in found)
    if not found:
        return Seen()
    sweep = next((each for each in found if each.path == wanted), found[0])
    return Seen(paths, sweep.path, sweep.read_spec(), sweep.read_table(), sweep.worked_on)


def _number(value: object) -> str:
    return "" if value is None else f"{value:.5g}" if isinstance(value, float) else str(value)
