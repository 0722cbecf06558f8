"""Keeps what a prior says besides its network in the file of weights that is made of it, until a prior is handed back."""

from __future__ import annotations

from pathlib import Path

import msgspec

from seqdec_gui.runner import checkpoints
from seqdec_gui.runner.reinvent.metadata import Metadata
from seqdec_gui.runner.reinvent.prior import USUAL_LENGTH

KEPT = "reinvent"
"""The text in the file of weights that keeps what the prior says besides its network."""


class Kept(msgspec.Struct, frozen=True):
    """What no block holds, and a prior that is handed back shall say again."""

    longest: int = USUAL_LENGTH
    metadata: Metadata = Metadata()


def kept_in(file: Path) -> Kept:
    """Return what a file of weights keeps of the prior that it was made of; defaults where it keeps nothing."""
    text = checkpoints.text_in(file, KEPT)
    try:
        return msgspec.json.decode(text, type=Kept) if text else Kept()
    except (msgspec.DecodeError, UnicodeDecodeError):
        return Kept()
