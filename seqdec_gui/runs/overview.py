"""Reads a long file of events in part, in less than a second: enough to draw its curves until the whole has been read."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import BinaryIO

from seqdec_gui.runs.events import MOST_SEARCHED, Event, UnreadableLine, decode
from seqdec_gui.runs.files import opener
from seqdec_gui.runs.folder import RunFolder
from seqdec_gui.runs.history import RunHistory

LONG_BYTES = 8 << 20
"""Size from which on a file of events is long: some 45,000 reports."""
CHUNK_BYTES = 8 << 20
"""The part of the file that is searched at once."""
REPORTS = 6000
"""About how many reports of steps and devices an overview has: two for each pixel of a large screen."""
END_BYTES = 1 << 18
"""The end of the file, of which nothing is left out: it tells the pace of a run."""
MOST_RARE = 20_000
"""How many ends of epochs, checkpoints and messages an overview has at most."""
_RARE = re.compile(rb'\{"type":"(?!step"|device")')
"""The beginning of the events that are told all, as long as they are not too many. Within a text the quotes are escaped."""
_COUNTLESS = (b'{"type":"epoch"', b'{"type":"checkpoint"', b'{"type":"message"', b'{"type":"command"')


def is_long(run: RunFolder) -> bool:
    """Return whether a run has so many events that an overview of them is worth while.

    A file larger than readers search is no file of events: it may be made to be larger than any disk.
    """
    try:
        return LONG_BYTES <= run.events.stat().st_size <= MOST_SEARCHED
    except OSError:
        return False


def read_overview(run: RunFolder) -> RunHistory:
    """Return the history of a long run with a part of its reports, `thinned`. Raises OSError.

    Starts, pauses and ends are all there, and so is everything at the end. What cannot be read is left out: who reads the whole
    says so.
    """
    history = RunHistory()
    history.thinned = True
    with open(run.events, "rb", opener=opener) as file:
        size = file.seek(0, 2)
        file.seek(0)
        parts = max(1, size // CHUNK_BYTES)
        for lines in _chunks(file, size - END_BYTES):
            history.take(_events(lines, REPORTS // parts, MOST_RARE // parts))
        history.take(_decoded(file.read(2 * END_BYTES).splitlines(keepends=True)))
    return history


def _chunks(file: BinaryIO, until: int) -> Iterator[bytes]:
    """Give the whole lines that begin before a place in the file, some MB at a time, and leave the file behind them."""
    while (begin := file.tell()) < until:
        data = file.read(min(CHUNK_BYTES, until - begin))
        end = data.rfind(b"\n") + 1
        if not data:
            return
        if end:
            file.seek(begin + end)
            yield data[:end]
        else:  # a line that goes on: of no event, or the last one before `until`
            file.readline(CHUNK_BYTES)


def _events(lines: bytes, reports: int, rare: int) -> list[Event]:
    """Return events in their order: the rare ones, at most about so many, and about so many reports at even distances."""
    begins = [found.start() for found in _RARE.finditer(lines)]
    if len(begins) > rare:
        countless = [at for at in begins if lines.startswith(_COUNTLESS, at)]
        kept = set(countless[:: max(1, len(countless) // max(1, rare))])
        begins = [at for at in begins if at in kept or not lines.startswith(_COUNTLESS, at)]
    distance = max(1, len(lines) // max(1, reports))
    begins += (lines.find(b"\n", at) + 1 for at in range(0, len(lines) - 1, distance))
    return _decoded(lines[at : lines.find(b"\n", at) + 1] for at in sorted(set(begins)))


def _decoded(lines: Iterable[bytes]) -> list[Event]:
    """Return the events of lines; those that cannot be read are left out."""
    events: list[Event] = []
    for line in lines:
        try:
            if line.endswith(b"\n"):
                events.append(decode(line))
        except UnreadableLine:
            continue
    return events
