"""What an HDF5 file holds, without following anything that leads out of the file or round in circles.

A link or a dataset can show any file of the machine as values: external links, external raw storage and virtual datasets are
refused. Format: https://support.hdfgroup.org/documentation/hdf5/latest/_f_m_t3.html
"""

from __future__ import annotations

import mmap
import struct
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from seqdec_gui.data.formats.bounds import FREE_BYTES, MOST_DEPTH, fail_if_too_many_columns, most_bytes, swelling
from seqdec_gui.domain.problems import InvalidInput

ELSEWHERE = "has its values in another file, which is not read; copy them into this one"
"""The end of the sentence about a dataset whose values are not in the file."""

_HEAP = b"GCOL\1\0\0\0"
"""The beginning of a heap of texts."""
_HEAP_OBJECT = struct.Struct("<H6xQ")
"""The number and the size of an object in a heap; number 0 is the free space behind all others."""

_DEFLATE, _SHUFFLE, _FLETCHER32, _DEFLATE_RATIO = 1, 2, 3, 1032
"""Identifiers of filters, and the largest ratio of deflate."""


class Found(NamedTuple):
    """A dataset by its name; `item` is None, and `why` says why, for a link that is not followed."""

    name: str
    item: Any
    why: str = ""


def datasets(file: Any, path: Path, is_one: Callable[[Any], bool] = lambda group: False) -> Iterator[Found]:
    """Yield every dataset once, with the names of its groups before it. Soft links are passed over: what they name comes too.

    A group of which `is_one` holds is yielded as a dataset is, and what is in it is not.

    Raises InvalidInput for groups nested deeper than `MOST_DEPTH`, and for more than `MOST_COLUMNS` links.
    """
    import h5py

    seen = {_address(file)}
    count, heaps_are_known = 0, False
    within = [("", items(file))]
    while within:
        before, inner = within[-1]
        found = next(inner, None)
        if found is None:
            within.pop()
            continue
        count += 1
        fail_if_too_many_columns(path, count)
        name, item, _ = found = found._replace(name=f"{before}{found.name}")
        if item is None:
            yield found
            continue
        if (address := _address(item)) in seen:
            continue
        seen.add(address)
        if isinstance(item, h5py.Dataset) or (isinstance(item, h5py.Group) and is_one(item)):
            if not heaps_are_known and isinstance(item, h5py.Dataset) and item.dtype.hasobject:
                longest_text(file, path)
                heaps_are_known = True
            yield found
        elif isinstance(item, h5py.Group):
            if len(within) > MOST_DEPTH:
                text = f"{path.name} has groups nested more than {MOST_DEPTH} deep, and is not read."
                raise InvalidInput(f"{text} Save its datasets in one group.", "unreadable_file", "data")
            within.append((f"{name}/", items(item)))


def items(group: Any) -> Iterator[Found]:
    """Yield what stands in a group itself, by name; what an external link names is not opened."""
    import h5py

    for name in sorted(group, key=lambda name: name.encode("utf-8", "surrogateescape")):
        link = group.get(name, getlink=True)
        if isinstance(link, h5py.HardLink):
            yield Found(name, group[name])
        elif isinstance(link, h5py.ExternalLink):
            yield Found(name, None, "is a link to another file, which is not read; copy the dataset into this one")


def _address(item: Any) -> Any:
    import h5py

    return h5py.h5o.get_info(item.id).addr


def longest_text(file: Any, path: Path) -> int:
    """Return the bytes of the longest text of any length. Raises InvalidInput for a heap in which HDF5 would never end.

    HDF5 1.14 walks over the objects of a heap by the sizes that stand there, and does not look whether one leads on.
    """
    if file.id.get_create_plist().get_sizes()[1] != 8:
        return int(file.id.get_filesize())
    longest = 0
    with path.open("rb") as opened, mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ) as data:
        at = data.find(_HEAP)
        while at >= 0:
            place, end = at + 16, min(at + int.from_bytes(data[at + 8 : at + 16], "little"), len(data))
            while place + 16 <= end:
                number, size = _HEAP_OBJECT.unpack_from(data, place)
                step = size if number == 0 else 16 + size + -size % 8
                if step < 16 or place + step > end:
                    text = f"{path.name} is damaged: in its heap of texts, at byte {place:,}, an object has a wrong size."
                    raise InvalidInput(f"{text} Write the file again.", "unreadable_file", "data")
                place += step
                if number and size > longest:
                    longest = size
            at = data.find(_HEAP, at + 1)
    return longest


def why_not_read(dataset: Any) -> str:
    """Return why the values of a dataset are not read, as the end of a sentence; empty if they may be."""
    if dataset.is_virtual or dataset.external:
        return ELSEWHERE
    if not dataset.shape:
        return ""
    size, stored = dataset.size * dataset.dtype.itemsize, _stored(dataset)
    if why := swelling(stored, size):
        return f"{why}; save it without compression, and without empty chunks"
    if dataset.chunks:
        chunk = dataset.dtype.itemsize
        for count in dataset.chunks:
            chunk *= count
        if why := swelling(stored, chunk):
            return f"is divided into chunks each of which {why}; save it with smaller chunks"
    return ""


def _stored(dataset: Any) -> int:
    """Return the bytes that hold the values of a dataset; not more than the file has."""
    return int(min(dataset.id.get_storage_size(), dataset.file.id.get_filesize()))


def fail_if_chunks_swell(dataset: Any, path: Path) -> None:
    """Raise InvalidInput where a compressed chunk unpacks to far more than a chunk has.

    HDF5 unpacks a chunk to its end, whatever its size should be. A small chunk cannot become large, and is not looked at.
    """
    if not dataset.chunks or dataset.file.id.get_filesize() * _DEFLATE_RATIO <= FREE_BYTES:
        return
    plan = dataset.id.get_create_plist()
    filters = [plan.get_filter(place)[0] for place in range(plan.get_nfilters())]
    packing = [each for each in filters if each not in (_SHUFFLE, _FLETCHER32)]
    if not packing:
        return
    whole = dataset.dtype.itemsize
    for count in dataset.chunks:
        whole *= count
    large: list[Any] = []

    def note(info: Any) -> None:
        if info.size * _DEFLATE_RATIO > FREE_BYTES or len(packing) > 1:
            large.append(info)

    dataset.id.chunk_iter(note)
    for info in large:
        wrong = packing != [_DEFLATE] and info.size > 2 * whole + 65536
        if len(packing) > 1 or wrong or (packing == [_DEFLATE] and _unpacks_to_more(dataset, info, most_bytes(whole))):
            text = f"Dataset {dataset.name!r} of {path.name} has a chunk that unpacks to far more than a chunk has."
            raise InvalidInput(f"{text} Save it again without compression.", "too_large_file", "data")


def _unpacks_to_more(dataset: Any, info: Any, most: int) -> bool:
    """Return whether the stored bytes of a chunk unpack to more than `most` bytes; they are not kept."""
    mask, packed = dataset.id.read_direct_chunk(info.chunk_offset)
    if mask:
        return False
    unpacker, size, rest = zlib.decompressobj(), 0, packed
    while not unpacker.eof and (part := unpacker.decompress(rest, 1 << 20)):
        size, rest = size + len(part), unpacker.unconsumed_tail
        if size > most:
            return True
    return False
