"""List every block kind with its parameters and ports."""

from __future__ import annotations

import argparse
from typing import Any

from seqdec_gui.commands.console import say, say_json
from seqdec_gui.domain import catalog


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("kind", metavar="KIND", nargs="*", help="only these kinds")
    parser.add_argument("--json", action="store_true", help="as JSON: one object per kind name")


def run(arguments: argparse.Namespace) -> int:
    kinds = catalog.describe()
    unknown = [kind for kind in arguments.kind if kind not in kinds]
    if unknown:
        from seqdec_gui.domain.problems import InvalidInput

        raise InvalidInput(f"There is no block kind {unknown[0]!r}; there are {', '.join(kinds)}.", "unknown_kind")
    shown = {name: described for name, described in kinds.items() if not arguments.kind or name in arguments.kind}
    if arguments.json:
        say_json(shown)
        return 0
    for name, described in shown.items():
        _say_kind(name, described)
    return 0


def _say_kind(name: str, described: dict[str, Any]) -> None:
    say(f"{name}: {described['summary']}")
    for port in described["inputs"]:
        say(f"    takes {port['name']}{' (optional)' if port.get('optional') else ''}: {port['takes']}")
    for port in described["outputs"]:
        say(f"    gives {port['name']}: {port['gives']}")
    for parameter in described["parameters"]:
        allowed = ", ".join(parameter["choices"]) if "choices" in parameter else parameter.get("range", "")
        facts = "; ".join(filter(None, (parameter["type"], allowed, f"default {_shown(parameter['default'])}")))
        say(f"    {name}.{parameter['name']} ({facts}) {parameter['help']}".rstrip())
    say()


def _shown(value: Any) -> str:
    if isinstance(value, (list, tuple)):
        return ",".join(map(str, value)) or "empty"
    return "none" if value is None else str(value).lower() if isinstance(value, bool) else str(value) or "empty"
