"""What can be exported of a run, and how the dialog says what came of it."""

from __future__ import annotations

from seqdec_gui.data.scaling import scalings
from seqdec_gui.domain.dataflow import sources_of
from seqdec_gui.domain.design import Design
from seqdec_gui.domain.generation import stepped_decoder
from seqdec_gui.domain.problems import InvalidInput
from seqdec_gui.domain.shapes import infer
from seqdec_gui.runs.export_formats import INITIAL_STATES, ONE_STEP
from seqdec_gui.runs.folder import RunFolder
from seqdec_gui.runs.task_names import WEIGHTS_WORDS
from seqdec_gui.runs.task_results import Exported, ExportedAll


def read_run(run: RunFolder) -> tuple[RunFolder, Design, bool]:
    """Return the run, its design, and whether it was trained on standardised inputs."""
    try:
        scalers = scalings(run.read_fit())
    except InvalidInput:  # the export itself reports it
        scalers = ()
    return run, run.read_spec().load_design(), any(scaling.role == "input" for scaling in scalers)


def step_parts(design: Design) -> list[tuple[str, str]]:
    """Return the parts with which others can generate, and what they are called; none without a decoder of steps."""
    decoder = stepped_decoder(design, infer(design))
    if not decoder:
        return []
    found = [(ONE_STEP, f"One step of {decoder}: states in, states out")]
    if sources_of(design, decoder, leave_out=("inputs",)):
        found.append((INITIAL_STATES, f"The states with which {decoder} begins"))
    return found


def block_parts(design: Design) -> list[tuple[str, int]]:
    """Return the ids of the blocks that are models of their own, with their parameter counts."""
    inferred = infer(design).blocks
    return [
        (block.id, inferred[block.id].parameters)
        for block in design.blocks
        if inferred[block.id].submodel is not None or block.parameters.imported is not None
    ]


def lines_of(made: Exported) -> list[str]:
    """What there is to know of an exported file, and its path."""
    lines = []
    if made.difference is not None:
        lines.append(f"Largest difference on {made.rows:,} rows: {made.difference:.2g}")
    if made.seconds:
        times = f"{made.seconds * 1e3:.2g} ms; Keras here takes {made.keras_seconds * 1e3:.2g} ms"
        lines.append(f"{made.bytes:,} bytes; the rows take {times}")
    return [*lines, *notes_on(made), *made.paths]


def notes_on(made: Exported | ExportedAll) -> list[str]:
    """Return a line on which weights were exported, if there is a choice, and one on each tensor that is standardised."""
    weights = [f"Weights: {WEIGHTS_WORDS[made.weights]}"] if made.weights is not None else []
    return weights + [scaling.sentence() for scaling in made.standardised]


def verdict_on(made: ExportedAll) -> tuple[str, str]:
    """The sentence on an export of all formats, and its role: ok or error."""
    good = sum(not each.sentence for each in made.results)
    failed = any(each.sentence and not each.limit for each in made.results)
    text = f"{good} of {len(made.results)} formats exported, opened again in fresh processes, and compared."
    return text, "error" if failed else "ok"
