"""Measures of generated molecules: valid, unique, novel and diverse, as MOSES defines them (Polykovskiy et al. 2020)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from importlib.util import find_spec
from typing import Any

import numpy as np

FINGERPRINT_RADIUS, FINGERPRINT_BITS = 2, 1024
"""The Morgan fingerprints that similarities are computed of."""
LOOKS_LIKE_SMILES = 0.95
"""The share of a column's texts that must be valid for the column to count as SMILES."""


class Molecules:
    """Generated texts as molecules, and their measures; what is needed for a measure is computed when it is asked for.

    `known` are the canonical SMILES of the training rows. A text that is no valid SMILES, or is empty, is no molecule.
    """

    def __init__(self, texts: Sequence[str], known: frozenset[str] = frozenset()) -> None:
        self._texts, self._known = texts, known

    @cached_property
    def _found(self) -> list[Any]:
        return [molecule for molecule in parsed(self._texts) if molecule is not None]

    @cached_property
    def _canonical(self) -> list[str]:
        from rdkit import Chem

        return [Chem.MolToSmiles(molecule) for molecule in self._found]

    @property
    def valid(self) -> float:
        """The share of texts that are molecules."""
        return len(self._found) / len(self._texts) if self._texts else np.nan

    @property
    def unique(self) -> float:
        """The share of different molecules among the valid ones."""
        return len(set(self._canonical)) / len(self._canonical) if self._canonical else np.nan

    @property
    def novel(self) -> float:
        """The share of the different molecules that are not `known`."""
        different = set(self._canonical)
        return len(different - self._known) / len(different) if different else np.nan

    @property
    def diversity(self) -> float:
        """1 less the mean Tanimoto similarity of all pairs, each molecule paired with itself too."""
        from rdkit import DataStructs
        from rdkit.Chem import rdFingerprintGenerator

        if not self._found:
            return np.nan
        generator = rdFingerprintGenerator.GetMorganGenerator(radius=FINGERPRINT_RADIUS, fpSize=FINGERPRINT_BITS)
        prints = [generator.GetFingerprint(molecule) for molecule in self._found]
        total = sum(sum(DataStructs.BulkTanimotoSimilarity(each, prints)) for each in prints)
        return 1.0 - total / len(prints) ** 2


def parsed(texts: Iterable[str]) -> Iterator[Any]:
    """Yield the molecule of RDKit for each text, None where it is no valid SMILES or has no atom."""
    from rdkit import Chem

    with _quiet():
        for text in texts:
            molecule = Chem.MolFromSmiles(text) if text else None
            yield molecule if molecule is not None and molecule.GetNumAtoms() else None


def canonical(texts: Iterable[str]) -> frozenset[str]:
    """Return the canonical SMILES of the texts that are molecules."""
    from rdkit import Chem

    return frozenset(Chem.MolToSmiles(molecule) for molecule in parsed(texts) if molecule is not None)


def look_like_smiles(texts: Sequence[str]) -> bool:
    """Return whether nearly all of these texts are valid SMILES, and most have more than two characters; needs RDKit."""
    if not texts or find_spec("rdkit") is None or sum(len(text) > 2 for text in texts) * 2 < len(texts):
        return False
    return sum(molecule is not None for molecule in parsed(texts)) >= LOOKS_LIKE_SMILES * len(texts)


@contextmanager
def _quiet() -> Iterator[None]:
    """Silence RDKit, which writes a line for each text that is no SMILES."""
    from rdkit import RDLogger

    RDLogger.DisableLog("rdApp.*")
    try:
        yield
    finally:
        RDLogger.EnableLog("rdApp.*")
