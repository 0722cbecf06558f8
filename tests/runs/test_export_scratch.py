"""What is written beside an exported file goes away, also where nobody was left to remove it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from seqdec_gui.runs.export_scratch import PREFIX, remove_forsaken, scratch_beside

WRITES = """
import sys, time
from pathlib import Path
from seqdec_gui.runs.export_scratch import scratch_beside
with scratch_beside(Path(sys.argv[1])) as folder:
    (folder / "model.keras").write_bytes(b"half")
    print(flush=True)
    time.sleep(60)
"""


def beside(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_killed_export_is_cleared_away_by_the_next_one_and_a_living_one_is_not(tmp_path: Path) -> None:
    children = [
        subprocess.Popen([sys.executable, "-c", WRITES, str(tmp_path / "a.keras")], stdout=subprocess.PIPE) for _ in range(2)
    ]
    for child in children:
        assert child.stdout is not None
        child.stdout.readline()
    assert len(beside(tmp_path)) == 2
    children[0].send_signal(signal.SIGKILL)
    children[0].wait()
    with scratch_beside(tmp_path / "b.keras") as folder:
        assert {path.partition("-gui-")[2].split("-")[0] for path in beside(tmp_path)} == {str(children[1].pid), str(os.getpid())}
        (folder / "b.keras").touch()
    assert len(beside(tmp_path)) == 1
    children[1].kill()
    children[1].communicate()
    children[0].communicate()
    remove_forsaken(tmp_path)
    assert beside(tmp_path) == []


def test_what_only_looks_like_it_stays(tmp_path: Path) -> None:
    (tmp_path / f"{PREFIX}notes").mkdir()
    (tmp_path / f"{PREFIX}file").touch()
    (tmp_path / f"{PREFIX}link").symlink_to(tmp_path)
    before = beside(tmp_path)
    remove_forsaken(tmp_path)
    assert beside(tmp_path) == before
