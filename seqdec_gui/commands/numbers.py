"""Parsers of numbers for argparse's `type`, which explain the allowed range in a sentence."""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable

LARGEST_SEED = 2**31 - 1
"""The largest seed that all libraries accept."""

MANY = 1_000_000
"""The upper limit of counts: more than anybody needs, and small enough for all libraries."""


def whole_number(least: int, most: int = MANY) -> Callable[[str], int]:
    """Return a parser of whole numbers in this range, ends included."""

    def parse(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            value = least - 1
        if not least <= value <= most:
            raise argparse.ArgumentTypeError(f"expected a whole number from {least:,} to {most:,}, received {text!r}.")
        return value

    return parse


def number(least: float, most: float = MANY) -> Callable[[str], float]:
    """Return a parser of numbers in this range, ends included."""

    def parse(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not least <= value <= most:
            raise argparse.ArgumentTypeError(f"expected a number from {least:,g} to {most:,g}, received {text!r}.")
        return value

    return parse
