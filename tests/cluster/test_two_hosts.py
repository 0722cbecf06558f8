"""Two hosts in all but the metal: network namespaces with a cable between them, each with an sshd and a name of its own.

They need root and `ip netns`. The cable is cut, too.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from seqdec_gui.domain import document
from seqdec_gui.runs.events import Checkpoint, Epoch, Failed, Started
from seqdec_gui.runs.folder import RunFolder
from seqdec_gui.runs.hosts import book, record
from seqdec_gui.runs.hosts.book import Host
from tests.hosts.sshd import MISSING, SSHD
from tests.runner import designs
from tests.runner.real_runs import events

pytestmark = [pytest.mark.slow, pytest.mark.cluster]
ROOT = Path(__file__).resolve().parents[2]
LONGEST_S = 280.0
LOST_S = 100.0
"""Most seconds that a run goes on when the cable is cut: nobody tells that to either side."""
PORT = 2222


def _possible() -> bool:
    if os.getuid() != 0 or shutil.which("ip") is None:
        return False
    name = f"seqtry{os.getpid()}"
    made = subprocess.run(["ip", "netns", "add", name], capture_output=True, check=False).returncode == 0
    subprocess.run(["ip", "netns", "del", name], capture_output=True, check=False)
    return made


class Place:
    """A namespace with an address."""

    def __init__(self, name: str, device: str, address: str) -> None:
        self.name, self.device, self.address = name, device, address
        self.started: list[subprocess.Popen[bytes]] = []

    def run(self, *words: str) -> None:
        subprocess.run(["ip", "netns", "exec", self.name, *words], check=True, capture_output=True)

    def begin(self, words: Sequence[str], log: Path, environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
        with log.open("wb") as file:
            process = subprocess.Popen(
                ["ip", "netns", "exec", self.name, *words], env=os.environ | environment, stdin=subprocess.DEVNULL, stdout=file,
                stderr=file, start_new_session=True,
            )  # fmt: skip
        self.started.append(process)
        return process

    def cli(self, words: Sequence[str], log: Path, **environment: str) -> subprocess.Popen[bytes]:
        return self.begin([sys.executable, "-P", "-m", "seqdec_gui", *words], log, {"PYTHONPATH": str(ROOT), **environment})


@pytest.fixture
def places() -> Iterator[tuple[Place, Place]]:
    """Two namespaces; each maps the name of this machine to its own address."""
    if not _possible():
        pytest.skip("needs root and network namespaces")
    mark = f"{os.getpid() % 10000}"
    pair = (Place(f"seqa{mark}", f"sva{mark}", "10.77.7.1"), Place(f"seqb{mark}", f"svb{mark}", "10.77.7.2"))
    try:
        for place in pair:
            subprocess.run(["ip", "netns", "add", place.name], check=True)
        subprocess.run(["ip", "link", "add", pair[0].device, "type", "veth", "peer", "name", pair[1].device], check=True)
        for place in pair:
            subprocess.run(["ip", "link", "set", place.device, "netns", place.name], check=True)
            place.run("ip", "addr", "add", f"{place.address}/24", "dev", place.device)
            for device in ("lo", place.device):
                place.run("ip", "link", "set", device, "up")
            folder = Path("/etc/netns") / place.name
            folder.mkdir(parents=True)
            (folder / "hosts").write_text(f"127.0.0.1 localhost\n{place.address} {socket.gethostname()}\n")
        yield pair
    finally:
        for place in pair:
            for process in place.started:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, 9)
                process.wait()
            inside = subprocess.run(["ip", "netns", "pids", place.name], capture_output=True, text=True, check=False)
            for pid in inside.stdout.split():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(int(pid), 9)
            subprocess.run(["ip", "netns", "del", place.name], check=False)
            shutil.rmtree(Path("/etc/netns") / place.name, ignore_errors=True)


@pytest.fixture
def design(tmp_path: Path) -> Path:
    data = designs.write_rows(tmp_path, 240)
    path = tmp_path / "two hosts.seqdec"
    document.save(designs.bound(designs.stack(units=(6,)), data, batch_size=24, epochs=2, learning_rate=1e-2), path)
    return path


def both(places: tuple[Place, Place], design: Path, run: Path, *more: str) -> list[subprocess.Popen[bytes]]:
    """Start a run by hand in both, as `srun` does."""
    words = ["train", str(design), "--cluster", "slurm", "--devices", "cpu", "--run", str(run), *more]
    given = {"SLURM_JOB_ID": "7", "SLURM_STEP_NUM_TASKS": "2", "SLURM_STEP_NODELIST": ",".join(p.address for p in places)}
    return [
        place.cli(words, run.with_name(f"task {number}"), **given, SLURM_PROCID=str(number))
        for number, place in enumerate(places)
    ]


def until(run: RunFolder, kind: type[Any], *processes: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + LONGEST_S
    while not events(run, kind):
        assert time.monotonic() < end, f"no {kind.__name__} in time"
        assert all(process.poll() is None for process in processes), run.log.read_text()[-3000:]
        time.sleep(0.1)


def test_tasks_of_srun_find_each_other(places: tuple[Place, Place], design: Path, tmp_path: Path) -> None:
    tasks = both(places, design, tmp_path / "run")
    statuses = [task.wait(LONGEST_S) for task in tasks]
    said = [(tmp_path / f"task {number}").read_text()[-2000:] for number in (0, 1)]
    assert statuses == [0, 0], said
    assert events(RunFolder(tmp_path / "run"), Started)[0].devices == ("slurm.0/cpu:0", "slurm.1/cpu:0")


def test_a_cut_cable_ends_the_run_on_both_sides_with_a_sentence(
    places: tuple[Place, Place], design: Path, tmp_path: Path
) -> None:
    run = RunFolder(tmp_path / "run")
    leading, other = both(places, design, run.path, "--epochs", "100000", "--checkpoint-every", "1")
    until(run, Checkpoint, leading, other)
    places[1].run("ip", "link", "set", places[1].device, "down")
    assert leading.wait(LOST_S) == 1
    assert other.wait(LOST_S) != 0
    (failed,) = events(run, Failed)
    assert "of the 2 processes of the run" in failed.sentence
    assert "Go on from the last checkpoint" in failed.sentence

    words = ["resume", str(run.path), "--cluster", "none", "--epochs", "1", "--devices", "cpu"]
    again = places[0].cli(words, tmp_path / "again")
    assert again.wait(LONGEST_S) == 0, (tmp_path / "again").read_text()[-2000:]


@pytest.mark.skipif(bool(MISSING), reason=MISSING)
def test_hosts_of_the_list_share_a_run(places: tuple[Place, Place], design: Path, tmp_path: Path) -> None:
    config = ""
    for number, place in enumerate(places, 1):
        folder = tmp_path / f"host{number}"
        (folder / "home").mkdir(parents=True)
        _serve(place, folder)
        config += (
            f'Host there{number}\n HostName {place.address}\n Port {PORT}\n IdentityFile "{folder}/user_key"\n'
            f" IdentitiesOnly yes\n UserKnownHostsFile /dev/null\n StrictHostKeyChecking no\n"
        )
        _until_served(place)
        book.add(Host(f"lab{number}", f"there{number}", str(folder / "work"), _python(folder)))
    (tmp_path / "ssh_config").write_text(config)
    words = ["train", str(design), "--cluster", "hosts:lab1,lab2", "--devices", "cpu", "--run", str(tmp_path / "run")]
    ssh = f"ssh -F '{tmp_path / 'ssh_config'}'"
    trains = places[0].cli(words, tmp_path / "said", SEQDEC_GUI_SSH=ssh)
    assert trains.wait(LONGEST_S) == 0, (tmp_path / "said").read_text()[-3000:]
    run = RunFolder(tmp_path / "run")
    (started,) = events(run, Started)
    assert started.devices == ("lab1/cpu:0", "lab2/cpu:0")
    assert len(events(run, Epoch)) == 2
    at = record.read(run.path)
    assert at is not None
    assert at.host == "lab1"
    assert not (tmp_path / "host2" / "work" / "runs").exists()  # the second host writes nothing of the run

    again = ["resume", str(run.path), "--cluster", "hosts:lab1", "--epochs", "3"]
    resumed = places[0].cli(again, tmp_path / "again", SEQDEC_GUI_SSH=ssh)
    assert resumed.wait(LONGEST_S) == 0, (tmp_path / "again").read_text()[-3000:]
    assert len(events(run, Started)[-1].devices) == 1


def _serve(place: Place, folder: Path) -> None:
    for name in ("host_key", "user_key"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / name], check=True)
    (folder / "authorized_keys").write_bytes((folder / "user_key.pub").read_bytes())
    (folder / "authorized_keys").chmod(0o600)
    Path("/run/sshd").mkdir(exist_ok=True)
    homes = {"HOME": folder / "home"} | {
        f"XDG_{name}_HOME": folder / "home" / name.lower() for name in ("CONFIG", "DATA", "STATE", "CACHE")
    }
    pairs = " ".join(f'"{name}={path}"' for name, path in homes.items())
    (folder / "sshd_config").write_text(
        f"Port {PORT}\nListenAddress {place.address}\nHostKey {folder}/host_key\nPidFile none\nUsePAM no\nStrictModes no\n"
        f"AuthorizedKeysFile {folder}/authorized_keys\nPasswordAuthentication no\nPermitRootLogin yes\n"
        f"LogLevel ERROR\nSetEnv {pairs}\n"
    )
    place.begin([str(SSHD), "-D", "-e", "-f", str(folder / "sshd_config")], folder / "sshd.log", {})


def _until_served(place: Place) -> None:
    asked = f"exec 3<>/dev/tcp/{place.address}/{PORT}"
    end = time.monotonic() + 20.0
    while subprocess.run(
        ["ip", "netns", "exec", place.name, "bash", "-c", asked], capture_output=True, check=False
    ).returncode:  # fmt: skip
        assert time.monotonic() < end, "sshd does not start"
        time.sleep(0.1)


def _python(folder: Path) -> str:
    path = folder / "python there"
    path.write_text(f"#!/bin/sh\nexport PYTHONPATH='{ROOT}'\nexec '{sys.executable}' \"$@\"\n")
    path.chmod(0o755)
    return str(path)
