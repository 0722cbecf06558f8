"""The files that are sent to a host: kept once, whole, and nowhere else."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from seqdec_gui.domain.problems import InvalidInput, SeqdecError
from seqdec_gui.runs.hosts.store import Store, Sums

DATA = b"row,text\n" * 1000
SUM = hashlib.sha256(DATA).hexdigest()


def test_a_file_that_was_broken_off_goes_on_where_it_ended(tmp_path: Path) -> None:
    store = Store(tmp_path)
    assert store.begin(SUM, "rows.csv", len(DATA)) == 0
    store.take(DATA[:4000])
    store.close()
    assert store.find(SUM, "rows.csv", len(DATA)) is None
    again = Store(tmp_path)
    at = again.begin(SUM, "rows.csv", len(DATA))
    assert at == 4000
    again.take(DATA[at:])
    assert again.end().read_bytes() == DATA
    assert again.find(SUM, "rows.csv", len(DATA)) == tmp_path / "files" / SUM / "rows.csv"


def test_a_file_is_found_under_another_name(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.begin(SUM, "rows.csv", len(DATA))
    store.take(DATA)
    first = store.end()
    found = store.find(SUM, "other name.csv", len(DATA))
    assert found is not None
    assert found.samefile(first)


def test_a_file_that_is_not_what_was_announced_is_not_kept(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.begin(SUM, "rows.csv", len(DATA))
    store.take(DATA[:-1] + b"x")
    with pytest.raises(SeqdecError, match="did not arrive as it was sent"):
        store.end()
    assert store.begin(SUM, "rows.csv", len(DATA)) == 0
    store.close()


def test_two_programs_do_not_write_one_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one, other = Store(tmp_path), Store(tmp_path)
    one.begin(SUM, "rows.csv", len(DATA))
    original = __import__("seqdec_gui.runs.lock", fromlist=["acquire"]).acquire
    monkeypatch.setattr("seqdec_gui.runs.lock.acquire", lambda path, timeout_s: original(path, 0.1))
    with pytest.raises(SeqdecError, match="sent by another program"):
        other.begin(SUM, "rows.csv", len(DATA))
    one.close()


@pytest.mark.parametrize(("sha256", "name"), [(SUM, "../x"), (SUM, ".."), (SUM, ""), ("../../x", "rows.csv"), (SUM, "a\0b")])
def test_a_name_that_leads_elsewhere_is_refused(tmp_path: Path, sha256: str, name: str) -> None:
    with pytest.raises(InvalidInput, match="Expected a check sum"):
        Store(tmp_path).begin(sha256, name, 1)


def test_a_check_sum_is_remembered_until_the_file_changes(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_bytes(DATA)
    assert Sums(tmp_path / "sums.json").of(path).sha256 == SUM
    again = Sums(tmp_path / "sums.json")
    assert again.of(path).sha256 == SUM
    path.write_bytes(DATA + b"x")
    assert again.of(path).sha256 == hashlib.sha256(DATA + b"x").hexdigest()
