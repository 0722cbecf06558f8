"""What a sweep searches: ranges and lists of values of parameters, as `NAME=1e-4..1e-2:log` and `NAME=128|256`."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from itertools import product
from typing import Literal, TypeAlias

import msgspec

from seqdec_gui.domain.catalog import Field, fields
from seqdec_gui.domain.design import Design
from seqdec_gui.domain.edit import parse_assignment, set_value
from seqdec_gui.domain.problems import InvalidInput, Problem, errors
from seqdec_gui.domain.validation import check

Value: TypeAlias = int | float | str
MOST_CELLS = 100_000
"""The most combinations of a grid."""
LOG_CELLS = 5
"""Into how many values a grid divides a range that has no step."""
_FORM = "NAME=LOW..HIGH, NAME=LOW..HIGH:log, NAME=LOW..HIGH:step=N or NAME=A|B|C"


class Axis(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One parameter of the search, or several that are always equal (`name` with commas between them).

    A range has `low` and `high`, ends included, a list has `texts` instead. `step` 0 means any value between; whole numbers
    (`integer`) have steps of 1 then. `log`: evenly in the logarithm.
    """

    name: str
    kind: Literal["range", "list"]
    texts: tuple[str, ...] = ()
    low: float = 0.0
    high: float = 0.0
    step: float = 0.0
    log: bool = False
    integer: bool = False

    def set_in(self, design: Design, value: Value) -> Design:
        """Return the design with this value. Raises InvalidInput."""
        for name in self.name.split(","):
            design = set_value(design, name, self.text(value))
        return design

    def text(self, value: Value) -> str:
        """Return a value as an assignment has it."""
        return value if isinstance(value, str) else str(int(value)) if self.integer else repr(float(value))

    def cells(self) -> tuple[Value, ...]:
        """Return the values of this parameter in a grid."""
        if self.kind == "list":
            return self.texts
        if self.step or (self.integer and not self.log):
            step = self.step or max(1.0, math.ceil((self.high - self.low) / (LOG_CELLS - 1)))
            count = int((self.high - self.low) / step + 1e-9) + 1
            values = [self.low + number * step for number in range(count)]
        else:
            parts = [number / (LOG_CELLS - 1) for number in range(LOG_CELLS)]
            low, high = self.low, self.high
            values = [low * (high / low) ** part if self.log else low + (high - low) * part for part in parts]
        found: list[Value] = [round(value) if self.integer else min(value, self.high) for value in values]
        return tuple(dict.fromkeys(found))

    def __str__(self) -> str:
        if self.kind == "list":
            return f"{self.name}={'|'.join(self.texts)}"
        how = f":step={self.step:g}" if self.step else ""
        ends = "..".join(str(int(end)) if self.integer else f"{end:g}" for end in (self.low, self.high))
        return f"{self.name}={ends}{':log' if self.log else ''}{how}"


def parse_axis(text: str) -> Axis:
    """Return the parameter and the values of a `--search`. Raises InvalidInput."""
    name, values = parse_assignment(text, _FORM)
    values = values.strip()
    if "|" in values:
        texts = tuple(part.strip() for part in values.split("|"))
        if not all(texts) or len(set(texts)) != len(texts):
            raise _wrong(name, f"Expected different values with | between them, received {values!r}.")
        return Axis(name, "list", texts)
    ends, *options = values.split(":")
    first, dots, last = ends.partition("..")
    if not dots:
        raise _wrong(name, f"Expected a range or a list, received {values!r}.")
    log, step = "log" in options, 0.0
    for option in options:
        if option.startswith("step="):
            step = _number(name, option.removeprefix("step="))
        elif option != "log":
            raise _wrong(name, f"Expected log or step=N behind the range, received {option!r}.")
    low, high = _number(name, first), _number(name, last)
    integer = all(re.fullmatch(r"[+-]?\d+", end.strip()) for end in (first, last)) and step == int(step)
    if not low < high:
        raise _wrong(name, f"Expected the smaller end first, received {values!r}.")
    if log and low <= 0:
        raise _wrong(name, f"A logarithmic range begins above 0, received {values!r}.")
    if step < 0 or step > high - low or (log and step):
        raise _wrong(name, f"Expected a step from 0 to the width of the range, and none with log, received {values!r}.")
    return Axis(name, "range", low=low, high=high, step=step, log=log, integer=bool(integer))


def parse_space(texts: Sequence[str], design: Design) -> tuple[Axis, ...]:
    """Return all parameters of a search, each of which the design has and whose ends it takes. Raises InvalidInput with all."""
    axes: list[Axis] = []
    problems: list[Problem] = []
    for text in texts:
        try:
            axis = parse_axis(text)
            if set(axis.name.split(",")) & {name for each in axes for name in each.name.split(",")}:
                raise _wrong(axis.name, "It is searched twice.")
            _fail_unless_possible(axis, design)
            axes.append(axis)
        except InvalidInput as error:
            problems += error.problems
    if not texts:
        problems.append(Problem("error", "sweep_search", "search", "Nothing is searched.", f"Add --search {_FORM}."))
    if problems:
        raise InvalidInput(tuple(problems))
    return tuple(axes)


def grid(axes: Sequence[Axis]) -> list[dict[str, Value]]:
    """Return all combinations, the last parameter changing fastest. Raises InvalidInput where there are too many."""
    cells = [axis.cells() for axis in axes]
    if (count := math.prod(map(len, cells))) > MOST_CELLS:
        raise _wrong("grid", f"The grid has {count:,} combinations; at most {MOST_CELLS:,} can be tried.")
    return [dict(zip([axis.name for axis in axes], values, strict=True)) for values in product(*cells)]


def with_values(design: Design, axes: Sequence[Axis], values: dict[str, Value]) -> tuple[Design, tuple[str, ...]]:
    """Return the design of a trial, and its assignments. Raises InvalidInput where values do not go together."""
    assignments = tuple(f"{name}={axis.text(values[axis.name])}" for axis in axes for name in axis.name.split(","))
    for axis in axes:
        design = axis.set_in(design, values[axis.name])
    return design, assignments


def _fail_unless_possible(axis: Axis, design: Design) -> None:
    """Raise InvalidInput where the design cannot have the values of this parameter while all others stay."""
    there = errors(check(design).problems)
    for value in axis.texts or (axis.low, axis.high):
        wrong = [problem for problem in errors(check(axis.set_in(design, value)).problems) if problem not in there]
        if wrong:
            together = joined(design, axis.name)
            hint = (
                wrong[0].hint if together == axis.name else f"Search them together: {together}={str(axis).partition('=')[2]}."
            )
            text = f"With the value {axis.text(value)}: {wrong[0].where}: {wrong[0].text}"
            raise InvalidInput([Problem("error", "sweep_search", axis.name, text, hint)])


def joined(design: Design, name: str) -> str:
    """Return the parameter with those of other blocks that have to be equal to it, with commas between; or itself alone.

    Units of an encoder and of the decoder whose states it sets are such.
    """
    owner, _, parameter = name.rpartition(".")
    if owner == "training" or "," in name or not design.has(owner):
        return name
    value = getattr(design.block(owner).parameters, parameter, None)
    other = ""
    if isinstance(value, int) and not isinstance(value, bool):
        other = str(2 * value)
    elif isinstance(value, tuple):
        other = ",".join(str(2 * each) for each in value)
    others = [block.id for block in design.blocks if getattr(block.parameters, parameter, None) == value]
    try:
        if not other or not errors(check(set_value(design, name, other)).problems):
            return name
        together = ",".join(f"{block}.{parameter}" for block in others)
        return together if not errors(check(Axis(together, "list", (other,)).set_in(design, other)).problems) else name
    except (InvalidInput, TypeError):
        return name


def _number(name: str, text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise _wrong(name, f"Expected a number, received {text!r}.")
    return number


def _wrong(name: str, text: str) -> InvalidInput:
    return InvalidInput([Problem("error", "sweep_search", name, text, f"Write {_FORM}.")])


def proposed_search(design: Design, name: str) -> str:
    """Return a search around the present value of a parameter: an order of magnitude, or half and twice, or all choices."""
    owner, _, parameter = name.rpartition(".")
    section = design.training if owner == "training" else design.block(owner).parameters
    field = next(field for field in fields(type(section)) if field.name == parameter)
    value = getattr(section, parameter)
    name = joined(design, name)
    if field.choices:
        return f"{name}={'|'.join(field.choices)}"
    if isinstance(value, bool):
        return f"{name}=on|off"
    if isinstance(value, int):
        around = [each for each in (value // 2, value, 2 * value) if _allowed(field, each)]
        return f"{name}={'|'.join(map(str, dict.fromkeys(around)))}"
    if isinstance(value, float) and value > 0:
        low, high = (each if _allowed(field, each) else value for each in (value / 10, value * 10))
        return f"{name}={low:g}..{high:g}:log"
    if isinstance(value, float):
        return f"{name}={value:g}..{0.5 if field.maximum is None else min(0.5, field.maximum):g}"
    if isinstance(value, tuple) and value and all(isinstance(each, int) for each in value):
        texts = [",".join(str(max(1, int(each * factor))) for each in value) for factor in (0.5, 1, 2)]
        return f"{name}={'|'.join(dict.fromkeys(texts))}"
    return f"{name}="


def _allowed(field: Field, value: float) -> bool:
    low, high = field.minimum, field.maximum
    above = low is None or value > low or (value == low and not field.open_minimum)
    return above and (high is None or value < high or (value == high and not field.open_maximum))


def searchable(design: Design) -> tuple[str, ...]:
    """Return the names of all parameters that a search may vary: of the training, then of the blocks."""
    sections = [("training", design.training), *((block.id, block.parameters) for block in design.blocks)]
    return tuple(
        f"{owner}.{field.name}" for owner, section in sections for field in fields(type(section)) if field.type != "table"
    )
