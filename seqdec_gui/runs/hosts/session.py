"""A conversation with the program on a host, over one `ssh`: questions with answers, files, and a run that is followed."""

from __future__ import annotations

import contextlib
import queue
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from types import TracebackType
from typing import IO, Any

import msgspec

from seqdec_gui import __version__
from seqdec_gui.domain.problems import InvalidInput, Problem, SeqdecError
from seqdec_gui.runs.hosts import frames, ssh
from seqdec_gui.runs.hosts.book import Host, from_home
from seqdec_gui.runs.hosts.frames import Frame, Garbled
from seqdec_gui.runs.hosts.ssh import LinkLost, NotPrepared

SILENT_S = 20.0
"""Seconds without a message after which the link counts as lost: the program there sends one every 3 seconds."""
JUMP_S = 15.0
"""Seconds that the clock may be ahead of the time that passed: more means that this machine slept, and the link is dead."""
GREETING_S = 60.0
"""Seconds that a connection may take: jump hosts, a slow file system there."""
END_S = 5.0
"""Seconds that ssh gets to end."""
_problems = msgspec.json.Decoder(list[Problem])


class Session:
    """A conversation. Use it in a `with` statement, in one thread."""

    def __init__(self, host: Host) -> None:
        """Connect. Raises LinkLost, NotPrepared."""
        self.host = host
        self.version = ""
        command = ssh.quoted([from_home(host.interpreter), "-P", "-m", "seqdec_gui", "answer"])
        argv = ssh.argv(host, command)
        self._log: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the session
        self._ssh = subprocess.Popen(
            argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._log, start_new_session=True
        )
        self._arrived: queue.Queue[Frame | Exception | None] = queue.Queue(maxsize=64)
        self._closing = threading.Event()
        self._heard, self._clock = time.monotonic(), time.time()
        self._reader = threading.Thread(target=self._read, name=f"host {host.name}", daemon=True)
        self._reader.start()
        try:
            self._greet()
            self.send("folder", folder=from_home(host.folder))
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Session:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """End the conversation; the run there goes on."""
        self._closing.set()
        assert self._ssh.stdin is not None
        assert self._ssh.stdout is not None
        with contextlib.suppress(OSError):
            self._ssh.stdin.close()
        self._ssh.terminate()
        try:
            self._ssh.wait(END_S)
        except subprocess.TimeoutExpired:
            self._ssh.kill()
            self._ssh.wait()
        self._reader.join(END_S)
        self._ssh.stdout.close()
        self._log.close()

    def send(self, kind: str, data: bytes = b"", **fields: object) -> None:
        """Send a message. Raises LinkLost."""
        assert self._ssh.stdin is not None
        try:
            self._ssh.stdin.write(frames.packed(kind, data, **fields))
            self._ssh.stdin.flush()
        except OSError:
            raise self._lost() from None

    def receive(self, timeout_s: float = SILENT_S) -> Frame | None:
        """Return the next message that is no mere sign of life; None after `timeout_s` with signs of life alone.

        Raises LinkLost, where nothing at all arrived for a while too.
        """
        until = time.monotonic() + timeout_s
        while True:
            try:
                frame = self._arrived.get(timeout=max(0.0, min(0.5, until - time.monotonic())))
            except queue.Empty:
                now = time.monotonic()
                slept = (time.time() - self._clock) - (now - self._heard) > JUMP_S
                if now - self._heard > SILENT_S or slept:
                    raise LinkLost(f"{self.host.name}: nothing was heard from {self.host.address} for a while.") from None
                if now >= until:
                    return None
                continue
            self._heard, self._clock = time.monotonic(), time.time()
            if frame is None:
                raise self._lost()
            if isinstance(frame, Exception):
                raise LinkLost(f"{self.host.name}: {frame}") from None
            if frame.kind != "alive":
                return frame
            if time.monotonic() >= until:
                return None

    def ask(self, kind: str, data: bytes = b"", **fields: object) -> Frame:
        """Send a question and return its answer. Raises LinkLost; InvalidInput, SeqdecError with what the host says."""
        self.send(kind, data, **fields)
        return self.answer()

    def answer(self) -> Frame:
        """Wait for the answer to the last question, however long it takes. Raises as `ask`."""
        for frame in self.until_answer():
            if frame.kind == "done":
                return frame
        raise self._lost()

    def until_answer(self) -> Iterator[Frame]:
        """Yield what arrives up to the answer, which comes last. Raises as `ask`."""
        while True:
            frame = self.receive()
            if frame is None:
                continue
            if frame.kind == "refused":
                raise self._refusal(frame)
            yield frame
            if frame.kind == "done":
                return

    def _refusal(self, frame: Frame) -> SeqdecError:
        try:
            problems = _problems.decode(frame.data) if frame.data else []
        except msgspec.DecodeError:
            problems = []
        if problems:
            return InvalidInput([_placed(problem, self.host.name) for problem in problems])
        return SeqdecError(f"{self.host.name}: {frame.text('sentence')}")

    def _greet(self) -> None:
        """Read what the program there says first, and compare the versions. Raises LinkLost, NotPrepared."""
        try:
            frame = self._arrived.get(timeout=GREETING_S)
        except queue.Empty:
            raise LinkLost(f"{self.host.name}: {self.host.address} let us in, and no program answered.") from None
        if frame is None:
            raise self._lost()
        if isinstance(frame, Exception):
            raise NotPrepared(f"{self.host.name}: {frame}")
        self.version = frame.text("version")
        if frame.integer("protocol") != frames.PROTOCOL:
            raise version_differs(self.host, self.version)

    def _lost(self) -> SeqdecError:
        """Return why the conversation ended, from what ssh wrote."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._ssh.wait(END_S)
        self._log.seek(0)
        return ssh.explanation(self.host, self._ssh.returncode, self._log.read()[-65536:].decode("utf-8", "replace"))

    def _read(self) -> None:
        """Hand on what arrives, in a thread, until the end of the stream or of the conversation."""
        stream = self._ssh.stdout
        assert stream is not None
        last: Frame | Exception | None = None
        try:
            self._hand_on(_greeting(stream))
            while (frame := frames.read(stream)) is not None:  # type: ignore[arg-type]
                self._hand_on(frame)
        except (Garbled, OSError, ValueError) as error:
            last = error
        except EOFError:
            pass
        self._hand_on(last)

    def _hand_on(self, frame: Frame | Exception | None) -> None:
        while not self._closing.is_set():
            with contextlib.suppress(queue.Full):
                self._arrived.put(frame, timeout=0.2)
                return


def _greeting(stream: IO[bytes]) -> Frame:
    """Return the first message, behind whatever a login shell prints. Raises EOFError, Garbled."""
    left = frames.MOST_GREETING
    printed = b""
    while left > 0 and (line := stream.readline(left)):
        left -= len(line)
        place = line.find(frames.HELLO)
        if place >= 0 and line.endswith(b"\n"):
            try:
                fields = msgspec.json.decode(line[place + len(frames.HELLO) :], type=dict[str, Any])
            except (msgspec.DecodeError, UnicodeDecodeError):
                break
            return Frame("hello", fields)
        printed += line
    if left > 0:
        raise EOFError
    raise Garbled(f"the login shell there prints too much before the program begins: {printed[:80]!r}.")


def _placed(problem: Problem, host: str) -> Problem:
    return msgspec.structs.replace(problem, text=f"On {host}: {problem.text}")


def version_differs(host: Host, theirs: str) -> NotPrepared:
    """Return the error for a program there that does not fit the one here."""
    return NotPrepared(
        f"{host.name}: seqdec-gui is {theirs} there and {__version__} here, and a run must be understood on both sides. "
        f"`seqdec-gui hosts prepare {host.name}` installs {__version__} there; or install {theirs} here."
    )


def fail_unless_same_version(session: Session) -> None:
    """Raise NotPrepared unless the program there has the version of the one here."""
    if session.version != __version__:
        raise version_differs(session.host, session.version)
