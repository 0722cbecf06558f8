"""The formats of exported models: everything the program knows about each without importing Keras.

A new format is a module with a writer (`runner.exports.base.Writer`) and one row here.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from seqdec_gui.domain.problems import InvalidInput


class ExportFormat(msgspec.Struct, frozen=True, kw_only=True):
    """One format.

    - `name`: as in `--format` and in tasks. `title`: what users call it. `help`: a sentence or two for the dialog.
    - `suffixes`: the endings of its files in lower case with the dot, the usual one first.
    - `writer`: `"module:class"` of its `runner.exports.base.Writer`, which only a child imports.
    - `holds`, `opened_with`: what is in a file and the call that opens it, for the documentation.
    - `blocks`: whether a block can be exported by itself; otherwise a file always holds the whole model.
    - `folder_file`: the name of the file that is written where a folder is given as the output; "": a folder is refused.
    - `tried_at_start`: whether every run saves and reopens its untrained model in this format while it starts.
    - `instead`: the format to offer where this one cannot carry a model; "": none.
    """

    name: str
    title: str
    help: str
    suffixes: tuple[str, ...]
    writer: str
    holds: str
    opened_with: str
    blocks: bool = True
    folder_file: str = ""
    tried_at_start: bool = False
    instead: str = ""


_KERAS_FILE = "seqdec_gui.runner.exports.keras_file:KerasFile"

EXPORT_FORMATS: dict[str, ExportFormat] = {
    row.name: row
    for row in (
        ExportFormat(
            name="h5",
            title="Keras .h5, one file",
            help="Architecture and weights in one file that plain Keras opens: keras.models.load_model(path).",
            suffixes=(".h5", ".hdf5"),
            writer=_KERAS_FILE,
            holds="architecture and weights",
            opened_with="keras.models.load_model(path, compile=False)",
            tried_at_start=True,
            instead="keras",
        ),
        ExportFormat(
            name="keras",
            title="Keras .keras, one file",
            help="Architecture and weights in Keras's own format; carries everything that a design can have.",
            suffixes=(".keras",),
            writer=_KERAS_FILE,
            holds="architecture and weights",
            opened_with="keras.models.load_model(path)",
            tried_at_start=True,
        ),
        ExportFormat(
            name="script",
            title="Python script",
            help="The readable script of the design that was trained. It imports Keras alone and holds no weights.",
            suffixes=(".py",),
            writer="seqdec_gui.runner.exports.script:Script",
            holds="the Keras script without weights; imported Keras files lie beside it",
            opened_with='from model import build; build()["full"]',
            blocks=False,
            folder_file="model.py",
        ),
    )
}
"""Every format by name, in the order in which the dialog and messages list them."""


def export_format(name: str) -> ExportFormat:
    """The row of a format. Raises InvalidInput with the formats that there are."""
    if name not in EXPORT_FORMATS:
        text = f"The format {name!r} is not available; available are {', '.join(EXPORT_FORMATS)}."
        raise InvalidInput(text, "no_such_format")
    return EXPORT_FORMATS[name]


def has_suffix_of(path: Path, row: ExportFormat) -> bool:
    """Whether the path ends as files of the format do, in capitals or not."""
    return path.suffix.lower() in row.suffixes


def file_to_write(output: Path, row: ExportFormat) -> Path:
    """The file that an export to `output` writes: in a folder if the format allows it, with its ending in lower case.

    Keras and Python recognise their files by endings in lower case alone, so that `MODEL.H5` becomes `MODEL.h5`.
    Raises InvalidInput where the path ends otherwise than files of the format do.
    """
    if row.folder_file and not has_suffix_of(output, row):
        output = output / row.folder_file
    if not has_suffix_of(output, row):
        wanted = " or ".join(row.suffixes)
        raise InvalidInput(f"Expected a file name that ends with {wanted}, got {output.name}.", "bad_suffix", "output")
    return output.with_suffix(output.suffix.lower())
