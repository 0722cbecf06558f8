"""Fitted codecs of numbers: ids, vectors, their principal components, and bits."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import ClassVar, Literal, TypeAlias

import msgspec
import numpy as np

from seqdec_gui.data.formats.base import Array, Chunk
from seqdec_gui.data.hints import LEAVE_OUT, codec_setting
from seqdec_gui.data.sources import NumberSurvey, Source, survey_numbers
from seqdec_gui.data.token_cutting import code_points
from seqdec_gui.data.tokens import TextForm, prepared
from seqdec_gui.domain.problems import Problem
from seqdec_gui.domain.wording import counted, verb_for

Encoder: TypeAlias = Callable[[Chunk], Array]
"""A function that encodes some rows."""


def id_dtype(highest: int) -> np.dtype[np.generic]:
    """Return the smallest of uint8, uint16 and int32 that can hold the highest id."""
    return np.dtype(np.uint8 if highest < 2**8 else np.uint16 if highest < 2**16 else np.int32)


class FittedIds(msgspec.Struct, frozen=True, tag="ids", forbid_unknown_fields=True):
    """Integers stored as they are, `(rows, *shape)`.

    If `depth` is not 0, the rows of the file are one-hot with this depth, and a step of zeros becomes the id `depth`.
    `limit` is the number of ids that the port has room for; 0 stands for any number.
    """

    shape: tuple[int, ...]
    depth: int = 0
    pad_id: int | None = None
    limit: int = 0

    @property
    def dtype(self) -> np.dtype[np.generic]:
        return id_dtype(max(self.depth, self.limit - 1, self.pad_id or 0)) if self.limit or self.depth else np.dtype(np.int32)

    @property
    def row_shape(self) -> tuple[int, ...]:
        return self.shape

    def chunks(self, source: Source) -> Iterable[Chunk]:
        return source.numbers()

    def faults(self, source: Source, where: str, seen: NumberSurvey | None = None) -> list[Problem]:
        """Return problems of the shape, of numbers that are not ids, of ids out of range, and of rows that are not one-hot."""
        expected = (*self.shape, self.depth) if self.depth else self.shape
        if source.kind != "text" and source.shape != expected:
            return [_wrong_shape(source, expected, where)]
        seen = seen or survey_numbers(source)
        if seen.bad:
            return [not_finite(source, seen, where)]
        if self.depth and not seen.one_hot:
            text = f"{source.label} is not one-hot; expected a single 1 among zeros along the last axis."
            return [Problem("error", "not_one_hot", where, text, "Bind it with the codec 'values'.")]
        if not seen.integral or seen.low < 0:
            text = f"{source.label} has values from {seen.low:g} to {seen.high:g}; expected whole numbers from 0 (token ids)."
            return [Problem("error", "not_ids", where, text, "Bind another column or choose another codec.")]
        if not self.depth and seen.high >= (self.limit or 2**31):
            text = f"{source.label} has ids up to {int(seen.high)}; expected ids below {self.limit or 2**31}."
            return [Problem("error", "too_many_symbols", where, text, "Bind another column, or remove these rows.")]
        return []

    def encoder(self) -> Encoder:
        return self._encode

    def _encode(self, chunk: Chunk) -> Array:
        if not self.depth:
            result: Array = chunk.astype(self.dtype)
            return result
        ids = chunk.argmax(axis=-1).astype(self.dtype)
        ids[~chunk.any(axis=-1)] = self.depth
        compressed: Array = ids
        return compressed


class FittedNumbers(msgspec.Struct, frozen=True, tag="numbers", forbid_unknown_fields=True):
    """Numbers as float32 `(rows, *shape)`: (x - mean) / deviation along the last axis, or as they are where both are empty."""

    shape: tuple[int, ...]
    mean: tuple[float, ...] = ()
    deviation: tuple[float, ...] = ()
    fill: tuple[float, ...] = ()
    """What stands for a missing number, along the last axis, in the units of the data; empty if rows with one are refused."""
    low: tuple[float, ...] = ()
    """The least value of each number of a vector over the training rows, in the units of the data; empty if it is not known."""
    high: tuple[float, ...] = ()
    """The greatest value of each number of a vector over the training rows."""

    @property
    def dtype(self) -> np.dtype[np.generic]:
        return np.dtype(np.float32)

    @property
    def row_shape(self) -> tuple[int, ...]:
        return self.shape

    def chunks(self, source: Source) -> Iterable[Chunk]:
        return source.numbers()

    def faults(self, source: Source, where: str, seen: NumberSurvey | None = None) -> list[Problem]:
        """Return problems of the shape and of values that are not finite."""
        if source.kind != "text" and not same_values(source.shape, self.shape):
            return [_wrong_shape(source, self.shape, where)]
        seen = seen or survey_numbers(source, fill=np.array(self.fill) if self.fill else None)
        return [not_finite(source, seen, where)] if seen.bad else []

    def scaled(self, values: Array) -> Array:
        """Return numbers in the units of the data as the model takes them, float64 or as they are."""
        return (values - np.array(self.mean)) / np.array(self.deviation) if self.mean else values

    def unscaled(self, values: Array) -> Array:
        """Return numbers of the model in the units of the data."""
        return values * np.array(self.deviation) + np.array(self.mean) if self.mean else values

    def encoder(self) -> Encoder:
        mean, deviation, fill = np.array(self.mean), np.array(self.deviation), np.array(self.fill)

        def encode(chunk: Chunk) -> Array:
            values = chunk.reshape(len(chunk), *self.shape)
            if self.fill and values.dtype.kind == "f":
                values = np.where(np.isnan(values), fill, values)
            if self.mean:
                values = (values - mean) / deviation
            result: Array = values.astype(np.float32, copy=False)
            return result

        return encode


class FittedProjection(FittedNumbers, frozen=True, tag="projection", forbid_unknown_fields=True):
    """Numbers reduced to principal components, float32 `(rows, components)`: axes . (scaled numbers - center).

    `shape` is that of the rows in the data. `explained` is the share of the variance that the components have together.
    """

    center: tuple[float, ...] = ()
    axes: tuple[tuple[float, ...], ...] = ()
    explained: float = 1.0

    @property
    def row_shape(self) -> tuple[int, ...]:
        return (len(self.axes),)

    def scaled(self, values: Array) -> Array:
        projected: Array = (super().scaled(values) - np.array(self.center)) @ np.array(self.axes).T
        return projected

    def unscaled(self, values: Array) -> Array:
        return super().unscaled(values @ np.array(self.axes) + np.array(self.center))

    def encoder(self) -> Encoder:
        scale = super().encoder()
        axes, center = np.array(self.axes).T, np.array(self.center)
        return lambda chunk: ((scale(chunk) - center) @ axes).astype(np.float32)


class FittedBits(msgspec.Struct, frozen=True, tag="bits", forbid_unknown_fields=True):
    """Texts of zeros and ones as numbers, float32 `(rows, bits)`."""

    bits: int
    charset: ClassVar[tuple[str, ...]] = ("0", "1")
    tokens: ClassVar[Literal["characters"]] = "characters"

    @property
    def room(self) -> int:
        """The number of digits of a text."""
        return self.bits

    @property
    def dtype(self) -> np.dtype[np.generic]:
        return np.dtype(np.float32)

    @property
    def row_shape(self) -> tuple[int, ...]:
        return (self.bits,)

    @property
    def shape(self) -> tuple[int, ...]:
        return (self.bits,)

    def chunks(self, source: Source) -> Iterable[Chunk]:
        return source.texts()

    def are_bits(self, chunk: Chunk) -> Array:
        """Return which texts have as many digits as there are bits, all of them 0 or 1 (bool)."""
        import pyarrow.compute as pc

        good = pc.match_substring_regex(chunk, "^[01]*$")
        right = pc.and_(good, pc.equal(pc.binary_length(chunk), self.bits))
        result: Array = pc.fill_null(right, False).to_numpy(zero_copy_only=False).astype(bool)
        return result

    def faults(self, source: Source, where: str) -> list[Problem]:
        """Return the problem of rows that are no texts of as many zeros and ones."""
        wrong = np.concatenate([np.zeros(0, bool), *(~self.are_bits(chunk) for chunk in source.texts())])
        if not wrong.any():
            return []
        count = int(wrong.sum())
        text = (
            f"{source.label} has {counted(count, 'row')} that {verb_for(count, 'are')} not {counted(self.bits, 'digit')} of 0 "
            f"and 1, the first is row {int(wrong.argmax()) + 1}."
        )
        return [Problem("error", "not_bits", where, text, "Remove them, or choose another codec.")]

    def encoder(self) -> Encoder:
        def encode(chunk: Chunk) -> Array:
            good = self.are_bits(chunk)
            rows = np.zeros((len(chunk), self.bits), np.float32)
            kept = chunk.filter(good) if not good.all() else chunk
            codes, _ = code_points(prepared(kept, TextForm()))
            rows[good] = codes.reshape(-1, self.bits) - ord("0")
            return rows

        return encode


def same_values(shape: tuple[int, ...], expected: tuple[int, ...]) -> bool:
    """Return whether rows of `shape` hold the values of `expected`: equal shapes, () for (1,), or (n,) for (n, 1)."""
    return shape == expected or (*shape, 1) == expected


def not_finite(source: Source, seen: NumberSurvey, where: str) -> Problem:
    """Return the problem that numbers are missing, NaN, infinite or beyond float32."""
    text = (
        f"{source.label} has {counted(seen.bad, 'row')} with a value that is missing, NaN, infinite or beyond 3.4e38 "
        f"(the largest float32), the first is row {seen.bad_row + 1}; expected finite numbers."
    )
    hint = (
        f"Take the mean for missing numbers ({codec_setting(where, 'missing=mean')}), {LEAVE_OUT}, or bind the column as text."
    )
    return Problem("error", "not_finite", where, text, hint)


def _wrong_shape(source: Source, expected: tuple[int, ...], where: str) -> Problem:
    text = f"{source.label} has rows of shape {source.shape}; expected {expected}."
    hint = "The number of values is right: reshape the array before saving." if _size(source.shape) == _size(expected) else ""
    return Problem("error", "wrong_shape", where, text, hint or "Bind another column or change the block.")


def _size(shape: tuple[int, ...]) -> int:
    return int(np.prod(shape, dtype=np.int64))
