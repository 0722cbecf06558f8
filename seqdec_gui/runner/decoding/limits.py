"""What constraints mean for the symbols of a decoder: which may be chosen, and whether a prefix can be given."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from seqdec_gui.data.codecs import FittedText
from seqdec_gui.data.fitted import Fitted
from seqdec_gui.data.symbols import Symbols
from seqdec_gui.data.written_symbols import written_ids
from seqdec_gui.domain.decoding import Constraints
from seqdec_gui.domain.problems import InvalidInput, Problem

Array = npt.NDArray[Any]


def allowed_symbols(constraints: Constraints, symbols: Symbols, fitted: Fitted, loss: str, width: int) -> Array:
    """Return which ids may be chosen, bool `(width,)`; the end symbol always. Raises InvalidInput."""
    allowed = np.array(symbols.allowed, bool)
    codec = codec_of(fitted, loss)
    marks = np.zeros(width, bool)
    if isinstance(codec, FittedText):  # a begin mark that is predicted, and padding on the left, are not the user's symbols
        marks[: codec.first_symbol] = True
    if symbols.end is not None:
        marks[symbols.end] = True
    if constraints.allow:
        wanted = np.zeros(width, bool)
        wanted[written_ids(codec, constraints.allow, width, "allow")] = True
        allowed &= wanted | marks
    if constraints.forbid:
        wrong = np.zeros(width, bool)
        wrong[written_ids(codec, constraints.forbid, width, "forbid")] = True
        allowed &= ~wrong | marks
    if not (allowed & ~marks).any():
        text = "No symbol is left to choose from, so every sequence would be empty."
        raise InvalidInput([Problem("error", "bad_decoding", "decoding", text, "Allow more symbols, or forbid fewer.")])
    return allowed


def fail_without_beginning(fitted: Fitted, loss: str) -> None:
    """Raise InvalidInput where the beginning of a text is not the beginning of what is generated."""
    codec = codec_of(fitted, loss)
    if isinstance(codec, FittedText) and (codec.reverse or codec.padding == "left"):
        how = "written in reverse" if codec.reverse else "padded on the left"
        text = f"The targets of {loss} were {how}, so the beginning of a text is not the beginning of what is generated."
        raise InvalidInput([Problem("error", "bad_decoding", "decoding", text, "Generate without a prefix.")])


def codec_of(fitted: Fitted, loss: str) -> object:
    """Return the codec of a loss's targets."""
    feed = next(feed for feed in fitted.feeds if feed.name == loss)
    return fitted.port(feed.array).codec
