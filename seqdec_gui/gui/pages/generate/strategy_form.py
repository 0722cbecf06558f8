"""The form for how symbols are chosen: greedily, at random or by a beam search, each with its own fields."""

from __future__ import annotations

from typing import Any

from PyQt5.QtCore import Qt, pyqtSignal, pyqtSlot
from PyQt5.QtWidgets import QCheckBox, QFormLayout, QLabel, QVBoxLayout, QWidget

from seqdec_gui.domain.decoding import Beam, Sampling, check_decoding
from seqdec_gui.domain.decoding_settings import SETTINGS, Setting
from seqdec_gui.domain.problems import InvalidInput
from seqdec_gui.gui.look import theme
from seqdec_gui.gui.pages.generate.decoding_choice import DecodingChoice
from seqdec_gui.gui.pages.generate.limits_form import LimitsForm
from seqdec_gui.gui.widgets.number_boxes import DecimalBox, WholeNumberBox
from seqdec_gui.gui.widgets.segments import Segments
from seqdec_gui.gui.widgets.wrapped_label import WrappedLabel
from seqdec_gui.runs.generate_inputs import RunInputs

MAX_SEED = 2**31 - 1
"""The largest seed."""
WORDS = {
    "greedy": ("Greedy", "The likeliest symbol at every step"),
    "sampling": ("Sampling", "Symbols drawn at random, as often as the model finds them likely"),
    "beam": ("Beam", "A beam search for the likeliest sequences"),
}
"""The words of the strategies, and what each does."""
ONLY_GREEDY = "This run predicts numbers, which have no probabilities: there is nothing to draw, to search or to limit."
"""Why a run that predicts numbers has no other strategy."""
Box = WholeNumberBox | DecimalBox


class StrategyForm(QWidget):
    """The strategy and its numbers, and what sequences must be like. `edited` is emitted after each change.

    Object names: `generate_strategy_<name>` (the buttons), `generate_<setting>` for each number, `generate_count`,
    `generate_unique`, `generate_seed`, `strategy_fault`. Only the fields of the chosen strategy are shown.
    """

    edited = pyqtSignal()
    refused = pyqtSignal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._numbers = False
        self._filling = False
        self._boxes: dict[str, Box] = {}
        self._choose = Segments([(name, *words) for name, words in WORDS.items()], "generate_strategy")
        self._choose.chosen.connect(self._on_edited)
        self._panels = {name: self._panel(name) for name in WORDS}
        self.limits = LimitsForm()
        self.limits.edited.connect(self._on_edited)
        title = QLabel("How symbols are chosen")
        title.setProperty("role", "section")
        self._why = WrappedLabel(ONLY_GREEDY, "only_greedy")
        self._why.setProperty("role", "small")
        self._fault = WrappedLabel(name="strategy_fault")
        self._fault.setProperty("role", "error")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2 * theme.SPACE)
        layout.addWidget(title)
        layout.addWidget(self._choose, 0, Qt.AlignLeft)
        for widget in (self._why, *self._panels.values(), self._fault, self.limits):
            layout.addWidget(widget)
        self._align()
        self._show_fields()

    def _panel(self, name: str) -> QWidget:
        panel = QWidget()
        form = QFormLayout(panel)
        form.setContentsMargins(0, 0, 0, 0)
        form.setHorizontalSpacing(3 * theme.SPACE)
        form.setVerticalSpacing(2 * theme.SPACE)
        if name == "sampling":
            self._count = WholeNumberBox(objectName="generate_count", minimum=1, maximum=100_000, value=1)
            self._add(form, "Samples per row", self._count, "How many sequences are drawn for each row.")
        default: Any = {"sampling": Sampling(), "beam": Beam()}.get(name)
        for field, setting in SETTINGS[name].items():
            box = _box_for(field, setting)
            box.setValue(getattr(default, field))
            self._boxes[field] = box
            self._add(form, setting.title, box, f"{setting.help} {setting.range[:1].upper()}{setting.range[1:]}.")
        if name == "sampling":
            self._unique = QCheckBox("Only different ones", objectName="generate_unique")
            self._unique.setToolTip("Draw on until the samples of a row differ, at most ten times as often.")
            self._unique.toggled.connect(self._on_edited)
            self._seed = WholeNumberBox(objectName="generate_seed", minimum=0, maximum=MAX_SEED)
            self._add(form, "Seed", self._seed, "The same seed gives the same sequences again.")
            form.addRow("", self._unique)
        return panel

    def _add(self, form: QFormLayout, words: str, box: Box, tip: str) -> None:
        label = QLabel(words)
        label.setProperty("role", "dim")
        label.setBuddy(box)
        for widget in (label, box):
            widget.setToolTip(tip)
        box.setAccessibleName(words)
        box.setAccessibleDescription(tip)
        box.refused.connect(self.refused)
        box.valueChanged.connect(self._on_edited)
        form.addRow(label, box)

    def _align(self) -> None:
        """Let the fields of all strategies begin at the same place."""
        labels = [label for panel in self._panels.values() for label in panel.findChildren(QLabel)]
        widest = max(label.sizeHint().width() for label in labels)
        for label in labels:
            label.setMinimumWidth(widest)

    # -- the values
    def show_run(self, inputs: RunInputs | None, choice: DecodingChoice) -> None:
        """Show what was chosen last for a run, and offer what it can do."""
        self._numbers = inputs is not None and inputs.predicted is not None and inputs.predicted.numbers
        self._filling = True
        try:
            self._choose.choose("greedy" if self._numbers else choice.name)
            for strategy in (choice.sampling, choice.beam):
                for field in strategy.__struct_fields__:
                    self._boxes[field].setValue(getattr(strategy, field))
            self._count.setValue(choice.count)
            self._unique.setChecked(choice.unique)
            self._seed.setValue(choice.seed)
            self.limits.show_run(inputs, choice.constraints)
        finally:
            self._filling = False
        for name in ("sampling", "beam"):
            self._choose.offer(name, not self._numbers)
        self._on_edited()

    def choice(self) -> DecodingChoice:
        """Return what is chosen, also what is typed in a box that still has the focus."""
        for box in self._all_boxes():
            box.interpretText()
        return self._shown_choice()

    @property
    def fault(self) -> str:
        """Return why sequences cannot be generated in this way; empty if they can."""
        return self._fault_of_strategy() or self.limits.fault

    def _all_boxes(self) -> list[Box]:
        return [*self._boxes.values(), self._count, self._seed]

    def _fault_of_strategy(self) -> str:
        choice = self._shown_choice()
        try:
            check_decoding(choice.strategy, choice.constraints, choice.samples, choice.unique and choice.name == "sampling")
        except InvalidInput as error:
            return " ".join(problem.text for problem in error.problems)
        return ""

    def _shown_choice(self) -> DecodingChoice:
        values = {field: box.value() for field, box in self._boxes.items()}
        return DecodingChoice(
            self._choose.value,  # type: ignore[arg-type]
            Sampling(**{field: values[field] for field in SETTINGS["sampling"]}),
            Beam(**{field: values[field] for field in SETTINGS["beam"]}),
            self._count.value(),
            self._unique.isChecked(),
            self._seed.value(),
            self.limits.constraints(),
        )

    def _show_fields(self) -> None:
        for name, panel in self._panels.items():
            panel.setVisible(name == self._choose.value and bool(SETTINGS[name]))
        self._why.setVisible(self._numbers)
        self.limits.setVisible(not self._numbers)
        fault = self._fault_of_strategy()
        self._fault.setText(fault)
        self._fault.setVisible(bool(fault))

    @pyqtSlot()
    def _on_edited(self, *_value: object) -> None:
        if not self._filling:
            self._show_fields()
            self.edited.emit()


def _box_for(field: str, setting: Setting) -> Box:
    kind = WholeNumberBox if setting.whole else DecimalBox
    box = kind(objectName=f"generate_{field}")
    if isinstance(box, DecimalBox):
        box.setDecimals(3)
    least = 10.0**-3 if setting.above else setting.least
    box.setRange(int(least), int(setting.most)) if isinstance(box, WholeNumberBox) else box.setRange(least, setting.most)
    box.setSingleStep(int(setting.step) if isinstance(box, WholeNumberBox) else setting.step)
    if setting.off is not None and setting.off[0] == setting.least:
        box.setSpecialValueText(setting.off[1])
    return box
