"""Does a task of encoding: reads rows and writes the code of each."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from seqdec_gui.data.row_file import RowFile
from seqdec_gui.data.storage import not_written
from seqdec_gui.domain.problems import InvalidInput, Problem
from seqdec_gui.runner.encoding import Encoder
from seqdec_gui.runner.sample_file import NOTHING, Beside, columns_of
from seqdec_gui.runner.told import Tell, reading_of, tell_changes, tell_notes, tell_refused
from seqdec_gui.runs.task_results import Encoded
from seqdec_gui.runs.tasks import EncodeTask, Progress, TaskChannel


def encode(task: EncodeTask, channel: TaskChannel, scratch: Path) -> Encoded:
    """Encode the rows of a task and write the file whole or not at all. Raises InvalidInput, SeqdecError."""
    from seqdec_gui.runner.generate_task import fail_unless_folder
    from seqdec_gui.runner.loaded import load

    output = Path(task.output)
    fail_unless_folder(output.parent)
    loaded = load(Path(task.run), task.checkpoint, scratch)
    encoder = Encoder(loaded.trained.design, loaded.trained.models, loaded.fitted, task.port)
    arrays, rows, beside = rows_to_encode(task, loaded, encoder, channel.send)
    parts = []
    for part in encoder.codes(arrays, rows):
        parts.append(part)
        channel.send(Progress(done=sum(map(len, parts)), total=len(rows)))
    codes = np.concatenate(parts)
    if output.suffix.lower() == ".npz":
        _write_arrays(output, codes, rows, beside)
    else:
        names = ("row", *(f"code_{number}" for number in range(codes.shape[1])))
        with RowFile(output, (*names, *beside.names(names))) as file:
            file.write(_lines(codes, rows, beside))
    tell_refused(beside.reasons, "encoded", channel.send)
    ports = tuple(map(str, encoder.ports))
    return Encoded(path=task.output, rows=len(codes), width=codes.shape[1], ports=ports, refused=len(beside.reasons))


def _lines(codes: Any, rows: Any, beside: Beside) -> Iterator[tuple[object, ...]]:
    places = {int(row): place for place, row in enumerate(rows)}
    for row in sorted({*places, *beside.reasons}):
        numbers = codes[places[row]].tolist() if row in places else [None] * codes.shape[1]
        yield (row, *numbers, *beside.cells(row))


def _write_arrays(path: Path, codes: Any, rows: Any, beside: Beside) -> None:
    """Write `codes` `(rows, numbers)`, `row` and the columns that are carried over."""
    kept = {name: np.array([cells[row] for row in rows]) for name, cells in beside.kept.items()}
    partial = path.with_name(f".{path.name}.part.npz")
    try:
        np.savez(partial, **({f"column_{name}": cells for name, cells in kept.items()} | {"codes": codes, "row": rows}))
        partial.replace(path)
    except OSError as error:
        raise not_written(path, error) from error
    finally:
        partial.unlink(missing_ok=True)


def rows_to_encode(task: EncodeTask, loaded: Any, encoder: Encoder, tell: Tell) -> tuple[dict[str, Any], Any, Beside]:
    """Return stored arrays, the numbers of the rows to encode, and what stands beside them. Raises InvalidInput."""
    from seqdec_gui.data.new_rows import encode_good_rows
    from seqdec_gui.data.rows import read_input

    if task.split is not None:
        dataset, chosen = loaded.trained.rows_of(task.split, task.trained_on)
        tell_changes(loaded.trained, tell)
        return dict(dataset.arrays), chosen, NOTHING
    wanted = encoder.wanted(loaded.fitted)
    if task.rows:
        return dict(wanted.encode_rows(columns_of(task.rows, wanted))), np.arange(len(task.rows)), NOTHING
    if task.input:
        rows = read_input(wanted, Path(task.input), task.keep, reading_of(task, loaded.trained.design))
        encoded = encode_good_rows(wanted, rows.values, rows.reasons, rows.lines)
        tell_notes(rows.notes, tell)
        return encoded.arrays, encoded.good, Beside(encoded.reasons, rows.kept)
    text = f"There are no rows to encode; expected rows with values for {', '.join(encoder.inputs)}."
    raise InvalidInput([Problem("error", "no_rows", "input", text, "Give a file with these columns by --input.")])
