"""Codes of rows as arrays: read from files, points between and around them, and their projection on a plane."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import NamedTuple

import numpy as np

from seqdec_gui.data.formats.base import Array
from seqdec_gui.domain.problems import InvalidInput, Problem

CODE_COLUMN, KEPT = "code_", "column_"
"""How the columns of a CSV file with codes begin, and in an .npz file the arrays that are carried over."""


class Codes(NamedTuple):
    """Codes, float32 `(rows, numbers)`, the numbers of their rows, and the columns beside them, as text."""

    codes: Array
    rows: Array
    kept: dict[str, list[str]]


def read_codes(path: Path) -> Codes:
    """Read what `encode` writes: CSV with `code_0`, `code_1`, …, or .npz with `codes`. Raises InvalidInput.

    Rows without a code are left out.
    """
    try:
        found = _of_arrays(path) if path.suffix.lower() == ".npz" else _of_csv(path)
    except (OSError, ValueError, KeyError, EOFError) as error:
        raise _refused(path, f"it cannot be read ({error})") from error
    if found.codes.ndim != 2 or not found.codes.size:
        raise _refused(path, f"its codes have the shape {found.codes.shape}")
    if not np.isfinite(found.codes).all():
        wrong = int(np.flatnonzero(~np.isfinite(found.codes).all(axis=1))[0])
        raise _refused(path, f"code {wrong + 1} has a number that is not finite")
    return found


def write_codes(path: Path, codes: Codes) -> None:
    """Write codes as .npz, as `encode` writes them."""
    kept = {f"{KEPT}{name}": np.array(cells) for name, cells in codes.kept.items()}
    np.savez(path, **(kept | {"codes": codes.codes, "row": codes.rows}))  # type: ignore[arg-type]


def between(one: Array, other: Array, steps: int) -> Array:
    """Return `steps` codes on the straight line between two, both included, `(steps, numbers)`."""
    share = np.linspace(0, 1, steps, dtype=np.float32)[:, None]
    return np.asarray((1 - share) * one[None] + share * other[None], np.float32)


def around(codes: Array, count: int, noise: float, seed: int) -> Array:
    """Return `count` codes for each, one after the other, with normal noise of this standard deviation."""
    repeated = np.repeat(codes, count, axis=0).astype(np.float32)
    return repeated + np.float32(noise) * np.random.default_rng(seed).standard_normal(repeated.shape, np.float32)


def at_random(count: int, width: int, seed: int) -> Array:
    """Return standard normal codes, as a variational bottleneck has them before it sees a row."""
    return np.random.default_rng(seed).standard_normal((count, width), np.float32)


class Plane(NamedTuple):
    """The first two principal components of codes: `mean` `(numbers,)`, `axes` `(2, numbers)` and their shares of variance."""

    mean: Array
    axes: Array
    shares: tuple[float, float]

    def project(self, codes: Array) -> Array:
        """Return the places of codes, `(rows, 2)`."""
        return np.asarray((codes - self.mean) @ self.axes.T)

    def lift(self, places: Array) -> Array:
        """Return the codes in the plane at these places, float32 `(rows, numbers)`."""
        return np.asarray(self.mean + places @ self.axes, np.float32)


def principal_plane(codes: Array) -> Plane:
    """Return the plane of the greatest variance; a second axis of zeros where there is no second direction."""
    mean = codes.mean(axis=0, dtype=np.float64)
    _, sizes, axes = np.linalg.svd(codes - mean, full_matrices=False)
    axes = np.concatenate([axes[:2], np.zeros((max(0, 2 - len(axes)), codes.shape[1]))])
    variance = np.concatenate([sizes**2, np.zeros(2)])
    total = max(float(variance.sum()), 1e-30)
    return Plane(mean, axes, (float(variance[0]) / total, float(variance[1]) / total))


def _of_arrays(path: Path) -> Codes:
    with np.load(path, allow_pickle=False) as file:
        codes = np.asarray(file["codes"], np.float32)
        rows = np.asarray(file["row"]) if "row" in file else np.arange(len(codes))
        kept = {name.removeprefix(KEPT): [str(cell) for cell in file[name]] for name in file.files if name.startswith(KEPT)}
    return Codes(codes, rows, kept)


def _of_csv(path: Path) -> Codes:
    with path.open(encoding="utf-8-sig", newline="") as file:
        lines = csv.DictReader(file)
        names = [name for name in lines.fieldnames or () if name.startswith(CODE_COLUMN)]
        names.sort(key=lambda name: int(name.removeprefix(CODE_COLUMN)))
        others = [name for name in lines.fieldnames or () if name not in (*names, "row", "problem")]
        found = [line for line in lines if names and line[names[0]]]
    codes = np.array([[float(line[name]) for name in names] for line in found], np.float32)
    rows = np.array([int(line.get("row") or place) for place, line in enumerate(found)])
    return Codes(codes, rows, {name: [str(line[name]) for line in found] for name in others})


def _refused(path: Path, why: str) -> InvalidInput:
    hint = "Give what `seqdec-gui encode` writes: CSV with code_0, code_1, …, or .npz with codes."
    return InvalidInput([Problem("error", "bad_codes", "codes", f"{path.name} holds no codes: {why}.", hint)])
