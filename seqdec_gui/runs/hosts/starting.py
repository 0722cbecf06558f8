"""Starts and resumes runs on a host, each with a copy here that follows it."""

from __future__ import annotations

import time
import uuid
from pathlib import Path

import msgspec

from seqdec_gui.domain import document
from seqdec_gui.domain.problems import InvalidInput, Problem, SeqdecError
from seqdec_gui.domain.wording import format_bytes
from seqdec_gui.runs import copies, known, spec
from seqdec_gui.runs.devices import Device
from seqdec_gui.runs.folder import RunFolder
from seqdec_gui.runs.hosts import book, record, trusted
from seqdec_gui.runs.hosts.answering import Resumption
from seqdec_gui.runs.hosts.book import Host
from seqdec_gui.runs.hosts.copied import CopiedProcess, await_follower, start_follower
from seqdec_gui.runs.hosts.fetching import have_checkpoint
from seqdec_gui.runs.hosts.frames import Frame
from seqdec_gui.runs.hosts.record import HostRecord
from seqdec_gui.runs.hosts.sending import Sent, Tell, files_of, moved, say_nothing, send_files
from seqdec_gui.runs.hosts.session import Session, fail_unless_same_version
from seqdec_gui.runs.hosts.ssh import LinkLost
from seqdec_gui.runs.spec import Placement, RunSpec

ATTEMPTS = 3
"""How often a host is tried before a start is given up."""


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What a host says of itself. `free` is the room on its disk, in bytes."""

    host: str
    address: str
    version: str
    python: str
    folder: str
    free: int
    engines: tuple[str, ...]
    devices: tuple[Device, ...]

    def sentence(self) -> str:
        """Return it in one line."""
        engines = ", ".join(self.engines) or "no engine"
        return f"seqdec-gui {self.version}, Python {self.python}, {engines}; {format_bytes(self.free)} free in {self.folder}"


class Started(msgspec.Struct, frozen=True):
    """A run that was started on a host: its process, warnings of the host, and the files that were sent."""

    process: CopiedProcess
    warnings: tuple[Problem, ...]
    files: tuple[Sent, ...]


def facts(session: Session) -> Facts:
    """Ask a host for its devices and what it has. Raises as `Session.ask`."""
    said = session.ask("facts")
    try:
        listed = msgspec.json.decode(said.data, type=tuple[Device, ...])
    except msgspec.DecodeError:
        listed = ()
    return Facts(
        host=session.host.name, address=session.host.address, version=session.version, python=said.text("python"),
        folder=said.text("folder"), free=said.integer("free"), engines=tuple(map(str, said.get("engines", list))),
        devices=listed,
    )  # fmt: skip


def look(name: str) -> Facts:
    """Reach a host and return what it says of itself. Raises InvalidInput, LinkLost, NotPrepared."""
    with Session(book.find(name)) as session:
        return facts(session)


def devices_of(run: RunFolder) -> tuple[Device, ...]:
    """Return the devices of the host on which a copied run is. Raises as `look`."""
    at = record.read(run.path)
    return look(at.host).devices if at is not None else ()


def start(run: RunFolder, run_spec: RunSpec, host: Host, nice: int = 0, tell: Tell = say_nothing) -> Started:
    """Send what a run needs, start it on a host, and follow it in the empty folder `run`.

    Where the link breaks the host is tried again, from where it broke. Raises InvalidInput (the host refuses design, data or
    devices), NotPrepared, LinkLost, SeqdecError.
    """
    name = f"{run.name}-{uuid.uuid4().hex[:8]}"
    for attempt in range(ATTEMPTS):
        try:
            with Session(host) as session:
                fail_unless_same_version(session)
                sent, there = _placed(session, run_spec, tell)
                tell(f"Starting on {host.name}", 0, 0)
                said = session.ask("start", msgspec.json.encode(there), run=name, nice=nice)
                return Started(_copy(run, run_spec, host, said), _warnings(said), sent)
        except LinkLost:
            if attempt + 1 == ATTEMPTS:
                raise
            time.sleep(1.0 + attempt)
    raise AssertionError("unreachable")


def resume(run: RunFolder, changes: Resumption, nice: int = 0) -> CopiedProcess:
    """Have a run go on where it is, and follow it again. Raises InvalidInput, NotPrepared, LinkLost, SeqdecError."""
    at = record.read(run.path)
    if at is None:
        raise InvalidInput(f"{run.path} is no copy of a run on a host.", "no_copy")
    host = trusted.host_of(at)
    with Session(host) as session:
        fail_unless_same_version(session)
        said = session.ask("resume", msgspec.json.encode(changes), run=at.run, nice=nice)
    try:
        known_spec = run.read_spec()
        design = dict(known_spec.design) | ({"training": changes.training} if changes.training else {})
        again = msgspec.structs.replace(
            known_spec,
            design=design,
            devices=changes.devices or known_spec.devices,
            placement=_placement(said),
            resume=True,
            cluster=changes.cluster,
        )
        spec.write(again, run.spec)
        record.write(
            run.path,
            msgspec.structs.replace(at, ended=False, failed=None, gone="", events_offset=said.integer("events_offset")),
        )
    except OSError as error:
        raise SeqdecError(f"The run goes on at {host.name}, and cannot be followed in {run.path}: {error.strerror}.") from error
    return _followed(run)


# --
def _placed(session: Session, run_spec: RunSpec, tell: Tell) -> tuple[tuple[Sent, ...], RunSpec]:
    """Send the files that a run needs, and return them with the specification as it is on the host."""
    folder = Path(run_spec.folder or ".")
    named = document.from_builtins(run_spec.design)
    if run_spec.data_file:
        named = named.with_data(msgspec.structs.replace(named.data, file=run_spec.data_file))
    paths = files_of(named, folder)
    initial_run = _there_already(run_spec.initial_run, session.host) if run_spec.initial_run else ""
    if run_spec.initial_run and not initial_run:
        have_checkpoint(RunFolder(run_spec.initial_run), run_spec.initial_checkpoint, tell)
    initial = _files_of_run(run_spec) if run_spec.initial_run and not initial_run else {}
    sent = send_files(session, [*paths, *initial.values()], tell)
    places = {file.here: file.there for file in sent}
    there = moved(named, folder, sent)
    if initial:
        tell("Laying out the earlier run", 0, 0)
        pairs = {inside: places[path] for inside, path in initial.items()}
        initial_run = session.ask("assemble", msgspec.json.encode(pairs)).text("run")
    return sent, msgspec.structs.replace(
        run_spec, design=document.to_builtins(there), folder="", data_file=there.data.file, initial_run=initial_run,
        placement=None,
    )  # fmt: skip


def _there_already(run: str, host: Host) -> str:
    """Return the folder of an earlier run on the host if that is where it was trained; empty if it was not."""
    at = record.read(Path(run))
    return at.run if at is not None and at.host == host.name and not at.gone else ""


def _files_of_run(run_spec: RunSpec) -> dict[str, str]:
    """Return the files of the initial run that a training begins with: the place in the run's folder, and the path here."""
    initial = RunFolder(run_spec.initial_run)
    checkpoint = initial.checkpoint(run_spec.initial_checkpoint)
    wanted = [initial.spec, initial.data, initial.dataset, initial.model, checkpoint]
    wanted += [copies.copy_of(path) for path in (initial.spec, initial.data)]
    return {str(path.relative_to(initial.path)): str(path) for path in wanted if path.is_file()}


def _copy(run: RunFolder, run_spec: RunSpec, host: Host, said: Frame) -> CopiedProcess:
    """Make the copy of a run that was started, and follow it."""
    try:
        for folder in (run.path, run.checkpoints, run.exports):
            folder.mkdir(parents=True, exist_ok=True)
        there = said.text("run")
        at = HostRecord(
            host=host.name, address=host.address, run=there, mark=trusted.marked(host.name, there),
            events_offset=said.integer("events_offset"),
        )  # fmt: skip
        record.write(run.path, at)
        spec.write(msgspec.structs.replace(run_spec, placement=_placement(said)), run.spec)
    except OSError as error:
        text = f"The run was started at {host.name} ({said.text('run')}) and cannot be followed in {run.path}"
        raise SeqdecError(f"{text}: {error.strerror}.") from error
    known.remember_run(run.path)
    return _followed(run)


def _followed(run: RunFolder) -> CopiedProcess:
    start_follower(run)
    await_follower(run)
    return CopiedProcess(run)


def _placement(said: Frame) -> Placement | None:
    try:
        return msgspec.json.decode(said.data, type=Placement | None)
    except msgspec.DecodeError:
        return None


def _warnings(said: Frame) -> tuple[Problem, ...]:
    try:
        return msgspec.convert(said.fields.get("warnings", []), tuple[Problem, ...])
    except msgspec.ValidationError:
        return ()
