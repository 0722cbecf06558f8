"""Show by experiment that several devices train the same model as one.

Trains a few steps on all devices and on the first of them alone: same seed, same rows, no random layers, full float32.
Rows come from the data of the design if it is bound and readable, and are random otherwise; the output says which, and why.
The exit status is 0 if all predictions agree and 1 if not; then the output names the first block that differs, and a remedy.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from seqdec_gui.commands.console import load_design, report_progress, say, say_json, say_table, warn_of
from seqdec_gui.commands.numbers import whole_number
from seqdec_gui.commands.train import add_placement
from seqdec_gui.domain.design import Design
from seqdec_gui.domain.edit import parse_assignment, set_value
from seqdec_gui.domain.problems import InvalidInput
from seqdec_gui.runs import devices
from seqdec_gui.runs.folder import open_run

if TYPE_CHECKING:
    from seqdec_gui.runs.certificate import Certificate
    from seqdec_gui.runs.spec import RunSpec


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("design", metavar="DESIGN", nargs="?", help="the .seqdec file (default: the design of --run)")
    add_placement(parser)
    parser.add_argument("--steps", metavar="K", type=whole_number(1), default=5, help="steps to train (default: 5)")
    parser.add_argument("--run", metavar="RUN", help="store the certificate in this run; compare its devices by its engine")
    parser.add_argument("--set", metavar="NAME=VALUE", action="append", default=[], help="change a parameter of the design")
    parser.add_argument("--json", action="store_true", help="as one JSON object")


def run(arguments: argparse.Namespace) -> int:
    from seqdec_gui.runs.certificate import certify, write

    target = open_run(arguments.run) if arguments.run else None
    spec = target.read_spec() if target else None
    design, folder = _design(arguments.design, spec)
    for assignment in arguments.set:
        design = set_value(design, *parse_assignment(assignment))
    wanted = arguments.devices or (str(spec.placed_devices) if spec else "auto")
    engine = arguments.engine or (spec.placed_engine if spec else "auto")
    available = devices.list_devices()
    wish, warnings = devices.parse_devices(wanted, available)
    choice = devices.resolve(wish, available)
    warn_of(warnings)
    with report_progress() as progress:
        certificate = certify(design, folder, choice, engine=engine, steps=arguments.steps, on_progress=progress)
    if target is not None:
        write(certificate, target)
    if arguments.json:
        say_json(certificate)
    else:
        _say(certificate)
    return 0 if certificate.passed else 1


def _design(path: str | None, spec: RunSpec | None) -> tuple[Design, Path]:
    """Return the design and the folder that its relative paths start from. Raises InvalidInput."""
    from seqdec_gui.runs.certificate import design_of

    if path is not None:
        return load_design(path), Path(path).absolute().parent
    if spec is None:
        raise InvalidInput("Expected a design, or a run that has one: certify DESIGN, or certify --run RUN.", "no_design")
    return design_of(spec)


def _say(certificate: Certificate) -> None:
    """Print the largest difference per block, the differences of metrics, and the verdict."""
    rows = [("block", "largest difference", "weight")]
    rows += [(block.block, _digits(block.difference), block.weight) for block in certificate.blocks]
    if certificate.blocks:
        say_table(rows, right=(1,))
    metrics = ", ".join(f"{name} {_digits(v)}" for name, v in certificate.metric_differences.items())
    say(f"Differences of metrics: {metrics}.")
    if certificate.neutral:
        names = ", ".join(certificate.neutral)
        say(f"Without effect, as BatchNormalization follows: {names} ({_digits(certificate.neutral_difference)}).")
    if certificate.switched_off:
        say(f"Switched off, as devices draw different numbers: {', '.join(certificate.switched_off)}.")
    say(certificate.rows_sentence)
    say(certificate.sentence)


def _digits(difference: float | None) -> str:
    return "not a number" if difference is None else f"{difference:.1e}"
