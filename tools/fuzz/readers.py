"""What the program does with each kind of file from strangers. Each raises SeqdecError, a sentence, for what it refuses."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np

_ROWS = 50


def read_data(path: Path) -> None:
    """Show a page of every column and read all of it."""
    from seqdec_gui.data.tables import open_table
    from seqdec_gui.domain.problems import SeqdecError

    table = open_table(path)
    refusals = []
    for column in table.columns:
        try:
            table.page(column.name, 0, _ROWS)
            for _ in table.text_chunks(column.name) if column.kind == "text" else table.chunks(column.name):
                pass
        except SeqdecError as error:
            refusals.append(error)
    if refusals:
        raise refusals[0]


def read_design(path: Path) -> None:
    """Check a design, and write its script."""
    from seqdec_gui.domain.codegen import generate
    from seqdec_gui.domain.document import load
    from seqdec_gui.domain.validation import check

    design = load(path)
    check(design)
    generate(design)


def read_fit(path: Path) -> None:
    """Encode rows as the training did."""
    from seqdec_gui.data import fitted

    known = fitted.load(path)
    known.encode_rows({port.name: np.zeros((2, 3)) for port in known.inputs})


def read_commands(path: Path) -> None:
    from seqdec_gui.runs.control import CommandReader

    CommandReader(path).read()


def read_run(path: Path) -> None:
    """List the run of which this is one file, and read its curves."""
    from seqdec_gui.runs import state
    from seqdec_gui.runs.folder import RunFolder
    from seqdec_gui.runs.reader import EventTail

    run = RunFolder(path.parent)
    state.summary(run)
    EventTail(run.events).read()
    run.read_spec()


def read_bundle(path: Path) -> None:
    """Unpack it, and read its design and its fit; the models in it are Keras files, which have tests of their own."""
    from seqdec_gui.data import fitted
    from seqdec_gui.domain import document
    from seqdec_gui.runner import bundle_file

    folder = path.with_name("unpacked")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    bundle_file.is_bundle(path)
    bundle_file.unpack(path, folder)
    for name, read in (("design.seqdec", document.load), ("data.json", fitted.load)):
        if (folder / name).is_file():
            read(folder / name)


READERS = {
    "data": read_data,
    "design": read_design,
    "fit": read_fit,
    "commands": read_commands,
    "run": read_run,
    "bundle": read_bundle,
}
"""By the kind of file."""
