"""The subwords of bound columns: learned from their training rows, and told with their size, lengths and unknown rate."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from seqdec_gui.data.formats.base import Array
from seqdec_gui.data.random_orders import some_orders
from seqdec_gui.data.sources import Source
from seqdec_gui.data.subwords import Vocabulary, learn
from seqdec_gui.data.tokens import Survey, TextForm, prepared
from seqdec_gui.domain.bindings import TextCodec
from seqdec_gui.domain.problems import Problem


def vocabulary_of(columns: Sequence[tuple[Source, Array, TextForm]], codecs: Sequence[TextCodec]) -> Vocabulary | None:
    """Return one vocabulary for the training rows of some columns; None where the codecs name no subwords.

    `columns` are the rows, which of them train (bool), and how they are prepared. Characters that occur less often than the
    codecs ask, and those for which there is no room, are unknown. Raises InvalidInput for rows that are no text or without the
    packages.
    """
    kind = codecs[0].tokens
    if kind not in ("bpe", "unigram"):
        return None
    texts = [text for source, training, form in columns for text in _training_texts(source, training, form)]
    if any(codec.random_order for codec in codecs):
        texts += [text for column in columns for text in some_orders(*column)]
    least = max(codec.min_count for codec in codecs)
    sizes = [codec.max_symbols for codec in codecs if codec.max_symbols is not None]
    counts: dict[str, int] = {}
    for text in texts:
        for letter in text:
            counts[letter] = counts.get(letter, 0) + 1
    known = [letter for letter, times in counts.items() if times >= least]
    return learn(kind, texts, sorted(known, key=lambda letter: (-counts[letter], letter)), min(sizes, default=None), least)


def _training_texts(source: Source, training: Array, form: TextForm) -> Iterator[str]:
    row = 0
    for chunk in source.texts():
        chosen = np.flatnonzero(training[row : row + len(chunk)])
        yield from prepared(chunk.take(chosen), form).to_pylist()
        row += len(chunk)


def vocabulary_remark(label: str, seen: Survey, vocabulary: Vocabulary, where: str) -> Problem:
    """Return a remark on the size of a vocabulary, the lengths of its rows, and how much of the rows it does not know."""
    known = set(vocabulary.pieces[1:])
    tokens = sum(seen.symbols.values())
    unknown = sum(times for symbol, times in seen.symbols.items() if symbol not in known)
    letters = sum(len(symbol) * times for symbol, times in seen.symbols.items())
    rate = f"{unknown / tokens:.2%}" if tokens else "none"
    text = (
        f"{label}: {len(vocabulary.pieces) - 1:,} subwords were learned from the training rows. A row has "
        f"{tokens / max(seen.rows, 1):.1f} of them on average and {seen.longest} at most, of {letters / max(tokens, 1):.1f} "
        f"characters each; {rate} of all are unknown."
    )
    return Problem("info", "subwords_learned", where, text)
