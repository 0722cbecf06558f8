"""Gets checkpoints of runs on a host when they are needed here."""

from __future__ import annotations

import zlib
from pathlib import Path

from seqdec_gui.domain.problems import SeqdecError
from seqdec_gui.runs.checkpoint_file import HEAD_BYTES, fault
from seqdec_gui.runs.files import DISK_FULL
from seqdec_gui.runs.folder import RunFolder
from seqdec_gui.runs.hosts import record, trusted
from seqdec_gui.runs.hosts.sending import Tell, fetch, say_nothing
from seqdec_gui.runs.hosts.session import Session
from seqdec_gui.runs.hosts.ssh import LinkLost

ATTEMPTS = 3
"""How often a checkpoint is begun anew that changed on the host while it was on its way."""


def have_checkpoint(run: RunFolder, name: str, tell: Tell = say_nothing) -> str:
    """Have the checkpoint of a copied run here as it is on its host now; returns a sentence if only an earlier one is here.

    Of a run of this machine nothing is done. Raises InvalidInput (the run has none), LinkLost, SeqdecError.
    """
    at = record.read(run.path)
    if at is None or _is_final(run, name):
        return ""
    if at.gone:
        raise SeqdecError(at.gone)
    path = run.checkpoint(name)
    for _ in range(ATTEMPTS):
        try:
            with Session(trusted.host_of(at)) as session:
                if _get(session, at.run, name, path, tell):
                    return ""
        except LinkLost as error:
            if not path.is_file():
                raise
            return f"{error} The checkpoint that was fetched before is used, which may be an earlier one."
        except OSError as error:
            full = " Free some space." if error.errno in DISK_FULL else ""
            raise SeqdecError(f"The checkpoint cannot be kept at {path}: {error.strerror}.{full}") from error
    raise SeqdecError(f"The checkpoint {name} of {run.path} arrives damaged again and again; look at it on {at.host}.")


def _is_final(run: RunFolder, name: str) -> bool:
    """Whether a checkpoint was fetched after its run had ended."""
    if record.goes_on(run.path):
        return False
    try:
        return run.checkpoint(name).stat().st_mtime_ns >= (run.path / record.FILE).stat().st_mtime_ns
    except OSError:
        return False


def _get(session: Session, there: str, name: str, path: Path, tell: Tell) -> bool:
    """Get a checkpoint unless the one here is the same; returns whether it is here now. Raises as `Session.ask`, OSError."""
    said = session.ask("checkpoint", run=there, name=name)
    if _head(path) == said.data and path.stat().st_size == said.integer("length"):
        path.touch()
        return True
    path.parent.mkdir(exist_ok=True)
    part = path.with_name(f".{path.name}.{zlib.crc32(said.data):08x}.part")
    fetch(session, said.text("path"), part, said.integer("length"), tell)
    if fault(part):
        part.unlink()
        return False
    for old in path.parent.glob(f".{path.name}.*.part"):
        if old != part:
            old.unlink()
    part.replace(path)
    return True


def _head(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(HEAD_BYTES)
    except OSError:
        return b""


def have_checkpoints_of(task: object, tell: Tell = say_nothing) -> list[str]:
    """Have the checkpoints here that a task reads; returns sentences about those that may be earlier ones.

    A task names a run as `run`, and another as `against`. What is no run folder is left alone. Raises as `have_checkpoint`.
    """
    said = []
    for run, name in (("run", "checkpoint"), ("against", "against_checkpoint")):
        folder = getattr(task, run, "")
        if folder and record.is_copy(Path(folder)):
            said.append(have_checkpoint(RunFolder(folder), getattr(task, name), tell))
    return [text for text in said if text]
