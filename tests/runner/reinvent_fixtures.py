"""The priors that `tools/make_reinvent_fixture.py` has made with PyTorch, and their tokens as REINVENT cuts them."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import numpy.typing as npt

FOLDER = Path(__file__).resolve().parent.parent / "fixtures" / "reinvent"
NAMES = ("lstm", "old_gru")
CUTS = (re.compile(r"(\[[^\]]*\])"), re.compile(r"(%\d{2})"), re.compile(r"(Br|Cl)"))
"""What is cut out one after the other; what is left is divided into characters."""


def recorded(name: str) -> dict[str, float]:
    """The strings of a fixture, each with its negative log-likelihood by PyTorch in 64 bits."""
    found: dict[str, float] = json.loads((FOLDER / f"{name}.json").read_text("utf-8"))["strings"]
    return found


def tokens_of(text: str, cuts: tuple[re.Pattern[str], ...] = CUTS) -> list[str]:
    if not cuts:
        return list(text)
    tokens: list[str] = []
    for number, part in enumerate(cuts[0].split(text)):
        tokens += [part] if number % 2 else tokens_of(part, cuts[1:])
    return tokens


def encoded(texts: list[str], tokens: tuple[str, ...]) -> npt.NDArray[np.int32]:
    """Ids as REINVENT gives them: `^`, the tokens, `$`, and `$` until the rows are equally long."""
    ids = {token: number for number, token in enumerate(tokens)}
    rows = [[1, *(ids[token] for token in tokens_of(text)), 0] for text in texts]
    array = np.zeros((len(rows), max(map(len, rows))), np.int32)
    for number, row in enumerate(rows):
        array[number, : len(row)] = row
    return array


def likelihoods(probabilities: npt.NDArray[np.float32], ids: npt.NDArray[np.int32]) -> npt.NDArray[np.float64]:
    """The negative log-likelihood of each row up to its first `$`, of predictions for `ids[:, :-1]`."""
    targets = ids[:, 1:]
    counted = np.cumsum(targets == 0, axis=1) - (targets == 0) == 0
    chosen = np.take_along_axis(probabilities.astype(np.float64), targets[..., None].astype(np.int64), axis=2)[..., 0]
    found: npt.NDArray[np.float64] = -(np.log(chosen) * counted).sum(axis=1)
    return found
