"""Numbers on the command line: what argparse's `type` takes, and a sentence with the range for every other."""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable

LARGEST_SEED = 2**31 - 1
MANY = 1_000_000
"""More than anybody means, and few enough for every library below."""


def whole_number(least: int, most: int = MANY) -> Callable[[str], int]:
    """Takes whole numbers of this range, ends included."""

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
    """Takes numbers of this range, ends included."""

    def parse(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not least <= value <= most:
            raise argparse.ArgumentTypeError(f"expected a number from {least:,g} to {most:,g}, received {text!r}.")
        return value

    return parse
