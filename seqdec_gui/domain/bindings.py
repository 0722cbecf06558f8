"""Which columns of which file feed which port, and how their values are written as numbers."""

from __future__ import annotations

import codecs
from typing import Annotated, Literal, TypeAlias

import msgspec
from msgspec import Meta

Numbering = Literal["shared", "own"]
"""Whether columns of text that belong together number their symbols alike, or each by itself."""


class TextCodec(msgspec.Struct, frozen=True, tag="text", forbid_unknown_fields=True):
    """Text to a sequence of token ids: 0 is padding, then (where used or reserved) begin and end, then the charset in order."""

    tokens: Annotated[
        Literal["characters", "words"], Meta(description="What one token is; words are split at white space.")
    ] = "characters"
    charset: Annotated[tuple[str, ...], Meta(description="The tokens in order of their ids; empty: found in the data.")] = ()
    length: Annotated[int, Meta(ge=1, le=1_000_000)] | None = None
    marks: Annotated[
        Literal["auto", "both", "begin", "end", "none"],
        Meta(description="Begin and end symbols; auto: both for teacher forcing, end for other targets, none for inputs."),
    ] = "auto"
    padding: Annotated[Literal["right", "left"], Meta(description="Where short sequences are filled up.")] = "right"
    reverse: Annotated[bool, Meta(description="Feed the sequence back to front.")] = False
    lowercase: Annotated[bool, Meta(description="Fold upper case before the look-up.")] = False
    numbering: Annotated[
        Literal["auto", "shared", "own"],
        Meta(
            description="shared: a symbol has one id in the input and the target of a decoder and in bindings of one column; "
            "marks that one of them uses are reserved in all. own: only what this binding uses is numbered. auto: as "
            "data.numbering says, and own where a block has no room for the shared numbering."
        ),
    ] = "auto"


class IdsCodec(msgspec.Struct, frozen=True, tag="ids", forbid_unknown_fields=True):
    """Integers that already are token ids, or one-hot rows, which are stored as ids.

    Padding is only what `pad_id` names and, in one-hot rows, a step of zeros. Without `pad_id` every id is a symbol, 0 too.
    """

    pad_id: (
        Annotated[
            int,
            Meta(
                ge=0,
                le=2**31 - 1,
                description="The id that means padding, which losses and metrics leave out. None: every id counts.",
            ),
        ]
        | None
    ) = None


class VectorCodec(msgspec.Struct, frozen=True, tag="vector", forbid_unknown_fields=True):
    """Numbers, standardised to mean 0 and deviation 1 over the training rows where that is needed or asked for."""

    standardise: Annotated[
        bool | Literal["auto"],
        Meta(
            description="auto: each number, except one that is -1, 0 or 1 in every training row, and one that already has a "
            "mean within 0.1 of 0 and a deviation within 0.1 of 1."
        ),
    ] = "auto"


class CategoryCodec(msgspec.Struct, frozen=True, tag="category", forbid_unknown_fields=True):
    """A label to a one-hot vector; `labels` empty: found in the data, sorted."""

    labels: tuple[str, ...] = ()


class ValuesCodec(msgspec.Struct, frozen=True, tag="values", forbid_unknown_fields=True):
    """Numbers, taken as they are."""


Codec: TypeAlias = TextCodec | IdsCodec | VectorCodec | CategoryCodec | ValuesCodec


class Binding(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One port and its column (several numeric columns make one vector).

    `file` is only given where the column is not in the dataset's main file; `codec` None: chosen from port and column.
    """

    port: str
    column: str | tuple[str, ...]
    codec: Codec | None = None
    file: str = ""

    @property
    def columns(self) -> tuple[str, ...]:
        return (self.column,) if isinstance(self.column, str) else self.column


class Split(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which rows train, validate and test: seeded random parts, or a column that says `train`, `validation` or `test`."""

    kind: Literal["random", "column"] = "random"
    validation: Annotated[float, Meta(ge=0, lt=1, description="Share of the rows that validate.")] = 0.1
    test: Annotated[float, Meta(ge=0, lt=1, description="Share of the rows kept away from training altogether.")] = 0.0
    seed: Annotated[int, Meta(ge=0, le=2**31 - 1, description="Which rows the random split chooses.")] = 0
    column: str = ""


class Reading(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """How the delimited text files of a dataset are read; `auto` decides from the content of each file."""

    header: Annotated[
        Literal["auto", "yes", "no"],
        Meta(description="Whether the first line names the columns; without, they are called column 1, column 2, ..."),
    ] = "auto"
    delimiter: Annotated[
        Literal["auto", ",", ";", "tab", "|", "space"], Meta(description="What stands between two cells of a line.")
    ] = "auto"
    quoting: Annotated[
        Literal["auto", "yes", "no"],
        Meta(description="Whether quotes around a cell are removed; auto: where every cell that begins with one is closed."),
    ] = "auto"
    encoding: Annotated[
        str, Meta(description="The character encoding as Python names it: utf-8, cp1252, latin-1, utf-16, ...")
    ] = "auto"

    def __post_init__(self) -> None:
        if self.encoding != "auto" and not is_text_encoding(self.encoding):
            raise ValueError("Expected auto or a character encoding such as utf-8, cp1252, latin-1 or utf-16")


def is_text_encoding(name: str) -> bool:
    """Whether Python knows a character encoding of this name."""
    try:
        info = codecs.lookup(name)
    except (LookupError, ValueError):
        return False
    no_files = ("idna", "punycode", "raw-unicode-escape", "undefined", "unicode-escape", "unicode_escape", "raw_unicode_escape")
    return bool(info._is_text_encoding) and info.name not in no_files


class DataSource(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The dataset of a design. A relative `file` is relative to the design file's folder.

    `numbering` is what `auto` means in the text codecs. Files that do not state it count as "own", since bound designs were
    trained so before there was a choice; the first binding of a design states "shared".
    """

    file: str = ""
    split: Split = Split()
    bindings: tuple[Binding, ...] = ()
    reading: Reading = Reading()
    numbering: Annotated[
        Numbering | None,
        Meta(
            description="shared: columns of text that belong together number their symbols alike; own (or null, as in older "
            "files): each by itself. The first column that is bound makes null shared."
        ),
    ] = None

    def with_bindings(self, bindings: tuple[Binding, ...]) -> DataSource:
        """With these bindings. The first one states the numbering, where none is stated."""
        numbering = self.numbering or ("shared" if bindings and not self.bindings else None)
        return msgspec.structs.replace(self, bindings=bindings, numbering=numbering)
