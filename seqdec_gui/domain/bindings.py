"""Bindings of columns to ports, the codecs that encode their values as numbers, the split, and the reading options."""

from __future__ import annotations

import codecs
from typing import Annotated, Literal, TypeAlias

import msgspec
from msgspec import Meta

WrongBytes = Literal["refuse", "replace", "mark"]
FaultyRows = Literal["refuse", "leave_out"]
Numbering = Literal["shared", "own"]
"""Whether columns of text that belong together share the ids of symbols, or each column has its own."""

Tokens = Literal["characters", "words", "smiles", "selfies", "graphemes", "bpe", "unigram"]
SUBWORDS: frozenset[Tokens] = frozenset(("bpe", "unigram"))
"""The kinds of tokens that a vocabulary cuts which is learned from the training rows."""
Normalise = Literal["none", "nfc", "nfkc"]
Strip = Literal["newlines", "spaces", "none"]
Longer = Literal["refuse", "truncate"]


class TextCodec(msgspec.Struct, frozen=True, tag="text", forbid_unknown_fields=True):
    """Encodes text as token ids: 0 for padding, then (if used or reserved) begin and end, then the charset in order."""

    tokens: Annotated[
        Tokens,
        Meta(
            description="What one token is. words are split at white space; smiles: atoms, such as Cl or [nH], bonds and "
            "rings; selfies: what stands in brackets; graphemes: letters with their accents, and composed emoji; bpe, unigram: "
            "subwords, pieces of words learned from the training rows."
        ),
    ] = "characters"
    charset: Annotated[tuple[str, ...], Meta(description="The tokens in order of their ids; empty: those of the data.")] = ()
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
    normalise: Annotated[
        Normalise,
        Meta(
            description="Unicode normal form of the text: nfc composes letters and accents, nfkc also unites variants such as "
            "ligatures and full-width letters."
        ),
    ] = "none"
    strip: Annotated[
        Strip, Meta(description="What is removed: line ends at the end of a text, or white space at both of its ends.")
    ] = "newlines"
    min_count: Annotated[
        int, Meta(ge=1, le=2**31 - 1, description="Tokens that occur less often than this become the unknown symbol.")
    ] = 1
    max_symbols: (
        Annotated[
            int,
            Meta(
                ge=1,
                le=2**31 - 1,
                description="The most frequent tokens that get an id; others become the unknown symbol. Of subwords the "
                "size of the vocabulary, 4,000 if empty.",
            ),
        ]
        | None
    ) = None
    unknown: Annotated[
        bool, Meta(description="Give tokens outside the charset the id of an unknown symbol, instead of refusing their rows.")
    ] = False
    longer: Annotated[
        Longer, Meta(description="What becomes of rows with more tokens than there is room for: refused, or cut at their ends.")
    ] = "refuse"

    random_order: Annotated[
        bool,
        Meta(
            description="SMILES: write the molecules of the training rows anew in every epoch, in a random order of their "
            "atoms that follows from seed, epoch and row. Needs rdkit."
        ),
    ] = False

    @property
    def has_unknown(self) -> bool:
        """Whether there is an unknown symbol: asked for, or needed since rare tokens get no id, or those of other rows."""
        return self.unknown or self.min_count > 1 or self.max_symbols is not None or self.tokens in SUBWORDS


class IdsCodec(msgspec.Struct, frozen=True, tag="ids", forbid_unknown_fields=True):
    """Stores integers that are token ids already, or one-hot rows as ids.

    Padding is the id `pad_id` and, in one-hot rows, a step of zeros. Without `pad_id` every id is a symbol, 0 included.
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


Missing = Annotated[
    Literal["refuse", "mean"], Meta(description="What stands for a missing number: nothing, its row is refused; or the mean.")
]


class VectorCodec(msgspec.Struct, frozen=True, tag="vector", forbid_unknown_fields=True):
    """Scales numbers over the training rows, if needed or asked for, and may reduce them to their principal components."""

    standardise: Annotated[
        bool | Literal["auto"],
        Meta(
            description="auto: each number, except one that is -1, 0 or 1 in every training row, and one that already has a "
            "mean within 0.1 of 0 and a deviation within 0.1 of 1."
        ),
    ] = "auto"
    scaling: Annotated[
        Literal["standard", "minmax"],
        Meta(description="standard: to mean 0 and deviation 1; minmax: to the range from 0 to 1."),
    ] = "standard"
    components: (
        Annotated[
            float,
            Meta(
                gt=0,
                le=8192,
                description="The number of principal components to which the vector is reduced, after scaling; below 1 the "
                "share of the variance that they keep. Predictions are turned back.",
            ),
        ]
        | None
    ) = None
    missing: Missing = "refuse"


class CategoryCodec(msgspec.Struct, frozen=True, tag="category", forbid_unknown_fields=True):
    """Encodes a label as a one-hot vector. If `labels` is empty, the labels of the data are used, sorted."""

    labels: tuple[str, ...] = ()


class ValuesCodec(msgspec.Struct, frozen=True, tag="values", forbid_unknown_fields=True):
    """Takes numbers as they are."""

    missing: Missing = "refuse"


class BitsCodec(msgspec.Struct, frozen=True, tag="bits", forbid_unknown_fields=True):
    """Takes every digit of a text of zeros and ones, such as a fingerprint, for a number of a vector."""

    bits: (
        Annotated[int, Meta(ge=1, le=1_000_000, description="How many digits a text has; none: as many as the first.")] | None
    ) = None


Codec: TypeAlias = TextCodec | IdsCodec | VectorCodec | CategoryCodec | ValuesCodec | BitsCodec


class Binding(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A port and its column, or several numeric columns that make up a vector.

    `file` is empty if the column is in the main file of the dataset. With `codec` None, a codec is chosen to suit the port and
    the column.
    """

    port: str
    column: str | tuple[str, ...]
    codec: Codec | None = None
    file: str = ""

    @property
    def columns(self) -> tuple[str, ...]:
        return (self.column,) if isinstance(self.column, str) else self.column


class Split(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The division of rows for training, validation and tests: random with a seed, or by a column with the names of parts."""

    kind: Literal["random", "column"] = "random"
    validation: Annotated[float, Meta(ge=0, lt=1, description="Share of the rows that validate.")] = 0.1
    test: Annotated[float, Meta(ge=0, lt=1, description="Share of the rows kept away from training altogether.")] = 0.0
    seed: Annotated[int, Meta(ge=0, le=2**31 - 1, description="Which rows the random split chooses.")] = 0
    column: str = ""


class Reading(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The options for reading the text files and sheets of a dataset; `auto` detects an option from each file's content."""

    header: Annotated[
        Literal["auto", "yes", "no"],
        Meta(description="Whether the first line names the columns; without, they are called column 1, column 2, ..."),
    ] = "auto"
    delimiter: Annotated[
        Literal["auto", ",", ";", "tab", "|", "space", "none"],
        Meta(description="What stands between two cells of a line; none: every line is one text."),
    ] = "auto"
    quoting: Annotated[
        Literal["auto", "yes", "no"],
        Meta(description="Whether quotes around a cell are removed; auto: where every cell that begins with one is closed."),
    ] = "auto"
    encoding: Annotated[
        str, Meta(description="The character encoding as Python names it: utf-8, cp1252, latin-1, utf-16, ...")
    ] = "auto"
    decimal: Annotated[
        Literal["auto", ".", ","],
        Meta(description="The decimal mark of numbers; the other of point and comma then stands between thousands."),
    ] = "auto"
    comment: Annotated[
        str,
        Meta(
            description="What lines begin with that are no rows: #, %, // and the like, anywhere in the file. none: every "
            "line is a row; auto: lines with # before the table, if they have fewer cells."
        ),
    ] = "auto"
    sheet: Annotated[str, Meta(description="The sheet of a workbook, by its name or number from 1; empty: the first.")] = ""

    wrong_bytes: Annotated[
        WrongBytes,
        Meta(
            description="What becomes of bytes that are no text in the encoding: the file is refused; U+FFFD stands for them "
            "(replace); or the control character U+007F, whose rows data.faulty_rows leaves out (mark)."
        ),
    ] = "refuse"

    def __post_init__(self) -> None:
        if self.encoding != "auto" and not is_text_encoding(self.encoding):
            raise ValueError("Expected auto or a character encoding such as utf-8, cp1252, latin-1 or utf-16")
        if not 1 <= len(self.comment) <= 8 or any(mark in self.comment for mark in '"\r\n'):
            raise ValueError("Expected auto, none, or what comment lines begin with, such as # or %")


def is_text_encoding(name: str) -> bool:
    """Return whether Python has a character encoding with this name."""
    try:
        info = codecs.lookup(name)
    except (LookupError, ValueError):
        return False
    no_files = ("idna", "punycode", "raw-unicode-escape", "undefined", "unicode-escape", "unicode_escape", "raw_unicode_escape")
    return bool(info._is_text_encoding) and info.name not in no_files


class DataSource(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The dataset of a design. A relative `file` is relative to the design file's folder.

    `numbering` is the meaning of `auto` in the text codecs. In files without it, it is "own", as in versions before there was a
    choice; the first binding of a new design sets "shared".
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

    faulty_rows: Annotated[
        FaultyRows,
        Meta(
            description="What becomes of rows that cannot be used (empty, too long, with an unknown symbol or a missing "
            "number): the training is refused, or they are left out of it, and counted."
        ),
    ] = "refuse"

    feed_map: Annotated[
        tuple[tuple[str, str], ...],
        Meta(
            description="What a decoder that takes other symbols or numbers than it predicts is fed: pairs of a predicted and "
            "a fed symbol or id, or of the places of numbers in a step; `begin` stands before what is fed first."
        ),
    ] = ()

    def with_bindings(self, bindings: tuple[Binding, ...]) -> DataSource:
        """Return the dataset with these bindings. The first binding sets the numbering to "shared" if it is not set."""
        numbering = self.numbering or ("shared" if bindings and not self.bindings else None)
        return msgspec.structs.replace(self, bindings=bindings, numbering=numbering)
