"""Frames and notes: what a user writes on the canvas about the blocks. They mean nothing to the model."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Annotated, Any, Literal, TypeAlias, TypeVar, get_args

import msgspec
from msgspec import Meta

from seqdec_gui.domain.conversion import explained
from seqdec_gui.domain.problems import Problem

AnnotationColor = Literal["gray", "blue", "teal", "green", "yellow", "red", "purple"]
COLORS: tuple[AnnotationColor, ...] = get_args(AnnotationColor)
"""The colours of frames and notes by name; how each looks depends on the theme."""

MAX_TITLE = 200
"""The largest number of characters in the title of a frame."""

MAX_TEXT = 20_000
"""The largest number of characters in a note."""

MIN_SIDE = 40.0
"""The least width and height of a frame or note, in scene units."""

MAX_SIDE = 100_000.0
"""The largest width and height of a frame or note, in scene units."""

Coordinate = Annotated[float, Meta(ge=-1e9, le=1e9)]
Side = Annotated[float, Meta(ge=MIN_SIDE, le=MAX_SIDE)]
Name = Annotated[str, Meta(min_length=1, max_length=MAX_TITLE)]


class Frame(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A titled rectangle behind blocks, which move along with it if they lie in it. `id` is unique among frames and notes."""

    id: Name
    title: Annotated[str, Meta(max_length=MAX_TITLE)] = ""
    color: AnnotationColor = "gray"
    position: tuple[Coordinate, Coordinate] = (0.0, 0.0)
    size: tuple[Side, Side] = (400.0, 240.0)


class Note(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A text on the canvas. `id` is unique among frames and notes."""

    id: Name
    text: Annotated[str, Meta(max_length=MAX_TEXT)] = ""
    color: AnnotationColor = "yellow"
    position: tuple[Coordinate, Coordinate] = (0.0, 0.0)
    size: tuple[Side, Side] = (220.0, 80.0)


Annotation: TypeAlias = Frame | Note
OneKind = TypeVar("OneKind", Frame, Note)


def from_builtins(plain: Mapping[str, Any], problems: list[Problem]) -> tuple[tuple[Frame, ...], tuple[Note, ...]]:
    """Read the frames and notes of a design file, and add every problem of form to `problems`.

    An id that occurs again is replaced by a free one: nothing refers to it.
    """
    taken: set[str] = set()
    frames = _read(plain, "frames", Frame, taken, problems)
    return frames, _read(plain, "notes", Note, taken, problems)


def _read(
    plain: Mapping[str, Any], key: str, kind: type[OneKind], taken: set[str], problems: list[Problem]
) -> tuple[OneKind, ...]:
    items = plain.get(key, [])
    if not isinstance(items, list):
        problems.append(Problem("error", "wrong_type", key, f"Expected a list, got {type(items).__name__}."))
        return ()
    found: list[OneKind] = []
    for index, item in enumerate(items):
        try:
            one = msgspec.convert(item, kind)
        except msgspec.ValidationError as error:
            refusal = explained(error, item, kind)
            where = f"{key}[{index}]" + (f".{refusal.path}" if refusal.path else "")
            problems.append(Problem("error", "bad_annotation", where, refusal.text, refusal.hint))
            continue
        if one.id in taken:
            one = msgspec.structs.replace(one, id=free_id(taken, kind))
        taken.add(one.id)
        found.append(one)
    return tuple(found)


def to_builtins(frames: tuple[Frame, ...], notes: tuple[Note, ...]) -> dict[str, Any]:
    """Return the fields of a design file for these; a design without any has none of the fields, as before there were any."""
    fields = {"frames": msgspec.to_builtins(frames), "notes": msgspec.to_builtins(notes)}
    return {key: list(value) for key, value in fields.items() if value}


def free_id(taken: Collection[str], kind: type[Annotation]) -> str:
    """Return `frame_1`, `frame_2`, ... or `note_1`, ...: the first that is not taken."""
    number = 1
    while f"{kind.__name__.lower()}_{number}" in taken:
        number += 1
    return f"{kind.__name__.lower()}_{number}"


def around(boxes: Iterable[tuple[float, float, float, float]], margin: float, top: float) -> tuple[float, float, float, float]:
    """Return a box round these boxes (x, y, width, height), this far from them, and `top` further above for a title."""
    corners = [(x, y, x + width, y + height) for x, y, width, height in boxes]
    left, upper = min(box[0] for box in corners) - margin, min(box[1] for box in corners) - margin - top
    right, lower = max(box[2] for box in corners) + margin, max(box[3] for box in corners) + margin
    return left, upper, right - left, lower - upper
