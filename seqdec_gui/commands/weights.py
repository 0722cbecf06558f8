"""Let a block begin with the weights of a file or of another run, after showing what goes where.

seqdec-gui weights design.seqdec decoder decoder.h5 -o design.seqdec --force
seqdec-gui weights design.seqdec decoder runs/roman --checkpoint last -o tuned.seqdec
seqdec-gui weights design.seqdec decoder model.weights.h5 (shows, and writes nothing)
seqdec-gui weights design.seqdec decoder --remove -o design.seqdec --force

Layers are joined by name, and by shape and order where names are others. Weights are taken only if every layer of the block
gets some, and, without --in-spite, if each computes with them what the layer of the file did. Of a file with models inside,
--part names the one that is meant. They are written beside the design, so that the block keeps them whatever becomes of
the file.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import msgspec

from seqdec_gui.commands.console import absolute, do_task, load_design, say, say_table, warn
from seqdec_gui.domain.document import SUFFIX, save
from seqdec_gui.domain.problems import InvalidInput, Problem
from seqdec_gui.domain.wording import listed
from seqdec_gui.runs.block_weights import shapes_in_words, source_file, source_words, weights_task, with_found
from seqdec_gui.runs.task_results import WeightsFound


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("design", metavar="DESIGN", help="the .seqdec file")
    parser.add_argument("block", metavar="BLOCK", help="the block that is to begin with the weights")
    parser.add_argument("source", metavar="SOURCE", nargs="?", help="a .h5, .weights.h5 or .keras file, or the folder of a run")
    parser.add_argument("--checkpoint", choices=("best", "last"), default="best", help="which weights of a run (default best)")
    parser.add_argument("--part", default="", help="which block of the run, or model inside the file (encoder, "
                        "a/b); without it the one of the block's name, or the only one that fits")  # fmt: skip
    parser.add_argument("--in-spite", action="store_true", help="write though layers of the block compute something else with "
                        "these weights: another activation, epsilon, ...")  # fmt: skip
    parser.add_argument("--remove", action="store_true", help="let the block begin with new weights again")
    parser.add_argument("-o", "--output", metavar="DESIGN", help="the .seqdec file to write; without it nothing is written")
    parser.add_argument("--force", action="store_true", help="replace a file that exists")


def run(arguments: argparse.Namespace) -> int:
    design = load_design(arguments.design)
    folder = Path(absolute(arguments.design)).parent
    output = None if arguments.output is None else Path(absolute(arguments.output))
    if output is not None and output.suffix.lower() != SUFFIX:
        raise InvalidInput(f"Expected a file that ends with {SUFFIX} after -o, received {output.name!r}.", "wrong_suffix")
    if output is not None and output.exists() and not arguments.force:
        raise InvalidInput(f"{output} exists: give --force to replace it, or another name.", "file_exists")
    if output is not None and not output.parent.is_dir():
        raise InvalidInput(f"The folder {output.parent} does not exist; make it, or choose another.", "no_folder")
    if arguments.remove == (arguments.source is not None):
        raise InvalidInput("Expected a file or a run with weights, or --remove.")
    if arguments.remove:
        if not design.has(arguments.block):
            raise InvalidInput(f"The design has no block {arguments.block!r}.", "weights_mismatch")
        design = design.with_weights(arguments.block, None)
        say(f"{arguments.block} begins with new weights")
    else:
        file = source_file(Path(absolute(arguments.source)), arguments.checkpoint)
        task = weights_task(design, arguments.block, file, folder, arguments.part)
        found = _found(task)
        _say(found)
        others = [name or "all of the file" for name in found.fitting if name != found.part]
        if others and not arguments.part and found.part != arguments.block:
            text = f"{file.name} has weights that fit in {found.part or 'all of the file'}, and others in {listed(others)}."
            raise InvalidInput([Problem("error", "weights_mismatch", arguments.block, text, "Name one with --part.")])
        if output is None:
            return 0 if found.fits and (arguments.in_spite or not found.differing) else 2
        task = msgspec.structs.replace(task, in_spite=arguments.in_spite)
        task = msgspec.structs.replace(task, folder=str(output.parent), part=found.part, sha256=found.sha256)
        found = _found(task)
        design = with_found(design, arguments.block, found, source_words(file, found.part), output.parent)
        say(f"written: {found.file}")
    if output is not None:
        save(design, output)
    return 0


def _found(task: object) -> WeightsFound:
    found = do_task(task)  # type: ignore[arg-type]
    assert isinstance(found, WeightsFound)
    return found


def _say(found: WeightsFound) -> None:
    rows = [("layer", "weights", "from the file", "joined by")]
    for row in found.rows:
        rows.append((row.layer, shapes_in_words(row.shapes), row.source or "nothing", row.how or "does not fit"))
    say_table(rows)
    for row in found.rows:
        if row.why:
            warn(f"{row.layer}: {row.why}")
    if found.left_out:
        say(f"not used: {', '.join(found.left_out)}")
    if found.part:
        others = [name or "all of the file" for name in found.fitting if name != found.part]
        say(f"taken from {found.part}" + (f"; these fit too: {', '.join(others)}" if others else ""))
    for note in found.notes:
        say(f"note: {note}")
