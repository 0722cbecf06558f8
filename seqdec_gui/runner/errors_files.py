"""Writes the errors of a model: all of them into one file of JSON, or as tables into a folder."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from seqdec_gui.data.row_file import RowFile
from seqdec_gui.data.storage import not_written
from seqdec_gui.domain.problems import InvalidInput
from seqdec_gui.runner.generate_task import fail_unless_folder
from seqdec_gui.runs.files import pretty_json, write_atomically
from seqdec_gui.runs.quality.errors import Errors

JSON = ".json"
TABLES = {
    "confusion.csv": ("target", "generated", "count"),
    "positions.csv": ("position", "rows", "wrong", "inserted"),
    "lengths.csv": ("length", "rows", "exact", "edits"),
    "worst.csv": (
        "row", "input", "target", "generated", "edits", "alignment", "target_log_probability", "generated_log_probability",
    ),
    "candidates.csv": ("row", "step", "chosen", "probability", "rank", "candidate", "candidate_probability"),
}  # fmt: skip
"""The columns of each table; the attributes of the structs in `runs.quality.errors`, but for the candidates."""


def write(errors: Errors, output: Path) -> list[Path]:
    """Write the file `output` if it ends in .json, else `errors.json` and tables into that folder. Raises SeqdecError."""
    fail_unless_folder(output.parent)
    if output.suffix.lower() == JSON:
        return [_json(errors, output)]
    try:
        output.mkdir(exist_ok=True)
    except FileExistsError:
        text = f"{output} is a file; expected a folder, or a file that ends in .json."
        raise InvalidInput(text, "no_folder", "output") from None
    except OSError as error:
        raise not_written(output, error) from error
    paths = [_json(errors, output / "errors.json")]
    for name, columns in TABLES.items():
        with RowFile(output / name, columns) as file:
            file.write(_rows(errors, name, columns))
        paths.append(output / name)
    return paths


def _json(errors: Errors, path: Path) -> Path:
    try:
        write_atomically(path, pretty_json(errors))
    except OSError as error:
        raise not_written(path, error) from error
    return path


def _rows(errors: Errors, name: str, columns: Sequence[str]) -> Iterator[tuple[object, ...]]:
    if name == "candidates.csv":
        for wrong in errors.worst:
            for step, choice in enumerate(wrong.steps, start=1):
                for rank, candidate in enumerate(choice.candidates, start=1):
                    yield (wrong.row, step, choice.chosen, choice.probability, rank, candidate.symbol, candidate.probability)
        return
    for each in getattr(errors, name.removesuffix(".csv")):
        yield tuple(getattr(each, column) for column in columns)
