"""Prints time and memory of reading and encoding a table as large as MOSES: `python tests/data/bench_encode.py [ROWS]`."""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from seqdec_gui.data.dataset import open_dataset
from seqdec_gui.data.statistics import measure
from seqdec_gui.data.tables import inspect
from seqdec_gui.domain.bindings import Binding, DataSource
from seqdec_gui.domain.dataflow import DataPort
from seqdec_gui.domain.types import TensorType

LENGTH, WIDTH = 57, 11


def make_files(folder: Path, rows: int) -> list[Path]:
    """The same random SMILES-like strings and descriptors in every format."""
    generator = np.random.default_rng(0)
    symbols = np.array(list("#()-123456=BCFHNOS[]clnors"))
    lengths = generator.integers(20, LENGTH + 1, rows)
    codes = symbols[generator.integers(0, len(symbols), (rows, LENGTH))]
    codes[np.arange(LENGTH) >= lengths[:, None]] = ""
    smiles = np.ascontiguousarray(codes).view(f"<U{LENGTH}").ravel()
    del codes
    values = generator.normal(size=(rows, WIDTH)).astype(np.float32)
    columns = {"smiles": pa.array(smiles)} | {f"d{i}": pa.array(values[:, i]) for i in range(WIDTH)}
    table = pa.table(columns)
    paths = [folder / name for name in ("data.npz", "packed.npz", "data.csv", "data.parquet")]
    np.savez(paths[0], smiles=smiles, X=values)
    np.savez_compressed(paths[1], smiles=smiles, X=values)
    pyarrow.csv.write_csv(table, paths[2])
    pyarrow.parquet.write_table(table, paths[3])
    return paths


def peak_gib() -> float:
    """The most memory this process has held; `getrusage` would give the parent's if that was more."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 2**20


def measure_file(path: Path) -> None:
    """Runs in a process of its own, so that the peak is the file's own."""
    vector = tuple(f"d{i}" for i in range(WIDTH)) if path.suffix != ".npz" else "X"
    ports = (
        DataPort("latent", "latent.output", "input", TensorType((WIDTH,))),
        DataPort("steps", "steps.output", "input", TensorType((LENGTH + 1, 30)), taught="loss", one_hot=True),
        DataPort("loss", "loss.targets", "target", TensorType((LENGTH + 1, 30)), classes=30),
    )
    source = DataSource(path.name, bindings=(Binding("latent", vector), Binding("steps", "smiles")))
    began = time.perf_counter()
    dataset = open_dataset(source, ports, path.parent)
    encoded_s = time.perf_counter() - began
    stored = sum(array.nbytes for array in dataset.arrays.values()) / 2**20
    peak = peak_gib()
    began = time.perf_counter()
    table = inspect(path)
    inspect_s = time.perf_counter() - began
    pages = []
    for first in np.random.default_rng(1).integers(0, dataset.rows, 50):
        began = time.perf_counter()
        for column in table.columns:
            table.page(column.name, int(first), 60)
        pages.append(1e3 * (time.perf_counter() - began))
    began = time.perf_counter()
    measure(table, "smiles")
    statistics_s = time.perf_counter() - began
    batch_rows = np.random.default_rng(2).integers(0, dataset.rows, 512)
    began = time.perf_counter()
    for _ in range(100):
        dataset.batch(batch_rows)
    batch_ms = 10 * (time.perf_counter() - began)
    print(
        f"{path.name:13} {dataset.rows:8} rows: encode {encoded_s:5.1f} s, peak {peak:5.2f} GiB, stored {stored:4.0f} MiB; "
        f"inspect {inspect_s:5.2f} s, page {np.median(pages):6.2f} ms (slowest {max(pages):6.0f}), "
        f"text statistics {statistics_s:4.1f} s, batch of 512 {batch_ms:5.2f} ms",
        flush=True,
    )


def main() -> None:
    if len(sys.argv) > 1 and not sys.argv[1].isdigit():
        measure_file(Path(sys.argv[1]))
        return
    with tempfile.TemporaryDirectory() as folder:
        for path in make_files(Path(folder), int(sys.argv[1]) if len(sys.argv) > 1 else 1_600_000):
            subprocess.run([sys.executable, __file__, str(path)], check=True)


if __name__ == "__main__":
    main()
