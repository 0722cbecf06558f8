"""The mode of the latent space: the codes of rows as a scatter, and sequences from codes at, around and between them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from PyQt5.QtCore import Qt, pyqtSlot
from PyQt5.QtWidgets import QComboBox, QFormLayout, QHBoxLayout, QLabel, QPushButton, QSplitter, QVBoxLayout, QWidget

from seqdec_gui.data.code_points import Codes, Plane, around, at_random, between, principal_plane, read_codes, write_codes
from seqdec_gui.data.formats.base import Array
from seqdec_gui.data.generated_results import Result, read_results
from seqdec_gui.domain.wording import counted
from seqdec_gui.gui.look import theme
from seqdec_gui.gui.pages.generate.codes_plot import CodesPlot
from seqdec_gui.gui.pages.generate.mode import Mode, Order, Source, fields_of_rows
from seqdec_gui.gui.pages.generate.results_table import ResultsTable
from seqdec_gui.gui.pages.generate.strategy_form import StrategyForm
from seqdec_gui.gui.widgets.number_boxes import DecimalBox, WholeNumberBox
from seqdec_gui.gui.widgets.wrapped_label import WrappedLabel
from seqdec_gui.gui.workspace.workspace import Workspace
from seqdec_gui.runs.generate_inputs import Row, RunInputs
from seqdec_gui.runs.task_results import Encoded, Generated
from seqdec_gui.runs.tasks import EncodeTask, GenerateTask

NO_COLOUR = "one colour"
MOST_COLUMNS = 32
"""The number of columns of a vector that are offered for colours."""


class CodesMode(Mode):
    """A scatter of codes, and what is generated from codes chosen in it.

    Object names: `codes_plot`, `codes_summary`, `codes_table`, `codes_colour`, `codes_noise`, `codes_copies`, `codes_steps`,
    `codes_around`, `codes_between`.
    """

    verb, busy = "Encode", "Working…"
    stale = "The codes are of another run, or of other weights. Encode the rows again."

    def __init__(self, workspace: Workspace, strategy: StrategyForm) -> None:
        super().__init__(workspace)
        self._strategy = strategy
        self._codes: Codes | None = None
        self._plane: Plane | None = None
        self._wanted: Codes | None = None
        self._fresh = False  # the wanted codes are of no row, so of no weights either
        self._variational = 0
        self._of: tuple[str, str] = ("", "")  # run and weights of the codes
        self._words: tuple[str, ...] = ()
        self._columns: dict[str, list[str]] = {}
        self.options = self._fields()
        self.plot = CodesPlot()
        self.table = ResultsTable()
        self.table.setObjectName("codes_table")
        self.table.setAccessibleName("Sequences from codes")
        self._both = QSplitter(Qt.Vertical)
        self._both.addWidget(self.plot)
        self._both.addWidget(self.table)
        self._both.setSizes([420, 200])
        self._both.hide()
        self._hint = QLabel("The codes of your rows appear here.", alignment=Qt.AlignCenter, wordWrap=True)
        self._hint.setProperty("role", "dim")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(self._head())
        layout.addWidget(self._both, 1)
        layout.addWidget(self._hint, 1)
        self.plot.chosen.connect(self._on_plot_chosen)

    def _fields(self) -> QWidget:
        holder = QWidget()
        words = WrappedLabel(
            "Click a point, or a place between points, to generate from the code there; Ctrl+click a second point to go "
            "from one to the other. Symbols are chosen as under Generate."
        )
        words.setProperty("role", "small")
        self._colour = QComboBox(objectName="codes_colour")
        self._colour.addItem(NO_COLOUR)
        self._colour.currentTextChanged.connect(self._on_colour_changed)
        self._noise = DecimalBox(objectName="codes_noise", minimum=0.0, maximum=1000.0, singleStep=0.1, value=0.1)
        self._copies = WholeNumberBox(objectName="codes_copies", minimum=1, maximum=1000, value=10)
        self._steps = WholeNumberBox(objectName="codes_steps", minimum=2, maximum=1000, value=10)
        form = QFormLayout(holder)
        form.setContentsMargins(0, 0, 0, 0)
        form.setHorizontalSpacing(3 * theme.SPACE)
        form.setVerticalSpacing(2 * theme.SPACE)
        form.addRow(words)
        for title, field, tip in (
            ("Colour by", self._colour, "A column of the rows, or one carried over from the file"),
            ("Noise", self._noise, "The standard deviation of the noise around a code"),
            ("Copies", self._copies, "How many codes with noise are made around one"),
            ("Steps", self._steps, "How many codes there are from one point to the other, both included"),
        ):
            label = QLabel(title)
            label.setProperty("role", "dim")
            label.setBuddy(field)
            field.setToolTip(tip)
            field.setAccessibleName(title)
            form.addRow(label, field)
        return holder

    def _head(self) -> QHBoxLayout:
        self._summary = QLabel(objectName="codes_summary", wordWrap=True)
        self._summary.setProperty("role", "small")
        self._around = QPushButton("Around it", objectName="codes_around", enabled=False)
        self._around.setToolTip("Generate from codes with noise around the chosen point")
        self._between = QPushButton("From one to the other", objectName="codes_between", enabled=False)
        self._between.setToolTip("Generate from codes on the line between two points; Ctrl+click the second")
        self._random = QPushButton("Random codes", objectName="codes_random", enabled=False)
        self._random.setToolTip("Generate from standard normal codes, as many as Copies says: for a variational bottleneck")
        self._random.clicked.connect(self._on_random_clicked)
        self._around.clicked.connect(self._on_around_clicked)
        self._between.clicked.connect(self._on_between_clicked)
        head = QHBoxLayout()
        head.setContentsMargins(3 * theme.SPACE, 2 * theme.SPACE, 3 * theme.SPACE, 2 * theme.SPACE)
        head.setSpacing(2 * theme.SPACE)
        head.addWidget(self._summary, 1)
        head.addWidget(self._random)
        head.addWidget(self._around)
        head.addWidget(self._between)
        return head

    def show_run(self, inputs: RunInputs | None) -> None:
        self._variational = 0 if inputs is None else inputs.variational
        self._random.setVisible(bool(self._variational))
        self._random.setEnabled(bool(self._variational))

    # -- tasks
    def task(self, source: Source, order: Order) -> EncodeTask:
        self._of = (str(order.inputs.run.path), order.checkpoint)
        return EncodeTask(**fields_of_rows(source, order, "codes.npz"))

    def next_task(self, order: Order) -> GenerateTask | None:
        wanted, self._wanted = self._wanted, None
        of_others = self._of != (str(order.inputs.run.path), order.checkpoint)
        if wanted is None or (of_others and not self._fresh):
            return None  # these are the codes of other weights
        write_codes(order.folder / "codes.npz", wanted)
        fields = fields_of_rows(Source(), order, "samples.csv") | self._strategy.choice().task_fields()
        return GenerateTask(**fields, codes=str(order.folder / "codes.npz"), mark_unfinished=True, feed_map=order.feed_map)

    def read(self, result: Any) -> Any:
        if isinstance(result, Generated):
            return read_results(Path(result.path))
        codes = read_codes(Path(result.path))
        plane = principal_plane(codes.codes)
        return codes, plane, plane.project(codes.codes)

    def show_result(self, result: Any, content: Any, source: Source) -> None:
        if isinstance(result, Encoded):
            codes, plane, points = content
            self._show_codes(result, codes, plane, points, source)
        else:
            made: list[Result] = content
            self._hint.hide()
            self._both.show()
            self.table.show_results(made)

    def _show_codes(self, result: Encoded, codes: Codes, plane: Plane, points: Array, source: Source) -> None:
        self._codes, self._plane = codes, plane
        self._words = source.words
        self._columns = columns_to_colour_by(codes, source.rows)
        self._hint.hide()
        self._both.show()
        self.table.show_results([])
        titles = (f"component 1 ({plane.shares[0]:.0%} of the variance)", f"component 2 ({plane.shares[1]:.0%})")
        self.plot.show_points(points, titles)
        before = self._colour.currentText()
        self._colour.clear()
        self._colour.addItems([NO_COLOUR, *self._columns])
        self._colour.setCurrentText(before)
        refused = f"; {counted(result.refused, 'row')} could not be encoded" if result.refused else ""
        self._summary.setText(f"{counted(result.rows, 'code')} of {result.width} numbers: {', '.join(result.ports)}{refused}")
        self._enable()

    def _ask(self, codes: Array, rows: Array, fresh: bool = False, **kept: list[str]) -> None:
        self._wanted, self._fresh = Codes(codes, rows, dict(kept)), fresh
        self.asked.emit()

    def _enable(self) -> None:
        self._around.setEnabled(bool(self.plot.selected))
        self._between.setEnabled(len(self.plot.selected) == 2)

    # -- the user
    @pyqtSlot(float, float)
    def _on_plot_chosen(self, x: float, y: float) -> None:
        codes, plane = self._codes, self._plane
        assert codes is not None
        assert plane is not None
        self._enable()
        if len(self.plot.selected) == 2:
            return
        if self.plot.selected:
            row = self.plot.selected[0]
            number = int(codes.rows[row])
            words = f": {self._words[number]}" if number < len(self._words) else ""
            self._workspace.status_message.emit(f"Row {number + 1}{words}")
            self._ask(codes.codes[row : row + 1], codes.rows[row : row + 1])
        else:
            self._ask(plane.lift(np.array([[x, y]])), np.array([-1]), place=[f"{x:.4g}, {y:.4g}"])

    @pyqtSlot()
    def _on_around_clicked(self) -> None:
        if self._codes is not None and self.plot.selected:
            row, count = self.plot.selected[-1], self._copies.value()
            near = around(self._codes.codes[row : row + 1], count, self._noise.value(), self._strategy.choice().seed)
            self._ask(near, np.repeat(self._codes.rows[row], count))

    @pyqtSlot()
    def _on_between_clicked(self) -> None:
        if self._codes is not None and len(self.plot.selected) == 2:
            one, other = self.plot.selected
            steps = self._steps.value()
            codes = between(self._codes.codes[one], self._codes.codes[other], steps)
            share = np.linspace(0, 1, steps)
            nearest = np.where(share < 0.5, self._codes.rows[one], self._codes.rows[other])
            self._ask(codes, nearest, share=[f"{step:.3g}" for step in share])

    @pyqtSlot()
    def _on_random_clicked(self) -> None:
        codes = at_random(self._copies.value(), self._variational, self._strategy.choice().seed)
        self._ask(codes, np.full(len(codes), -1), fresh=True)

    @pyqtSlot(str)
    def _on_colour_changed(self, name: str) -> None:
        self.plot.colour_by(self._columns.get(name, []))


def columns_to_colour_by(codes: Codes, rows: tuple[Row, ...]) -> dict[str, list[str]]:
    """Return the columns of the rows with codes, as text: the number of the row, those carried over, and the inputs."""
    columns = {"row": [str(int(row) + 1) for row in codes.rows], **codes.kept}
    if len(rows) == len(codes.codes):
        for name in rows[0] if rows else ():
            values = [row[name] for row in rows]
            if isinstance(values[0], str):
                columns[name] = values
                columns[f"length of {name}"] = [str(len(value)) for value in values]
            else:
                flat = np.asarray(values, np.float64).reshape(len(rows), -1)
                numbers = range(min(MOST_COLUMNS, flat.shape[1]))
                columns |= {f"{name} {n + 1}" if flat.shape[1] > 1 else name: [f"{v:g}" for v in flat[:, n]] for n in numbers}
    return columns
