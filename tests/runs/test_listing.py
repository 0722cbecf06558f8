"""All runs of a user are listed: quickly, with those that have gone, and whatever lies beside them."""

import os
import shutil
from pathlib import Path

import pytest

from seqdec_gui.domain import document
from seqdec_gui.domain.design import Design
from seqdec_gui.runs import known, listing, state, summary_cache
from seqdec_gui.runs.events import Epoch, EventWriter, Step
from seqdec_gui.runs.folder import DesignKey, RunFolder
from seqdec_gui.runs.known import Places
from seqdec_gui.runs.listing import Entry, Listing
from seqdec_gui.runs.notes import Note, display_name, plain_name, tags_of, write_note
from seqdec_gui.runs.run_filter import RunFilter, designs_of, tags_in
from seqdec_gui.runs.run_search import find_runs
from tests.runs.run_folders import begun, finished_run

A, B = "a" * 32, "b" * 32


NO_DESIGN = DesignKey()


def read(*folders: Path, design: DesignKey = NO_DESIGN, by: Listing | None = None) -> list[Entry]:
    return (by or Listing()).read(Places(folders), design)


def paths(entries: list[Entry]) -> list[str]:
    return [entry.path.name for entry in entries]


def test_runs_of_all_folders_are_listed_once_the_oldest_first(tmp_path: Path) -> None:
    one = finished_run(tmp_path / "one" / "runs" / "x", A, created=2).path
    two = finished_run(tmp_path / "two" / "y", B, created=1).path
    (tmp_path / "other name").symlink_to(tmp_path / "two")
    found = Listing().read(
        Places((one.parent, tmp_path / "two", tmp_path / "other name", tmp_path / "none"), (two,)), DesignKey(A)
    )
    assert [(entry.path, entry.own) for entry in found] == [(two, False), (one, True)]
    assert (found[0].summary.best_epoch, found[0].summary.last_epoch) == (1, 2)


def test_what_has_not_changed_is_not_read_again_even_by_the_next_program(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = finished_run(tmp_path / "runs" / "x")
    first = read(tmp_path / "runs")
    monkeypatch.setattr(state, "summary", lambda run: pytest.fail(f"{run} was read again"))
    assert read(tmp_path / "runs") == first
    write_note(run.path, Note(name="the good one"))
    with pytest.raises(pytest.fail.Exception, match="read again"):
        read(tmp_path / "runs")


def test_a_damaged_cache_costs_nothing_but_time(tmp_path: Path) -> None:
    finished_run(tmp_path / "runs" / "x")
    first = read(tmp_path / "runs")
    for content in (b"", b"{", b'{"format": 1, "version": "0", "runs": []}', b'{"format": 9}', b"\xff" * 10):
        summary_cache.file().write_bytes(content)
        assert read(tmp_path / "runs") == first
    summary_cache.file().unlink()
    summary_cache.file().mkdir()
    assert read(tmp_path / "runs") == first


def test_a_run_whose_folder_has_gone_is_shown_as_missing_until_it_is_forgotten(tmp_path: Path) -> None:
    run = finished_run(tmp_path / "runs" / "x", A).path
    finished_run(tmp_path / "runs" / "y", B, created=2000.0)
    read(tmp_path / "runs")
    shutil.move(tmp_path / "runs", tmp_path / "unplugged")
    missing, _ = read(tmp_path / "runs", design=DesignKey(A))
    assert (missing.path, missing.state, missing.own, missing.alive) == (run, "missing", True, False)
    assert missing.summary.text == "Finished after 2 epochs."
    again = Listing()
    again.forget([run])
    assert paths(read(tmp_path / "runs", by=again)) == ["y"]
    shutil.move(tmp_path / "unplugged", tmp_path / "runs")
    assert [(entry.path.name, entry.state) for entry in read(tmp_path / "runs")] == [("x", "finished"), ("y", "finished")]


def test_a_run_that_was_moved_is_not_missing(tmp_path: Path) -> None:
    finished_run(tmp_path / "old" / "runs" / "x", A)
    read(tmp_path / "old" / "runs")
    shutil.move(tmp_path / "old", tmp_path / "new")
    assert [entry.path for entry in read(tmp_path / "old" / "runs", tmp_path / "new" / "runs")] == [tmp_path / "new/runs/x"]


def test_hostile_neighbours_neither_hang_nor_hide_the_others(tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    finished_run(runs / "good")
    for name in ("pipe", "pipes", "huge", "huge events", "long line", "loop", "foreign", "lock folder"):
        (runs / name).mkdir()
    os.mkfifo(runs / "pipe" / "spec.json")
    shutil.copy(runs / "good" / "spec.json", runs / "pipes" / "spec.json")
    for name in ("events.jsonl", "lock", "note.json", "certificate.json", "dataset.json", "log.txt"):
        os.mkfifo(runs / "pipes" / name)
    for name, content, size in (("huge", "spec.json", 1 << 40), ("huge events", "events.jsonl", 1 << 40)):
        if content != "spec.json":
            shutil.copy(runs / "good" / "spec.json", runs / name / "spec.json")
        (runs / name / content).touch()
        os.truncate(runs / name / content, size)  # takes no room on the disk
    (runs / "huge events" / "dataset.json").touch()
    os.truncate(runs / "huge events" / "dataset.json", 1 << 40)
    shutil.copytree(runs / "good", runs / "long line", dirs_exist_ok=True)
    with (runs / "long line" / "events.jsonl").open("ab") as file:
        file.write(b'{"type":"message","text":"' + b"x" * (state.LONGEST_LINE + 10) + b'"}\n')
    (runs / "loop" / "spec.json").symlink_to(runs / "loop" / "spec.json")
    (runs / "foreign" / "spec.json").write_text('{"openapi": "3.1.0"}')
    shutil.copy(runs / "good" / "spec.json", runs / "lock folder" / "spec.json")
    (runs / "lock folder" / "lock").mkdir()
    found = {entry.path.name: entry for entry in read(runs)}
    assert found["good"].state == "finished"
    unreadable = {name for name, entry in found.items() if entry.state == "unreadable"}
    assert unreadable == {"pipe", "pipes", "huge", "foreign", "lock folder"}
    assert found["long line"].state == "finished"
    assert "longer than 8,388,608 bytes" in found["long line"].summary.text
    assert "larger than" in found["huge"].summary.text


def test_of_a_long_file_of_events_the_begin_and_the_end_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = RunFolder(tmp_path / "runs" / "x")
    shutil.copytree(finished_run(tmp_path / "short").path, run.path)
    run.events.unlink()
    events = EventWriter(run.events)
    events.write(begun(epochs=700))
    for epoch in range(1, 601):
        events.write(Step(epoch=epoch, step=epoch * 10 - 1, metrics={"loss": 1 / epoch}))
        events.write(Epoch(epoch=epoch, step=epoch * 10, metrics={"loss": 1 / epoch}, seconds=1))
    whole = run.summary()
    monkeypatch.setattr(state, "HEAD_BYTES", 100)
    monkeypatch.setattr(state, "MOST_BYTES", 5000)
    assert run.events.stat().st_size > 10 * 5000
    assert run.summary() == whole
    assert (whole.epoch, whole.epochs, whole.state) == (600, 700, "crashed")


def test_parts_of_a_long_list_are_told_while_it_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing, "FIRST_PART_S", 0.0)
    monkeypatch.setattr(listing, "NEXT_PART_S", 0.0)
    for number in range(3):
        finished_run(tmp_path / str(number), created=number)
    told: list[int] = []
    Listing().read(Places((tmp_path,)), DesignKey(), lambda entries: told.append(len(entries)))
    assert told == [1, 2, 3]


def test_only_active_runs_are_looked_at_again(tmp_path: Path) -> None:
    one, two = (finished_run(tmp_path / name, created=at) for at, name in enumerate("ab"))
    listing_ = Listing()
    read(tmp_path, by=listing_)
    for run in (one, two):
        write_note(run.path, Note(name="changed"))
    assert [entry.name for entry in listing_.look_again([two.path], DesignKey())] == ["a", "changed"]


def test_the_places_of_runs_are_remembered_and_forgotten(tmp_path: Path) -> None:
    own = known.data_folder() / "runs"
    assert known.places() == Places((own,), ())
    known.remember_run(tmp_path / "project" / "runs" / "x")
    known.remember_run(tmp_path / "elsewhere" / "20261129-101010-roman")
    known.remember_run(tmp_path / "home" / "my run")
    known.remember_designs([(tmp_path / "designs" / "roman.seqdec", A)])
    folders = (own, tmp_path / "project" / "runs", tmp_path / "elsewhere", tmp_path / "designs" / "runs")
    assert known.places() == Places(folders, (tmp_path / "home" / "my run",))
    assert known.places([tmp_path / "elsewhere"]).folders[0] == tmp_path / "elsewhere"
    known.forget([tmp_path / "elsewhere", tmp_path / "home" / "my run", tmp_path / "designs" / "runs"])
    assert known.places() == Places((own, tmp_path / "project" / "runs"), ())


def test_a_damaged_index_is_begun_anew(tmp_path: Path) -> None:
    known.remember_folders([tmp_path])
    for content in (b"", b"[]", b'{"format": 2}', b"\xff"):
        (known.data_folder() / known.FILE).write_bytes(content)
        assert known.read() == known.Known()
        known.remember_folders([tmp_path])
        assert known.read().folders == (str(tmp_path),)


def test_where_nothing_can_be_written_nothing_is_remembered_and_nothing_fails(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (home / "a file").touch()
    monkeypatch.setenv("XDG_DATA_HOME", str(home / "a file"))
    known.remember_folders([home])
    monkeypatch.undo()
    known.remember_folders([Path(os.fsdecode(b"/caf\xe9"))])
    assert known.read() == known.Known()


def test_a_design_is_found_by_its_id_where_its_file_is_now(tmp_path: Path) -> None:
    one, two = tmp_path / "one.seqdec", tmp_path / "two.seqdec"
    for path in (one, two):
        document.save(Design(id=A), path)
    known.remember_designs([(one, A), (two, A), (tmp_path / "gone.seqdec", A)])
    assert known.files_of(A) == [two, one]
    document.save(Design(id=B), two)
    assert known.files_of(A) == [one]
    assert known.files_of("") == []


def test_runs_are_found_below_a_folder_but_not_what_only_looks_like_one(tmp_path: Path) -> None:
    finished_run(tmp_path / "a" / "runs" / "x")
    finished_run(tmp_path / "a" / "runs" / "y")
    finished_run(tmp_path / "b" / "c" / "single")
    (tmp_path / "api").mkdir()
    (tmp_path / "api" / "spec.json").write_text("{}")
    os.mkfifo(tmp_path / "b" / "spec.json")
    (tmp_path / "b" / "round").symlink_to(tmp_path)
    found = find_runs(tmp_path)
    assert (set(found.folders), found.runs, found.complete) == ({tmp_path / "a" / "runs", tmp_path / "b" / "c"}, 3, True)
    assert find_runs(tmp_path / "a" / "runs" / "x").folders == (tmp_path / "a" / "runs",)
    with pytest.raises(FileNotFoundError):
        find_runs(tmp_path / "nowhere")


def test_runs_are_filtered_by_words_state_design_and_tag(tmp_path: Path) -> None:
    names = finished_run(tmp_path / "20261129-101010-Roman_numerals", A, name="Roman numerals", created=1)
    finished_run(tmp_path / "z", B, "/projects/x/roman.seqdec", created=2)
    third = finished_run(tmp_path / "v", "c" * 32, "/projects/y/roman.seqdec", created=3)
    third.spec.unlink()
    shutil.rmtree(third.copies)
    write_note(names.path, Note(note="half the rate", tags=("Good", "seed 3")))
    entries = read(tmp_path, design=DesignKey(B))

    def passing(**wishes: object) -> list[str]:
        return [entry.path.name for entry in entries if RunFilter(**wishes).passes(entry)]

    assert names.path.name in passing(words="ROMAN rate")
    assert passing(words="#good") == [names.path.name]
    assert passing(words="#rate") == []
    assert passing(tag="good") == [names.path.name]
    assert passing(design=B) == ["z"]
    assert passing(own_only=True) == ["z"]
    assert passing(state="failed") == ["v"]
    assert passing(words="projects/x") == []  # the path of the design is the design's, not the run's
    assert tags_in(entries) == ["Good", "seed 3"]
    assert set(designs_of(entries).values()) == {"Roman numerals", "roman", "(unreadable)"}
    assert display_name(names.path) == "Roman numerals · 29 Nov 10:10:10"


@pytest.mark.parametrize(
    ("text", "tags"),
    [("", ()), (" good , seed  3;good,GOOD", ("good", "seed 3")), ("#a, ##b,#", ("a", "b")), ("x" * 99, ("x" * 40,))],
)
def test_tags_are_read_as_they_are_typed(text: str, tags: tuple[str, ...]) -> None:
    assert tags_of(text) == tags


def test_the_name_of_a_run_is_that_of_its_design_and_not_of_its_folder() -> None:
    assert plain_name("20261129-040506-Roman_numerals", "Roman numerals") == "Roman numerals · 29 Nov 04:05:06"
    assert plain_name("20261129-040506-Roman_numerals-2", "Roman numerals") == "Roman numerals 2 · 29 Nov 04:05:06"
    assert plain_name("trial-0012", "Roman numerals") == "Roman numerals · trial 12"
    assert plain_name("trial-0012") == "trial-0012"
    assert plain_name("20261129-040506-roman", "another") == "roman · 29 Nov 04:05:06"
