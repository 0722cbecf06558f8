"""What was last chosen for generating with a run, which is kept between starts."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from seqdec_gui.domain.decoding import GREEDY, Beam, Constraints, Sampling, Strategy
from seqdec_gui.gui.look import preferences

StrategyName = Literal["greedy", "sampling", "beam"]
_KEY = "generate/choices"
MOST_RUNS = 50
"""The number of runs whose choices are kept."""


class DecodingChoice(msgspec.Struct, frozen=True):
    """A strategy by name, with the values of all, so that those of the others come back with them."""

    name: StrategyName = "greedy"
    sampling: Sampling = Sampling()
    beam: Beam = Beam()
    count: int = 1
    unique: bool = False
    seed: int = 0
    constraints: Constraints = Constraints()
    feed_map: str = ""

    @property
    def strategy(self) -> Strategy:
        of_name: dict[StrategyName, Strategy] = {"greedy": GREEDY, "sampling": self.sampling, "beam": self.beam}
        return of_name[self.name]

    @property
    def samples(self) -> int:
        """How many samples a task draws for each row: one, unless they are drawn at random."""
        return self.count if self.name == "sampling" else 1

    def task_fields(self) -> dict[str, Any]:
        """Return the fields of a `GenerateTask` that say how symbols are chosen."""
        unique = self.unique and self.name == "sampling"
        chosen = {"strategy": self.strategy, "constraints": self.constraints, "seed": self.seed}
        return {"count": self.samples, "unique": unique, **chosen}


def choice_for(run: str) -> DecodingChoice:
    """Return what was chosen last for a run (its path), or the defaults."""
    return _kept().get(run, DecodingChoice())


def keep_choice(run: str, choice: DecodingChoice) -> None:
    """Keep what is chosen for a run, and forget that of the run that was longest not used."""
    others = {path: kept for path, kept in _kept().items() if path != run}
    newest = dict(list(others.items())[-(MOST_RUNS - 1) :]) | {run: choice}
    preferences.settings().setValue(_KEY, msgspec.json.encode(newest).decode())


def _kept() -> dict[str, DecodingChoice]:
    text = str(preferences.settings().value(_KEY, "") or "")
    try:
        return msgspec.json.decode(text, type=dict[str, DecodingChoice]) if text else {}
    except msgspec.DecodeError:  # from another version
        return {}
