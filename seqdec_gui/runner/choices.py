"""What could have been chosen at each step of a sequence: the likeliest symbols and their probabilities."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from seqdec_gui.runs.quality.errors import Candidate, StepChoice

if TYPE_CHECKING:
    from seqdec_gui.runner.scoring import Scorer

END = "<end>"
"""How the end symbol is written among the candidates of a step."""


def choices(
    scorer: Scorer, arrays: dict[str, Any], rows: Any, ids: Sequence[Any], count: int
) -> Iterator[tuple[StepChoice, ...]]:  # fmt: skip
    """Yield for each row what could have been chosen at each step of its ids, the `count` likeliest first."""
    symbols = scorer.symbols

    def name(number: int) -> str:
        if number == symbols.end:
            return END
        return (symbols.read([number]) if symbols.allowed[number] else "") or f"<{number}>"

    for probabilities, chosen in zip(scorer.probabilities(arrays, rows, ids), ids, strict=True):
        likeliest = np.argsort(-probabilities, axis=1, kind="stable")[:, :count]
        yield tuple(
            StepChoice(name(int(number)), _rounded(p[number]), tuple(Candidate(name(int(k)), _rounded(p[k])) for k in best))
            for p, number, best in zip(probabilities, chosen, likeliest, strict=True)
        )


def _rounded(probability: Any) -> float:
    return round(float(probability), 6)
