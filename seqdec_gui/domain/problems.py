"""Problems as values that the user can solve, and the base classes of exceptions."""

from __future__ import annotations

from typing import Literal

import msgspec
from msgspec.structs import force_setattr

from seqdec_gui.domain.wording import shortened

LONGEST_TEXT = 2000
"""Characters that each part of a problem has at most."""
Severity = Literal["error", "warning", "info"]


class Problem(msgspec.Struct, frozen=True):
    """A problem that the user can solve.

    `code` is stable and a row of `domain.codes`; `where` is a block id, `block.port`, `block.parameter`, `training.field`,
    `data` or a path, and empty for the whole design; `text` says what was expected and what was received; `hint` what to do.
    `wanted` is the number that the hint says to set, for a button that sets it; `proposed` is an assignment that may help, such
    as `data.encoding=cp1250`. Both are left out of JSON where there is none.
    """

    severity: Severity
    code: str
    where: str
    text: str
    hint: str = ""
    wanted: int | msgspec.UnsetType = msgspec.UNSET
    proposed: str | msgspec.UnsetType = msgspec.UNSET

    def __post_init__(self) -> None:
        for name in ("where", "text", "hint"):  # which may quote what stands in a file
            if len(value := getattr(self, name)) > LONGEST_TEXT:
                force_setattr(self, name, shortened(value, LONGEST_TEXT))

    def sentence(self) -> str:
        """Return the problem in one line: where, what, and what to do about it."""
        place = f"{self.where}: " if self.where else ""
        return f"{place}{self.text}" + (f" {self.hint}" if self.hint else "")


class SeqdecError(Exception):
    """The base class of every exception that this program raises on purpose. `str(error)` is a sentence for the user."""

    exit_status = 1


class InvalidInput(SeqdecError):
    """The user's design, data or arguments cannot be used. `problems` has every reason. The exit status is 2."""

    exit_status = 2

    def __init__(self, problems: list[Problem] | tuple[Problem, ...] | str, code: str = "invalid", where: str = "") -> None:
        if isinstance(problems, str):
            problems = [Problem("error", code, where, problems)]
        self.problems = tuple(problems)
        super().__init__("\n".join(problem.sentence() for problem in self.problems))


def errors(problems: list[Problem] | tuple[Problem, ...]) -> tuple[Problem, ...]:
    """Return the problems that keep a design from being trained."""
    return tuple(problem for problem in problems if problem.severity == "error")
