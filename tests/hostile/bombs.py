"""Small files that claim, or unpack to, far more than they hold; and files that lead to others. Each is made in a folder."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np

SECRET = "the secret of another file"
ZEROS = bytes(1 << 20)


def _zip(path: Path, name: str, start: bytes, times: int) -> None:
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open(name, "w", force_zip64=True) as file,
    ):
        file.write(start)
        for _ in range(times):
            file.write(ZEROS)


def npz_of_zeros(folder: Path) -> Path:
    """Under 1 MB that is 768 MiB of zeros."""
    path = folder / "bomb.npz"
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "<f8", "fortran_order": False, "shape": (768 * 131072,)})
    _zip(path, "x.npy", header.getvalue(), 768)
    return path


def npz_of_many_arrays(folder: Path) -> Path:
    path = folder / "many.npz"
    header = io.BytesIO()
    np.lib.format.write_array(header, np.zeros(1))
    with zipfile.ZipFile(path, "w") as archive:
        for number in range(5_000):
            archive.writestr(f"a{number}.npy", header.getvalue())
    return path


def npy_of_a_huge_shape(folder: Path) -> Path:
    path = folder / "huge.npy"
    with path.open("wb") as file:
        np.lib.format.write_array_header_1_0(file, {"descr": "<f8", "fortran_order": False, "shape": (1 << 60,)})
        file.write(bytes(64))
    return path


def npy_of_empty_texts(folder: Path) -> Path:
    path = folder / "empty.npy"
    with path.open("wb") as file:
        np.lib.format.write_array_header_1_0(file, {"descr": "<U0", "fortran_order": False, "shape": (1 << 60,)})
        file.write(bytes(64))
    return path


def npy_of_pickles(folder: Path) -> Path:
    path = folder / "pickle.npy"
    np.save(path, np.array([{"a": 1}], object), allow_pickle=True)
    return path


def hdf5_of_nested_groups(folder: Path) -> Path:
    path = folder / "nested.h5"
    with h5py.File(path, "w") as file:
        group = file
        for _ in range(3_000):
            group = group.create_group("g")
        group["x"] = np.arange(4)
    return path


def hdf5_of_circles(folder: Path) -> Path:
    path = folder / "circle.h5"
    with h5py.File(path, "w") as file:
        file["a/x"] = np.arange(4)
        file["a/up"] = file["/"]
        file["a/again"] = file["a"]
        file["soft"] = h5py.SoftLink("/soft")
    return path


def hdf5_of_unwritten_values(folder: Path) -> Path:
    """Under 2 KB that claim 2 GiB: no chunk of it was ever written."""
    path = folder / "unwritten.h5"
    with h5py.File(path, "w") as file:
        file.create_dataset("x", (1 << 28,), "f8", chunks=(1 << 28,), compression="gzip", fillvalue=1.0)
    return path


def hdf5_of_one_huge_row(folder: Path) -> Path:
    path = folder / "row.h5"
    with h5py.File(path, "w") as file:
        file.create_dataset("x", (2,), f"S{(1 << 31) - 1}")
    return path


def hdf5_of_a_huge_chunk(folder: Path) -> Path:
    """Ten rows, in a chunk for 2^28."""
    path = folder / "chunk.h5"
    with h5py.File(path, "w") as file:
        file.create_dataset("x", (10,), "f8", maxshape=(None,), chunks=(1 << 28,), compression="gzip", fillvalue=1.0)
    return path


def hdf5_of_a_chunk_that_unpacks_to_more(folder: Path) -> Path:
    """A chunk of 8 MB whose compressed bytes are 768 MiB of zeros."""
    path = folder / "unpacks.h5"
    packer = zlib.compressobj()
    packed = b"".join([packer.compress(ZEROS) for _ in range(768)]) + packer.flush()
    with h5py.File(path, "w") as file:
        dataset = file.create_dataset("x", (1 << 20,), "f8", chunks=(1 << 20,), compression="gzip")
        dataset.id.write_direct_chunk((0,), packed)
    return path


def hdf5_of_one_text_everywhere(folder: Path) -> Path:
    """A million rows, each of which is the same text of a megabyte, stored once."""
    path = folder / "texts.h5"
    rows = 1_000_000
    with h5py.File(path, "w") as file:
        dataset = file.create_dataset("x", (rows,), h5py.string_dtype(), chunks=(1000,))
        dataset[0] = "a" * (1 << 20)
        raw = dataset.id.read_direct_chunk((0,))[1][:16]
        for at in range(0, rows, 1000):
            dataset.id.write_direct_chunk((at,), raw * 1000)
    return path


def hdf5_of_external_values(folder: Path) -> Path:
    path = folder / "external.h5"
    (folder / "secret.txt").write_text(SECRET)
    with h5py.File(path, "w") as file:
        file.create_dataset("x", (len(SECRET),), "u1", external=[(folder / "secret.txt", 0, len(SECRET))])
        file.create_dataset("s", (1,), f"S{len(SECRET)}", external=[(folder / "secret.txt", 0, len(SECRET))])
    return path


def hdf5_of_links_to_another_file(folder: Path) -> Path:
    path = folder / "link.h5"
    with h5py.File(folder / "other.h5", "w") as file:
        file["s"] = [SECRET]
    with h5py.File(path, "w") as file:
        file["x"] = h5py.ExternalLink(str(folder / "other.h5"), "/s")
        file["soft"] = h5py.SoftLink("/x")
    return path


def hdf5_of_virtual_values(folder: Path) -> Path:
    path = folder / "virtual.h5"
    values = np.frombuffer(SECRET.encode(), "u1")
    with h5py.File(folder / "other.h5", "w") as file:
        file["s"] = values
    with h5py.File(path, "w") as file:
        layout = h5py.VirtualLayout((len(values),), "u1")
        layout[:] = h5py.VirtualSource(folder / "other.h5", "s", (len(values),))
        file.create_virtual_dataset("x", layout)
    return path


def mat73_that_refers_to_external_values(folder: Path) -> Path:
    path = folder / "cells.mat"
    (folder / "secret.txt").write_bytes(SECRET.encode("utf-16-le"))
    with h5py.File(path, "w", userblock_size=512) as file:
        values = file.create_dataset(
            "#refs#/a", (len(SECRET), 1), "<u2", external=[(folder / "secret.txt", 0, 2 * len(SECRET))]
        )
        values.attrs["MATLAB_class"] = np.bytes_("char")
        cells = file.create_dataset("x", (1, 2), h5py.ref_dtype)
        cells[0, 0] = cells[0, 1] = values.ref
        cells.attrs["MATLAB_class"] = np.bytes_("cell")
        file["y"] = h5py.ExternalLink(str(folder / "secret.txt"), "/s")
    return path


def mat73_of_one_cell_everywhere(folder: Path) -> Path:
    path = folder / "same.mat"
    with h5py.File(path, "w", userblock_size=512) as file:
        file["#refs#/a"] = np.zeros((1000, 1000))
        cells = file.create_dataset("x", (1, 100_000), h5py.ref_dtype, compression="gzip")
        cells[:] = np.full((1, 100_000), file["#refs#/a"].ref, h5py.ref_dtype)
    return path


def _mat5(*elements: bytes) -> bytes:
    return b"MATLAB 5.0 MAT-file".ljust(124) + b"\x00\x01IM" + b"".join(elements)


def _element(kind: int, content: bytes) -> bytes:
    return struct.pack("<II", kind, len(content)) + content + bytes(-len(content) % 8)


def _matrix(kind: int, shape: tuple[int, ...], *parts: bytes) -> bytes:
    flags = _element(6, struct.pack("<II", kind, 0))
    lengths = _element(5, struct.pack(f"<{len(shape)}i", *shape))
    return _element(14, flags + lengths + _element(1, b"x") + b"".join(parts))


def mat5_of_a_huge_matrix(folder: Path) -> Path:
    path = folder / "matrix.mat"
    path.write_bytes(_mat5(_matrix(6, (30_000, 30_000), _element(9, bytes(8)))))
    return path


def mat5_of_a_huge_cell_within_a_cell(folder: Path) -> Path:
    path = folder / "cell.mat"
    path.write_bytes(_mat5(_matrix(1, (1, 2), _matrix(1, (30_000, 30_000)), _matrix(6, (1, 1), _element(9, bytes(8))))))
    return path


def mat5_of_compressed_zeros(folder: Path) -> Path:
    path = folder / "zeros.mat"
    packer = zlib.compressobj()
    begin = struct.pack("<II", 14, 0x7FFFFFF8)
    packed = packer.compress(begin) + b"".join(packer.compress(ZEROS) for _ in range(768)) + packer.flush()
    path.write_bytes(_mat5(struct.pack("<II", 15, len(packed)) + packed))
    return path


def mat5_of_nested_cells(folder: Path) -> Path:
    path = folder / "deep.mat"
    inner = b""
    for _ in range(3_000):
        inner = _matrix(1, (1, 1), inner)
    path.write_bytes(_mat5(inner))
    return path


def gz_of_zeros(folder: Path) -> Path:
    path = folder / "rows.csv.gz"
    path.write_bytes(gzip.compress(b"a" * (1 << 20)) * 3072)
    return path


def bz2_of_zeros(folder: Path) -> Path:
    path = folder / "rows.csv.bz2"
    path.write_bytes(bz2.compress(ZEROS) * 1024)
    return path


def xz_of_zeros(folder: Path) -> Path:
    path = folder / "rows.csv.xz"
    path.write_bytes(lzma.compress(b"b" * (1 << 20)) * 1024)
    return path


def zst_of_zeros(folder: Path) -> Path:
    import pyarrow as pa

    path = folder / "rows.csv.zst"
    with pa.output_stream(str(path), compression="zstd") as file:
        for _ in range(1024):
            file.write(b"b" * (1 << 20))
    return path


def zip_of_zeros(folder: Path) -> Path:
    path = folder / "rows.zip"
    _zip(path, "rows.csv", b"a,b\n", 768)
    return path


_TYPES = (
    '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Override PartName="/xl/workbook.xml" '
    'ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/>'
    '<Override PartName="/xl/sharedStrings.xml" '
    'ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml"/></Types>'
)
_RELS = (
    '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r1" '
    'Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/{kind}" Target="{target}"/></Relationships>'
)
_BOOK = (
    '<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" '
    'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships">'
    '<sheets><sheet name="one" sheetId="1" r:id="r1"/></sheets></workbook>'
)
_SHEET = '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>{}</sheetData></worksheet>'
_STRINGS = '<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">{}</sst>'


def _workbook(path: Path, rows: str, before: str = "", strings: str = "") -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", _TYPES)
        archive.writestr("_rels/.rels", _RELS.format(kind="officeDocument", target="xl/workbook.xml"))
        archive.writestr("xl/workbook.xml", _BOOK)
        archive.writestr("xl/_rels/workbook.xml.rels", _RELS.format(kind="worksheet", target="worksheets/sheet1.xml"))
        archive.writestr("xl/worksheets/sheet1.xml", before + _SHEET.format(rows))
        archive.writestr("xl/sharedStrings.xml", before + _STRINGS.format(strings))
    return path


def xlsx_of_wide_rows(folder: Path) -> Path:
    """60,000 rows whose one cell is in the last column that Excel has: 10^9 cells."""
    rows = "".join(f'<row r="{i}"><c r="XFD{i}"><v>1</v></c></row>' for i in range(1, 60_001))
    return _workbook(folder / "wide.xlsx", rows)


def xlsx_of_a_row_far_below(folder: Path) -> Path:
    first = "".join(f'<c r="{name}1"><v>1</v></c>' for name in ("A", "XFD"))
    return _workbook(folder / "far.xlsx", f'<row r="1">{first}</row><row r="1048576"><c r="A1048576"><v>1</v></c></row>')


def xlsx_of_entities(folder: Path) -> Path:
    """Ten entities, each ten times the one before."""
    values = ["lol" * 10, *(f"&e{i};" * 10 for i in range(9))]
    entities = "".join(f'<!ENTITY e{i} "{value}">' for i, value in enumerate(values))
    rows = '<row r="1"><c r="A1" t="inlineStr"><is><t>&e9;</t></is></c></row>'
    before = f"<!DOCTYPE x [{entities}]>"
    return _workbook(folder / "entities.xlsx", rows, before, "<si><t>&e9;</t></si>")


def xlsx_of_an_outer_entity(folder: Path) -> Path:
    (folder / "secret.txt").write_text(SECRET)
    before = f'<!DOCTYPE x [<!ENTITY e SYSTEM "file://{folder}/secret.txt">]>'
    rows = '<row r="1"><c r="A1" t="inlineStr"><is><t>a&e;</t></is></c></row><row r="2"><c r="A2"><v>1</v></c></row>'
    return _workbook(folder / "outer.xlsx", rows, before)


def xlsx_of_zeros(folder: Path) -> Path:
    path = _workbook(folder / "zeros.xlsx", '<row r="1"><c r="A1"><v>1</v></c></row>')
    with (
        zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive,
        archive.open("xl/media.bin", "w", force_zip64=True) as file,
    ):
        for _ in range(768):
            file.write(ZEROS)
    return path


def jsonl_of_a_name_a_line(folder: Path) -> Path:
    """40,000 lines with a name of their own each: 1.6 * 10^9 cells."""
    path = folder / "names.jsonl"
    path.write_text("".join(f'{{"name{i}":1}}\n' for i in range(40_000)))
    return path


def jsonl_of_deep_lists(folder: Path) -> Path:
    path = folder / "deep.jsonl"
    path.write_text('{"a": ' + "[" * 100_000 + "]" * 100_000 + "}\n")
    return path


def jsonl_of_deep_objects(folder: Path) -> Path:
    path = folder / "objects.jsonl"
    path.write_text('{"a":' * 50_000 + "1" + "}" * 50_000 + "\n")
    return path


def jsonl_of_a_huge_number(folder: Path) -> Path:
    path = folder / "number.jsonl"
    path.write_text('{"a": ' + "9" * 2_000_000 + "}\n")
    return path


def csv_of_one_line(folder: Path) -> Path:
    """A single line of 300 MB."""
    path = folder / "line.csv"
    with path.open("wb") as file:
        for _ in range(300):
            file.write(b"x" * (1 << 20))
    return path


def csv_of_a_million_columns(folder: Path) -> Path:
    path = folder / "columns.csv"
    path.write_text(",".join(f"c{i}" for i in range(300_000)) + "\n" + ",".join(["1"] * 300_000) + "\n")
    return path


def parquet_of_one_text_everywhere(folder: Path) -> Path:
    """A million rows, each of which is the same text of ten megabytes, stored once."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = folder / "texts.parquet"
    texts = pa.DictionaryArray.from_arrays(pa.array(np.zeros(1_000_000, np.int32)), pa.array(["x" * 10_000_000]))
    pq.write_table(pa.table({"x": texts}), path, compression="zstd", store_schema=False)
    return path


def parquet_of_one_number_everywhere(folder: Path) -> Path:
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = folder / "numbers.parquet"
    pq.write_table(pa.table({"x": pa.array(np.zeros(100_000_000, np.int64))}), path)
    return path


def parquet_of_one_long_list(folder: Path) -> Path:
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = folder / "list.parquet"
    values = pa.array(np.zeros(100_000_000, np.int64))
    pq.write_table(pa.table({"x": pa.LargeListArray.from_arrays(pa.array([0, 100_000_000]), values)}), path)
    return path


BOMBS: dict[str, Callable[[Path], Path]] = {
    name: make for name, make in list(globals().items()) if {"of", "that"} & set(name.split("_")) and name[0] != "_"
}
"""All of them, by name."""
