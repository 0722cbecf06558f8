"""What makes a run folder the copy of a run on a host: `host.json`, and `link.json`, which says how the link to it is.

The copy has the same events, log and samples, byte for byte, as far as they have arrived. Whoever has the lock of the copy's
folder follows the run; the run itself goes on whether or not somebody does.
"""

from __future__ import annotations

import contextlib
import time
from pathlib import Path

import msgspec

from seqdec_gui.domain.problems import InvalidInput
from seqdec_gui.runs.events import Count, Failed, Seconds
from seqdec_gui.runs.files import pretty_json, read_bytes, write_atomically

FILE = "host.json"
LINK = "link.json"
REQUESTS = "host_requests.jsonl"
"""Signals to the run there, one JSON object a line."""
FORMAT = 1


class HostRecord(msgspec.Struct, frozen=True, kw_only=True):
    """Where the run of a copy is, and how far it has been followed.

    `mark` says that this user has made the copy (`trusted`). `host` is a name of the user's list, `address` what it stood for;
    `run` is the folder there. `events_offset` is where the
    latest start begins in the events. `commands_sent` and `requests_sent` say up to where the files here were sent. `ended`:
    the run has ended and everything of it has arrived; `failed` then says how, where its events do not. `gone` is a sentence
    if the run is no longer there, or no longer the one that was copied.
    """

    format: int = FORMAT
    host: str
    address: str
    run: str
    mark: str = ""
    events_offset: Count = 0
    commands_sent: Count = 0
    requests_sent: Count = 0
    ended: bool = False
    failed: Failed | None = None
    gone: str = ""

    @property
    def over(self) -> bool:
        """Whether there is nothing more to follow."""
        return self.ended or bool(self.gone)


class Link(msgspec.Struct, frozen=True, kw_only=True):
    """How the link is: `why` is empty while it holds; `since` in seconds since 1970; `next_s` until it is tried again."""

    why: str = ""
    since: Seconds = 0.0
    next_s: float = 0.0

    def sentence(self, host: str) -> str:
        """Return what the user is told; empty while the link holds."""
        if not self.why:
            return ""
        clock = time.strftime("%H:%M", time.localtime(self.since))
        return f"The link to {host} is lost since {clock}; the run goes on there. Trying again. {self.why}"


def read(run: Path) -> HostRecord | None:
    """Return the record of a copy; None for a run of this machine. Raises InvalidInput for one that is damaged."""
    path = run / FILE
    try:
        record = msgspec.json.decode(read_bytes(path), type=HostRecord)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InvalidInput(f"{path}, which says on which host the run is, cannot be read: {error}.", "damaged_host") from None
    if record.format > FORMAT:
        raise InvalidInput(f"{path} has format {record.format}: upgrade seqdec-gui to follow the run.", "newer_host")
    return record


def is_copy(run: Path) -> bool:
    """Whether a run folder is the copy of a run on a host."""
    with contextlib.suppress(OSError):
        return (run / FILE).is_file()
    return False


def verdict(run: Path) -> Failed:
    """Return how a run ended whose events do not say it, as far as its copy knows. Raises InvalidInput."""
    record = read(run)
    if record is None or record.gone:
        return Failed(kind="crashed", sentence=record.gone if record else "")
    unknown = f"How the run ended on {record.host} is not known: look into its log."
    return record.failed or Failed(kind="crashed", sentence=unknown)


def goes_on(run: Path) -> bool:
    """Whether a run folder is the copy of a run that had not ended when last heard of."""
    if not is_copy(run):
        return False
    with contextlib.suppress(InvalidInput):
        record = read(run)
        return record is not None and not record.over
    return False


def write(run: Path, record: HostRecord) -> None:
    """Write the record. Raises OSError."""
    write_atomically(run / FILE, pretty_json(record))


def read_link(run: Path) -> Link:
    """Return how the link is; a good one where nothing is known."""
    with contextlib.suppress(OSError, msgspec.DecodeError, UnicodeDecodeError):
        return msgspec.json.decode(read_bytes(run / LINK), type=Link)
    return Link()


def write_link(run: Path, link: Link) -> None:
    """Write how the link is. Never raises: it is told again soon."""
    with contextlib.suppress(OSError):
        write_atomically(run / LINK, pretty_json(link))
