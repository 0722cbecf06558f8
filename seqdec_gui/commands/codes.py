"""Arguments that generate from codes in place of rows: of a file, between two rows, around rows, or at random."""

from __future__ import annotations

import argparse
import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from seqdec_gui.commands.console import absolute, do_task
from seqdec_gui.commands.numbers import number, whole_number
from seqdec_gui.commands.tasks import existing_file
from seqdec_gui.data.code_points import Codes, around, at_random, between, read_codes, write_codes
from seqdec_gui.domain.generation import variational_width
from seqdec_gui.domain.problems import InvalidInput
from seqdec_gui.runs.folder import open_run
from seqdec_gui.runs.task_results import Encoded
from seqdec_gui.runs.tasks import EncodeTask


def add_codes(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `codes_of`. The parser has those of rows, `count`, `seed`, `checkpoint` and `devices`."""
    group = parser.add_argument_group("codes in place of rows")
    group.add_argument("--codes", metavar="FILE", help="generate from codes that encode wrote: .npz or .csv")
    text = "generate from codes between those of two rows (from 0), in a straight line"
    group.add_argument("--interpolate", metavar=("A", "B"), nargs=2, type=whole_number(0), help=text)
    text = "codes of --interpolate, both rows included (default: 10)"
    group.add_argument("--steps", metavar="N", type=whole_number(2), default=10, help=text)
    text = "generate from codes around those of the rows: one per copy, with normal noise of this deviation"
    group.add_argument("--noise", metavar="S", type=number(0), help=text)
    text = "copies of each row with --noise (default: 10)"
    group.add_argument("--copies", metavar="N", type=whole_number(1), default=10, help=text)
    text = "generate from N standard normal codes, for a variational bottleneck"
    group.add_argument("--random-codes", metavar="N", type=whole_number(1), help=text)
    text = "the output that is the code, as in encode (default: the last called mean or code, else the initial states)"
    group.add_argument("--port", metavar="BLOCK.PORT", default="", help=text)


@contextlib.contextmanager
def codes_of(arguments: argparse.Namespace, where: str, trained_on: int, rows: str) -> Iterator[str]:
    """Yield the path of a file with the codes that the arguments mean; empty if they give rows.

    `rows` is the file of rows, if any. Codes of rows are computed in a task of their own. Raises InvalidInput.
    """
    names = ("codes", "interpolate", "noise", "random_codes")
    chosen = [name for name in names if getattr(arguments, name) is not None]
    flags = [f"--{name.replace('_', '-')}" for name in chosen]
    if len(chosen) > 1:
        raise InvalidInput(f"{flags[0]} and {flags[1]} do not go together; expected one of them.", "bad_codes")
    of_rows = chosen and chosen[0] in ("interpolate", "noise")
    if of_rows and not rows and not arguments.split:
        raise InvalidInput(f"{flags[0]} needs rows; give them by --input or --split.", "no_rows")
    if chosen and not of_rows and (rows or arguments.split):
        raise InvalidInput(f"{flags[0]} stands in the place of rows; give no --input and no --split.", "bad_codes")
    if not chosen:
        yield ""
        return
    if arguments.codes is not None:
        yield absolute(existing_file(arguments.codes))
        return
    with tempfile.TemporaryDirectory(prefix="seqdec-gui-") as folder:
        path = Path(folder) / "codes.npz"
        write_codes(path, _made(arguments, where, trained_on, rows, path))
        yield str(path)


def _made(arguments: argparse.Namespace, where: str, trained_on: int, rows: str, scratch: Path) -> Codes:
    if arguments.random_codes is not None:
        codes = at_random(arguments.random_codes, _variational_width(where), arguments.seed)
        return Codes(codes, np.arange(len(codes)), {})
    encoded = do_task(
        EncodeTask(
            run=absolute(where),
            input=rows,
            split=arguments.split,
            trained_on=trained_on,
            output=str(scratch),
            checkpoint=arguments.checkpoint,
            port=arguments.port,
        ),
        arguments.devices,
    )
    assert isinstance(encoded, Encoded)
    found = read_codes(scratch)
    if arguments.noise is not None:
        near = around(found.codes, arguments.copies, arguments.noise, arguments.seed)
        return Codes(near, np.repeat(found.rows, arguments.copies), {})
    places = {int(row): place for place, row in enumerate(found.rows)}
    for row in arguments.interpolate:
        if row not in places:
            raise InvalidInput(f"There is no code of row {row}; expected one of {_some(sorted(places))}.", "bad_codes")
    one, other = (found.codes[places[row]] for row in arguments.interpolate)
    share = [f"{step:.6g}" for step in np.linspace(0, 1, arguments.steps)]
    first, last = arguments.interpolate
    nearest = np.where(np.linspace(0, 1, arguments.steps) < 0.5, first, last)
    return Codes(between(one, other, arguments.steps), nearest, {"share": share})


def _variational_width(where: str) -> int:
    """Return how many numbers the code of a run's variational bottleneck has. Raises InvalidInput for runs without one."""
    if width := variational_width(open_run(where).read_spec().load_design()):
        return width
    text = "Random codes are for a run with a variational bottleneck, whose codes are near a normal distribution."
    raise InvalidInput(f"{text} Use --noise with rows.", "bad_codes")


def _some(rows: list[int]) -> str:
    return ", ".join(map(str, rows[:8])) + (", …" if len(rows) > 8 else "")
