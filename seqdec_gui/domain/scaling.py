"""Describes the standardised numbers, and the principal components, of a model's inputs and targets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import msgspec

from seqdec_gui.domain.wording import counted

SHOWN_FIGURES = 12
"""The number of means and deviations that a sentence lists; `data.json` of the run has all of them."""


class Scaling(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Standardised numbers: `(x - mean) / deviation` along the last axis, where x are the numbers of the data.

    `name` is the input block's id, or the loss's whose targets were standardised (role `target`). A number that is left as it
    is has mean 0 and deviation 1. With `axes`, of which there is one for each principal component, the model takes
    `axes . (standardised numbers - center)`. `mean` and `deviation` are empty if the numbers are taken as they are. `fill` has
    what stands for a missing number x; it is empty if rows with one are refused.
    """

    name: str
    role: Literal["input", "target"]
    mean: tuple[float, ...]
    deviation: tuple[float, ...]
    center: tuple[float, ...] = ()
    axes: tuple[tuple[float, ...], ...] = ()
    fill: tuple[float, ...] = ()

    def sentence(self) -> str:
        """Return the sentences that a user of an exported model needs, with the figures."""
        said = self._scaled() if self.mean or self.axes else ""
        if not self.fill or self.role == "target":
            return said
        more = f"; data.json of the run has all {len(self.fill):,}" if len(self.fill) > SHOWN_FIGURES else ""
        return f"{said} A missing number x of input {self.name} stands for {_listed(self.fill)}{more}.".strip()

    def _scaled(self) -> str:
        if self.axes:
            numbers, names = ("(x - mean) / deviation", "mean, deviation, center") if self.mean else ("x", "center")
            components = f"{counted(len(self.axes), 'principal component')} of {len(self.center):,} numbers x"
            if self.role == "target":
                back = "p . axes + center" + (", times deviation plus mean" if self.mean else "")
                said = f"The predictions p for {self.name} are {components}, x = {back}"
            else:
                said = f"Input {self.name} expects {components}, axes . ({numbers} - center)"
            return f"{said}; data.json of the run has {names} and axes."
        figures = f"mean {_listed(self.mean)}, deviation {_listed(self.deviation)}"
        more = f"; data.json of the run has all {len(self.mean):,}" if len(self.mean) > SHOWN_FIGURES else ""
        if self.role == "input":
            return f"Input {self.name} expects standardised numbers, (x - mean) / deviation: {figures}{more}."
        return f"The predictions p for {self.name} are standardised numbers, x = p * deviation + mean: {figures}{more}."


def _listed(values: Sequence[float]) -> str:
    shown = ", ".join(f"{value:.9g}" for value in values[:SHOWN_FIGURES])
    return f"[{shown}{', ...' if len(values) > SHOWN_FIGURES else ''}]"
