"""The numbers of the strategies of `domain.decoding`: ranges, words and help, the same in errors, commands and forms."""

from __future__ import annotations

import math
import numbers
from typing import Any

import msgspec

LARGEST_BEAM = 1024
"""Most sequences that a beam keeps for a row."""
LARGEST_TEMPERATURE = 1000.0


class Setting(msgspec.Struct, frozen=True):
    """A number of a strategy, which is called like its field.

    Attributes:
        title: What it is called in a form.
        help: What it does, as a sentence.
        least: The smallest value; values have to be above it if `above`.
        most: The greatest value.
        whole: Whether it is a whole number.
        step: By how much an arrow of a form changes it.
        off: The value that has no effect, if there is one, and what a form shows for it.
    """

    title: str
    help: str
    least: float
    most: float = math.inf
    above: bool = False
    whole: bool = False
    step: float = 1.0
    off: tuple[float, str] | None = None

    def fault(self, name: str, value: Any) -> str:
        """Return why a value is out of the range; empty if it is not."""
        wanted = numbers.Integral if self.whole else numbers.Real
        if not isinstance(value, wanted):
            return f"Expected {name} to be a {'whole number' if self.whole else 'number'}, received {value!r}."
        value = float(value)
        if (self.least < value if self.above else self.least <= value) and value <= self.most:
            return ""
        return f"Expected {name} {self.range}, received {value:g}."

    @property
    def range(self) -> str:
        """The range in words: `above 0 to 1`, `from 1`."""
        words = f"{'above' if self.above else 'from'} {self.least:g}"
        return words + (f" to {self.most:g}" if math.isfinite(self.most) else "")


SETTINGS: dict[str, dict[str, Setting]] = {
    "greedy": {},
    "sampling": {
        "temperature": Setting(
            "Temperature",
            "1 draws as the model says; less makes likely symbols more frequent, more makes unlikely ones more frequent.",
            0,
            LARGEST_TEMPERATURE,
            above=True,
            step=0.1,
        ),
        "top_k": Setting("Top-k", "Draw among the K likeliest symbols.", 0, 1_000_000, whole=True, off=(0, "all symbols")),
        "top_p": Setting(
            "Top-p", "Then among the fewest likeliest symbols that sum to P; 1 keeps all.", 0, 1, above=True, step=0.05,
        ),
        "min_p": Setting(
            "Min-p", "Then among those at least P times as likely as the likeliest.", 0, 1, step=0.05, off=(0, "0 (all)")
        ),
    },
    "beam": {
        "width": Setting("Width", "How many unfinished sequences are continued at each step.", 1, LARGEST_BEAM, whole=True),
        "n_best": Setting(
            "Best per row", "How many sequences each row gets, the best first; at most the width.", 1, LARGEST_BEAM, whole=True
        ),
        "length_penalty": Setting(
            "Length penalty",
            "Rank by log-likelihood / length ** A: 0 by likelihood, above 0 favours long sequences, below 0 short ones.",
            -100,
            100,
            step=0.1,
        ),
        "groups": Setting(
            "Groups", "Divide the beam into groups that differ; the width is a multiple of them.", 1, LARGEST_BEAM, whole=True
        ),
        "diversity": Setting(
            "Diversity", "What a symbol loses for each earlier group that chose it at the same step.", 0, 1e6, step=0.1
        ),
    },
}  # fmt: skip
"""The settings of each strategy, by its name and that of the field, in the order of the fields or of a form."""
