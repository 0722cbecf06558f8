"""Properties of molecules that rdkit computes, found by the names of columns: logP, TPSA, MolWt, ..."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from seqdec_gui.data.codecs import FittedNumbers, FittedProjection
from seqdec_gui.data.fitted import Fitted
from seqdec_gui.data.formats.base import Array
from seqdec_gui.domain.problems import InvalidInput, Problem
from seqdec_gui.runs.quality.measures import missing_packages
from seqdec_gui.runs.quality.molecules import parsed

AUTO = "auto"
"""Stands for the properties that the columns of the inputs name."""
AGREE = 0.02
"""The part of a column's range by which it may differ from what rdkit computes, as it was rounded or by another version."""
MOST_DIFFERENT = 0.1
"""The share of compared rows that may differ more."""
ROWS_COMPARED = 64
"""The number of training rows on which a column is compared with what rdkit computes."""
SHORT_NAMES = {
    "logp": "MolLogP", "clogp": "MolLogP", "crippenlogp": "MolLogP", "mw": "MolWt", "molecularweight": "MolWt",
    "mr": "MolMR", "exactmw": "ExactMolWt", "monoisotopicmass": "ExactMolWt", "hba": "NumHAcceptors", "hbd": "NumHDonors",
    "numhba": "NumHAcceptors", "numhbd": "NumHDonors", "rotb": "NumRotatableBonds", "rotatablebonds": "NumRotatableBonds",
    "rings": "RingCount", "numrings": "RingCount", "aromrings": "NumAromaticRings", "aromaticrings": "NumAromaticRings",
    "fsp3": "FractionCSP3", "csp3": "FractionCSP3", "fraccsp3": "FractionCSP3", "heavyatoms": "HeavyAtomCount",
    "numheavyatoms": "HeavyAtomCount",
}  # fmt: skip
"""Descriptors of rdkit by the short names that chemists give to columns, lowercase and without other characters."""


class Property(NamedTuple):
    """A property to compute; `port` and `place` say which number of which input asks for it, "" if none does."""

    name: str
    port: str = ""
    place: int = 0


class Agreement(NamedTuple):
    """How well what was generated has a wanted property, over `molecules`: mean absolute error, and Pearson's correlation."""

    name: str
    molecules: int
    error: float
    correlation: float

    def __str__(self) -> str:
        together = "" if math.isnan(self.correlation) else f", correlation {self.correlation:.3f}"
        return f"{self.name} of {self.molecules:,} molecules: mean absolute error {self.error:.4g}{together}"


def _plain(name: str) -> str:
    return "".join(letter for letter in name.casefold() if letter.isalnum())


@cache
def _descriptors() -> dict[str, Callable[[Any], float]]:
    from rdkit.Chem import Descriptors

    found: dict[str, Callable[[Any], float]] = {_plain(name): compute for name, compute in Descriptors.descList}
    return found | {short: found[_plain(name)] for short, name in SHORT_NAMES.items() if _plain(name) in found}


def can_compute(name: str) -> bool:
    """Return whether rdkit, which has to be installed, computes a property of this name."""
    return _plain(name) in _descriptors()


def named_by_inputs(fitted: Fitted) -> tuple[Property, ...]:
    """Return what the numbers of the inputs are called, whether rdkit computes it or not."""
    return tuple(
        Property(name, port.name, place)
        for port in fitted.inputs
        if isinstance(port.codec, FittedNumbers) and not isinstance(port.codec, FittedProjection)
        for place, name in enumerate(port.number_names)
    )


def chosen_properties(names: Sequence[str], fitted: Fitted) -> tuple[Property, ...]:
    """Return the properties to compute; `auto` stands for those that the inputs name. Raises InvalidInput.

    One that is named and cannot be computed is refused; columns of the inputs that cannot be are left out.
    """
    if missing_packages(["valid"]):
        text = "To compute properties of molecules the package rdkit is needed, which is not installed."
        hint = 'Install it: pip install "seqdec-gui[rdkit]"'
        raise InvalidInput([Problem("error", "missing_extra", "properties", text, hint)])
    inputs = named_by_inputs(fitted)
    found = [each for each in inputs if AUTO in names and can_compute(each.name)]
    for name in names:
        if name != AUTO and not can_compute(name):
            text = f"rdkit computes no property {name!r}; expected a descriptor such as MolLogP, TPSA, QED or MolWt."
            raise InvalidInput([Problem("error", "bad_value", "properties", text)])
        if name != AUTO:
            found.append(next((each for each in inputs if _plain(each.name) == _plain(name)), Property(name)))
    return tuple(dict.fromkeys(found))


def computed(texts: Iterable[str], names: Sequence[str]) -> Array:
    """Return the properties of SMILES, float64 `(texts, names)`; NaN where a text is no molecule."""
    functions = [_descriptors()[_plain(name)] for name in names]
    rows = []
    for molecule in parsed(texts):
        rows.append([math.nan] * len(names) if molecule is None else [float(compute(molecule)) for compute in functions])
    return np.array(rows, np.float64).reshape(-1, len(names))


def differs(values: Array, column: Array) -> bool:
    """Return whether a column of training rows is something else than what rdkit computes of their targets, NaN left out."""
    both = np.isfinite(values) & np.isfinite(column)
    if not both.any():
        return True
    span = float(np.ptp(column[both]))
    wrong = np.abs(values[both] - column[both]) > AGREE * span + 1e-3 * max(1.0, float(np.abs(column[both]).max())) * 0.1
    return bool(wrong.mean() > MOST_DIFFERENT)


def agreement(name: str, wanted: Array, generated: Array) -> Agreement | None:
    """Return how well the molecules have what was wanted; None without any."""
    both = np.isfinite(wanted) & np.isfinite(generated)
    if not both.any():
        return None
    asked, made = wanted[both], generated[both]
    varied = len(asked) > 2 and np.ptp(asked) > 0 and np.ptp(made) > 0
    correlation = float(np.corrcoef(asked, made)[0, 1]) if varied else math.nan
    return Agreement(name, int(both.sum()), float(np.abs(asked - made).mean()), correlation)
