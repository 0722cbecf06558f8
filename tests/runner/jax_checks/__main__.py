"""One check: `MODULE.FUNCTION FOLDER [CASE]`."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

module, function = sys.argv[1].split(".")
getattr(importlib.import_module(f"tests.runner.jax_checks.{module}"), function)(Path(sys.argv[2]), *sys.argv[3:])
