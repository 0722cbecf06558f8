"""The fit of a dataset: saved with the run, it encodes new rows like the training rows and decodes ids to text.

The file `data.json` holds a `Fitted` as JSON; floats are written so that they are read back exactly.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import msgspec
import numpy as np

from seqdec_gui.data.codecs import FittedCategory, FittedCodec, FittedNumbers, FittedText
from seqdec_gui.data.formats.base import Array
from seqdec_gui.data.formats.notation import Notation
from seqdec_gui.data.formats.settled import NOTHING_SETTLED, FileReading, for_ports, read_as
from seqdec_gui.data.sources import RowSource, Source
from seqdec_gui.data.storage import ArrayWriter, write_whole
from seqdec_gui.data.tensor_feeds import TensorFeed
from seqdec_gui.domain.bindings import Reading
from seqdec_gui.domain.json_lines import repetition
from seqdec_gui.domain.problems import InvalidInput, Problem
from seqdec_gui.domain.wording import shortened

FORMAT = 1
"""The number of the newest format of `data.json` that this version reads and writes."""


class FittedPort(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One bound port: its names, the columns it was trained on, and the codec; its array has the port's `name`."""

    name: str
    port: str
    role: Literal["input", "target"]
    columns: tuple[str, ...]
    codec: FittedCodec
    aliases: tuple[str, ...] = ()
    taught: str = ""
    """The loss whose targets are the same array one step ahead."""
    generated: bool = False
    parts: tuple[str, ...] = ()
    """What the numbers of its only column are called, if its file says so."""

    @property
    def number_names(self) -> tuple[str, ...]:
        """What each number of a vector is called, by its columns or its file; empty if that is not known."""
        width = self.codec.shape[0] if isinstance(self.codec, FittedNumbers) and len(self.codec.shape) == 1 else 0
        if width and len(self.columns) == width:
            return self.columns
        return self.parts if width and len(self.parts) == width else ()

    @property
    def names(self) -> tuple[str, ...]:
        """The names under which a column of new rows is taken for this port, the best first."""
        own = (self.name, self.port, *self.aliases)
        return tuple(dict.fromkeys((*own, *self.columns) if len(self.columns) == 1 else own))


class Fitted(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"feeds": "wires"}):
    """Codecs and feeds of a dataset, without its rows. In `data.json` the feeds are called `wires`.

    `files` is how its files were read; runs of versions before it was recorded have none.
    """

    ports: tuple[FittedPort, ...]
    feeds: tuple[TensorFeed, ...]
    format: int = FORMAT
    files: tuple[FileReading, ...] = ()

    def reading(self, how: Reading, ports: Sequence[str] = ()) -> Reading:
        """Return the options `how` with what was settled about the file that one of these ports is bound to, by default any."""
        wanted = tuple(ports) or tuple(port.name for port in self.ports)
        return read_as(how, for_ports(self.files, wanted))

    def notations(self, port: FittedPort) -> tuple[Notation | None, ...]:
        """Return how the numbers of each column of a port were written, None for those of which that is not known."""
        settled = for_ports(self.files, (port.name,)) or NOTHING_SETTLED
        return tuple(settled.notation(column) for column in port.columns)

    @property
    def is_rewritten(self) -> bool:
        """Whether every epoch writes some arrays anew (`runner.row_orders`)."""
        return any(isinstance(port.codec, FittedText) and port.codec.random_order for port in self.ports)

    @property
    def inputs(self) -> tuple[FittedPort, ...]:
        """The ports that `generate` and `predict` need values for."""
        return tuple(port for port in self.ports if port.role == "input" and not port.generated)

    def port(self, name: str) -> FittedPort:
        """Return the port with this name or alias. Raises InvalidInput."""
        for port in self.ports:
            if name in (port.name, port.port, *port.aliases):
                return port
        raise InvalidInput(f"No port {name!r} was trained; expected one of {', '.join(port.name for port in self.ports)}.")

    def text(self, name: str = "") -> FittedText | FittedCategory:
        """Return the codec that decodes the ids of a loss's predictions, or of an input, to text; by default the first loss.

        Raises InvalidInput if the port was not trained on text or labels.
        """
        wanted = name or next((feed.name for feed in self.feeds if feed.role == "target"), "")
        array = next((feed.array for feed in self.feeds if feed.name == wanted), wanted)
        codec = self.port(array).codec
        if not isinstance(codec, FittedText | FittedCategory):
            raise InvalidInput(f"{wanted} was trained on numbers, not on text; expected a column of text or labels.")
        return codec

    def decode(self, ids: Any, name: str = "") -> str:
        """Return the text of one row of ids up to the end mark; `name` is as in `text`."""
        return self.text(name).decode(ids)

    def encode_rows(self, rows: Mapping[str, Sequence[str] | Array]) -> dict[str, Array]:
        """Encode new rows as in training: texts, labels or numbers `(rows, ...)` by port name to arrays by port name.

        `rows` has all `inputs` and may have other ports; aliases are allowed. Raises InvalidInput with every problem:
        missing ports, unknown symbols, wrong widths, different numbers of rows.
        """
        values_of = {self.port(name).name: values for name, values in rows.items()}
        problems = [
            Problem("error", "missing_input", port.name, f"No values are given for input {port.name}; expected one per row.")
            for port in self.inputs
            if port.name not in values_of
        ]
        sources = {
            name: RowSource(f"{self.port(name).role.capitalize()} {name!r}", values) for name, values in values_of.items()
        }
        counts = {name: source.rows for name, source in sources.items()}
        if len(set(counts.values())) > 1:
            listed = ", ".join(f"{name} has {count}" for name, count in counts.items())
            problems.append(
                Problem("error", "row_counts_differ", "data", f"Expected the same number of rows for every input; {listed}.")
            )
        for name, source in sources.items():
            problems += faults(self.port(name).codec, source, name)
        if problems:
            raise InvalidInput(problems)
        return {name: encode(self.port(name).codec, source, name, None) for name, source in sources.items()}

    def dumps(self) -> bytes:
        """Return the content of `data.json`."""
        return msgspec.json.format(msgspec.json.encode(self), indent=1)

    def save(self, path: Path) -> None:
        """Write the JSON file whole or not at all. Raises SeqdecError."""
        write_whole(path, self.dumps())


class _Version(msgspec.Struct):
    format: int


def loads(text: bytes | str, name: str = "data.json") -> Fitted:
    """Read the text of a `data.json`. Raises InvalidInput if it is not JSON, damaged or written by a newer version."""
    try:
        version = msgspec.json.decode(text, type=_Version).format
        if version > FORMAT:
            raise InvalidInput(f"{name} has format {version}; this version reads formats up to {FORMAT}. Update seqdec-gui.")
        fitted = msgspec.json.decode(text, type=Fitted)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        why = shortened(str(error), 200)
        raise InvalidInput(f"{name} is not what a run writes ({why}); it is damaged or from a newer version.") from error
    if found := repetition(text if isinstance(text, str) else text.decode()):
        raise InvalidInput(f"{name} is not what a run writes ({found}); it is damaged.")
    return fitted


def load(path: Path) -> Fitted:
    """Read `data.json`. Raises InvalidInput."""
    if path.exists() and not path.is_file():
        raise InvalidInput(f"{path} is no ordinary file; expected the data.json of a run.")
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InvalidInput(f"{path} cannot be read: {error.strerror}; expected the data.json of a run.") from error
    return loads(content, str(path))


def faults(codec: FittedCodec, source: Source, where: str) -> list[Problem]:
    """Return every problem that keeps these rows from being encoded, values of the wrong type included."""
    try:
        return codec.faults(source, where)
    except InvalidInput as error:
        return [msgspec.structs.replace(problem, where=where) for problem in error.problems]


def encode(codec: FittedCodec, source: Source, name: str, folder: Path | None) -> Array:
    """Encode the rows of the source as one array, a chunk at a time; a large array is written to `folder` and mapped."""
    write = codec.encoder()
    with ArrayWriter(name, (source.rows, *codec.row_shape), np.dtype(codec.dtype), folder) as writer:
        for chunk in codec.chunks(source):
            writer.append(write(chunk))
        return writer.finish()
