"""Lines of name and value about a block or the design: parameter counts, memory, the types of ports."""

from __future__ import annotations

from typing import Any

import msgspec
from PyQt5.QtCore import Qt
from PyQt5.QtWidgets import QGridLayout, QLabel, QSizePolicy, QWidget

from seqdec_gui.domain.cost import activation_bytes
from seqdec_gui.domain.design import Design
from seqdec_gui.domain.shapes import Inference
from seqdec_gui.domain.types import MemoryType, PortType, StatesType
from seqdec_gui.domain.wording import counted, format_bytes
from seqdec_gui.gui.look import theme
from seqdec_gui.gui.look.stylesheet import polish

LABEL_WIDTH = 106
"""The least width of the column of names, in pixels."""
MARGIN = 4 * theme.SPACE
"""The space at the left and right, in pixels."""


class Fact(msgspec.Struct, frozen=True):
    """One line. `colour` names a wire colour of the theme, for ports."""

    name: str
    value: str
    colour: str = ""
    tip: str = ""


def block_facts(design: Design, inference: Inference, block_id: str) -> list[Fact]:
    """Return parameters, memory and ports of one block."""
    block = inference.blocks[block_id]
    kind = design.block(block_id).parameters
    facts = []
    if block.parameters or block.submodel is not None:
        facts += _counts(block.parameters, block.trainable)
        alone = Inference({block_id: block}, (block_id,), frozenset())
        batch = design.training.batch_size
        tip = "Weights, gradients, optimizer and activations of one batch in float32: an estimate."
        facts.append(Fact("Memory", f"≈ {format_bytes(activation_bytes(alone, batch))} at batch {batch:,}", tip=tip))
    for port in kind.inputs():
        absent = "open" if port.optional else "not connected"
        facts.append(_port_fact("→", port.name, block.inputs.get(port.name), absent, port.takes))
    for output in kind.outputs():
        facts.append(_port_fact("←", output.name, block.outputs.get(output.name), "not known yet", output.gives))
    return facts


def _port_fact(arrow: str, port: str, type: PortType | None, absent: str, words: str) -> Fact:
    """Return the line about a port's type; its value is `absent` if the type is unknown."""
    return Fact(f"{arrow} {port}", str(type) if type else absent, _colour(type), f"{port}: {words}")


def design_facts(design: Design, inference: Inference) -> list[Fact]:
    """Return parameters, memory and size of the whole design."""
    batch = design.training.batch_size
    memory = format_bytes(activation_bytes(inference, batch))
    return [
        Fact("Blocks", f"{len(design.blocks)}, with {counted(len(design.links), 'wire')}"),
        *_counts(inference.parameters, inference.trainable),
        Fact("Memory", f"≈ {memory} at batch {batch:,}", tip="Weights, gradients, optimizer and activations in float32."),
    ]


def _counts(total: int, trainable: int) -> list[Fact]:
    counts = [Fact("Parameters", f"{total:,}")]
    return counts if total == trainable else [*counts, Fact("Trainable", f"{trainable:,}")]


def _colour(type: PortType | None) -> str:
    if type is None:
        return "dim"
    if isinstance(type, StatesType):
        return "wire_states"
    if isinstance(type, MemoryType):
        return "wire_float"
    return "wire_ids" if type.dtype == "int32" else "wire_float"


class FactsView(QWidget):
    """Shows facts in two columns. Lines are reused, so that nothing flickers. The label of a value is `fact_<name>`."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._lines: list[tuple[QLabel, QLabel]] = []
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(MARGIN, 0, MARGIN, 3 * theme.SPACE)
        self._grid.setHorizontalSpacing(2 * theme.SPACE)
        self._grid.setVerticalSpacing(theme.SPACE)
        self._grid.setColumnMinimumWidth(0, LABEL_WIDTH)
        self._grid.setColumnStretch(1, 1)

    def show_facts(self, facts: list[Fact]) -> None:
        while len(self._lines) < len(facts):
            self._add_line()
        for index, (name, value) in enumerate(self._lines):
            fact: Any = facts[index] if index < len(facts) else None
            for label in (name, value):
                label.setVisible(fact is not None)
            if fact is not None:
                name.setText(fact.name)
                value.setText(fact.value)
                value.setToolTip(fact.tip)
                name.setToolTip(fact.tip)
                polish(value, "role", fact.colour)
                value.setObjectName("fact_" + fact.name.strip("→← ").lower())

    def _add_line(self) -> None:
        name, value = QLabel(), QLabel(wordWrap=True)
        name.setProperty("role", "dim")
        name.setSizePolicy(QSizePolicy.Ignored, QSizePolicy.Preferred)
        value.setTextInteractionFlags(Qt.TextSelectableByMouse)
        line = len(self._lines)
        self._grid.addWidget(name, line, 0, Qt.AlignTop)
        self._grid.addWidget(value, line, 1)
        self._lines.append((name, value))
