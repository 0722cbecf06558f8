"""Checks one after the other in one process: `FOLDER CHECK...`, each `MODULE.FUNCTION` or `MODULE.FUNCTION CASE`.

`FOLDER/results.json` has what each ended with so far: nothing, or its traceback.
"""

from __future__ import annotations

import importlib
import json
import sys
import traceback
from pathlib import Path

folder = Path(sys.argv[1])
results: dict[str, str] = {}
for number, check in enumerate(sys.argv[2:]):
    name, _, case = check.partition(" ")
    module, function = name.split(".")
    own = folder / str(number)
    own.mkdir()
    try:
        getattr(importlib.import_module(f"tests.runner.jax_checks.{module}"), function)(own, *([case] if case else []))
        results[check] = ""
    except Exception:
        results[check] = traceback.format_exc()
    (folder / "results.json").write_text(json.dumps(results))
