"""Files of a run that are cut, changed, gone or emptied: the copies are used, with a word."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from seqdec_gui.data.fitted import Fitted
from seqdec_gui.domain.problems import InvalidInput
from seqdec_gui.runs import copies, spec
from seqdec_gui.runs.folder import RunFolder, create
from seqdec_gui.runs.spec import RunSpec


@pytest.fixture
def run(tmp_path: Path, run_spec: RunSpec) -> RunFolder:
    made = create(tmp_path / "run", None)
    spec.write(run_spec, made.spec)
    copies.write(made.data, Fitted((), ()).dumps())
    return made


def _flip(path: Path, seed: int) -> None:
    data = bytearray(path.read_bytes())
    data[random.Random(seed).randrange(len(data))] ^= 1 << seed % 8
    path.write_bytes(data)


def _cut(path: Path, seed: int) -> None:
    data = path.read_bytes()
    path.write_bytes(data[: random.Random(seed).randrange(len(data))])


def _empty(path: Path, seed: int) -> None:
    path.write_bytes(b"\0" * path.stat().st_size)


def _remove(path: Path, seed: int) -> None:
    path.unlink()


@pytest.mark.parametrize("harm", [_flip, _cut, _empty, _remove])
@pytest.mark.parametrize("name", ["spec.json", "data.json"])
def test_what_a_run_was_asked_and_has_fitted_survives_any_damage_of_one_file(
    run: RunFolder, run_spec: RunSpec, name: str, harm: Callable[[Path, int], None]
) -> None:
    whole = (run.path / name).read_bytes()
    for place, hurt in ((run.path / name, True), (run.copies / name, False)):
        for seed in range(20):
            before = place.read_bytes()
            harm(place, seed)
            assert run.read_spec() == run_spec
            assert run.read_fit() == Fitted((), ())
            assert (name in run.damage()) == hurt
            assert hurt == ("copy" in run.summary().text)
            place.write_bytes(before)
    assert (run.path / name).read_bytes() == whole
    assert run.damage() == ""


def test_runs_of_earlier_versions_have_no_copies(run: RunFolder, run_spec: RunSpec) -> None:
    for path in run.copies.iterdir():
        path.unlink()
    run.copies.rmdir()
    assert run.read_spec() == run_spec
    assert run.read_fit() == Fitted((), ())
    assert run.damage() == ""
    run.data.write_bytes(b"\xff\xfe")
    with pytest.raises(InvalidInput, match="damaged or from a newer version"):
        run.read_fit()
    run.data.write_text(msgspec.json.encode({"x" * 50_000: 1}).decode())
    with pytest.raises(InvalidInput) as caught:
        run.read_fit()
    assert len(str(caught.value)) < 1000


def test_what_is_written_by_hand_counts_for_a_run_that_is_started_by_hand(run: RunFolder, run_spec: RunSpec) -> None:
    other = msgspec.structs.replace(run_spec, engine="jax")
    run.spec.write_bytes(msgspec.json.encode(other))
    assert spec.read(run.spec, as_it_is=True).engine == "jax"
    assert run.read_spec() == run_spec
