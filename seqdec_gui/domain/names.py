"""The rule for ids of blocks, which become names of variables, functions and files."""

from __future__ import annotations

import re

from seqdec_gui.domain.problems import Problem
from seqdec_gui.domain.source import is_identifier

RESERVED = frozenset({"full", "build", "keras", "layers", "list", "dict", "Path", "models"})
"""The names that a generated script uses itself."""

TRAINING = "training"
"""The name of the training section in assignments and problems, where otherwise an id of a block stands."""

LONGEST = 200
"""The largest number of characters of an id: file names of a run contain ids, and file systems allow 255 bytes."""


def name_problem(block_id: str) -> Problem | None:
    """Return why no block can have this id; None if it is legal."""
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
    """Make a legal id from any text; a legal id stays unchanged.

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
