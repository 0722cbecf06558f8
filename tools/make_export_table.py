"""Writes the table of templates and export formats into docs/export.md: equal or not, with the largest difference.

    python tools/make_export_table.py [TEMPLATE ...]

Every template is built with the weights that a training begins with, and each format is written, opened in a process by its own
library and compared on random rows of several numbers and lengths: the whole model, and one step of its decoder. Takes minutes.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Iterator
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
    from seqdec_gui.domain.problems import SeqdecError
    from seqdec_gui.domain.shapes import infer
    from seqdec_gui.runner.decoding.step import build_step
    from seqdec_gui.runner.export import export, fresh_copy
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
            inputs = [rows_for(tensor) for tensor in models[part].inputs]
            for row in EXPORT_FORMATS.values():
                if not holds(row, part) or row.name == "bundle":  # a bundle is made of a run
                    continue
                source = Source(models, part, inputs, design)
                try:
                    output = folder / f"{part}{row.proposed_ending}"
                    saved = export(source, row.name, output, processes[row.opened_by])
                    worst = max(saved.difference, *others(source, row, saved.paths[0], processes[row.opened_by]))
                    found = f"{worst:.1e}" if worst <= row.tolerance else f"**no**: {worst:.1e} at other lengths"
                    found = found if worst else "0"
                except SeqdecError as error:
                    found = f"**no**: {str(error).partition(chr(10))[0]}"
                print(f"{template} {part} {row.name}: {found}", flush=True)
                yield part, row.name, found


def others(source: Any, row: Any, path: Path, process: Any) -> Iterator[float]:
    """Yield the differences for other numbers of rows and steps than those that the format was compared with."""
    import numpy as np

    from seqdec_gui.runner.export import writer_of
    from seqdec_gui.runner.reopen import predictions

    writer = writer_of(row)
    for rows, steps in OTHERS:
        inputs = [rows_for(tensor, rows, steps) for tensor in source.model.inputs]
        given = process.predict(path, inputs, writer.opener, writer.options(source), writer.weights(source))
        for expected, found in zip(predictions(source.model, inputs), given, strict=True):
            assert expected.shape == found.shape, (expected.shape, found.shape)
            yield float(np.abs(expected - found).max())


def rows_for(tensor: Any, rows: int = ROWS, steps: int = STEPS) -> Any:
    """Random rows for an input; axes that the model leaves open have so many steps."""
    import numpy as np

    random, shape = np.random.default_rng(0), (rows, *(axis or steps for axis in tensor.shape[1:]))
    if "int" in str(tensor.dtype):
        return random.integers(0, 10, shape).astype("int32")
    return random.normal(size=shape).astype("float32")


def table(templates: list[str]) -> str:
    """The table, with its date and versions."""
    from importlib.metadata import version

    from seqdec_gui.domain.wording import listed

    found = {(template, part): dict[str, str]() for template in templates for part in ("full", "one-step")}
    names: list[str] = []
    processes = Processes()
    for template in templates:
        for part, format, result in cells_of(template, processes):
            found[template, part][format] = result
            names += [format] if format not in names else []
    for process in processes.values():
        process.__exit__(None, None, None)
    packages = ("keras", "tensorflow", "tf-keras", "onnx", "onnxruntime", "ai-edge-litert")
    versions = ", ".join(f"{package} {version(package)}" for package in packages)
    lines = [
        "## Every template in every format",
        "",
        f"The largest difference over {ROWS} random rows of {STEPS} steps with initial weights, and over",
        f"{listed([f'{rows} of {steps}' for rows, steps in OTHERS])} where these axes are open, on {time.strftime('%Y-%m-%d')}",
        f"({versions});",
        "1e-5 is allowed, and 2e-7 for `keras2-h5` (1e-5 with layers of attention).",
        "`tools/make_export_table.py` makes this table.",
        "",
        f"| template | part | {' | '.join(f'`{name}`' for name in names)} |",
        f"|---|---|{'---|' * len(names)}",
    ]
    for (template, part), results in found.items():
        if results:
            lines.append(f"| {template} | {part} | {' | '.join(results.get(name, '') for name in names)} |")
    return "\n".join(lines) + "\n"


def main() -> int:
    from seqdec_gui.commands.templates import template_names

    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument(
        "templates", nargs="*", metavar="TEMPLATE", help="print the table for these alone (default: all, into docs)"
    )
    arguments = parser.parse_args()
    made = table(arguments.templates or template_names())
    if arguments.templates:
        print(made)
        return 0
    text = PAGE.read_text("utf-8")
    before, after = text.partition(BEGIN)[0], text.partition(END)[2]
    PAGE.write_text(f"{before}{BEGIN}\n{made}\n{END}{after}", "utf-8")
    return int("**no**" in made)


if __name__ == "__main__":
    sys.exit(main())
