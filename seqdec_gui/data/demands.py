"""What a port demands of the column that is bound to it, and the result of fitting a codec to it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from seqdec_gui.data.codecs import FittedCodec
from seqdec_gui.data.formats.base import Array
from seqdec_gui.data.sources import Source
from seqdec_gui.data.tensor_feeds import TensorFeed
from seqdec_gui.domain.dataflow import DataPort
from seqdec_gui.domain.problems import Problem
from seqdec_gui.domain.types import Shape


class Fit(NamedTuple):
    """The result of a fit: the codec (None where none could be fitted), its feeds, and every problem."""

    codec: FittedCodec | None
    feeds: tuple[TensorFeed, ...]
    problems: list[Problem]


class Demand(NamedTuple):
    """The demands on one column: values for `port`, and targets for the loss `taught` too unless that is None.

    `training` is true for the rows that train (bool, one per row).
    """

    port: DataPort
    taught: DataPort | None
    training: Array
    extra: int
    """How many more steps are stored than the port takes: 1 where the port takes `[0:-1]`."""
    leaves_out: bool = False
    """Whether rows that cannot be encoded are left out, rather than being problems."""

    @property
    def steps(self) -> Shape:
        """The port's shape without the axis of symbols or classes."""
        kind = self.port.type
        return kind.shape if kind.dtype == "int32" else kind.shape[:-1]

    @property
    def stored_steps(self) -> Shape:
        """The shape that is stored for a row, `extra` steps included, without the axis of symbols or classes."""
        steps = self.steps
        return (steps[0] + self.extra, *steps[1:]) if steps and steps[0] is not None else steps

    @property
    def ends(self) -> list[DataPort]:
        """The port, and the loss whose targets the column gives too."""
        return [self.port] if self.taught is None else [self.port, self.taught]

    def too_narrow(self, code: str, needed: int, finding: str) -> list[Problem]:
        """Return a problem for every one of `ends` that has no room for `needed` symbols or labels.

        `finding` is the first half of the sentence: how many symbols or labels the column has.
        """
        return [
            Problem(
                "error",
                code,
                port.port,
                f"{finding}; {port.width_at or port.port} has room for {room}.",
                f"Set {port.width_at}={needed}." if port.width_at else f"Make it {needed} wide.",
                needed,
            )
            for port in self.ends
            if (room := symbol_room(port)) is not None and needed > room
        ]

    @property
    def masks_padding(self) -> bool:
        """Whether steps of padding are left out at one of `ends`."""
        return self.port.mask_padding or (self.taught is not None and self.taught.mask_padding)


def symbol_room(port: DataPort) -> int | None:
    """Return how many ids the port has room for: symbols, classes, or the depth of its one-hot rows."""
    if port.classes is not None:
        return port.classes
    if port.type.dtype == "int32":
        return port.type.symbols
    return port.type.shape[-1] if port.type.shape else None


def judged(demand: Demand) -> bool:
    """Return whether a loss compares classes with these rows, so that every step needs a class."""
    return demand.port.classes is not None or (demand.taught is not None and demand.taught.classes is not None)


# -- text


def matches(shape: tuple[int, ...], expected: Shape) -> bool:
    return len(shape) == len(expected) and all(b is None or a == b for a, b in zip(shape, expected, strict=True))


def shape_problem(demand: Demand, source: Source, shape: tuple[int, ...], expected: Shape) -> Problem | None:
    """Return the problem that rows have another shape than expected; teacher forcing needs at least two steps."""
    if matches(shape, expected) and not (demand.extra and shape[0] < 2):
        return None
    port = demand.port
    wanted = "(" + ", ".join("any" if size is None else str(size) for size in expected) + ",)"[len(expected) != 1 :]
    text = f"{source.label} has rows of shape {source.shape}; {port.port} takes {port.type}, expected rows of shape {wanted}."
    hint = "Bind another column or change the block."
    if len(shape) == len(expected) == 1 and port.width_at:
        hint = f"Set {port.width_at}={shape[0]}, or bind other columns."
    if demand.taught is not None:
        text = text[:-1] + " (one step more, as it also gives the targets)."
        hint = f"Bind {demand.taught.port} to a column of its own, or store begin, sequence and end."
    elif None not in expected and np.prod(source.shape) == np.prod([size or 0 for size in expected]):
        hint = "The number of values is right: reshape the array before saving."
    return Problem("error", "wrong_shape", port.port, text, hint)


def feeds(demand: Demand, symbols: int, pad_id: int | None, values: bool = False) -> tuple[TensorFeed, ...]:
    """Return one feed, or two of the same array for teacher forcing: the decoder's input, and its targets one step ahead."""
    port, taught = demand.port, demand.taught
    last = -1 if demand.extra else None
    feeds = [feed(port, port.name, 0, last, symbols, pad_id, values)]
    if taught is not None:
        feeds.append(feed(taught, port.name, 1, None, symbols, pad_id, values))
    return tuple(feeds)


def feed(
    port: DataPort, array: str, first: int, last: int | None, symbols: int, pad_id: int | None, values: bool
) -> TensorFeed:  # fmt: skip
    depth = symbol_room(port) or symbols
    if values:
        return TensorFeed(port.name, port.role, array, first, last, "values", depth)
    ids = port.classes is not None or port.type.dtype == "int32"
    return TensorFeed(port.name, port.role, array, first, last, "ids" if ids else "one_hot", depth, pad_id)
