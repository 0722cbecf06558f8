"""Reads and writes `.seqdec` files: JSON of a design, format 1. `docs/design_file.md` describes the format."""

from __future__ import annotations

import codecs
import difflib
import hashlib
import os
import re
import stat
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec

from seqdec_gui.domain.annotations import from_builtins as read_annotations
from seqdec_gui.domain.annotations import to_builtins as annotation_fields
from seqdec_gui.domain.bindings import DataSource
from seqdec_gui.domain.catalog import KINDS
from seqdec_gui.domain.conversion import explained
from seqdec_gui.domain.design import Block, BlockWeights, Design, Link, Port
from seqdec_gui.domain.json_lines import fault, lines, repetition
from seqdec_gui.domain.kinds.base import Kind
from seqdec_gui.domain.paths import mode_of_new_files
from seqdec_gui.domain.problems import InvalidInput, Problem
from seqdec_gui.domain.training import Training

FORMAT = 1
"""The number of the newest format of design files that this version reads and writes."""

SUFFIX = ".seqdec"
"""The ending of design files."""

LARGEST_FILE = 256 << 20
"""The largest size of a design file, in bytes; a design of 100,000 blocks has 80 MB."""

_TOP = ("format", "id", "blocks", "links", "data", "training", "frames", "notes")
"""The fields of the outermost object of a design file."""

_OF_BLOCKS = ("id", "kind", "parameters", "position", "weights")
"""The fields of a block in a design file."""


def dumps(design: Design, whole: bool = True) -> str:
    """Return the design as JSON text with a final newline. `loads(dumps(design)) == design`, with the same id.

    Without `whole` it is a part to copy, and has no data and no training.
    """
    plain = to_builtins(design)
    if not whole:
        plain = {key: value for key, value in plain.items() if key not in ("data", "training")}
    return msgspec.json.format(msgspec.json.encode(plain), indent=2).decode() + "\n"


def to_builtins(design: Design) -> dict[str, Any]:
    """Return the design as plain data for JSON, without `id` if the design has none."""
    return {
        "format": FORMAT,
        **({"id": design.id} if design.id else {}),
        "blocks": [_block_to_builtins(block) for block in design.blocks],
        "links": [{"from": str(link.source), "to": str(link.target)} for link in design.links],
        "data": _data_to_builtins(design.data),
        "training": _training_to_builtins(design.training),
        **annotation_fields(design.frames, design.notes),
    }


ADDED_LATER = frozenset(
    {
        "keep_checkpoints", "quality", "quality_rows", "quality_share", "warmup_steps", "micro_batches", "decayed",
        "clip_value", "label_smoothing", "average_decay", "use_weights", "rematerialise",
    }
)  # fmt: skip
"""Parameters of the training that the first readers of format 1 refuse."""


def _training_to_builtins(training: Training) -> dict[str, Any]:
    """Return the training's parameters; one that earlier versions do not know is left out where it has its default."""
    plain: dict[str, Any] = msgspec.to_builtins(training)
    usual: dict[str, Any] = msgspec.to_builtins(Training())
    if training.optimizer == "adamw":  # or `_training` would take the file for one of an earlier version
        del usual["decayed"]
    return {name: value for name, value in plain.items() if name not in ADDED_LATER or value != usual.get(name)}


def _training(plain: Any) -> Any:
    """Return the training's parameters as read, completed where an earlier version meant something else than the default.

    With AdamW all weights decayed before it could be chosen.
    """
    if isinstance(plain, dict) and plain.get("optimizer") == "adamw" and "decayed" not in plain:
        return plain | {"decayed": "all"}
    return plain


def _data_to_builtins(data: DataSource) -> dict[str, Any]:
    plain: dict[str, Any] = msgspec.to_builtins(data)
    if not plain["reading"]:  # all is detected
        del plain["reading"]
    if plain["numbering"] is None:  # none is stated
        del plain["numbering"]
    if not plain["feed_map"]:  # none is needed
        del plain["feed_map"]
    return plain


def _block_to_builtins(block: Block) -> dict[str, Any]:
    parameters = msgspec.to_builtins(block.parameters)
    kind = parameters.pop("kind")
    plain = {"id": block.id, "kind": kind, "parameters": parameters, "position": list(block.position)}
    return plain if block.weights is None else plain | {"weights": msgspec.to_builtins(block.weights)}


def loads(text: str | bytes) -> Design:
    """Read a design from JSON text. Raises InvalidInput with every problem of form; `check` finds problems of meaning."""
    try:
        plain = msgspec.json.decode(text.removeprefix(codecs.BOM_UTF8) if isinstance(text, bytes) else text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidInput([_not_json(text, error)]) from None
    fail_if_repeated(text, "the design")
    return from_builtins(plain)


def fail_if_repeated(text: str | bytes, what: str) -> None:
    """Raise InvalidInput if an object of a JSON text has a name twice."""
    if found := repetition(text if isinstance(text, str) else text.removeprefix(codecs.BOM_UTF8).decode()):
        hint = "Remove the one that is not meant, with a text editor."
        raise InvalidInput([Problem("error", "repeated_name", "", f"In {what}, {found}.", hint)])


def _not_json(text: str | bytes, error: Exception) -> Problem:
    """Return what is wrong with a file that is not JSON, where, and what to do."""
    words = str(error)
    hint = "Open a .seqdec file; this is something else."
    try:
        decoded = text if isinstance(text, str) else text.removeprefix(codecs.BOM_UTF8).decode()
    except UnicodeDecodeError:
        return Problem("error", "not_json", "", "Expected JSON, got bytes that are no text.", hint)
    if found := fault(decoded):
        words = found
    if not decoded.strip():
        hint = "Open another file, or an earlier copy of this one."
    elif decoded.lstrip().startswith("{"):
        hint = (
            "Mend the file there with a text editor, or open an earlier copy; "
            "a file of the same name with .autosave beside it holds the last changes."
        )
    return Problem("error", "not_json", "", f"Expected JSON: {words}.", hint)


def from_builtins(plain: Any) -> Design:
    """Read a design from decoded JSON. Raises InvalidInput."""
    if not isinstance(plain, dict) or "format" not in plain:
        text = "Expected a design: an object with format, blocks, links, data and training."
        raise InvalidInput([Problem("error", "not_a_design", "", text, "Open a .seqdec file.")])
    written = plain["format"]
    if not isinstance(written, int) or isinstance(written, bool) or written < 1:
        raise InvalidInput([Problem("error", "not_a_design", "format", f"Expected a format number from 1, got {written!r}.")])
    if written > FORMAT:
        text = f"The design has format {written}, this program reads up to {FORMAT}."
        raise InvalidInput([Problem("error", "newer_format", "format", text, "Open it with a newer seqdec-gui.")])
    problems: list[Problem] = []
    for key in plain:
        if key not in _TOP:
            near = difflib.get_close_matches(str(key), _TOP, 1)
            text = f"A design has no {key!r}" + (f", did you mean {near[0]!r}?" if near else f"; it has {', '.join(_TOP)}.")
            problems.append(Problem("error", "unknown_field", str(key), text))
    blocks = _list(plain, "blocks", problems)
    links = _list(plain, "links", problems)
    frames, notes = read_annotations(plain, problems)
    design = Design(
        blocks=tuple(block for i, item in enumerate(blocks) if (block := _block(item, i, problems)) is not None),
        links=tuple(link for i, item in enumerate(links) if (link := _link(item, i, problems)) is not None),
        data=_section(plain, "data", DataSource, problems),
        training=_section(plain | {"training": _training(plain.get("training", {}))}, "training", Training, problems),
        id=_id(plain, problems),
        frames=frames,
        notes=notes,
    )
    if problems:
        raise InvalidInput(problems)
    return design


def _id(plain: dict[str, Any], problems: list[Problem]) -> str:
    value = plain.get("id", "")
    if isinstance(value, str):
        return value
    problems.append(Problem("error", "wrong_type", "id", f"Expected a text, got {type(value).__name__}."))
    return ""


def _list(plain: dict[str, Any], key: str, problems: list[Problem]) -> list[Any]:
    value = plain.get(key, [])
    if isinstance(value, list):
        return value
    problems.append(Problem("error", "wrong_type", key, f"Expected a list, got {type(value).__name__}."))
    return []


def _section(plain: dict[str, Any], key: str, type: type[Any], problems: list[Problem]) -> Any:
    value = plain.get(key, {})
    try:
        return msgspec.convert(value, type)
    except msgspec.ValidationError as error:
        refusals = [_refused(key, error, value, type)]
    if isinstance(value, dict):  # one by one, so that every wrong value is named
        refusals = [problem for name in value for problem in _wrong_field(key, type, name, value[name])]
    problems += refusals
    return type()


def _wrong_field(section: str, type: type[Any], name: str, value: Any) -> list[Problem]:
    try:
        msgspec.convert({name: value}, type)
    except msgspec.ValidationError as error:
        return [_refused(section, error, {name: value}, type)]
    return []


def _refused(section: str, error: msgspec.ValidationError, value: Any, type: type[Any]) -> Problem:
    refusal = explained(error, value, type)
    place = section + (f".{refusal.path}" if refusal.path else "")
    return Problem("error", "bad_value", place, refusal.text, refusal.hint)


def _block(item: Any, index: int, problems: list[Problem]) -> Block | None:
    """Read a block from plain data; None, with problems, if it cannot be read."""
    where = f"blocks[{index}]"
    if not isinstance(item, dict) or not isinstance(item.get("id"), str) or not isinstance(item.get("kind"), str):
        problems.append(Problem("error", "bad_block", where, "Expected an object with id, kind and parameters."))
        return None
    where, kind = item["id"] or where, KINDS.get(item["kind"])
    for key in item:
        if key not in _OF_BLOCKS:
            text = f"A block has no {key!r}; it has {', '.join(_OF_BLOCKS[:-1])} and {_OF_BLOCKS[-1]}."
            problems.append(Problem("error", "unknown_field", where, text))
    if kind is None:
        near = difflib.get_close_matches(item["kind"], KINDS, 1)
        hint = f"Did you mean {near[0]!r}?" if near else f"Kinds: {', '.join(KINDS)}."
        problems.append(Problem("error", "unknown_kind", where, f"There is no block kind {item['kind']!r}.", hint))
        return None
    parameters = parse_parameters(kind, item.get("parameters", {}), where, problems)
    try:
        position = msgspec.convert(item.get("position", (0.0, 0.0)), tuple[float, float])
    except msgspec.ValidationError:
        problems.append(Problem("error", "bad_position", where, f"Expected [x, y] as position, got {item['position']!r}."))
        return None
    weights = _weights(item.get("weights"), where, problems)
    return None if parameters is None else Block(item["id"], parameters, position, weights)


def _weights(plain: Any, where: str, problems: list[Problem]) -> BlockWeights | None:
    if plain is None:
        return None
    try:
        return msgspec.convert(plain, BlockWeights)
    except msgspec.ValidationError as error:
        problems.append(_refused(f"{where}.weights", error, plain, BlockWeights))
        return None


def parse_parameters(kind: type[Kind], plain: Any, where: str, problems: list[Problem]) -> Kind | None:
    """Read the parameters of a block from plain data. Adds every problem to `problems`, and returns None if there are any."""
    if not isinstance(plain, dict):
        problems.append(Problem("error", "bad_block", where, f"Expected parameters as an object, got {type(plain).__name__}."))
        return None
    known = kind.__struct_fields__
    unknown = [name for name in plain if name not in known]
    for name in unknown:
        near = difflib.get_close_matches(str(name), known, 1)
        hint = f"Did you mean {near[0]!r}?" if near else f"Parameters: {', '.join(known)}."
        problems.append(
            Problem("error", "unknown_parameter", f"{where}.{name}", f"{kind.kind()} has no parameter {name!r}.", hint)
        )
    good: dict[str, Any] = {}
    for name in (name for name in plain if name in known):  # one by one, so that every wrong value is named
        alone = {"kind": kind.kind(), name: plain[name]}
        try:
            msgspec.convert(alone, kind)
            good[name] = plain[name]
        except msgspec.ValidationError as error:
            refusal = explained(error, alone, kind)
            text = refusal.text if refusal.path == name else f"{refusal.path}: {refusal.text}"
            problems.append(Problem("error", "bad_value", f"{where}.{name}", text, refusal.hint))
    if len(good) != len(plain):
        return None
    return msgspec.convert({"kind": kind.kind(), **good}, kind)


def _link(item: Any, index: int, problems: list[Problem]) -> Link | None:
    try:
        if not isinstance(item, dict) or set(item) != {"from", "to"} or not all(isinstance(end, str) for end in item.values()):
            raise ValueError('expected {"from": "block.port", "to": "block.port"}')
        return Link(Port.parse(item["from"]), Port.parse(item["to"]))
    except ValueError as error:
        problems.append(Problem("error", "bad_link", f"links[{index}]", f"{str(error)[:1].upper()}{str(error)[1:]}."))
        return None


def load(path: Path | str) -> Design:
    """Read a design file. Raises InvalidInput."""
    path = Path(path)
    try:
        text = _read(path)
    except OSError as error:
        hints = {FileNotFoundError: "Check the path.", IsADirectoryError: "Give the .seqdec file in it."}
        hint = hints.get(type(error), "Check the permissions.")
        reason = (error.strerror or str(error)).lower()
        raise InvalidInput([Problem("error", "unreadable", str(path), f"The design cannot be read: {reason}.", hint)]) from None
    try:
        return loads(text)
    except InvalidInput as error:
        located = _with_lines(error.problems, text, path)
        raise InvalidInput([msgspec.structs.replace(p, where=p.where or str(path)) for p in located]) from None


def fingerprint(path: Path | str) -> bytes:
    """Return a digest of what a design file holds now; empty if it cannot be read, or read twice."""
    try:
        return hashlib.sha256(_read(Path(path))).digest() if Path(path).is_file() else b""
    except (OSError, InvalidInput):
        return b""


def _with_lines(problems: Sequence[Problem], text: bytes, path: Path) -> list[Problem]:
    """Return the problems with the file and the line of what they are about."""
    if any(not problem.where for problem in problems):  # the file as a whole
        return list(problems)
    decoded = text.removeprefix(codecs.BOM_UTF8).decode(errors="replace")
    known = lines(decoded)
    ids = {str(block.get("id")): index for index, block in reversed(list(enumerate(_blocks_in(decoded))))}
    located = []
    for problem in problems:
        line = next((known[way] for way in _ways(problem.where, ids) if way in known), 0)
        where = f"line {line} of {path.name}" if line else path.name
        words, end = problem.text.removesuffix("."), "." if problem.text.endswith(".") else ""
        located.append(msgspec.structs.replace(problem, text=f"{words} ({where}){end}"))
    return located


def _blocks_in(text: str) -> list[dict[str, Any]]:
    blocks = msgspec.json.decode(text).get("blocks", [])
    return [block if isinstance(block, dict) else {} for block in blocks] if isinstance(blocks, list) else []


def _ways(where: str, ids: dict[str, int]) -> Iterator[tuple[str | int, ...]]:
    """Give the ways to the place of a problem, the nearest first: `model_1.units` -> blocks, 0, parameters, units."""
    parts: list[str | int] = [int(part) if part.isdigit() else part for part in re.findall(r"[^.\[\]]+", where)]
    block = next((name for name in (where, where.rpartition(".")[0], where.partition(".")[0]) if name in ids), None)
    if block is not None:
        index, field = ids[block], where[len(block) + 1 :]
        yield from (("blocks", index, "parameters", field), ("blocks", index, field), ("blocks", index))
    while parts:
        yield tuple(parts)
        parts.pop()


def id_in(path: Path | str) -> str:
    """Return the id in a design file, without reading the design; empty where there is none or the file cannot be read."""
    try:
        return msgspec.json.decode(_read(Path(path)), type=_Identity).id
    except (OSError, InvalidInput, msgspec.DecodeError, UnicodeDecodeError):
        return ""


class _Identity(msgspec.Struct):
    id: str = ""


def _read(path: Path) -> bytes:
    """The content of a file, or of a pipe that a shell makes (`check <(...)`). Raises OSError, InvalidInput.

    Another pipe may never end, and a device has no end.
    """
    kind = path.stat().st_mode
    of_shell = stat.S_ISFIFO(kind) and (str(path) == "/dev/stdin" or path.is_relative_to("/dev/fd"))
    if not (stat.S_ISREG(kind) or stat.S_ISDIR(kind) or of_shell):
        text = "The design cannot be read: it is a pipe or a device, and a file was expected."
        raise InvalidInput([Problem("error", "unreadable", str(path), text, "Give a .seqdec file.")])
    with path.open("rb") as file:
        content = file.read(LARGEST_FILE + 1)
    if len(content) > LARGEST_FILE:
        text = f"The design has more than {LARGEST_FILE >> 20} MiB, and none that large was expected."
        raise InvalidInput([Problem("error", "unreadable", str(path), text, "Give a .seqdec file.")])
    return content


def save(design: Design, path: Path | str) -> None:
    """Write a design file whole or not at all. Raises InvalidInput if the folder or file cannot be written."""
    path = Path(path)
    temporary = ""
    try:
        with tempfile.NamedTemporaryFile("w", encoding="utf-8", dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
            temporary = file.name
            file.write(dumps(design))
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).chmod(path.stat().st_mode & 0o777 if path.exists() else mode_of_new_files())
        Path(temporary).replace(path)
    except OSError as error:
        if temporary:
            Path(temporary).unlink(missing_ok=True)
        reason = (error.strerror or str(error)).lower()
        hint = "Choose another folder or free some space."
        if not path.parent.is_dir():
            reason, hint = f"there is no folder {path.parent}", "Make it, or choose another folder."
        raise InvalidInput(
            [Problem("error", "unwritable", str(path), f"The design cannot be written: {reason}.", hint)]
        ) from None
