"""A bounded tier of `tools/fuzz_inputs.py`: damaged files of every kind, with fixed seeds."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from seqdec_gui.data.tables import open_table
from seqdec_gui.domain.problems import InvalidInput
from seqdec_gui.runs.control import append, command

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.slow
def test_damaged_files_are_read_or_refused_in_a_sentence() -> None:
    command = [sys.executable, "tools/fuzz_inputs.py", "--inputs", "150", "--seed", "1"]
    child = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=600, check=False)

    assert child.returncode == 0, child.stdout + child.stderr
    assert "crashes: 0" in child.stdout


def test_levels_of_lists_at_which_arrow_aborts_are_refused() -> None:
    command = [sys.executable, "tools/fuzz_inputs.py", "--inputs", "1", "--seed", "5", "--first", "3870"]
    child = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=100, check=False)

    assert child.returncode == 0, child.stdout + child.stderr
    assert "crashes: 0" in child.stdout


def test_heap_of_texts_in_which_hdf5_would_go_round_for_ever_is_refused(tmp_path: Path) -> None:
    import h5py

    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file.create_dataset("t", data=["abc", "d"] * 5, dtype=h5py.string_dtype())
    data = bytearray(path.read_bytes())
    at = data.index(b"GCOL") + 16
    data[at : at + 16] = bytes(16)
    path.write_bytes(data)

    with pytest.raises(InvalidInput, match="heap of texts"):
        open_table(path)


def test_matlab_file_over_whose_cells_scipy_would_read_beyond_its_memory_is_refused(tmp_path: Path) -> None:
    import numpy as np
    import scipy.io

    path = tmp_path / "a.mat"
    scipy.io.savemat(path, {"c": np.array(["ab", "cd"], object)})
    data = bytearray(path.read_bytes())
    inner = data.index(b"\x0e\0\0\0", 140)
    data[inner + 4] += 8  # the first cell reaches into the second
    path.write_bytes(data)

    with pytest.raises(InvalidInput, match="cannot be read"):
        open_table(path)


def test_pipe_with_the_ending_of_an_archive_is_refused_without_waiting(tmp_path: Path) -> None:
    for name in ("a.zip", "a.csv.zip", "a.npz", "a.csv.gz"):
        os.mkfifo(tmp_path / name)
        with pytest.raises(InvalidInput):
            open_table(tmp_path / name)


@pytest.mark.parametrize(("mask", "mode"), [(0o022, 0o644), (0o077, 0o600), (0o002, 0o664)])
def test_files_of_a_run_carry_the_umask_of_the_user(tmp_path: Path, mask: int, mode: int) -> None:
    before = os.umask(mask)
    try:
        append(tmp_path / "commands.jsonl", command("hold"))
    finally:
        os.umask(before)

    assert (tmp_path / "commands.jsonl").stat().st_mode & 0o777 == mode


def test_quote_that_swallows_most_rows_of_a_table_is_an_error(tmp_path: Path) -> None:
    rows = [f"{i},word{i} text\n" for i in range(40_000)]
    rows[5], rows[39_990] = '5,"word5 text\n', '39990,word text"\n'
    (tmp_path / "a.csv").write_text("id,text\n" + "".join(rows))

    with pytest.raises(InvalidInput) as caught:
        open_table(tmp_path / "a.csv")
    assert [problem.code for problem in caught.value.problems] == ["open_quote"]
    assert "line 7" in caught.value.problems[0].text


@pytest.mark.hostile
@pytest.mark.parametrize("seed", ["101", "202", "303"])
def test_no_row_of_2000_random_files_is_lost_without_a_word(seed: str) -> None:
    command = [sys.executable, "tools/rows_in_rows_out.py", "--files", "2000", "--seed", seed]
    child = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=1800, check=False)

    assert child.returncode == 0, child.stdout + child.stderr
    assert "silent" not in child.stdout
