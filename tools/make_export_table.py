"""Writes the table of templates and export formats into docs/export.md: equal or not, with the largest difference.

    python tools/make_export_table.py [--kept FILE] [TEMPLATE ...]

Every template is built with the weights that a training begins with, and each format is written, opened in a process by its own
library and compared on random rows of several numbers and lengths: the whole model, and one step of its decoder with the states
that it has after no, one and two steps. Takes minutes; with --kept the results of named templates are added to a file, and the
page is written once all are in it.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
PAGE = ROOT / "docs" / "export.md"
BEGIN, END = "<!-- table of templates: tools/make_export_table.py -->\n", "<!-- end of table -->\n"
ROWS, STEPS = 16, 8
OTHERS = ((1, 5), (3, 13))
"""Further rows and steps, for axes that are open."""
NOT_OF_TEMPLATES = ("bundle", "reinvent")
"""Formats of runs: a bundle is made of one, and `reinvent` of one that began with a prior."""
REFUSED = "refused: "
"""What the result begins with where a format cannot carry a design, as `check` says before the training."""
Rows = Callable[[int, int], list[Any]]
"""Makes inputs of so many rows and steps."""
Found = dict[str, dict[str, dict[str, str]]]
"""Results by template, part and format."""


class Processes(dict[str, Any]):
    """A process for each library, begun when it is first needed and used for all templates."""

    def __missing__(self, module: str) -> Any:
        from seqdec_gui.runner.reopen import FreshProcess

        self[module] = FreshProcess(module)
        return self[module]


def cells_of(template: str, processes: Processes) -> Iterator[tuple[str, str, str]]:
    """Yield part, format and result for each format that can hold the part."""
    from seqdec_gui.commands.templates import template_path
    from seqdec_gui.domain.codegen import parts
    from seqdec_gui.domain.document import load
    from seqdec_gui.domain.generation import stepped_decoder
    from seqdec_gui.domain.problems import InvalidInput, SeqdecError
    from seqdec_gui.domain.shapes import infer
    from seqdec_gui.runner.decoding.step import build_step
    from seqdec_gui.runner.export import export, fresh_copy, writer_of
    from seqdec_gui.runner.exports.base import Source
    from seqdec_gui.runner.program import load_build
    from seqdec_gui.runner.script_files import write_script
    from seqdec_gui.runs.export_formats import EXPORT_FORMATS, ONE_STEP, holds

    design = load(template_path(template))
    if not parts(design):
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_script(design, folder / "model.py", ())
        models = fresh_copy(load_build(folder / "model.py"))
        if decoder := stepped_decoder(design, infer(design)):
            models[ONE_STEP] = build_step(design, models[decoder], decoder)
        for part in ("full", ONE_STEP) if decoder else ("full",):
            made = steps_of(design, models, decoder) if part == ONE_STEP and decoder else rows_of(models[part])
            for row in EXPORT_FORMATS.values():
                if not holds(row, part) or row.name in NOT_OF_TEMPLATES:
                    continue
                source = Source(models, part, made(ROWS, STEPS), design)
                try:
                    output = folder / f"{part}{row.proposed_ending}"
                    saved = export(source, row.name, output, processes[row.opened_by])
                    worst = max(saved.difference, *others(source, row, saved.paths[0], processes[row.opened_by], made))
                    allowed = writer_of(row).tolerance(source.model)
                    found = f"{worst:.1e}" if worst <= allowed else f"**no**: {worst:.1e} at other lengths"
                    found = found if worst else "0"
                except InvalidInput as error:
                    found = f"{REFUSED}{str(error).partition(chr(10))[0]}"
                except SeqdecError as error:
                    found = f"**no**: {str(error).partition(chr(10))[0]}"
                print(f"{template} {part} {row.name}: {found}", flush=True)
                yield part, row.name, found


def others(source: Any, row: Any, path: Path, process: Any, made: Rows) -> Iterator[float]:
    """Yield the differences for other numbers of rows and steps than those that the format was compared with."""
    import numpy as np

    from seqdec_gui.runner.export import writer_of
    from seqdec_gui.runner.reopen import predictions

    writer = writer_of(row)
    for rows, steps in OTHERS:
        inputs = made(rows, steps)
        given = process.predict(path, inputs, writer.opener, writer.options(source), writer.weights(source))
        for expected, found in zip(predictions(source.model, inputs), given, strict=True):
            assert expected.shape == found.shape, (expected.shape, found.shape)
            yield float((np.abs(expected - found) / np.maximum(1.0, np.abs(expected))).max())


def rows_of(model: Any) -> Rows:
    """What makes random rows for the inputs of a model."""
    return lambda rows, steps: [rows_for(tensor, rows, steps) for tensor in model.inputs]


def steps_of(design: Any, models: dict[str, Any], decoder: str) -> Rows:
    """What makes inputs of one step: random symbols, and the states after no, one and two steps from those of random rows."""
    import numpy as np

    from seqdec_gui.domain.dataflow import sources_of
    from seqdec_gui.domain.shapes import infer
    from seqdec_gui.runner.export_parts import STEPS_COMPARED
    from seqdec_gui.runner.reopen import predictions
    from seqdec_gui.runner.wiring import model_of
    from seqdec_gui.runs.export_formats import ONE_STEP

    step, sources = models[ONE_STEP], sources_of(design, decoder, leave_out=("inputs",))
    first = model_of(design, infer(design), models, sources, "first") if sources else None

    def made(rows: int, steps: int) -> list[Any]:
        states = predictions(first, rows_of(first)(rows, steps)) if first is not None else []
        for tensor in step.inputs[1 + len(states) :]:  # as a language model begins
            states.append(np.zeros((rows, *(axis or 0 for axis in tensor.shape[1:])), "float32"))
        seen = []
        for number in range(STEPS_COMPARED):
            inputs = [rows_for(step.inputs[0], rows, 1, number), *states]
            seen.append(inputs)
            states = list(predictions(step, inputs))[1:]
        return [np.concatenate(arrays) for arrays in zip(*seen, strict=True)]

    return made


def rows_for(tensor: Any, rows: int = ROWS, steps: int = STEPS, seed: int = 0) -> Any:
    """Random rows for an input; axes that the model leaves open have so many steps."""
    import numpy as np

    random, shape = np.random.default_rng(seed), (rows, *(axis or steps for axis in tensor.shape[1:]))
    if "int" in str(tensor.dtype):
        return random.integers(0, 10, shape).astype("int32")
    return random.normal(size=shape).astype("float32")


def results_of(templates: list[str]) -> Found:
    """The results of these templates."""
    found: Found = {}
    processes = Processes()
    for template in templates:
        of_template = found[template] = {}
        for part, format, result in cells_of(template, processes):
            of_template.setdefault(part, {})[format] = result
    for process in processes.values():
        process.__exit__(None, None, None)
    return found


def table(results: Found) -> str:
    """The table, with its date and versions, and below it the reasons of what is refused."""
    from importlib.metadata import version

    from seqdec_gui.domain.wording import listed

    rows = [(template, part, cells) for template, parts in results.items() for part, cells in parts.items()]
    names = list(dict.fromkeys(name for _, _, cells in rows for name in cells))
    packages = ("keras", "tensorflow", "tf-keras", "onnx", "onnxruntime", "ai-edge-litert")
    versions = ", ".join(f"{package} {version(package)}" for package in packages)
    reasons = list(dict.fromkeys(cell for _, _, cells in rows for cell in cells.values() if cell.startswith(REFUSED)))
    lines = [
        "## Every template in every format",
        "",
        f"The largest difference over {ROWS} random rows of {STEPS} steps with initial weights, and over",
        f"{listed([f'{rows} of {steps}' for rows, steps in OTHERS])} where these axes are open, on {time.strftime('%Y-%m-%d')}",
        f"({versions});",
        "1e-5 is allowed, and 2e-7 for `keras2-h5` (1e-5 with layers of attention). One step is compared with the states",
        "after no, one and two steps.",
        "`tools/make_export_table.py` makes this table.",
        "",
        f"| template | part | {' | '.join(f'`{name}`' for name in names)} |",
        f"|---|---|{'---|' * len(names)}",
    ]
    for template, part, cells in rows:
        shown = [f"refused ({reasons.index(cell) + 1})" if cell in reasons else cell for cell in map(cells.get, names)]
        lines.append(f"| {template} | {part} | {' | '.join(cell or '' for cell in shown)} |")
    lines += ["", *(f"({number}) {cell.removeprefix(REFUSED)}" for number, cell in enumerate(reasons, 1))] if reasons else []
    return "\n".join(lines) + "\n"


def main() -> int:
    from seqdec_gui.commands.templates import template_names

    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument(
        "templates", nargs="*", metavar="TEMPLATE", help="print the table for these alone (default: all, into docs)"
    )
    parser.add_argument(
        "--kept", type=Path, metavar="FILE", help="add the results to this file, and write the page when it has all"
    )
    arguments = parser.parse_args()
    known = template_names()
    kept = json.loads(arguments.kept.read_text("utf-8")) if arguments.kept and arguments.kept.exists() else {}
    for template in arguments.templates or known:
        kept |= results_of([template])
        if arguments.kept:
            arguments.kept.write_text(json.dumps(kept, indent=1), "utf-8")
    made = table({template: kept[template] for template in known if template in kept})
    if any(template not in kept for template in known):
        print(made)
        return 0
    text = PAGE.read_text("utf-8")
    before, after = text.partition(BEGIN)[0], text.partition(END)[2]
    PAGE.write_text(f"{before}{BEGIN}\n{made}\n{END}{after}", "utf-8")
    return int("**no**" in made)


if __name__ == "__main__":
    sys.exit(main())
