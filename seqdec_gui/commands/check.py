"""Show the shapes, the parameter counts and every problem of a design, without opening its data.

Exit status 0 if the design can be trained, 2 if not.
"""

from __future__ import annotations

import argparse
from typing import Any

from seqdec_gui.commands.console import load_design, say, say_json, say_table
from seqdec_gui.domain.problems import InvalidInput, Problem
from seqdec_gui.domain.validation import Report, check
from seqdec_gui.domain.wording import counted


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("design", metavar="DESIGN", help="the .seqdec file")
    parser.add_argument("--json", action="store_true", help="as one JSON object")


def run(arguments: argparse.Namespace) -> int:
    try:
        report = check(load_design(arguments.design))
    except InvalidInput as error:
        if not arguments.json:
            raise
        say_json({"ok": False, "parameters": {"total": 0, "trainable": 0}, "blocks": [], "problems": error.problems})
        return InvalidInput.exit_status
    if arguments.json:
        say_json(describe(report))
    else:
        _say(report)
    return 0 if report.ok else InvalidInput.exit_status


def describe(report: Report) -> dict[str, Any]:
    """Return the report as the plain data that `check --json` writes."""
    blocks = [
        {
            "id": block_id,
            "kind": known.block.kind,
            "parameters": known.parameters,
            "trainable": known.trainable,
            "inputs": {port: str(type) for port, type in known.inputs.items()},
            "outputs": {port: str(type) for port, type in known.outputs.items()},
        }
        for block_id, known in report.inference.blocks.items()
    ]
    totals = {"total": report.inference.parameters, "trainable": report.inference.trainable}
    return {"ok": report.ok, "parameters": totals, "blocks": blocks, "problems": report.problems}


def _say(report: Report) -> None:
    rows = [("block", "kind", "parameters", "outputs")]
    for block_id, known in report.inference.blocks.items():
        outputs = ", ".join(f"{port}: {type}" for port, type in known.outputs.items())
        rows.append((block_id, known.block.kind, f"{known.parameters:,}" if known.parameters else "", outputs))
    say_table(rows, right=(2,))
    say(f"{report.inference.parameters:,} parameters, {report.inference.trainable:,} trainable")
    for problem in report.problems:
        say(f"{problem.severity}: {problem.sentence()}")
    say(_verdict(report.problems))


def _verdict(problems: tuple[Problem, ...]) -> str:
    errors = sum(problem.severity == "error" for problem in problems)
    return "The design is complete." if not errors else f"{counted(errors, 'error')} to mend before training."
