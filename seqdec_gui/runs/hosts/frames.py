"""The messages between this program here and on a host: a line of JSON with `kind`, then `size` bytes if it says so."""

from __future__ import annotations

from typing import Any, BinaryIO

import msgspec

from seqdec_gui.domain.problems import SeqdecError

PROTOCOL = 1
"""Raised when a message changes its meaning."""
HELLO = b"seqdec-gui answers "
"""Begins the first line that the program on a host writes; a login shell may have printed lines before it."""
MOST_GREETING = 1 << 16
"""Bytes that a login shell may print before that line."""
MOST_HEAD = 16 << 20
"""The longest line of a message, in bytes: a design with all it holds."""
MOST_DATA = 8 << 20
"""The most bytes that follow a line."""


class Garbled(SeqdecError):
    """What arrived is no message."""


class Frame(msgspec.Struct, frozen=True):
    """A message. `fields` is its line, `kind` and `size` included."""

    kind: str
    fields: dict[str, Any]
    data: bytes = b""

    def get(self, name: str, kind: type, default: Any = None) -> Any:
        """Return a field of this type. Raises Garbled where it is of another, or missing without a default."""
        value = self.fields.get(name, default)
        if isinstance(value, bool) is not (kind is bool) or not isinstance(value, kind):
            raise Garbled(f"Expected {name} in a message {self.kind!r}, received {value!r:.100}.")
        return value

    def integer(self, name: str) -> int:
        """Return a whole number from 0. Raises Garbled."""
        value = int(self.get(name, int))
        if value < 0:
            raise Garbled(f"Expected {name} in a message {self.kind!r} to be at least 0, received {value}.")
        return value

    def text(self, name: str) -> str:
        """Return a text. Raises Garbled."""
        return str(self.get(name, str))


def packed(kind: str, data: bytes = b"", **fields: object) -> bytes:
    """Return the bytes of a message."""
    head = {"kind": kind, **fields} | ({"size": len(data)} if data else {})
    return msgspec.json.encode(head) + b"\n" + data


def read(stream: BinaryIO) -> Frame | None:
    """Return the next message; None at the end of the stream, in the middle of a message too. Raises Garbled."""
    line = stream.readline(MOST_HEAD)
    if not line.endswith(b"\n"):
        if len(line) >= MOST_HEAD:
            raise Garbled(f"Expected a message, received a line of more than {MOST_HEAD:,} bytes.")
        return None
    try:
        fields = msgspec.json.decode(line, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise Garbled(f"Expected a message, received {line[:80]!r}.") from None
    frame = Frame(str(fields.get("kind", "")), fields)
    size = frame.integer("size") if "size" in fields else 0
    if size > MOST_DATA:
        raise Garbled(f"Expected at most {MOST_DATA:,} bytes in a message, received {size:,}.")
    data = b""
    if size and len(data := stream.read(size)) < size:
        return None
    return Frame(frame.kind, fields, data)
