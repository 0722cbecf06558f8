"""Answers another machine of the same user over the standard input and output of an ssh session. Runs on the host.

Nothing listens: the program begins with the session and ends with it. What it does, the user of the session could do by hand.
"""

from __future__ import annotations

import hashlib
import os
import queue
import shutil
import sys
import threading
from pathlib import Path
from typing import BinaryIO

import msgspec

from seqdec_gui import __version__
from seqdec_gui.domain.problems import InvalidInput, Problem, SeqdecError, errors
from seqdec_gui.domain.wording import format_bytes
from seqdec_gui.runs import devices, lock, process
from seqdec_gui.runs.cluster import launching
from seqdec_gui.runs.cluster.addresses import free_port, own_addresses
from seqdec_gui.runs.cluster.choice import Cluster
from seqdec_gui.runs.cluster.join import command
from seqdec_gui.runs.engine_choice import missing
from seqdec_gui.runs.engines import ENGINES
from seqdec_gui.runs.files import copy_atomically
from seqdec_gui.runs.folder import RunFolder
from seqdec_gui.runs.hosts import frames, telling
from seqdec_gui.runs.hosts.frames import Frame, Garbled
from seqdec_gui.runs.hosts.store import PIECE_BYTES, SUMS, Store, Sums
from seqdec_gui.runs.spec import DeviceChoice, RunSpec, of_all

ALIVE_S = 3.0
"""Seconds between two signs of life."""
KEPT_FREE = 64 << 20
"""Bytes that are left free on the disk: a run needs some to say that it is full."""
TASKS = ("export", "generate", "evaluate", "score", "encode", "errors")
"""The commands that are run here for the other side."""


class Answering:
    """The conversation, as the host leads it."""

    def __init__(self, asked: BinaryIO, answers: BinaryIO) -> None:
        self._asked, self._answers = asked, answers
        self._writing = threading.Lock()
        self._arrived: queue.Queue[Frame | None] = queue.Queue(maxsize=64)
        self._over = threading.Event()
        self._folder = Path.home() / "seqdec-gui"
        self._store = Store(self._folder)

    def run(self) -> None:
        """Answer until the other side leaves or the link breaks."""
        threading.Thread(target=self._read, name="questions", daemon=True).start()
        threading.Thread(target=self._breathe, name="signs of life", daemon=True).start()
        try:
            while (frame := self._arrived.get()) is not None:
                self._answer(frame)
        except (BrokenPipeError, ConnectionError):
            pass
        finally:
            self._over.set()
            self._store.close()

    def send(self, kind: str, data: bytes = b"", **fields: object) -> None:
        """Send a message. Raises OSError."""
        with self._writing:
            self._answers.write(frames.packed(kind, data, **fields))
            self._answers.flush()

    def _read(self) -> None:
        try:
            while (frame := frames.read(self._asked)) is not None:
                self._arrived.put(frame)
        except (Garbled, OSError, ValueError):
            pass
        self._arrived.put(None)

    def _breathe(self) -> None:
        try:
            while not self._over.wait(ALIVE_S):
                self.send("alive")
        except (OSError, ValueError):
            self._arrived.put(None)

    def _answer(self, frame: Frame) -> None:
        try:
            answer = getattr(self, f"_on_{frame.kind}", None)
            if answer is None:
                raise SeqdecError(f"seqdec-gui {__version__} there does not know what {frame.kind!r:.80} means: upgrade it.")
            answer(frame)
        except (BrokenPipeError, ConnectionError):
            raise
        except InvalidInput as error:
            self.send("refused", msgspec.json.encode(error.problems), sentence=str(error))
        except telling.Gone as error:
            self.send("gone", sentence=str(error))
        except SeqdecError as error:
            self.send("refused", sentence=str(error))
        except OSError as error:
            self.send("refused", sentence=f"{error.filename or 'A file'} cannot be used: {error.strerror or error}.")

    # -- questions
    def _on_folder(self, frame: Frame) -> None:
        """Work in this folder from now on; no answer."""
        self._folder = (Path.home() / frame.text("folder")).absolute()
        self._store = Store(self._folder)

    def _on_facts(self, _frame: Frame) -> None:
        room = shutil.disk_usage(_existing(self._folder)).free
        engines = [name for name, engine in ENGINES.items() if not missing(name, DeviceChoice("cpu"))]
        self.send(
            "done", msgspec.json.encode(devices.list_devices()), folder=str(self._folder), free=room, engines=engines,
            python=sys.version.split()[0], version=__version__, cores=os.cpu_count() or 1,
        )  # fmt: skip

    def _on_there(self, frame: Frame) -> None:
        """Which of these files the host has at the same path, with the same content: [path, size, sha256] each.

        Where the size is -1, the other side does not have the file and takes what is here.
        """
        sums, found = Sums(self._folder / SUMS), []
        for path, size, sha256 in msgspec.json.decode(frame.data, type=list[tuple[str, int, str]]):
            found.append(is_same_file(Path(path), size, sha256, sums))
        self.send("done", there=found)

    def _on_have(self, frame: Frame) -> None:
        """Where the files are that were sent before: [sha256, name, size] each; empty where one was not."""
        wanted = msgspec.json.decode(frame.data, type=list[tuple[str, str, int]])
        places = [str(self._store.find(*each) or "") for each in wanted]
        needed = sum(size for (_, _, size), place in zip(wanted, places, strict=True) if not place)
        room = shutil.disk_usage(_existing(self._folder)).free
        if needed and room < needed + KEPT_FREE:
            raise SeqdecError(
                f"The disk there is full: {format_bytes(needed)} are to be sent and {format_bytes(room)} are free below "
                f"{self._folder}. Free some space, or choose another folder (hosts add ... --folder)."
            )
        self.send("done", places=places)

    def _on_put(self, frame: Frame) -> None:
        size = frame.integer("length")
        self.send("done", at=self._store.begin(frame.text("sha256"), frame.text("name"), size))

    def _on_piece(self, frame: Frame) -> None:
        self._store.take(frame.data)

    def _on_whole(self, _frame: Frame) -> None:
        self.send("done", path=str(self._store.end()))

    def _on_assemble(self, frame: Frame) -> None:
        """Lay files that were sent out as the folder of an earlier run: place in the folder, and path."""
        pairs = msgspec.json.decode(frame.data, type=dict[str, str])
        name = hashlib.sha256(msgspec.json.encode(sorted(pairs.items()))).hexdigest()[:24]
        run = RunFolder(self._folder / "earlier" / name)
        for inside, place in pairs.items():
            target = (run.path / inside).resolve()
            if not target.is_relative_to(run.path.resolve()) or not Path(place).is_relative_to(self._store.folder):
                raise InvalidInput(f"Expected a file of a run, received {inside!r:.80}.", "run_folder")
            target.parent.mkdir(parents=True, exist_ok=True)
            if not target.exists():
                copy_atomically(Path(place), target)
        self.send("done", run=str(run.path))

    def _on_start(self, frame: Frame) -> None:
        """Start a run, or find that it was started: the answer to an earlier question may have been lost."""
        asked = msgspec.json.decode(frame.data, type=RunSpec)
        run = RunFolder(self._folder / "runs" / _own_name(frame.text("run")))
        warnings: tuple[Problem, ...] = ()
        if lock.read_record(run.lock) is None:
            warnings = self._checked(asked)
            _fail_if_full(self._folder)
            process.start(run, asked, nice=frame.integer("nice")).detach()
        self._tell_start(run, warnings)

    def _on_resume(self, frame: Frame) -> None:
        run = RunFolder(frame.text("run"))
        if not run.exists:
            raise telling.Gone(f"There is no run at {run.path} any more: it was moved or removed.")
        if not lock.is_held(run.lock):
            changes = msgspec.json.decode(frame.data, type=Resumption)
            spec = run.read_spec()
            if msgspec.to_builtins(changes.training):
                design = dict(spec.design) | {"training": changes.training}
                spec = msgspec.structs.replace(spec, design=design)
            again = msgspec.structs.replace(
                spec, devices=changes.devices or spec.devices, engine=changes.engine or spec.engine, resume=True,
                placement=None, cluster=changes.cluster,
                checkpoint_every_s=changes.checkpoint_every_s or spec.checkpoint_every_s,
            )  # fmt: skip
            _fail_if_full(self._folder)
            process.start(run, again, nice=frame.integer("nice")).detach()
        self._tell_start(run, ())

    def _on_meet(self, _frame: Frame) -> None:
        """Where other hosts would find a run that this one leads: addresses, and a port that is free."""
        self.send("done", port=free_port(), addresses=list(own_addresses()))

    def _on_join(self, frame: Frame) -> None:
        """Take part in a run that another host leads; the process ends with the run."""
        at = [str(each) for each in frame.get("at", list)]
        process_number, log = frame.integer("number"), self._folder / "cluster" / f"{_own_name(frame.text('run'))}.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        launching.join_alone(command(at, process_number, frame.integer("processes"), frame.text("devices")), log)
        self.send("done", log=str(log))

    def _on_follow(self, frame: Frame) -> None:
        telling.tell(RunFolder(frame.text("run")), frame, self.send, self._arrived)

    def _on_checkpoint(self, frame: Frame) -> None:
        """Describe a checkpoint: its size and its first bytes, which hold its check sum."""
        path, size, head = telling.head_of(RunFolder(frame.text("run")), frame.text("name"))
        self.send("done", head, length=size, path=str(path))

    def _on_fetch(self, frame: Frame) -> None:
        """Send a file in pieces, from a place on."""
        path, at = Path(frame.text("path")), frame.integer("at")
        with path.open("rb") as file:
            file.seek(at)
            while piece := file.read(PIECE_BYTES):
                self.send("piece", piece)
        self.send("done")

    def _on_task(self, frame: Frame) -> None:
        from seqdec_gui.runs.hosts.tasks_there import run_command

        run_command(frame, self._folder, TASKS, self.send, self._arrived)

    # --
    def _checked(self, asked: RunSpec) -> tuple[Problem, ...]:
        """Return warnings about design, data and devices as they are here. Raises InvalidInput."""
        from seqdec_gui.runs.readiness import problems_in_data, readiness

        design, base, available = asked.load_design(), Path(asked.folder), devices.list_devices()
        busy = devices.check_choice(asked.devices, available)
        resolved = of_all(devices.resolve(asked.devices, available), asked.cluster)
        problems = readiness(design, base, resolved)
        if not errors(problems):
            problems = (*problems, *problems_in_data(design, base, resolved, asked.initial_run, asked.fit))
        if errors(problems):
            raise InvalidInput(errors(problems))
        return (*(problem for problem in problems if problem.severity == "warning"), *busy)

    def _tell_start(self, run: RunFolder, warnings: tuple[Problem, ...]) -> None:
        record = lock.read_record(run.lock)
        self.send(
            "done", msgspec.json.encode(run.read_spec().placement), run=str(run.path), warnings=msgspec.to_builtins(warnings),
            events_offset=record.events_offset if record else 0,
        )  # fmt: skip


class Resumption(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be different when a run goes on; `training` is that part of the design's document.

    `cluster` are the processes that share it from now on; None: it goes on in one.
    """

    devices: DeviceChoice | None = None
    engine: str = ""
    training: dict[str, object] = {}
    checkpoint_every_s: float = 0.0
    cluster: Cluster | None = None


def is_same_file(path: Path, size: int, sha256: str, sums: Sums) -> bool:
    """Whether a file of this machine has the content of one of another; with a size of -1, whether it is there."""
    try:
        if size < 0 or not path.is_file() or path.stat().st_size != size:
            return size < 0 and path.is_file()
        return sums.of(path).sha256 == sha256
    except (OSError, ValueError, SeqdecError):
        return False


def answer(asked: BinaryIO, answers: BinaryIO) -> None:
    """Say who answers, then answer. Returns when the other side has left."""
    hello = msgspec.json.encode({"version": __version__, "protocol": frames.PROTOCOL})
    try:
        answers.write(frames.HELLO + hello + b"\n")
        answers.flush()
    except OSError:
        return
    Answering(asked, answers).run()


def _own_name(name: str) -> str:
    if not name or name.startswith(".") or "/" in name or "\0" in name:
        raise InvalidInput(f"Expected the name of a run's folder, received {name!r:.80}.", "run_folder")
    return name


def _existing(folder: Path) -> Path:
    while not folder.is_dir() and folder != folder.parent:
        folder = folder.parent
    return folder


def _fail_if_full(folder: Path) -> None:
    room = shutil.disk_usage(_existing(folder)).free
    if room < KEPT_FREE:
        raise SeqdecError(
            f"The disk there is full: {format_bytes(room)} are free below {folder}, and a run writes checkpoints. "
            "Free some space, or choose another folder (hosts add ... --folder)."
        )
