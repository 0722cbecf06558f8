"""Small files that claim, or unpack to, far more than they hold are refused in a sentence, within stated bounds."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from seqdec_gui.data.formats import bounds
from tests.hostile import bombs
from tests.hostile.bombs import BOMBS, SECRET

ROOT = Path(__file__).resolve().parents[2]
SECONDS = 120
"""The longest that a file may take on a busy machine; each takes less than 20 s on an idle one."""
MOST_BYTES = 5 * bounds.FREE_BYTES
"""What a small file may take, as docs/threat_model.md says."""
LARGE = {
    *("npz_of_zeros", "hdf5_of_a_chunk_that_unpacks_to_more", "mat5_of_compressed_zeros", "gz_of_zeros", "bz2_of_zeros"),
    *("xz_of_zeros", "zip_of_zeros", "xlsx_of_zeros", "parquet_of_one_text_everywhere", "parquet_of_one_long_list"),
    *("hdf5_of_one_text_everywhere", "mat73_of_one_cell_everywhere", "csv_of_a_million_columns", "csv_of_one_line"),
    *("parquet_of_one_number_everywhere", "zst_of_zeros", "npz_of_many_arrays"),
}
"""Those that take seconds to make or to refuse."""
HARMLESS = {"hdf5_of_circles", "npz_of_many_arrays", "hdf5_of_a_chunk_that_unpacks_to_more"}
"""Those that are read."""


def opened(paths: list[Path]) -> list[dict[str, Any]]:
    """What a child of a child says of each file; no more memory can be had there than a few times the bound."""
    command = [sys.executable, "-m", "tests.hostile.open_file", *map(str, paths)]
    child = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=SECONDS, check=False)
    assert child.returncode == 0, child.stderr[-2000:]
    return [json.loads(line) for line in child.stdout.splitlines()]


def check(name: str, found: dict[str, Any]) -> None:
    assert found["bytes"] < MOST_BYTES, name
    assert SECRET not in json.dumps(found), name
    assert found["first"].get("x") != repr([*map(ord, SECRET[:3])]), name
    if name in HARMLESS:
        assert found["columns"], name
    else:
        assert found["said"], name
        assert all(0 < len(said) < 2_000 and "\n" not in said for said in found["said"]), name


def test_small_files_that_claim_much_are_refused_at_once(tmp_path: Path) -> None:
    names = sorted(BOMBS.keys() - LARGE)
    folders = [tmp_path / name for name in names]
    for folder in folders:
        folder.mkdir()
    found = opened([BOMBS[name](folder) for name, folder in zip(names, folders, strict=True)])
    for name, each in zip(names, found, strict=True):
        check(name, each)


QUICKEST = {"gz_of_zeros", "npz_of_zeros", "xlsx_of_zeros"}
"""One of each way to unpack; the others are tried by `make hostile`."""


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow if name in QUICKEST else pytest.mark.hostile) for name in sorted(LARGE)]
)
def test_small_file_that_unpacks_to_much_is_refused(name: str, tmp_path: Path) -> None:
    check(name, *opened([BOMBS[name](tmp_path)]))


def test_every_bomb_is_tested() -> None:
    made = {name for name in vars(bombs) if name.partition("_")[0] in ("npz", "npy", "hdf5", "mat5", "mat73", "xlsx", "jsonl")}
    assert made <= BOMBS.keys()
    assert BOMBS.keys() >= LARGE | HARMLESS
