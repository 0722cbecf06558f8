"""A machine on which TensorFlow is not installed, for children that find this folder's `hide` on their path."""

from __future__ import annotations

import os
from pathlib import Path

HIDE = '''
import sys

HIDDEN = ("tensorflow",)


class Hiding:
    """A finder that does not find TensorFlow, and asks another for the rest."""

    def __init__(self, finder):
        self.finder = finder

    def find_spec(self, name, *given):
        return None if name.partition(".")[0] in HIDDEN else self.finder.find_spec(name, *given)

    def find_distributions(self, context):
        found = getattr(self.finder, "find_distributions", lambda context: ())(context)
        return (one for one in found if one.name not in HIDDEN)

    def __getattr__(self, name):
        return getattr(self.finder, name)


sys.meta_path[:] = [Hiding(finder) for finder in sys.meta_path]
'''


def environment(folder: Path) -> dict[str, str]:
    """That of a child to which TensorFlow is not installed: neither found nor imported, by it and by what it starts."""
    (folder / "sitecustomize.py").write_text(HIDE)
    return os.environ | {"PYTHONPATH": f"{folder}:{os.environ.get('PYTHONPATH', '')}"}
