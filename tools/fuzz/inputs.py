"""Good files of every kind that may come from strangers, and seeded damage to them."""

from __future__ import annotations

import gzip
import random
import zipfile
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
_WORDS = ("abc", "größe", "x y", "", "12", "-3.5e4", "C1=CC=CC=C1", '"q"')
_TEXTS = (
    *(b"\x00", b"\xff" * 8, b'"', b"[" * 500, b"{" * 500, b"9" * 400, b"-1", b"1e999", b"NaN", b"null", b"true", b"\n"),
    *(b"../../x", b"/dev/zero", b"\x80\x04\x95", b"%s%n", "\u202e\x1b[2J".encode(), b"A" * 5000, b"\x7f\xff\xff\xff"),
)


def write_seeds(folder: Path) -> list[tuple[str, Path]]:
    """Write good files; returns each with the name of what reads it."""
    import h5py
    import openpyxl
    import pyarrow as pa
    import pyarrow.parquet as pq
    import scipy.io

    numbers = np.arange(60, dtype=np.float32).reshape(20, 3)
    words = [_WORDS[i % len(_WORDS)] for i in range(20)]
    rows = "id,text,number\n" + "".join(f'{i},"w{i}, t",{i / 7}\n' for i in range(60))
    (folder / "a.csv").write_text(rows)
    (folder / "a.tsv").write_text(rows.replace(",", "\t"))
    (folder / "a.txt").write_text("".join(f"a line of text {i}\n" for i in range(40)))
    (folder / "a.smi").write_text("".join(f"{'C' * (i + 1)} name{i}\n" for i in range(30)))
    (folder / "a.jsonl").write_text("".join(f'{{"a":{i},"v":[1,2],"o":{{"t":"x"}}}}\n' for i in range(30)))
    (folder / "a.csv.gz").write_bytes(gzip.compress(rows.encode()))
    with zipfile.ZipFile(folder / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.csv", rows)
    np.savez_compressed(folder / "a.npz", x=numbers, t=np.array(words))
    np.savez(folder / "b.npz", x=numbers, t=np.array(words), f=np.asfortranarray(numbers))
    np.save(folder / "a.npy", numbers)
    for name, more in (("a.h5", {}), ("b.h5", {"compression": "gzip", "chunks": True, "shuffle": True})):
        with h5py.File(folder / name, "w") as file:
            file.create_dataset("x", data=numbers, **more)
            file.create_dataset("g/t", data=words, dtype=h5py.string_dtype(), **more)
            file["s"] = np.array(["ab", "c"] * 10, "S3")
    scipy.io.savemat(folder / "a.mat", {"x": numbers, "c": np.array(["ab", "cd"], object), "s": {"f": numbers}})
    scipy.io.savemat(folder / "b.mat", {"x": numbers, "t": words}, do_compression=True)
    scipy.io.savemat(folder / "c.mat", {"x": numbers}, format="4")
    table = pa.table({"t": words, "x": numbers[:, 0], "v": numbers.tolist()})
    pq.write_table(table, folder / "a.parquet")
    pq.write_table(table, folder / "b.parquet", use_dictionary=False, compression="zstd", row_group_size=7)
    book = openpyxl.Workbook()
    for row in zip(["n", *words], ["x", *map(float, numbers[:, 0])], strict=True):
        book.active.append(list(row))
    book.save(folder / "a.xlsx")
    found = [("data", path) for path in sorted(folder.iterdir())]
    found += [("design", path) for path in sorted((ROOT / "resources").rglob("*.seqdec"))]
    return found + [(kind, path) for kind, path in _of_a_run(folder)]


def _of_a_run(folder: Path) -> list[tuple[str, Path]]:
    """The files of a run, and a bundle."""
    from seqdec_gui.data.codecs import FittedNumbers
    from seqdec_gui.data.fitted import Fitted, FittedPort
    from seqdec_gui.runner import bundle_file
    from seqdec_gui.runs import spec
    from seqdec_gui.runs.control import append, command
    from seqdec_gui.runs.events import Checkpoint, Epoch, EventWriter, Finished, Message, Started

    run = folder / "run"
    run.mkdir()
    codec = FittedNumbers((3,), (0.0, 1.0, 2.0), (1.0, 1.0, 1.0))
    Fitted((FittedPort("x", "x.output", "input", ("x",), codec),), ()).save(run / "data.json")
    design = sorted((ROOT / "resources").rglob("*.seqdec"))[0]
    spec.write(spec.RunSpec(design={"format": 1, "blocks": [], "links": []}, design_path="a.seqdec"), run / "spec.json")
    with EventWriter(run / "events.jsonl") as events:
        events.write(Started(epochs=2, steps_per_epoch=1, batch_size=1, devices=("cpu:0",), engine="jax"))
        for epoch in (1, 2):
            events.write(Epoch(epoch=epoch, step=epoch, metrics={"loss": 0.5}))
            events.write(Checkpoint(name="last", epoch=epoch, step=epoch, path="checkpoints/last.weights.h5"))
        events.write(Message(text="words"))
        events.write(Finished(epoch=2, step=2, metrics={}))
    for name in ("hold", "continue", "stop"):
        append(run / "commands.jsonl", command(name))
    (run / "lock").write_text('{"pid":1,"host":"elsewhere","started":0.0}\n')
    source = folder / "bundled"
    source.mkdir()
    (source / "design.seqdec").write_bytes(design.read_bytes())
    (source / "data.json").write_bytes((run / "data.json").read_bytes())
    contents = bundle_file.Contents(name="a", created=0.0, product_version="1", checkpoint="best", versions={})
    bundle_file.pack(folder / "bundle.zip", contents, source, ["design.seqdec", "data.json"])
    kinds = {"data.json": "fit", "spec.json": "run", "events.jsonl": "run", "commands.jsonl": "commands", "lock": "run"}
    return [*((kind, run / name) for name, kind in kinds.items()), ("bundle", folder / "bundle.zip")]


def damaged(content: bytes, chance: random.Random) -> bytes:
    """Return the content with one to six changes at random places."""
    data = bytearray(content)
    for _ in range(chance.choice((1, 1, 1, 2, 3, 6))):
        at = chance.randrange(len(data) + 1)
        match chance.randrange(8):
            case 0 if at < len(data):
                data[at] ^= 1 << chance.randrange(8)
            case 1 if at < len(data):
                data[at] = chance.choice((0, 1, 127, 128, 255))
            case 2:
                data[at : at + chance.choice((1, 4, 8, 64))] = b""
            case 3:
                data[at:at] = chance.choice(_TEXTS)
            case 4:
                del data[at:]
            case 5:
                size = chance.choice((2, 4, 8))
                value = chance.choice((0, 1, 2**31 - 1, 2**32 - 1, 2**63 - 1, 10**9))
                data[at : at + size] = (value % (1 << 8 * size)).to_bytes(size, chance.choice(("little", "big")))
            case 6:
                other = chance.randrange(len(data) + 1)
                data[at:at] = data[other : other + chance.choice((1, 8, 64, 512))]
            case _:
                size = chance.choice((1, 2, 4))
                data[at : at + size] = chance.randbytes(size)
    return bytes(data)
