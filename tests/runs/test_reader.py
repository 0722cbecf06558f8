import os
import threading
import time
import tracemalloc

import msgspec
import pytest

from seqdec_gui.runs import lock, spec
from seqdec_gui.runs.events import Epoch, EventWriter, Failed, Finished, Message, Started, Step, UnreadableLine, encode
from seqdec_gui.runs.folder import create
from seqdec_gui.runs.reader import EventTail, Follower, follow, read_events

STARTED = Started(epochs=5, steps_per_epoch=10, batch_size=8, devices=("cpu:0",), engine="jax")


@pytest.fixture
def run(tmp_path, run_spec):
    made = create(tmp_path / "run", None)
    spec.write(run_spec, made.spec)
    return made


def test_half_lines_wait_for_their_other_half(run):
    tail = EventTail(run.events)
    assert tail.read() == []
    line = encode(Message(text="zwölf")) + b"\n"
    for end in range(len(line)):
        run.events.write_bytes(line[:end])
        assert tail.read() == []
    run.events.write_bytes(line + line[:5])
    assert [event.text for event in tail.read()] == ["zwölf"]
    assert tail.offset == len(line)


def test_separators_of_unicode_do_not_split_a_line(run):
    with EventWriter(run.events) as writer:
        writer.write(Message(text="a\u2028b\x85c\x0cd\re"))
    assert read_events(run)[0].text == "a\u2028b\x85c\x0cd\re"


def test_a_line_longer_than_a_chunk_is_read(run, monkeypatch):
    monkeypatch.setattr("seqdec_gui.runs.reader.CHUNK_BYTES", 100)
    with EventWriter(run.events) as writer:
        writer.write(Message(text="x" * 5000))
        for number in range(20):
            writer.write(Message(text=str(number)))
    assert [len(event.text) for event in read_events(run)] == [5000, *[1] * 10, *[2] * 10]


def test_a_reader_waits_for_a_run_that_has_not_begun_and_follows_it_live(run):
    seen = []
    thread = threading.Thread(target=lambda: seen.extend(follow(run, poll_s=0.01)))
    thread.start()
    time.sleep(0.05)
    with lock.acquire(run.lock) as held:
        held.write(lock.record_of(run.path, 1))
        with EventWriter(run.events) as writer:
            writer.write(STARTED)
            writer.write(Epoch(epoch=1, step=10))
            time.sleep(0.05)
            assert len(seen) == 2
            writer.write(Finished(epoch=1))
    thread.join(5)
    assert [type(event).__name__ for event in seen] == ["Started", "Epoch", "Finished"]


def test_following_ends_when_the_reader_wants(run):
    end = time.monotonic() + 0.1
    assert list(follow(run, poll_s=0.01, stop=lambda: time.monotonic() > end)) == []


def test_a_dead_run_gets_one_made_up_end(run):
    with lock.acquire(run.lock) as held:
        held.write(lock.record_of(run.path, 1))
    with EventWriter(run.events) as writer:
        writer.write(STARTED)
    follower = Follower(run)
    events = follower.poll()
    assert isinstance(events[-1], Failed)
    assert follower.ended
    assert follower.poll() == []
    assert len(run.events.read_bytes().splitlines()) == 1


def test_an_event_of_a_newer_version_is_said_so(run):
    with EventWriter(run.events) as writer:
        writer.write(msgspec.structs.replace(STARTED, versions={"seqdec-gui": "999.0"}))
    with run.events.open("a") as file:
        file.write('{"type": "teleported", "time": 1.0}\n')
    with pytest.raises(UnreadableLine, match="newer"):
        read_events(run)


@pytest.mark.parametrize(
    "damage",
    [b'{"type":"stfp","time":1.0,"epoch":1,"step":1}', b'{"type":"step","time":1.0,"epoch":1,"stfp":1}', b"\xff\xfe",
     b'{"type":"st', b'{"type":"step","time":1.0,"epoch":-1,"step":1}', b"\0" * 5000],
)  # fmt: skip
def test_damaged_lines_are_left_out_with_a_word(run, damage):
    with EventWriter(run.events) as writer:
        writer.write(STARTED)
    with run.events.open("ab") as file:
        file.write(damage + b"\n" + damage + b"\n" + encode(Finished(epoch=5)) + b"\n")
    started, finished, warning = read_events(run)
    assert (started, type(finished)) == (STARTED, Finished)
    assert (warning.severity, warning.code) == ("warning", "damaged_events")
    assert warning.text.startswith("2 lines of events.jsonl are damaged and left out. The first: ")
    assert len(warning.text) < 500
    assert "of events.jsonl" in run.status().text  # of steps only the last is looked at


def test_an_event_behind_blocks_that_were_never_written_is_kept(run):
    with EventWriter(run.events) as writer:
        writer.write(STARTED)
    with run.events.open("ab") as file:
        file.write(b"\0" * 4096 + encode(Finished(epoch=5)) + b"\n")
    assert [type(event) for event in read_events(run)] == [Started, Finished, Message]


@pytest.mark.slow
@pytest.mark.parametrize("ends", [False, True])
def test_a_line_longer_than_any_event_is_passed_over_in_little_memory(run, ends):
    """As after a power cut: a file of its full size with nothing in it."""
    with EventWriter(run.events) as writer:
        writer.write(STARTED)
    size = run.events.stat().st_size + (1 << 30)
    os.truncate(run.events, size)
    if ends:
        with run.events.open("ab") as file:
            file.write(b"\n" + encode(Finished(epoch=5)) + b"\n")
    tail = EventTail(run.events)
    tracemalloc.start()
    began = time.process_time()
    events = [*tail.read(), *tail.read(), *tail.read()]
    status = run.status()
    assert time.process_time() - began < 20  # half a second where nothing else runs
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 100 << 20
    assert [type(event) for event in events] == ([Started, Message, Finished] if ends else [Started])
    assert status.state == ("finished" if ends else "crashed")


def test_fifty_thousand_events_replay_fast(run):
    with EventWriter(run.events) as writer:
        writer.write(STARTED)
    lines = [encode(Step(epoch=1, step=n, metrics={"loss": 0.5, "token_accuracy": 0.1})) + b"\n" for n in range(50_000)]
    with run.events.open("ab") as file:
        file.writelines(lines)
        file.write(encode(Finished(epoch=5)) + b"\n")
    began = time.perf_counter()
    assert len(list(follow(run))) == 50_002
    assert time.perf_counter() - began < 15
