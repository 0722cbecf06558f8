"""Where in the program a problem of the open design is mended."""

from __future__ import annotations

from typing import Literal, TypeAlias

from seqdec_gui.domain.codes import about
from seqdec_gui.domain.dataflow import data_ports
from seqdec_gui.domain.design import Design
from seqdec_gui.domain.problems import Problem
from seqdec_gui.domain.shapes import Inference

MendedAt: TypeAlias = Literal["training", "data", "block", "design"]
"""The settings of training, the data (a port, or the file), one block, or the design as a whole."""


def mended_at(problem: Problem, design: Design, inference: Inference, of_data: bool) -> MendedAt:
    """The place that a problem leads to, by its `where` and by what its code is about.

    `of_data`: the problem was found by trying the data. Then one at a port that takes data is mended at that port, whatever
    its code is about: codes such as `wrong_shape` are about blocks and about columns.
    """
    first, _, field = problem.where.partition(".")
    if first == "training":
        return "training"
    if first == "data" or about(problem.code) == "binding":
        return "data"
    at_data_port = any(port.port == problem.where for port in data_ports(design, inference))
    if at_data_port and (of_data or about(problem.code) == "data"):
        return "data"
    if design.has(first) and (about(problem.code) != "data" or field in _parameters(design, first)):
        return "block"
    return "data" if of_data or about(problem.code) == "data" else "design"


def _parameters(design: Design, block_id: str) -> tuple[str, ...]:
    return design.block(block_id).parameters.__struct_fields__
