"""A real `sshd` of one's own on loopback, and a link to it that can be cut: a TCP proxy."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
SSHD = shutil.which("sshd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
MISSING = "" if SSHD and shutil.which("ssh") else "needs OpenSSH's sshd and ssh (apt install openssh-server openssh-client)"
BEGIN_S = 20.0
NUMBERS = Path(__file__).with_name("numbers_there.py")


class Server:
    """An sshd of this user, with a key of its own; `ssh` is the command that reaches it through the proxy."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.home = folder / "home of the host"  # what is there has a space in its path
        self.home.mkdir()
        self.port = _free_port()
        for name in ("host_key", "user_key"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / name], check=True)
        (folder / "authorized_keys").write_bytes((folder / "user_key.pub").read_bytes())
        (folder / "authorized_keys").chmod(0o600)
        self.environment = {
            "HOME": str(self.home),
            **{f"XDG_{name}_HOME": str(self.home / name.lower()) for name in ("CONFIG", "DATA", "STATE", "CACHE")},
        }
        self.process: subprocess.Popen[bytes] | None = None
        self.proxy = Proxy(self.port)

    def start(self, **environment: str) -> None:
        """Start the server; sessions get these environment variables."""
        if os.getuid() == 0:
            Path("/run/sshd").mkdir(exist_ok=True)
        pairs = " ".join(f'"{name}={value}"' for name, value in (self.environment | environment).items())
        (self.folder / "sshd_config").write_text(
            f"Port {self.port}\nListenAddress 127.0.0.1\nHostKey {self.folder}/host_key\nPidFile none\nUsePAM no\n"
            f"StrictModes no\nAuthorizedKeysFile {self.folder}/authorized_keys\nPasswordAuthentication no\n"
            f"PermitRootLogin yes\nKbdInteractiveAuthentication no\nLogLevel ERROR\nMaxStartups 100\nSetEnv {pairs}\n"
        )
        self.process = subprocess.Popen([SSHD, "-D", "-e", "-f", self.folder / "sshd_config"], stderr=subprocess.DEVNULL)
        until = time.monotonic() + BEGIN_S
        while not _answers(self.port):
            assert time.monotonic() < until, "sshd does not start"
            time.sleep(0.05)

    def stop(self) -> None:
        self.proxy.close()
        if self.process is not None:
            self.process.terminate()
            self.process.wait(10)

    def configure(self, known: bool = True) -> None:
        """Have this process and its children reach the server as `there`, with or without knowing its host key."""
        key = (self.folder / "host_key.pub").read_text().split()
        hosts = self.folder / "known_hosts"
        hosts.write_text(f"[127.0.0.1]:{self.proxy.port} {key[0]} {key[1]}\n" if known else "")
        config = self.folder / "ssh_config"
        config.write_text(
            f'Host there\n HostName 127.0.0.1\n Port {self.proxy.port}\n IdentityFile "{self.folder}/user_key"\n'
            f' IdentitiesOnly yes\n UserKnownHostsFile "{hosts}"\n GlobalKnownHostsFile /dev/null\n StrictHostKeyChecking yes\n'
        )
        os.environ["SEQDEC_GUI_SSH"] = f"ssh -F '{config}'"

    def python(self, name: str = "python there", numbers: bool = True) -> str:
        """Return a Python of the host that has the program; with `numbers` its runs train plain numbers."""
        path = self.folder / name
        script = f"'{NUMBERS}' " if numbers else ""
        path.write_text(f"#!/bin/sh\nexport PYTHONPATH='{ROOT}'\nexec '{sys.executable}' {script}\"$@\"\n")
        path.chmod(0o755)
        return str(path)


class Proxy:
    """Hands bytes to and fro between its port and another; `cut` breaks every connection as a lost network does."""

    def __init__(self, port: int) -> None:
        self._target = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.down = False
        self.cuts = 0
        self._pairs: list[tuple[socket.socket, socket.socket]] = []
        self._threads: list[threading.Thread] = []
        self._lock = threading.Lock()
        self._accepting = threading.Thread(target=self._accept, name="proxy")
        self._accepting.start()

    def cut(self) -> int:
        """Break what is connected now, and return how many connections that were."""
        with self._lock:
            pairs, self._pairs = self._pairs, []
        for pair in pairs:
            for end in pair:
                with contextlib.suppress(OSError):  # a reset, not a polite end
                    end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    end.shutdown(socket.SHUT_RDWR)
                    end.close()
        self.cuts += bool(pairs)
        return len(pairs)

    def close(self) -> None:
        self.down = True
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._accepting.join(5)
        self.cut()
        for thread in self._threads:
            thread.join(5)

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            if self.down:
                near.close()
                continue
            try:
                far = socket.create_connection(("127.0.0.1", self._target))
            except OSError:
                near.close()
                continue
            with self._lock:
                self._pairs.append((near, far))
            for source, sink in ((near, far), (far, near)):
                thread = threading.Thread(target=self._hand_on, args=(source, sink), name="proxy")
                self._threads.append(thread)
                thread.start()

    def _hand_on(self, source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(1 << 16):
                sink.sendall(data)
        for end in (source, sink):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()
        with self._lock:
            self._pairs = [pair for pair in self._pairs if source not in pair]


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])


def _answers(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1.0):
        return True
    return False


@contextlib.contextmanager
def running(folder: Path, **environment: str) -> Iterator[Server]:
    """A server that runs; the test is left out where there is no sshd."""
    if MISSING:
        pytest.skip(MISSING)
    server = Server(folder)
    try:
        server.start(**environment)
        server.configure()
        yield server
    finally:
        server.stop()
        os.environ.pop("SEQDEC_GUI_SSH", None)
