"""A job ends with those for whom it was done, whatever it computes, and leaves nothing behind."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

JOB = """
import sys, tempfile, time
from pathlib import Path
from seqdec_gui.runner.parent_watch import end_without_reader, temporary_folder
from seqdec_gui.data.row_file import RowFile
from seqdec_gui.runs.export_scratch import scratch_beside
end_without_reader(1)
with temporary_folder() as own, scratch_beside(Path(sys.argv[1])) as beside, RowFile(Path(sys.argv[1]), ["text"]):
    (own / "model.py").touch()
    (beside / "model.keras").touch()
    print("working", flush=True)
    deadline = time.monotonic() + 100
    while time.monotonic() < deadline:
        pass
"""


@pytest.mark.skipif(not hasattr(os, "killpg"), reason="needs process groups")
def test_a_job_whose_reader_has_gone_ends_and_clears_up(tmp_path: Path) -> None:
    for name in ("out", "tmp"):
        (tmp_path / name).mkdir()
    job = subprocess.Popen(
        [sys.executable, "-c", JOB, str(tmp_path / "out" / "a.keras")], stdout=subprocess.PIPE, start_new_session=True,
        env=os.environ | {"TMPDIR": str(tmp_path / "tmp")},
    )  # fmt: skip
    assert job.stdout is not None
    assert job.stdout.readline() == b"working\n"
    assert len([*tmp_path.rglob("model.*")]) == 2
    assert len([*(tmp_path / "out").iterdir()]) == 2
    job.stdout.close()
    assert job.wait(30) == -9
    assert {path.name for path in tmp_path.rglob("*")} == {"out", "tmp"}
