"""Make a design of a trained Keras model or of a prior of REINVENT 4, or add the model to a design as a block.

seqdec-gui import decoder.h5 -o decoder.seqdec
seqdec-gui import model.json --weights weights.h5 -o model.seqdec
seqdec-gui import encoder.keras --into mine.seqdec -o mine.seqdec --force
seqdec-gui import reinvent.prior -o prior.seqdec

Files of Keras 3 and Keras 2 (.keras, .h5), descriptions (.json) with their weights, and folders of SavedModels are read;
nothing of a file is run. A file of Keras 2 is written as .keras beside the design, and compared with tf_keras where that is
installed. A prior of REINVENT becomes an editable decoder that begins with its weights; PyTorch is not needed.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from seqdec_gui.commands.console import absolute, do_task, load_design, say
from seqdec_gui.domain.design import Design
from seqdec_gui.domain.document import SUFFIX, save
from seqdec_gui.domain.paths import expanded
from seqdec_gui.domain.problems import InvalidInput
from seqdec_gui.domain.validation import check
from seqdec_gui.domain.wording import listed
from seqdec_gui.runs.import_design import design_of
from seqdec_gui.runs.imports import import_folder, with_keras_model
from seqdec_gui.runs.priors import design_of_prior, is_prior, with_prior
from seqdec_gui.runs.splitting import split_task, with_divided
from seqdec_gui.runs.task_results import Divided, Inspected, PriorOpened
from seqdec_gui.runs.tasks import InspectTask, PriorTask


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE", help="a .keras, .h5, .json or .prior file, or the folder of a SavedModel")
    parser.add_argument("-o", "--output", metavar="DESIGN", required=True, help="the .seqdec file to write")
    parser.add_argument("--weights", metavar="W", help="the file with the weights, where FILE describes the model alone")
    parser.add_argument("--into", metavar="DESIGN", help="a design to which the model is added as a block, without wires")
    parser.add_argument(
        "--split",
        action="store_true",
        help="divide the model into its submodels, as editable blocks where a kind matches exactly",
    )
    parser.add_argument("--force", action="store_true", help="replace a file that exists")


def _split(design: Design, block_id: str, folder: Path) -> Design:
    """Return the design with the block divided, and say into what."""
    divided = do_task(split_task(design, block_id, folder, folder))
    assert isinstance(divided, Divided)
    design, blocks = with_divided(design, block_id, divided, folder)
    for block in (design.block(name) for name in blocks):
        why = divided.closed.get(block.id, "")
        say(f"{block.id}: {block.parameters.title}{f' (closed: {why})' if why else ''}")
    return design


def _import_prior(arguments: argparse.Namespace, source: Path, into: Design | None, folder: Path, output: Path) -> int:
    """Write the design of a prior, or the other design with its decoder, and say what is to be done next."""
    if arguments.weights is not None:
        raise InvalidInput(f"{source.name} holds its weights itself: leave --weights out.", "unused_option")
    opened = do_task(PriorTask(path=str(source), folder=str(folder)))
    assert isinstance(opened, PriorOpened)
    if into is None:
        design, block_id = design_of_prior(opened, output.parent), opened.block
    else:
        design, block_id = with_prior(into, opened, source, output.parent)
    save(design, output)
    what = f"{opened.tokens:,} tokens, {opened.parameters:,} parameters"
    say(f"{output}: {source.name} is the block {block_id}, {what}")
    if into is None:
        say(f"train it with: seqdec-gui train {output.name} --data SMILES_FILE --bind {design.data.bindings[0].port}=COLUMN")
    for problem in check(design).problems:
        say(f"{problem.severity}: {problem.sentence()}")
    return 0


def run(arguments: argparse.Namespace) -> int:
    output = Path(absolute(arguments.output))
    if output.suffix.lower() != SUFFIX:
        raise InvalidInput(f"Expected a file that ends with {SUFFIX} after -o, received {output.name!r}.", "wrong_suffix")
    if output.exists() and not arguments.force:
        raise InvalidInput(f"{output} exists: give --force to replace it, or another name.", "file_exists")
    if not output.parent.is_dir():
        raise InvalidInput(f"The folder {output.parent} does not exist; make it, or choose another.", "no_folder")
    source = Path(absolute(arguments.file))
    into = None if arguments.into is None else load_design(arguments.into)
    weights = "" if arguments.weights is None else absolute(arguments.weights)
    folder = import_folder(source, output.parent)
    if is_prior(source):
        return _import_prior(arguments, source, into, folder, output)
    inspected = do_task(InspectTask(path=str(source), weights=weights, folder=str(folder)))
    assert isinstance(inspected, Inspected)
    design, block_id = (
        design_of(inspected, source, output.parent)
        if into is None
        else with_keras_model(into, inspected, source, output.parent)
    )
    parts = [block_id]
    if arguments.split:
        others = {block.id for block in design.blocks} - {block_id}
        design = _split(design, block_id, output.parent)
        parts = [block.id for block in design.blocks if block.id not in others]
    save(design, output)
    if inspected.file:
        say(f"written for Keras 3: {inspected.file}")
    if inspected.difference is not None:
        say(f"largest difference to Keras 2: {inspected.difference:.3g}")
    report = check(design)
    word = "block" if len(parts) == 1 else "blocks"
    say(f"{output}: {expanded(arguments.file).name} is the {word} {listed(parts)}, {inspected.parameters:,} parameters")
    if not arguments.split:
        say("its layers are one closed block; --split divides it into blocks that can be edited, where a kind matches exactly")
    for problem in report.problems:
        say(f"{problem.severity}: {problem.sentence()}")
    return 0
