"""Reading takes memory in proportion to the file, a small multiple of it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

MOST = 8
"""How many bytes of memory a byte of the file may cost."""

OPEN = """
import resource, sys
from pathlib import Path
from seqdec_gui.data.dataset import open_dataset
from seqdec_gui.domain.bindings import Binding, DataSource
from seqdec_gui.domain.dataflow import DataPort
from seqdec_gui.domain.types import TensorType
path = Path(sys.argv[1])
names = path.open().readline().strip().split(",")[1:]
ports = (DataPort("w", "w.output", "input", TensorType((65,), "int32", symbols=40)),
         DataPort("x", "x.output", "input", TensorType((len(names),))))
bindings = (Binding("w", "text"), Binding("x", tuple(names)))
dataset = open_dataset(DataSource(path.name, bindings=bindings), ports, path.parent)
assert dataset.rows == int(sys.argv[2])
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)
"""


def peak_bytes(path: Path, rows: int) -> int:
    done = subprocess.run([sys.executable, "-c", OPEN, str(path), str(rows)], capture_output=True, text=True, check=True)
    return int(done.stdout)


@pytest.mark.slow
@pytest.mark.parametrize(("rows", "columns"), [(200_000, 5), (2_000, 1_000)])
def test_memory_is_a_small_multiple_of_the_file(tmp_path: Path, rows: int, columns: int) -> None:
    random = np.random.default_rng(0)
    letters = np.array(list("CNOSFclnos()=#123"))
    line = ",".join(f"{number:.6g}" for number in random.normal(size=columns))
    head = ",".join(["text", *(f"x{i}" for i in range(columns))])
    peaks, sizes = [], []
    for count in (rows // 20, rows):
        texts = ["".join(row) for row in letters[random.integers(0, len(letters), (count, 60))]]
        path = tmp_path / f"{count}.csv"
        path.write_text(head + "\n" + "".join(f"{text},{i % 7}{line[1:]}\n" for i, text in enumerate(texts)))
        peaks.append(peak_bytes(path, count))
        sizes.append(path.stat().st_size)
    assert peaks[1] - peaks[0] < MOST * (sizes[1] - sizes[0])
