"""Computes the measures of `domain.quality` for targets and what was generated for them; needs no framework."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from importlib.util import find_spec

import msgspec
import numpy as np
import numpy.typing as npt

from seqdec_gui.domain.problems import Problem
from seqdec_gui.domain.quality import MEASURES
from seqdec_gui.runs.quality.edits import distance
from seqdec_gui.runs.quality.molecules import Molecules

Tokens = Sequence[str]
Array = npt.NDArray[np.float64]
PACKAGES = {"bleu": "sacrebleu", "rdkit": "rdkit"}
"""The package of each extra that a measure needs."""


class Generated(msgspec.Struct, frozen=True, kw_only=True):
    """What was generated for some rows, in the forms that measures compare.

    `targets` and `found` are texts, which `cut` divides into tokens; `samples` are molecules drawn at random, of which `known`
    are those of the training rows; `wanted` and `predicted` are numbers, an array for each row.
    """

    targets: Sequence[str] = ()
    found: Sequence[str] = ()
    cut: Callable[[Sequence[str]], list[Tokens]] = lambda texts: [list(text) for text in texts]
    samples: Sequence[str] = ()
    known: frozenset[str] = frozenset()
    wanted: Sequence[Array] = ()
    predicted: Sequence[Array] = ()


def measured(names: Iterable[str], generated: Generated) -> dict[str, float]:
    """Return the value of each of these measures; NaN where it has nothing to measure."""
    texts = _Texts(generated)
    molecules = Molecules(generated.samples, generated.known)
    return {name: FORMULAS[name](texts, molecules) for name in names}


class _Texts:
    """The pairs of `Generated`, cut into tokens once for all measures."""

    def __init__(self, generated: Generated) -> None:
        self.generated = generated
        self._pairs: list[tuple[Tokens, Tokens]] | None = None

    @property
    def pairs(self) -> list[tuple[Tokens, Tokens]]:
        if self._pairs is None:
            made = self.generated
            self._pairs = list(zip(made.cut(made.targets), made.cut(made.found), strict=True))
        return self._pairs


def exact_match(pairs: Sequence[tuple[Tokens, Tokens]]) -> float:
    """Return the share of pairs that are equal."""
    return sum(list(target) == list(found) for target, found in pairs) / len(pairs) if pairs else np.nan


def token_error_rate(pairs: Sequence[tuple[Tokens, Tokens]]) -> float:
    """Return the edits of all pairs divided by the tokens of all targets; NaN where the targets have none."""
    tokens = sum(len(target) for target, _ in pairs)
    return sum(distance(target, found) for target, found in pairs) / tokens if tokens else np.nan


def bleu(targets: Sequence[str], found: Sequence[str]) -> float:
    """Return BLEU of the corpus from 0 to 100, with the tokens and the smoothing that sacrebleu has by default."""
    import sacrebleu

    return float(sacrebleu.corpus_bleu(list(found), [list(targets)]).score) if targets else np.nan


def chrf(targets: Sequence[str], found: Sequence[str]) -> float:
    """Return chrF2 of the corpus from 0 to 100, as sacrebleu computes it by default."""
    import sacrebleu

    return float(sacrebleu.corpus_chrf(list(found), [list(targets)]).score) if targets else np.nan


def mean_squared_error(wanted: Sequence[Array], predicted: Sequence[Array]) -> float:
    """Return the mean over all numbers of all rows of the squared difference."""
    if not wanted:
        return np.nan
    if any(np.shape(a) != np.shape(b) for a, b in zip(wanted, predicted, strict=True)):
        raise ValueError("wanted and predicted numbers differ in their shapes")
    differences = np.concatenate(
        [(np.asarray(a, float) - np.asarray(b, float)).reshape(-1) for a, b in zip(wanted, predicted, strict=True)]
    )
    return float(np.mean(np.square(differences))) if differences.size else np.nan


FORMULAS: dict[str, Callable[[_Texts, Molecules], float]] = {
    "exact_match": lambda texts, molecules: exact_match(texts.pairs),
    "token_error_rate": lambda texts, molecules: token_error_rate(texts.pairs),
    "bleu": lambda texts, molecules: bleu(texts.generated.targets, texts.generated.found),
    "chrf": lambda texts, molecules: chrf(texts.generated.targets, texts.generated.found),
    "valid": lambda texts, molecules: molecules.valid,
    "unique": lambda texts, molecules: molecules.unique,
    "novel": lambda texts, molecules: molecules.novel,
    "diversity": lambda texts, molecules: molecules.diversity,
    "mean_squared_error": lambda texts, molecules: mean_squared_error(texts.generated.wanted, texts.generated.predicted),
}
"""The formula of each measure in `domain.quality.MEASURES`."""


def missing_packages(names: Iterable[str]) -> list[Problem]:
    """Return a problem for every extra that these measures need and that is not installed."""
    extras = dict.fromkeys(MEASURES[name].extra for name in names if MEASURES[name].extra)
    return [
        Problem(
            "error", "missing_extra", "training.quality",
            f"To measure {', '.join(MEASURES[name].title for name in names if MEASURES[name].extra == extra)} the package "
            f"{PACKAGES[extra]} is needed, which is not installed.",
            f'Install it: pip install "seqdec-gui[{extra}]"',
        )
        for extra in extras
        if find_spec(PACKAGES[extra]) is None
    ]  # fmt: skip
