"""Arrays and devices of a run by several processes, one a host (`jax.distributed`); with one process, plain JAX.

Every process calls these functions in the same order with arrays of the same shapes.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import jax
import numpy as np
import numpy.typing as npt
from jax.experimental import multihost_utils
from jax.sharding import NamedSharding, PartitionSpec

Numbers = npt.NDArray[Any]
PIECE_BYTES = 32 << 20
"""Most bytes that process 0 sends at a time."""
EVERYWHERE = PartitionSpec()


def everywhere(count: int, processes: int) -> list[Any]:
    """Return `count` devices of each process, process by process. Raises RuntimeError where one has another number."""
    if processes == 1:
        return list(jax.devices()[:count])
    found = [[device for device in jax.devices() if device.process_index == number] for number in range(processes)]
    if {len(each) for each in found} != {count}:
        has = ", ".join(map(str, map(len, found)))
        raise RuntimeError(f"each process must have {count} devices, and they have {has}")
    return [device for each in found for device in each]


def placed(tree: Any, sharding: NamedSharding) -> Any:
    """Return arrays that every process has whole as arrays on the devices of all, whole on each."""
    if jax.process_count() == 1:
        return jax.device_put(tree, sharding)
    return jax.tree.map(lambda array: jax.make_array_from_process_local_data(sharding, np.asarray(array), array.shape), tree)


def parts_of_all(tree: Any, sharding: NamedSharding) -> Any:
    """Return arrays (steps, rows, ...) of which every process has its part of the rows as arrays on the devices of all."""
    count = jax.process_count()
    if count == 1:
        return jax.device_put(tree, sharding)

    def whole(array: Numbers) -> Any:
        shape = (array.shape[0], array.shape[1] * count, *array.shape[2:])
        return jax.make_array_from_process_local_data(sharding, array, shape)

    return jax.tree.map(whole, tree)


def rows_of_this_process(lines: Numbers) -> Numbers:
    """Return the columns of `lines` (steps, rows) that are this process's: contiguous parts in the order of the processes."""
    size = lines.shape[1] // jax.process_count()
    return lines[:, jax.process_index() * size : (jax.process_index() + 1) * size]


def gathered(array: Any) -> Numbers:
    """Return an array that is split among all devices, whole."""
    if jax.process_count() == 1:
        return np.asarray(array)
    return np.asarray(multihost_utils.process_allgather(array, tiled=True))


def on_every_host(fact: bool) -> bool:
    """Return whether something holds on every host."""
    if jax.process_count() == 1:
        return fact
    return bool(np.all(multihost_utils.process_allgather(np.array([fact]))))


def from_process_zero(tree: Any) -> Any:
    """Return the arrays of process 0 in place of one's own of the same shapes, to the bit."""
    if jax.process_count() == 1:
        return tree
    arrays, structure = jax.tree.flatten(tree)
    sent = sent_from_process_zero(np.concatenate([_bytes_of(array) for array in arrays]))
    ends = np.cumsum([array.nbytes for array in arrays])
    parts = [
        np.frombuffer(sent[end - array.nbytes : end], array.dtype).reshape(array.shape)
        for array, end in zip(arrays, ends, strict=True)
    ]
    return jax.tree.unflatten(structure, parts)


def sent_from_process_zero(own: Numbers) -> bytes:
    """Return the bytes of the array of process 0; the others give one of its shape and type, whatever is in it."""
    return b"".join(_pieces(_bytes_of(own)))


def _bytes_of(array: Numbers) -> Numbers:
    return np.frombuffer(np.ascontiguousarray(array).tobytes(), np.uint8)


def _pieces(own: Numbers) -> Iterator[bytes]:
    for begin in range(0, len(own), PIECE_BYTES):
        piece = own[begin : begin + PIECE_BYTES]
        yield np.asarray(multihost_utils.broadcast_one_to_all(piece)).tobytes()
