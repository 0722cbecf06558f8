"""Codes in files, points between and around them, and the plane that they are shown on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from seqdec_gui.data.code_points import Codes, around, at_random, between, principal_plane, read_codes, write_codes
from seqdec_gui.domain.problems import InvalidInput


def test_codes_are_read_as_they_were_written(tmp_path: Path) -> None:
    codes = np.random.default_rng(0).normal(size=(5, 3)).astype(np.float32)
    write_codes(tmp_path / "codes.npz", Codes(codes, np.array([4, 5, 6, 8, 9]), {"id": list("abcde")}))
    found = read_codes(tmp_path / "codes.npz")
    assert np.array_equal(found.codes, codes)
    assert (found.rows.tolist(), found.kept) == ([4, 5, 6, 8, 9], {"id": list("abcde")})
    lines = ["row,code_1,code_0,id,problem", "3,1.5,-2,x,", "4,,,y,It is empty.", "7,0,1,z,"]
    (tmp_path / "codes.csv").write_text("\n".join(lines), encoding="utf-8")
    found = read_codes(tmp_path / "codes.csv")
    assert (found.codes.tolist(), found.rows.tolist(), found.kept) == ([[-2, 1.5], [1, 0]], [3, 7], {"id": ["x", "z"]})


@pytest.mark.parametrize("content", ["", "row,text\n0,a\n", "code_0,code_1\n1,nan\n", "code_0\nmuch\n"])
def test_a_file_without_codes_is_refused_with_what_to_give(content: str, tmp_path: Path) -> None:
    (tmp_path / "codes.csv").write_text(content, encoding="utf-8")
    with pytest.raises(InvalidInput, match=r"holds no codes.*encode"):
        read_codes(tmp_path / "codes.csv")


def test_codes_between_and_around() -> None:
    one, other = np.array([0.0, 2.0], np.float32), np.array([1.0, -2.0], np.float32)
    assert between(one, other, 5).tolist() == [[0, 2], [0.25, 1], [0.5, 0], [0.75, -1], [1, -2]]
    near = around(np.stack([one, other]), 2000, 0.5, seed=3)
    assert near.shape == (4000, 2)
    assert near[:2000].mean(axis=0) == pytest.approx(one, abs=0.05)
    assert near[2000:].std(axis=0) == pytest.approx([0.5, 0.5], abs=0.03)
    assert np.array_equal(near, around(np.stack([one, other]), 2000, 0.5, seed=3))
    assert np.array_equal(around(one[None], 2, 0, seed=0), np.stack([one, one]))
    assert at_random(3000, 2, 0).std() == pytest.approx(1, abs=0.03)


def test_the_plane_of_codes_that_lie_on_one_is_exact_and_one_direction_is_enough() -> None:
    generator = np.random.default_rng(1)
    codes = generator.normal(size=(50, 2)) @ generator.normal(size=(2, 7)) + 3
    plane = principal_plane(codes)
    assert plane.lift(plane.project(codes)) == pytest.approx(codes, abs=1e-5)
    assert sum(plane.shares) == pytest.approx(1)
    assert principal_plane(np.array([[1.0], [2.0]])).project(np.array([[1.5]])).tolist() == [[0, 0]]
    assert principal_plane(np.ones((1, 4))).shares == (0, 0)
