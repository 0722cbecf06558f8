"""Which copies of runs on hosts this user has made: only those command their hosts.

The folder of a run may come from a stranger, who knows the name of a host and of a run on it. Its `host.json` lacks the mark,
which only the copy that was made here has, and a file in the user's data folder.
"""

from __future__ import annotations

import re
import uuid
from pathlib import Path

import msgspec

from seqdec_gui.domain.problems import InvalidInput, Problem
from seqdec_gui.runs.files import read_bytes, write_atomically
from seqdec_gui.runs.hosts import book
from seqdec_gui.runs.hosts.book import Host
from seqdec_gui.runs.hosts.record import HostRecord
from seqdec_gui.runs.known import data_folder

FOLDER = "host_runs"
"""The folder in the user's data folder with a file for each copy."""
_MARK = re.compile(r"[0-9a-f]{32}")


def marked(host: str, run: str) -> str:
    """Remember that a run on a host was started from here; returns the mark of its copy. Raises OSError."""
    mark = uuid.uuid4().hex
    path = _file(mark)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, msgspec.json.encode([host, run]))
    return mark


def host_of(at: HostRecord) -> Host:
    """Return the host of a copy. Raises InvalidInput for one that is not on the list, or a copy that was not made here."""
    host = book.find(at.host)
    if not _is_own(at):
        text = f"This folder says that its run is on {at.host}, and it was not made by this user on this machine"
        hint = "What is in it can be read. To command the run, use the folder from which it was started."
        raise InvalidInput([Problem("error", "foreign_copy", "", f"{text}.", hint)])
    return host


def _is_own(at: HostRecord) -> bool:
    if not _MARK.fullmatch(at.mark):
        return False
    try:
        return msgspec.json.decode(read_bytes(_file(at.mark)), type=list[str]) == [at.host, at.run]
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):
        return False


def _file(mark: str) -> Path:
    return data_folder() / FOLDER / mark
