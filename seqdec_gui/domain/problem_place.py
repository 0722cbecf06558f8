"""Decides where in the program the user can solve a problem of the open design."""

from __future__ import annotations

from typing import Literal, TypeAlias

from seqdec_gui.domain.codes import about
from seqdec_gui.domain.dataflow import data_ports
from seqdec_gui.domain.design import Design
from seqdec_gui.domain.problems import Problem
from seqdec_gui.domain.shapes import Inference

MendedAt: TypeAlias = Literal["training", "data", "block", "design"]
"""A place to solve a problem: the training settings, the data (a port or the file), a block, or the whole design."""


def mended_at(problem: Problem, design: Design, inference: Inference, of_data: bool) -> MendedAt:
    """Return the place where a problem is solved, according to its `where` and its code.

    `of_data` is whether the problem was detected by trying the data. Then a problem at a port that takes data is solved at that
    port, whatever its code: codes such as `wrong_shape` are used for blocks and for columns.
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
