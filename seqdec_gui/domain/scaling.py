"""Describes the standardised numbers of a model's inputs and targets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import msgspec

SHOWN_FIGURES = 12
"""The number of means and deviations that a sentence lists; `data.json` of the run has all of them."""


class Scaling(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Standardised numbers: `(x - mean) / deviation` along the last axis, where x are the numbers of the data.

    `name` is the input block's id, or the loss's whose targets were standardised (role `target`). A number that is left as it
    is has mean 0 and deviation 1.
    """

    name: str
    role: Literal["input", "target"]
    mean: tuple[float, ...]
    deviation: tuple[float, ...]

    def sentence(self) -> str:
        """Return the sentence that a user of an exported model needs, with the figures."""
        figures = f"mean {_listed(self.mean)}, deviation {_listed(self.deviation)}"
        more = f"; data.json of the run has all {len(self.mean):,}" if len(self.mean) > SHOWN_FIGURES else ""
        if self.role == "input":
            return f"Input {self.name} expects standardised numbers, (x - mean) / deviation: {figures}{more}."
        return f"The predictions p for {self.name} are standardised numbers, x = p * deviation + mean: {figures}{more}."


def _listed(values: Sequence[float]) -> str:
    shown = ", ".join(f"{value:.9g}" for value in values[:SHOWN_FIGURES])
    return f"[{shown}{', ...' if len(values) > SHOWN_FIGURES else ''}]"
