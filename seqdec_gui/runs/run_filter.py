"""Which runs of a list a user wants to see: by state, design, tag and words. No Qt."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import msgspec

from seqdec_gui.runs.listing import Entry

STATES = {
    "active": ("running", "paused"),
    "finished": ("finished",),
    "stopped": ("stopped",),
    "failed": ("failed", "crashed", "unreadable"),
    "other": ("unfinished", "missing"),
}
"""The states that a user tells apart, each with those of `Entry.state` that it stands for."""


class RunFilter(msgspec.Struct, frozen=True):
    """Empty fields let all pass. `words` must all occur in the name, note, tags, design or folder of a run; `#tag` is a tag.

    `state` is a key of STATES, `design` a value of `design_of`. `own_only` lets runs of the open design pass.
    """

    words: str = ""
    state: str = ""
    design: str = ""
    tag: str = ""
    own_only: bool = False

    @property
    def narrows(self) -> bool:
        """Return whether something was chosen that can hide runs, the open design left aside."""
        return bool(self.words.strip() or self.state or self.design or self.tag)

    def passes(self, entry: Entry) -> bool:
        if self.own_only and not entry.own:
            return False
        if self.state and entry.state not in STATES.get(self.state, ()):
            return False
        if self.design and design_of(entry) != self.design:
            return False
        if not (self.tag or self.words):  # thousands of runs are asked at a time
            return True
        tags = [tag.casefold() for tag in entry.note.tags]
        if self.tag and self.tag.casefold() not in tags:
            return False
        return all(_occurs(word, entry, tags) for word in self.words.casefold().split())


def design_of(entry: Entry) -> str:
    """Return what tells the design of a run from others: its id, else its file, else its name."""
    return entry.summary.design_id or entry.summary.design_path or entry.summary.design


def designs_of(entries: Iterable[Entry]) -> dict[str, str]:
    """Return the designs of these runs, by `design_of`, with their names as of the latest run; in the order of their names.

    Designs of one name are told apart by their folders.
    """
    latest = {design_of(entry): entry.summary for entry in sorted(entries, key=lambda entry: entry.summary.created or 0)}
    names = Counter(summary.design for summary in latest.values())
    named: dict[str, str] = {}
    for key, summary in latest.items():
        name = summary.design or "(unreadable)"
        more = summary.design_path.rpartition("/")[0] or "not saved"
        named[key] = f"{name}  –  {more}" if names[summary.design] > 1 else name
    return dict(sorted(named.items(), key=lambda item: item[1].casefold()))


def tags_in(entries: Iterable[Entry]) -> list[str]:
    """Return every tag of these runs once, in alphabetical order."""
    return sorted({tag for entry in entries for tag in entry.note.tags}, key=str.casefold)


def _occurs(word: str, entry: Entry, tags: list[str]) -> bool:
    if word.startswith("#") and len(word) > 1:
        return any(tag.startswith(word[1:]) for tag in tags)
    texts = (entry.name, entry.note.note, *tags, entry.summary.design, str(entry.path), entry.summary.engine)
    return any(word in text.casefold() for text in texts)
