"""A host on loopback, and a design whose runs train plain numbers there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from seqdec_gui.domain import document
from seqdec_gui.runs.folder import RunFolder
from seqdec_gui.runs.hosts import book, record, starting
from seqdec_gui.runs.hosts.book import Host
from seqdec_gui.runs.hosts.copied import CopiedProcess
from seqdec_gui.runs.spec import DeviceChoice, RunSpec
from tests.hosts import sshd
from tests.hosts.sshd import Server
from tests.runner import designs

STEPS = 16
"""Steps of an epoch."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with sshd.running(tmp_path_factory.mktemp("sshd")) as server:
        yield server


@pytest.fixture
def lab(server: Server) -> Host:
    """A host whose runs train plain numbers. Its folder has spaces and quotes in its path."""
    server.configure()
    host = Host("lab", "there", str(server.home / 'it\'s "work"'), server.python())
    book.add(host)
    return host


class Design:
    """A design in a file, and what is asked of its runs."""

    def __init__(self, folder: Path) -> None:
        self.data = designs.write_rows(folder, 240)
        self.folder, self.path = folder, folder / "my design's.seqdec"

    def spec(self, epochs: int) -> RunSpec:
        bound = designs.bound(designs.noisy(), self.data, batch_size=12, epochs=epochs, learning_rate=1e-2, schedule="cosine")
        document.save(bound, self.path)
        return RunSpec(
            design=document.to_builtins(bound), design_path=str(self.path), data_file=str(self.data), engine="tensorflow",
            devices=DeviceChoice("cpu"), report_every_s=0.05, checkpoint_every_s=0.2, folder=str(self.folder),
        )  # fmt: skip

    def start(self, host: Host, epochs: int, name: str = "copy", **changes: object) -> CopiedProcess:
        spec = msgspec.structs.replace(self.spec(epochs), **changes)
        return starting.start(RunFolder(self.folder / name), spec, host).process


@pytest.fixture
def design(tmp_path: Path) -> Design:
    return Design(tmp_path)


def original(run: RunFolder) -> RunFolder:
    """The run on the host, whose files are on this machine too."""
    at = record.read(run.path)
    assert at is not None
    return RunFolder(at.run)


def identical(run: RunFolder) -> bool:
    """Whether the copy has what the run wrote, byte for byte."""
    there = original(run)
    pairs = ((run.events, there.events), (run.log, there.log), (run.dataset, there.dataset))
    return all(_bytes(here) == _bytes(far) for here, far in pairs)


def _bytes(path: Path) -> bytes:
    return path.read_bytes() if path.exists() else b""
