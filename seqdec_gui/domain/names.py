"""Which ids a block may have: ids become names of variables, functions and files, so designs and forms have one rule."""

from __future__ import annotations

import re

from seqdec_gui.domain.problems import Problem
from seqdec_gui.domain.source import is_identifier

RESERVED = frozenset({"full", "build", "keras", "layers", "list", "dict", "Path", "models"})
"""Names that a generated script uses for itself."""
TRAINING = "training"
"""The section of a design that assignments and problems name as they name a block."""
LONGEST = 200
"""Characters of an id: files of a run are named after blocks, and file systems allow 255 bytes."""


def name_problem(block_id: str) -> Problem | None:
    """Why no block can have this id; None if one can."""
    text, hint = "", "Choose another name"
    if not is_identifier(block_id) or block_id.startswith("_"):
        text = f"{_shown(block_id)} is not a name that a Python script can use."
        hint = "Use letters, digits and _ , and begin with a letter"
    elif len(block_id) > LONGEST:
        text = f"{_shown(block_id)} has {len(block_id):,} characters, and a name has at most {LONGEST}."
    elif block_id in RESERVED:
        text = f"{block_id!r} is used by the generated script itself."
    elif block_id == TRAINING:
        text = f"{block_id!r} is where the parameters of the training stand, as in training.epochs."
    if not text:
        return None
    return Problem("error", "bad_name", block_id, text, f"{hint}, for example {usable_id(block_id)}.")


def usable_id(text: str, word: str = "block") -> str:
    """An id that a block may have, made from any text; a legal id stays as it is.

    `word` is added where letters are missing: `2nd` becomes `block_2nd`, `class` becomes `class_block`.
    """
    name = re.sub(r"\W+", "_", text[:LONGEST], flags=re.ASCII).strip("_") if not _is_legal(text) else text
    if not name[:1].isalpha():
        name = f"{word}_{name}".rstrip("_")
    name = name[: LONGEST - len(word) - 1] if len(name) > LONGEST else name
    return name if _is_legal(name) else f"{name}_{word}"


def _is_legal(name: str) -> bool:
    fits = is_identifier(name) and not name.startswith("_") and len(name) <= LONGEST
    return fits and name not in RESERVED and name != TRAINING


def _shown(block_id: str) -> str:
    return repr(block_id if len(block_id) <= 60 else f"{block_id[:57]}...")
