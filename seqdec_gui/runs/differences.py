"""Lists the differences between two designs, or two runs, with one entry per parameter."""

from __future__ import annotations

from typing import Any

import msgspec

from seqdec_gui.domain.design import Design
from seqdec_gui.runs.data_record import DataRecord, likeness
from seqdec_gui.runs.spec import RunSpec

ABSENT = "–"
"""Text for a value that one side does not have."""

ENCODED = "numbers made of the data"
"""What the checksum of codecs and rows is called in a list of differences."""


class Difference(msgspec.Struct, frozen=True):
    """`what` is `training.learning_rate`, `model_2.units`, `model_2` (a block that one of them lacks), a link or `devices`."""

    what: str
    old: str
    new: str


def differences(old: Design, new: Design) -> tuple[Difference, ...]:
    """Return all differences but positions, frames and notes: of the training, then of each block, the data and the links."""
    return (
        *_compared(_flat(old.training, "training"), _flat(new.training, "training")),
        *_blocks(old, new),
        *_compared(_data(old), _data(new)),
        *_compared(_links(old), _links(new)),
    )


def run_differences(
    old: RunSpec, new: RunSpec, read: tuple[DataRecord | None, DataRecord | None] = (None, None)
) -> tuple[Difference, ...]:
    """Return the differences of the designs, the devices and the data. Raises InvalidInput for an unreadable design.

    `read` is what the two runs read.
    """
    of_designs = differences(old.load_design(), new.load_design())
    return (*_compared(_place(old), _place(new)), *of_data(*read), *of_designs)


def of_data(old: DataRecord | None, new: DataRecord | None) -> tuple[Difference, ...]:
    """Return how files, rows and what the codecs made of them differ, whatever the files are called; nothing if unknown.

    Where a run of an earlier version did not record what its codecs made of the data, that stands there, since it may differ.
    """
    alike = likeness(old, new)
    if old is None or new is None or alike in ("same", "unknown"):
        return ()
    described = [
        {"checksum of the data": record.file_sha256[:12], "rows": f"{record.rows:,}", "training rows": f"{record.training:,}"}
        for record in (old, new)
    ]
    found = _compared(*described)
    if alike == "other" or (alike == "same files" and old.fit == new.fit):
        return found
    first, second = (record.fit[:12] or "not recorded: cannot be compared" for record in (old, new))
    return (*found, Difference(ENCODED, first, second))


def _blocks(old: Design, new: Design) -> tuple[Difference, ...]:
    differing: list[Difference] = []
    names = list(dict.fromkeys([block.id for block in (*old.blocks, *new.blocks)]))
    for name in names:
        if not old.has(name) or not new.has(name):
            kinds = [design.block(name).kind if design.has(name) else ABSENT for design in (old, new)]
            differing.append(Difference(name, *kinds))
            continue
        first, second = old.block(name), new.block(name)
        if first.kind != second.kind:
            differing.append(Difference(name, first.kind, second.kind))
        else:
            differing += _compared(_flat(first.parameters, name), _flat(second.parameters, name))
    return tuple(differing)


def _compared(old: dict[str, str], new: dict[str, str]) -> tuple[Difference, ...]:
    names = dict.fromkeys((*old, *new))
    pairs = ((name, old.get(name, ABSENT), new.get(name, ABSENT)) for name in names)
    return tuple(Difference(name, first, second) for name, first, second in pairs if first != second)


def _flat(section: msgspec.Struct, name: str) -> dict[str, str]:
    """Return every field with its value as text, including fields at their defaults."""
    values = ((field, getattr(section, field)) for field in section.__struct_fields__)
    return {f"{name}.{field}": write(msgspec.to_builtins(value)) for field, value in values}


def _data(design: Design) -> dict[str, str]:
    values = {
        "data.file": design.data.file or ABSENT,
        **_flat(design.data.split, "data.split"),
        **_flat(design.data.reading, "data"),
    }
    for binding in design.data.bindings:
        plain = msgspec.to_builtins(binding)
        plain.pop("port")
        values[f"data.{binding.port}"] = write(plain.pop("column"))
        for name, value in plain.items():
            values[f"data.{binding.port}.{name}"] = write(value)
    return values


def _links(design: Design) -> dict[str, str]:
    return {str(link).replace("->", "→"): "linked" for link in design.links}


def _place(spec: RunSpec) -> dict[str, str]:
    begun = {"begins with": spec.initial_run} if spec.initial_run else {}
    if spec.initial_run and spec.fit == "anew":
        begun["fit"] = "anew"
    return {"devices": str(spec.placed_devices), "engine": spec.placed_engine, **begun}


def write(value: Any) -> str:
    """Return a value as a form shows it: `128, 128`, `on`, `0.001`."""
    if isinstance(value, bool):
        return "on" if value else "off"
    if value is None:
        return ABSENT
    if isinstance(value, (list, tuple)) and all(isinstance(item, (int, float, str)) for item in value):
        return ", ".join(write(item) for item in value) or ABSENT
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, (list, tuple, dict)):
        return msgspec.json.encode(value).decode()
    return str(value) or ABSENT
