"""Write docs/design_file.md and docs/problems.md, and the table in docs/export.md: tables come from the program itself."""

from __future__ import annotations

import argparse
import inspect
from pathlib import Path
from typing import Any, get_args

import msgspec

from seqdec_gui.data.formats.registry import DATA_FORMATS
from seqdec_gui.domain import bindings
from seqdec_gui.domain import codes as problem_codes
from seqdec_gui.domain.annotations import COLORS
from seqdec_gui.domain.catalog import KINDS, Field, fields
from seqdec_gui.domain.document import FORMAT, dumps, load
from seqdec_gui.domain.training import Training
from seqdec_gui.resource_files import path
from seqdec_gui.runs.export_formats import EXPORT_FORMATS

TABLE_LINE = "\n|---|---|---|---|\n"
ROOT = Path(__file__).resolve().parent.parent
HEAD = f"""# The design file

A `.seqdec` file is JSON (UTF-8), format {FORMAT}. It holds everything that a run needs except devices and engine. This page is
written by `tools/make_design_docs.py` from the program itself; a test fails when it is out of date.

```
{{"format": {FORMAT},
 "id": ...,
 "blocks": [{{"id": ..., "kind": ..., "parameters": {{...}}, "position": [x, y]}}, ...],
 "links": [{{"from": "block.port", "to": "block.port"}}, ...],
 "data": {{"file": ..., "split": {{...}}, "bindings": [...], "reading": {{...}}, "numbering": ...}},
 "training": {{...}},
 "frames": [{{"id": ..., "title": ..., "color": ..., "position": [x, y], "size": [width, height]}}, ...],
 "notes": [{{"id": ..., "text": ..., "color": ..., "position": [x, y], "size": [width, height]}}, ...]}}
```

- **`format`**: a reader refuses a greater number than it knows, in a sentence, and never guesses. Unknown fields
  are refused too.
- **`id`**: a text that tells this design from others (32 hexadecimal digits, made by the program). Runs carry it, so that they
  are found whatever the file is called and wherever it lies. Saving under another name makes another design with an id of its
  own; a copied file keeps its id and shows the same runs. It may be left out: runs are then found by folder and name, and the
  window writes an id at the next save.
- **`blocks`**: `id` becomes the submodel's name. It is unique, has at most 200 ASCII letters, digits and `_`, begins with a
  letter, and is no keyword of Python, not `training`, and no name that the script uses itself (`full`, `build`, `keras`,
  `layers`, `list`, `dict`, `Path`, `models`). Parameters left out have
  their defaults.
  `position` is the place of the upper left corner in the design view, in pixels at 100 %.
  `weights` (may be left out) is what the block begins with: a `file` in the form of a checkpoint, relative to the design's
  folder, the `part` of it, its check sum `sha256`, how many numbers it holds (`parameters`), and in words where they were
  taken from (`source`).
- **`links`**: from an output port to an input port. An input takes one link, an output feeds any number.
- **`frames`**, **`notes`** (both may be left out): titled rectangles behind the blocks, and texts, as the design view shows
  them. They mean nothing to the model, and `check` says nothing of them. `id` is unique among frames and notes; `color` is one
  of {", ".join(f"`{color}`" for color in COLORS)}. Places and sizes are in pixels at 100 %.
  The blocks whose middle lies in a frame move along with it; the file does not list them.
- **`data.file`**: relative paths are relative to the design's folder.
- A file is written under a temporary name and renamed, so it is whole or not there.
"""
BINDINGS = """## Data

`bindings` name the column of each port: `{"port": ..., "column": ..., "codec": {"type": ..., ...}}`. `port` is the output of an
input block (`latent.output`, or just `latent`), the targets of a loss (`loss.targets`), or the input of the decoder
(`model_2.inputs`), which feeds a decoder of symbols and its loss at once: the targets are the inputs one step ahead. A decoder
of numbers (with an error as its loss) has a column for each end. `column` may be a list of numeric columns, which make one
vector. `file` names another file than the dataset's. Without `codec` one is chosen from the port and the column.

`numbering` is `"shared"`, `"own"` or null. With `"shared"`, columns of text that belong together have one charset and one
layout of ids, so that a symbol has the same id in all of them: the input and the target of one decoder that are bound to two
columns, and one column that is bound to several ports. An id is then kept for every mark that one of them uses. Where a block
has no room for that, the columns are numbered each by itself, with a remark that names the parameter to raise; a text codec
with `"numbering": "shared"` makes that an error. `"own"` numbers every binding by itself. Null means `"own"`, as designs were
trained before there was a choice; the first column that is bound to a design turns null into `"shared"`.

`feed_map` (may be left out) is a list of pairs `["predicted", "fed"]` for a decoder that takes other symbols than it predicts:
after each predicted symbol or id the one that is fed, and `["begin", ...]` with what is fed first. Of a decoder of numbers the
pairs are places in a step, from 0: of a predicted number (or `=0.5`, `=first`) and of a fed one ([sampling.md](sampling.md)).
"""
FILES = """### Data files

The ending of a file, in capitals or not, says its format. Text files may be compressed: `words.csv.gz`, also with `.bz2`,
`.xz`, `.zst` and, with one file in it, `.zip`; up to 4 GiB when open. Workbooks need the extra `xlsx`, MATLAB files up to
version 7 `mat`, binary molecules `rdkit`, grapheme clusters `text`, subwords `subwords`: `pip install "seqdec-gui[xlsx]"`.

| endings | format | columns hold |
|---|---|---|
"""
READING = """### `reading`

How the text files and sheets of `data` are read; left out where all is `auto`. On the command line these are
`data.header`, `data.delimiter`, `data.decimal` and so on: `train --set data.header=no`. What `auto` decides is shown on
the Data page, and what might be decided otherwise is a warning before training. New rows to generate from are read alike.

- **`header`**: a text above a column of numbers names it; in a table of words the first line is compared with the
  others. A first line with the name of a bound column is a header. Without a header columns are called `column 1`,
  `column 2`, ...
- **`quoting`**: the quotes around cells are removed where every cell that begins with a quote is closed by one right
  before a delimiter or a line end. Otherwise all quotes are characters of the text.
- **`encoding`**: by the byte order mark; UTF-8 if the file is valid in it; UTF-16 and UTF-32 by their zero bytes;
  else cp1252. Text that makes no Western words, or has bytes that cp1252 lacks, is refused with a proposal. With few
  letters outside ASCII the message says that it is a guess, and names the encodings that are possible too.
- **`delimiter`**: in a `.txt` file a line is one text, unless most lines have as many tabs, or commas, semicolons or bars
  cut all of them into a table.
- **`decimal`**: one for the whole file: a comma if a column proves it and none proves a point. `1.234` beside `1,5` is
  then above a thousand, with a warning.
- Empty lines are skipped, except in a file with one column, where they are rows without a value; those at the end
  of the file are left out of the training, with a message, and are rows in a file of new rows. Lines that begin
  with `#` before the first row are skipped where they have fewer cells than it. The number of rows read is compared
  with the lines of the file.

"""


PROBLEMS = """# Problem codes

Every problem that the program reports has a severity, a code, a place, a text and a hint; `seqdec-gui check DESIGN --json`
lists those of a design, with a further field `wanted` where the hint says which number to set. Codes are stable: scripts may
rely on them. This page is written by `tools/make_design_docs.py` from `seqdec_gui/domain/codes.py`; a test fails when it is out
of date.
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-o", "--output", type=Path, default=ROOT / "docs", help="the folder to write to (default: docs)")
    folder = parser.parse_args().output
    (folder / "design_file.md").write_text(text())
    (folder / "problems.md").write_text(problems())
    (folder / "export.md").write_text(export((ROOT / "docs" / "export.md").read_text()))


def problems() -> str:
    """The whole page of problem codes."""
    parts = [PROBLEMS]
    for place, title in problem_codes.PLACES.items():
        rows = [row for row in problem_codes.CODES.values() if row.about == place]
        lines = ["| code | meaning, and what to do |", "|---|---|", *(f"| `{row.code}` | {row.help} |" for row in rows)]
        parts.append(f"## {title}\n\n" + "\n".join(lines) + "\n")
    return "\n".join(parts)


def export(page: str) -> str:
    """The page about exports with the table of formats as it is now."""
    rows = [f"| format | ending | what it holds | open it with |{TABLE_LINE}"]
    for row in EXPORT_FORMATS.values():
        endings = quoted(row.suffixes) + (f", or a folder that gets `{row.folder_file}`" if row.folder_file else "")
        rows.append(f"| `{row.name}` | {endings} | {row.holds} | `{row.opened_with}` |\n")
    before, _, rest = page.partition("| format | ending |")
    return before + "".join(rows) + rest[rest.index("\n\n") + 1 :]


def files() -> str:
    """The formats of data files."""
    return FILES + "".join(f"| {quoted(row.suffixes)} | {row.title} | {row.holds} |\n" for row in DATA_FORMATS.values())


def quoted(suffixes: tuple[str, ...]) -> str:
    return ", ".join(f"`{suffix}`" for suffix in suffixes)


def text() -> str:
    """The whole page."""
    parts = [HEAD, "## Block kinds\n"]
    for name, kind in KINDS.items():
        default = kind()
        parts.append(f"### `{name}`: {kind.title}\n\n{kind.summary}\n")
        parts += [f"- in `{p.name}`{' (optional)' if p.optional else ''}: {p.takes}" for p in default.inputs()]
        parts += [f"- out `{p.name}`: {p.gives}" for p in default.outputs()]
        parts.append("\n" + table(fields(kind)))
        for field in fields(kind):
            parts += [f"Rows of `{field.name}`:\n\n{rows(field)}" for _ in [field.rows] if field.rows]
    parts.append(BINDINGS)
    parts.append(files())
    parts += [codec(struct) for struct in codecs()]
    parts.append("### `split`\n\n" + table(fields(bindings.Split)))
    parts.append(READING + table(fields(bindings.Reading)))
    parts.append("## Training\n\n" + table(fields(Training)))
    archetype = dumps(load(path("templates/latent-to-sequence.seqdec")))
    parts.append(f"## The archetype\n\n`seqdec-gui new latent-to-sequence -o seed.seqdec` writes:\n\n```json\n{archetype}```")
    return "\n".join(parts) + "\n"


def table(described: tuple[Field, ...]) -> str:
    if not described:
        return "No parameters.\n"
    lines = ["| parameter | type | default | |", "|---|---|---|---|"]
    for field in described:
        notes = " ".join(filter(None, (field.help, f"({field.range_text()})" if field.range_text() else "")))
        type = " \\| ".join(f"`{choice}`".replace("|", "\\|") for choice in field.choices) or field.type
        type += " or null" if field.optional else ""
        lines.append(f"| `{field.name}` | {type} | {shown(field.default)} | {notes} |")
    return "\n".join(lines) + "\n"


def rows(field: Field) -> str:
    lines = ["| layer | parameters |", "|---|---|"]
    for name, inner in field.rows.items():
        parameters = ", ".join(f"`{item.name}` = {shown(item.default)}" for item in inner)
        lines.append(f"| `{name}` | {parameters or '–'} |")
    return "\n".join(lines) + "\n"


def shown(value: Any) -> str:
    return f"`{msgspec.json.encode(value).decode()}`"


def codecs() -> tuple[type[msgspec.Struct], ...]:
    return get_args(bindings.Codec)


def codec(struct: type[msgspec.Struct]) -> str:
    name = struct.__struct_config__.tag
    return f'### codec `{{"type": "{name}"}}`\n\n{inspect.getdoc(struct)}\n\n{table(fields(struct))}'


if __name__ == "__main__":
    main()
