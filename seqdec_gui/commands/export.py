"""Write a trained model for use elsewhere.

A file of weights is opened in a fresh process and compared with the trained model on real rows before success is reported.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from seqdec_gui.commands.console import absolute, do_task, say, say_table
from seqdec_gui.commands.tasks import add_checkpoint, add_feed_map, existing_file, trained_run
from seqdec_gui.domain.codegen import parts
from seqdec_gui.domain.problems import InvalidInput, SeqdecError
from seqdec_gui.domain.scaling import Scaling
from seqdec_gui.runs.export_formats import (
    EXPORT_FORMATS,
    INITIAL_STATES,
    ONE_STEP,
    STEP_PARTS,
    ExportFormat,
    export_format,
    fail_unless_installed,
)
from seqdec_gui.runs.folder import RunFolder
from seqdec_gui.runs.task_names import WEIGHTS_WORDS, WeightsInUse
from seqdec_gui.runs.task_results import Exported, ExportedAll
from seqdec_gui.runs.tasks import ExportAllTask, ExportTask


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", metavar="RUN", help="the run folder")
    chosen = parser.add_mutually_exclusive_group(required=True)
    chosen.add_argument("--format", metavar="FORMAT", help=f"one of {', '.join(EXPORT_FORMATS)}")
    chosen.add_argument("--all", action="store_true", help="every format, and a table of what came out")
    parser.add_argument(
        "-o", "--output", metavar="PATH", help="the file to write, with --all a folder (default: exports/ in the run folder)"
    )
    parser.add_argument(
        "--part",
        metavar="PART",
        default="full",
        help=f"full (default), the id of one block, {ONE_STEP} (one step of the decoder, states in and out) or "
        f"{INITIAL_STATES} (what it starts from)",
    )
    add_checkpoint(parser)
    add_feed_map(parser)
    parser.add_argument(
        "--raw-inputs",
        action="store_true",
        help="build the standardising of the inputs into the file, so that it takes the numbers of the data",
    )


def run(arguments: argparse.Namespace) -> int:
    format = None if arguments.all else export_format(arguments.format)
    if format is not None:
        fail_unless_installed(format)
    target = trained_run(arguments.run, arguments.checkpoint)
    known = ["full", *parts(target.read_spec().load_design()), *STEP_PARTS]
    if arguments.part not in known:
        text = f"There is no part {arguments.part!r} with layers to export; there are {', '.join(known)}."
        raise InvalidInput(text, "no_such_part")
    return _all(arguments, target) if format is None else _one(arguments, target, format)


def _one(arguments: argparse.Namespace, target: RunFolder, format: ExportFormat) -> int:
    output = arguments.output or target.exports / f"{arguments.part}{format.proposed_ending}"
    result = do_task(
        ExportTask(
            run=str(target.path),
            format=format.name,
            output=absolute(str(output)),
            part=arguments.part,
            checkpoint=arguments.checkpoint,
            raw_inputs=arguments.raw_inputs,
            feed_map=absolute(existing_file(arguments.feed_map)) if arguments.feed_map else "",
        )
    )
    assert isinstance(result, Exported)
    if result.difference is not None:
        say(f"largest difference to the trained model on {result.rows:,} rows: {result.difference:.3g}")
    if result.seconds:
        times = f"{result.seconds * 1e3:.2g} ms (Keras here: {result.keras_seconds * 1e3:.2g} ms)"
        say(f"{result.bytes:,} bytes; {result.rows:,} rows in {times}")
    _say_weights(result.weights)
    _say_standardised(result.standardised)
    for path in result.paths:
        say(f"exported {path}")
    return 0


def _all(arguments: argparse.Namespace, target: RunFolder) -> int:
    """Export every format. Returns 1 if one failed that should have worked."""
    folder = Path(arguments.output) if arguments.output else target.exports
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        raise SeqdecError(f"The folder {folder} cannot be made: {error.strerror}.") from error
    result = do_task(
        ExportAllTask(
            run=str(target.path),
            folder=absolute(str(folder)),
            formats=tuple(EXPORT_FORMATS),
            part=arguments.part,
            checkpoint=arguments.checkpoint,
            raw_inputs=arguments.raw_inputs,
            feed_map=absolute(existing_file(arguments.feed_map)) if arguments.feed_map else "",
        )
    )
    assert isinstance(result, ExportedAll)
    rows = [("format", "result", "difference", "bytes", "ms", "file")]
    for each in result.results:
        if each.sentence:
            rows.append((each.format, "not possible" if each.limit else "failed", "", "", "", each.sentence))
        else:
            times = f"{each.seconds * 1e3:.3g}" if each.seconds else ""
            name = Path(each.paths[0]).name
            rows.append((each.format, "equal", f"{each.difference:.2g}", f"{each.bytes:,}", times, name))
    say_table(rows)
    compared = max((each.rows for each in result.results), default=0)
    say(f"difference: the largest on {compared:,} rows; ms: for these rows (Keras here: {result.keras_seconds * 1e3:.3g})")
    _say_weights(result.weights)
    _say_standardised(result.standardised)
    say(f"exported into {folder}")
    return int(any(each.sentence and not each.limit for each in result.results))


def _say_weights(weights: WeightsInUse | None) -> None:
    if weights is not None:
        say(f"weights: {WEIGHTS_WORDS[weights]}")


def _say_standardised(scalings: tuple[Scaling, ...]) -> None:
    for scaling in scalings:
        say(scaling.sentence())
    if any(scaling.role == "input" for scaling in scalings):
        say("Export with --raw-inputs for a file that takes the numbers of the data.")
