"""Writes the molecules of training rows anew in every epoch: the same molecule, in a random order of its atoms.

The order follows from (seed, epoch, row) alone, so that it is the same on any devices and after a stop. A row that would have a
symbol that the training does not know, or would be too long, gets another order, or keeps its own. Randomised SMILES: Arús-Pous
et al., 2019, https://doi.org/10.1186/s13321-019-0393-0.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from functools import lru_cache
from importlib.util import find_spec
from typing import Any, NamedTuple

import msgspec
import numpy as np

from seqdec_gui.data.codecs import FittedText
from seqdec_gui.data.formats.base import Array, text_array
from seqdec_gui.data.hints import codec_setting
from seqdec_gui.data.sources import Source
from seqdec_gui.data.tokens import Lookup, Survey, TextForm, prepared, survey
from seqdec_gui.domain.problems import InvalidInput, Problem
from seqdec_gui.domain.wording import agreeing, counted, verb_for

TRIES = 4
"""How many orders are tried for a row before it keeps its own."""
SURVEYED_ROWS = 4000
"""The number of training rows of which random orders are looked at for symbols and lengths."""
SURVEYED_ORDERS = 4
"""How many orders of each of them."""
_STREAM = 0x5EED_0F_0D3
"""What tells the random numbers of orders from others of the same seed."""


class Orders(NamedTuple):
    """What random orders of some training rows hold: their symbols and lengths, and what they cost."""

    seen: Survey
    rows: int
    no_molecules: int
    seconds_a_row: float


class Rewriting(msgspec.Struct, frozen=True):
    """The rows of one column, which several ports may take, and the codecs that have to take their new orders."""

    texts: tuple[str, ...]
    rows: tuple[int, ...]
    """The number of each row in the data, from which its order follows."""
    codecs: tuple[FittedText, ...]
    seed: int


def reordered(smiles: str, seed: int, epoch: int, row: int, attempt: int = 0) -> str:
    """Return the molecule written in a random order of its atoms; the text itself if RDKit cannot read it."""
    from rdkit import Chem

    molecule = _molecule(smiles)
    if molecule is None:
        return smiles
    key = np.array([(seed << 32) ^ _STREAM ^ (attempt << 28), (epoch << 40) | row], np.uint64)
    order = np.argsort(np.random.Philox(key=key).random_raw(molecule.GetNumAtoms()), kind="stable")
    turned = Chem.RenumberAtoms(molecule, order.tolist())
    return str(Chem.MolToSmiles(turned, canonical=False))


def _molecule(smiles: str) -> Any:
    from rdkit import Chem, RDLogger

    _be_quiet(RDLogger)
    molecule = Chem.MolFromSmiles(smiles) if smiles else None
    return molecule if molecule is not None and molecule.GetNumAtoms() else None


@lru_cache(maxsize=1)
def _be_quiet(logger: Any) -> None:
    logger.DisableLog("rdApp.*")


def rewritten(what: Rewriting, epoch: int) -> list[Array]:
    """Return the ids of all rows in the orders of an epoch, an array for each codec."""
    texts = list(what.texts)
    open_rows = np.arange(len(texts))
    for attempt in range(TRIES):
        found = [reordered(what.texts[at], what.seed, epoch, what.rows[at], attempt) for at in open_rows.tolist()]
        fits = np.ones(len(found), bool)
        for codec in what.codecs:
            fits &= _fit(codec, found)
        for at, text in zip(open_rows[fits].tolist(), np.array(found, object)[fits].tolist(), strict=True):
            texts[at] = text
        open_rows = open_rows[~fits]
        if not len(open_rows):
            break
    return [codec.encoder()(text_array(np.array(texts, object))) for codec in what.codecs]


def _fit(codec: FittedText, texts: Sequence[str]) -> Array:
    """Return which texts have only known symbols and room (bool)."""
    ids, lengths = Lookup(codec.charset, 0, codec.form, -1).ids(text_array(np.array(texts, object)))
    unknown = np.zeros(len(lengths), bool)
    bad = ids < 0
    if codec.unknown_id is not None:
        bad |= ids == codec.unknown_id - codec.first_symbol
    unknown[np.repeat(np.arange(len(lengths)), lengths)[bad]] = True
    fits: Array = ~unknown & (lengths > 0) & (lengths <= codec.room)
    return fits


def surveyed(source: Source, training: Array, form: TextForm) -> Orders:
    """Return what random orders of some training rows hold. Raises InvalidInput without RDKit, or for rows that are no text."""
    if find_spec("rdkit") is None:
        text = "To write molecules in random orders of their atoms the package rdkit is needed, which is not installed."
        raise InvalidInput([Problem("error", "missing_extra", "data", text, 'Install it: pip install "seqdec-gui[rdkit]"')])
    texts = list(_some_texts(source, training, form))
    began = time.perf_counter()
    orders = _orders_of(texts)
    seconds = (time.perf_counter() - began) / max(1, len(orders))
    bad = sum(_molecule(text) is None for text in texts)
    return Orders(survey([text_array(np.array(orders, object))], form), len(texts), bad, seconds)


def some_orders(source: Source, training: Array, form: TextForm) -> list[str]:
    """Return random orders of some training rows; empty without RDKit."""
    return [] if find_spec("rdkit") is None else _orders_of(list(_some_texts(source, training, form)))


def _orders_of(texts: Sequence[str]) -> list[str]:
    return [reordered(text, 0, epoch, at) for epoch in range(1, SURVEYED_ORDERS + 1) for at, text in enumerate(texts)]


def _some_texts(source: Source, training: Array, form: TextForm) -> Iterator[str]:
    """Yield training rows at even distances."""
    rows = np.flatnonzero(training)
    wanted = rows[np.arange(min(len(rows), SURVEYED_ROWS)) * len(rows) // max(1, min(len(rows), SURVEYED_ROWS))]
    row = 0
    for chunk in source.texts():
        here = wanted[(wanted >= row) & (wanted < row + len(chunk))] - row
        yield from prepared(chunk.take(here), form._replace(vocabulary=None)).to_pylist()
        row += len(chunk)


def order_problems(label: str, orders: Orders, training_rows: int, where: str) -> list[Problem]:
    """Return what random orders cost, and how many rows are no molecules."""
    hint = f"Switch them off ({codec_setting(where, 'random_order=false')}), or bind a column of SMILES."
    if orders.no_molecules * 2 > orders.rows:
        share = f"{orders.no_molecules:,} of {counted(orders.rows, 'training row')}"
        text = f"{label}: {share} {verb_for(orders.no_molecules, 'are')} no SMILES, so there are no atoms to reorder."
        return [Problem("error", "no_orders", where, text, hint)]
    seconds = orders.seconds_a_row * training_rows
    text = (
        f"{label}: {agreeing(training_rows, 'molecule', 'are')} written anew in every epoch, which takes about "
        f"{seconds:.1f} s of a core beside the training. The alphabet is that of the rows and of {SURVEYED_ORDERS} orders of "
        f"{counted(orders.rows, 'row')}; an order that needs more, or is too long, is not used."
    )
    found = [Problem("info", "random_orders", where, text)]
    if orders.no_molecules:
        share = f"{orders.no_molecules:,} of {counted(orders.rows, 'row')}"
        text = f"{label}: {share} looked at {verb_for(orders.no_molecules, 'are')} no molecule, which is not written anew."
        found.append(Problem("warning", "no_orders", where, text, hint))
    return found
