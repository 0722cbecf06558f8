"""constraints.txt: a version for every package that `make setup` installs, and one place that says what that is."""

from __future__ import annotations

import re
import runpy
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from types import SimpleNamespace

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
tool = SimpleNamespace(**runpy.run_path(str(ROOT / "tools" / "make_constraints.py")))


def test_every_requirement_of_the_default_extras_has_a_version_that_setup_cfg_permits() -> None:
    pins = tool.pins()
    wrong = [
        str(requirement)
        for requirement in tool.declared()
        if not requirement.specifier.contains(pins.get(canonicalize_name(requirement.name), ""))
    ]
    assert wrong == [], "run `make constraints`"


def test_what_the_requirements_lead_to_has_a_version() -> None:
    pins = tool.pins()
    installed = {name: _installed(name) for name in pins}
    if installed != pins:
        pytest.skip("this environment was not installed with constraints.txt")
    assert {name: package.version for name, package in tool.closure(tool.declared()).items()} == pins, "run `make constraints`"


def test_requirements_are_followed_under_the_markers_of_every_python(monkeypatch: pytest.MonkeyPatch) -> None:
    requires = {
        "top": ["old; python_version < '3.12'", "new; python_version >= '3.13'", "never; python_version < '3'", "more[fast]"],
        "more": ["speed; extra == 'fast'", "colour; extra == 'pretty'", "top"],
    }
    monkeypatch.setitem(tool.closure.__globals__, "distribution", lambda name: SimpleNamespace(requires=requires.get(name)))
    assert set(tool.closure([Requirement("top")])) == {"top", "old", "new", "more", "speed"}


def test_the_makefile_the_installer_and_the_tool_mean_the_same_extras() -> None:
    makefile = re.search(r"^EXTRAS \?= (.*)$", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    installer = re.search(r"\$\{2:-(.*)\}", (ROOT / "tools" / "bootstrap.sh").read_text(encoding="utf-8"))
    assert makefile is not None
    assert installer is not None
    assert makefile[1] == installer[1] == ",".join(tool.EXTRAS)


def _installed(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""
