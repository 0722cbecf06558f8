"""List the designs to start from."""

from __future__ import annotations

import argparse
from pathlib import Path

from seqdec_gui import resource_files
from seqdec_gui.commands.console import say_json, say_table
from seqdec_gui.domain.document import SUFFIX, load

NAMES = (
    "latent-to-sequence",
    "sequence-to-sequence",
    "sequence-to-sequence-with-attention",
    "translator",
    "sequence-autoencoder",
    "image-to-sequence",
    "language-model",
    "conditional-language-model",
    "blank",
)
"""The bundled templates in the order of the list."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="as JSON: a list of names and block ids")


def run(arguments: argparse.Namespace) -> int:
    blocks = {name: [block.id for block in load(template_path(name)).blocks] for name in template_names()}
    if arguments.json:
        say_json([{"name": name, "blocks": ids} for name, ids in blocks.items()])
    else:
        say_table([("template", "blocks"), *((name, ", ".join(ids)) for name, ids in blocks.items())])
    return 0


def template_names() -> list[str]:
    """Return the names of all templates, the common ones first."""
    bundled = {path.stem for path in resource_files.path("templates").glob(f"*{SUFFIX}")}
    return [*(name for name in NAMES if name in bundled), *sorted(bundled - set(NAMES))]


def template_path(name: str) -> Path:
    """The design file of a template. Raises FileNotFoundError."""
    return resource_files.path(f"templates/{name}{SUFFIX}")
