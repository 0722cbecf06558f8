"""The state of every binding, from all that is known of it: the one answer that every sign and sentence about it gives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, TypeAlias

import msgspec

from seqdec_gui.domain.codes import is_about_reading, is_absent
from seqdec_gui.domain.data_edits import Ports, binding_of, teacher_of
from seqdec_gui.domain.dataflow import DataPort, port_for
from seqdec_gui.domain.design import Design
from seqdec_gui.domain.problems import Problem

Word: TypeAlias = Literal["unbound", "unknown", "error", "warning", "ok"]
"""`unknown`: bound, and not tried as it is now. `ok`: tried, and nothing is wrong at any end of its column."""
_WORST_FIRST: tuple[Word, ...] = ("error", "warning", "unknown", "ok", "unbound")


class BindingState(msgspec.Struct, frozen=True):
    """The state of one port. `problems` are those to be shown at it; `teacher` is the port whose column it takes, if any.

    The state of a port with a teacher is never better than that of the teacher, nor the other way round: they share a column.
    """

    word: Word
    problems: tuple[Problem, ...] = ()
    teacher: DataPort | None = None


class BindingStates(msgspec.Struct, frozen=True):
    """The states by the name of the port, and the problems that belong to no port."""

    ports: Mapping[str, BindingState]
    general: tuple[Problem, ...] = ()

    @property
    def errors(self) -> int:
        """Return how many errors there are, each counted once."""
        shown = {problem for state in self.ports.values() for problem in state.problems}
        return sum(problem.severity == "error" for problem in (*shown, *self.general))


def binding_states(design: Design, ports: Ports, problems: Sequence[Problem], tried: bool) -> BindingStates:
    """Return the state of every port. `problems` are all that are known of the data; `tried` says that they are complete."""
    problems = [problem for problem in dict.fromkeys(problems) if not is_absent(problem.code)]
    owned = [(problem, port_with_row(problem.where, design, ports)) for problem in problems]
    states: dict[str, BindingState] = {}
    for port in ports:
        mine = tuple(problem for problem, owner in owned if owner == port)
        teacher = None if binding_of(design, ports, port) is not None else teacher_of(design, ports, port)
        bound = teacher is not None or binding_of(design, ports, port) is not None
        states[port.name] = BindingState(_word(mine, bound, tried), mine, teacher)
    for port in ports:
        teacher = states[port.name].teacher
        if teacher is not None:
            both = min((states[each.name].word for each in (port, teacher)), key=_WORST_FIRST.index)
            for each in (port, teacher):
                states[each.name] = msgspec.structs.replace(states[each.name], word=both)
    general = (problem for problem, owner in owned if owner is None and not is_about_reading(problem.code))
    return BindingStates(states, tuple(general))


def port_with_row(name: str, design: Design, ports: Ports) -> DataPort | None:
    """Return the port at which a problem is shown; for targets of teacher forcing, the port with the column.

    A problem of a parameter of an input block (`source.length`) is shown at its port.
    """
    block, _, field = name.partition(".")
    where = port_for(ports, name) or (next((port for port in ports if port.name == block), None) if field else None)
    if where is None or binding_of(design, ports, where) is not None:
        return where
    return teacher_of(design, ports, where) or where


def _word(problems: Sequence[Problem], bound: bool, tried: bool) -> Word:
    severities = {problem.severity for problem in problems}
    if "error" in severities:
        return "error"
    if "warning" in severities:
        return "warning"
    if not bound:
        return "unbound"
    return "ok" if tried else "unknown"
