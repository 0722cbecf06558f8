"""Reads symbols as a user writes them: a text, a label, or ids with spaces between them."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np

from seqdec_gui.data.codecs import FittedCategory, FittedIds, FittedText
from seqdec_gui.data.fitted import encode, faults
from seqdec_gui.data.sources import RowSource
from seqdec_gui.domain.problems import InvalidInput, Problem


def written_ids(codec: object, text: str, width: int, what: str = "The text") -> list[int]:
    """Return the ids of the symbols of a text in their order, without marks.

    Of labels several may be written, with commas between them. `what` names the text in errors. Raises InvalidInput for a
    symbol that the training did not have.
    """
    if isinstance(codec, FittedText):
        return _ids_of_text(codec, text, what)
    if isinstance(codec, FittedCategory):
        labels = [text] if text in codec.labels else [label.strip() for label in text.split(",")]
        unknown = [label for label in labels if label not in codec.labels]
        if unknown:
            raise _unknown(f"{what} has the label {unknown[0]!r}, expected {', '.join(map(repr, codec.labels[:20]))}.")
        return [codec.labels.index(label) for label in labels]
    if isinstance(codec, FittedIds):
        parts = text.replace(",", " ").split()
        wrong = [part for part in parts if not part.isdecimal() or int(part) >= width]
        if wrong:
            raise _unknown(f"{what} has {wrong[0]!r}, expected ids from 0 to {width - 1}.")
        return [int(part) for part in parts]
    raise _unknown(f"{what} is for symbols, and this model predicts numbers.")


def _ids_of_text(codec: FittedText, text: str, what: str) -> list[int]:
    if not text:
        return []
    begin, end = codec.numbering.marks
    plain = msgspec.structs.replace(
        codec, begin=False, end=False, begin_reserved=begin, end_reserved=end, padding="right", reverse=False, unknown=False,
        longer="refuse", length=max(1, 2 * len(text)),
    )  # fmt: skip
    source = RowSource(what, [text])
    if problems := faults(plain, source, "decoding"):
        raise InvalidInput(  # it is a single text, of whatever row
            [msgspec.structs.replace(problem, text=problem.text.replace(", row 1:", ":", 1)) for problem in problems]
        )
    row = encode(plain, source, "written", None)[0]
    return [int(number) for number in row[row != plain.pad_id]]


def told_symbols(
    codec: object, texts: Sequence[str], width: int, steps: int, begin: int | None
) -> tuple[np.ndarray[tuple[int, int], np.dtype[np.int32]], dict[int, str]]:
    """Return the symbols with which each sequence has to begin, int32 `(rows, steps)` with -1 where it is free.

    And by place, why a text cannot be what a sequence begins with. `begin` is the mark that comes before the symbols, if the
    predictions have one.
    """
    told, reasons, known = np.full((len(texts), steps), -1, np.int32), dict[int, str](), dict[str, list[int] | str]()
    for place, text in enumerate(texts):
        if text not in known:
            known[text] = _prefix(codec, text, width, steps, begin)
        ids = known[text]
        if isinstance(ids, str):
            reasons[place] = ids
        else:
            told[place, : len(ids)] = ids
    return told, reasons


def _prefix(codec: object, text: str, width: int, steps: int, begin: int | None) -> list[int] | str:
    try:
        ids = written_ids(codec, text, width, f"The prefix {text!r}") if text else []
    except InvalidInput as error:
        return str(error)
    ids = [*([] if begin is None or not ids else [begin]), *ids]
    if len(ids) > steps:
        return f"The prefix {text!r} has {len(ids)} symbols; a sequence has at most {steps}."
    return ids


def _unknown(text: str) -> InvalidInput:
    return InvalidInput([Problem("error", "unknown_symbol", "decoding", text, "Write it as in the data of the training.")])
