"""Writes the generated script, and beside it the imported Keras files that it opens."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

from seqdec_gui.domain.codegen import generate, keras_file_names
from seqdec_gui.domain.design import Block, Design
from seqdec_gui.domain.kinds.roles import ImportedFile
from seqdec_gui.domain.paths import expanded
from seqdec_gui.domain.problems import InvalidInput, Problem
from seqdec_gui.runner.keras_safety import fail_if_unsafe
from seqdec_gui.runs.files import copy_atomically, write_atomically


def write_script(design: Design, script: Path, look_in: Iterable[Path]) -> tuple[Path, ...]:
    """Write the script and copy the design's Keras files beside it; returns all files, the script first.

    Relative paths of the design are searched in the folders `look_in`, after a copy from an earlier start. A file whose check
    sum is not that of the imported one is skipped, and one that holds code or links is refused. Raises InvalidInput, OSError.
    """
    text = generate(design)
    folders = tuple(look_in)
    imported = [(block, file) for block in design.blocks if (file := block.parameters.imported) is not None]
    names = keras_file_names(design)
    copies = [(find_keras_file(block, file, names[block.id], folders), script.with_name(names[block.id]))
             for block, file in imported]  # fmt: skip
    for source, target in copies:
        fail_if_unsafe(source)
        if source.resolve() != target.resolve():
            copy_atomically(source, target)
    write_atomically(script, text.encode())
    return (script, *(target for _, target in copies))


def find_keras_file(block: Block, imported: ImportedFile, copy: str, folders: Iterable[Path]) -> Path:
    """Return the path of the imported file of a block, or of its copy. Raises InvalidInput: missing, or changed since."""
    places = [place for folder in folders for place in (folder / copy, folder / expanded(imported.file))]
    changed: Path | None = None
    for place in places or [expanded(imported.file)]:
        if place.is_file():
            if not imported.sha256 or sha256(place) == imported.sha256:
                return place
            changed = place
    if changed is not None:
        text = f"{changed} is not the file that was imported: its content has changed."
        raise InvalidInput([Problem("error", "keras_file_changed", f"{block.id}.file", text, "Import it again.")])
    text = f"The Keras file {imported.file} cannot be found."
    raise InvalidInput([Problem("error", "no_keras_file", f"{block.id}.file", text, "Put it back, or import it again.")])


def sha256(path: Path) -> str:
    """Return the SHA-256 check sum of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
