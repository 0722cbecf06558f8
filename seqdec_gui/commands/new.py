"""Write a design from a template.

seqdec-gui new latent-to-sequence -o mine.seqdec --set model_2.units=256,256 --set model_1.units=256,256
"""

from __future__ import annotations

import argparse
import difflib
from pathlib import Path

from seqdec_gui.commands.console import say
from seqdec_gui.commands.templates import template_names, template_path
from seqdec_gui.domain.design import new_id
from seqdec_gui.domain.document import load, save
from seqdec_gui.domain.edit import parse_assignment, set_value
from seqdec_gui.domain.problems import InvalidInput, Problem
from seqdec_gui.domain.validation import check


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("template", metavar="TEMPLATE", help="a name that `seqdec-gui templates` lists")
    parser.add_argument("-o", "--output", metavar="FILE", required=True, help="the .seqdec file to write")
    parser.add_argument(
        "--set",
        metavar="BLOCK.PARAMETER=VALUE",
        action="append",
        default=[],
        help="change a parameter; lists as 128,128; `seqdec-gui catalog` names them all",
    )
    parser.add_argument("--force", action="store_true", help="replace a file that exists")


def run(arguments: argparse.Namespace) -> int:
    known = template_names()
    if arguments.template not in known:
        near = difflib.get_close_matches(arguments.template, known, 1)
        hint = f"Did you mean {near[0]!r}?" if near else f"There are {', '.join(known)}."
        text = f"There is no template {arguments.template!r}."
        raise InvalidInput([Problem("error", "unknown_template", "", text, hint)])
    output = Path(arguments.output)
    if output.exists() and not arguments.force:
        raise InvalidInput(f"{output} exists: give --force to replace it, or another name.", "file_exists")
    design = load(template_path(arguments.template))
    for assignment in arguments.set:
        design = set_value(design, *parse_assignment(assignment))
    save(design.with_id(new_id()), output)
    report = check(design)
    say(f"{output}: {report.inference.parameters:,} parameters")
    for problem in report.problems:
        say(f"{problem.severity}: {problem.sentence()}")
    return 0
