"""Writes constraints.txt: the versions that this environment has of every package that `make setup` installs.

    python tools/make_constraints.py [--extras gui,jax,...]

Run it (`make constraints`) in an environment that was installed without constraints and has passed `make test`:

    make test VENV=.venv-unpinned UNPINNED=1
    make constraints VENV=.venv-unpinned

Requirements are followed under the markers of every supported Python, so that one list serves all of them. Whether the versions
have wheels for another Python is left to CI, which installs them on each.
"""

from __future__ import annotations

import argparse
import configparser
import sys
from collections.abc import Iterable, Iterator
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
CONSTRAINTS = ROOT / "constraints.txt"
PYTHONS = ("3.11", "3.12", "3.13")
"""The supported versions of Python, whose markers decide which requirements count."""
EXTRAS = (
    "gui",
    "jax",
    "keras2",
    "onnx",
    "tflite",
    "reinvent",
    "xlsx",
    "mat",
    "text",
    "rdkit",
    "subwords",
    "bleu",
    "sweep",
    "tensorboard",
    "mlflow",
    "dev",
)
"""What `make setup` installs; the same as EXTRAS in the Makefile."""
HEADER = """\
# Versions that passed `make test` together, for Python {first} to {last} on Linux. `make setup` and CI install these;
# `make constraints` writes this file. setup.cfg says what is possible, this file what was tried.
"""


def declared(extras: Iterable[str] = EXTRAS) -> list[Requirement]:
    """The requirements of setup.cfg: those of the package and those of the extras."""
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg", encoding="utf-8")
    sections = [config["options"]["install_requires"], *(config["options.extras_require"][extra] for extra in extras)]
    lines = [line.strip() for section in sections for line in section.splitlines()]
    return [Requirement(line) for line in lines if line and not line.startswith("#")]


def closure(requirements: Iterable[Requirement]) -> dict[str, Distribution]:
    """The installed distributions that these requirements lead to, by canonical name. Raises PackageNotFoundError."""
    distributions: dict[str, Distribution] = {}
    waiting, seen = list(requirements), set()
    while waiting:
        requirement = waiting.pop()
        name = canonicalize_name(requirement.name)
        if (name, *sorted(requirement.extras)) in seen:
            continue
        seen.add((name, *sorted(requirement.extras)))
        distributions[name] = distribution(name)
        waiting += _wanted(distributions[name], requirement.extras)
    return distributions


def _wanted(package: Distribution, extras: Iterable[str]) -> Iterator[Requirement]:
    """The requirements of a package that count under some supported Python, for these extras."""
    for line in package.requires or ():
        requirement = Requirement(line)
        if requirement.marker is None or any(requirement.marker.evaluate(each) for each in _environments(extras)):
            yield requirement


def _environments(extras: Iterable[str]) -> Iterator[dict[str, str]]:
    for version in PYTHONS:
        python = {"python_version": version, "python_full_version": f"{version}.0"}
        for extra in ("", *extras):
            yield {**default_environment(), **python, "extra": extra}  # type: ignore[dict-item]


def pins(path: Path = CONSTRAINTS) -> dict[str, str]:
    """The version of each package that a constraints file names, by canonical name."""
    lines = (line.partition("#")[0].strip() for line in path.read_text(encoding="utf-8").splitlines())
    pairs = (line.split("==") for line in lines if line)
    return {canonicalize_name(name): version for name, version in pairs}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--extras", default=",".join(EXTRAS), help="comma separated (default: %(default)s)")
    arguments = parser.parse_args()
    try:
        packages = closure(declared(arguments.extras.split(",")))
    except PackageNotFoundError as missing:
        print(f"expected every requirement to be installed, but {missing.name} is not; run `make setup` first", file=sys.stderr)
        return 1
    lines = sorted(f"{package.metadata['Name']}=={package.version}" for package in packages.values())
    text = HEADER.format(first=PYTHONS[0], last=PYTHONS[-1]) + "".join(f"{line}\n" for line in sorted(lines, key=str.lower))
    temporary = CONSTRAINTS.with_suffix(".tmp")
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(CONSTRAINTS)
    print(f"{CONSTRAINTS.name}: {len(lines)} packages")
    return 0


if __name__ == "__main__":
    sys.exit(main())
