import math

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqdec_gui.runs import events
from seqdec_gui.runs.events import EventWriter, Failed, Message, Step, Stopped, UnreadableLine, decode, encode

_metrics = st.dictionaries(st.text(max_size=8), st.none() | st.floats(), max_size=4)
_seconds = st.floats(0, 253_402_300_799)
_by_name = {
    "time": _seconds,
    "metrics": _metrics,
    "load": st.none() | st.floats(),
    "seconds": _seconds,
    "parts": st.integers(1, 2**53),
}
_texts = st.dictionaries(st.text(max_size=8), st.text(max_size=8), max_size=3)


def _build(cls):
    """Every field of an event class at random."""
    known = dict(_by_name, versions=_texts)
    fields = {
        field.name: known[field.name] if field.name in known else st.from_type(field.type)
        for field in msgspec.structs.fields(cls)
    }
    return st.builds(cls, **fields)


_small = st.integers(0, 2**53)
st.register_type_strategy(int, _small)
any_event = st.one_of([_build(cls) for cls in events.TYPES.values()])


@given(any_event)
def test_decode_inverts_encode_for_every_event(event):
    line = encode(event)
    assert b"\n" not in line
    assert decode(line) == event
    assert decode(line.decode()) == event


def test_types_are_those_of_the_contract():
    names = "started step epoch checkpoint device message command paused continued finished stopped failed"
    assert " ".join(events.TYPES) == names


def test_a_line_begins_with_its_type_and_has_a_time():
    line = encode(Step(epoch=1, step=2, metrics={"loss": 0.5}))
    assert line.startswith(b'{"type":"step"')
    assert abs(msgspec.json.decode(line)["time"] - decode(line).time) < 1e-6


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_metrics_that_are_not_finite_become_null(value):
    event = Step(epoch=1, step=2, metrics={"loss": value, "accuracy": 1})
    assert event.metrics == {"loss": None, "accuracy": 1.0}
    assert msgspec.json.decode(encode(event))["metrics"]["loss"] is None


def test_metrics_may_be_numpy_scalars():
    import numpy

    assert decode(encode(Step(epoch=1, step=2, metrics={"loss": numpy.float32(0.5)}))).metrics == {"loss": 0.5}


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("", "Expected an event"),
        ("3", "Expected an event"),
        ('{"time": 1}', "Expected an event"),
        ("Epoch 1/3", "Expected an event"),
        (b"\xff\xfe", "Expected an event"),
        ('{"type": "teleported", "time": 1}', "newer seqdec-gui"),
        ('{"type": "step", "time": 1, "epoch": 1, "step": 1, "phase": 2}', "newer seqdec-gui"),
        ('{"type": "step", "time": 1, "epoch": "one", "step": 1}', "damaged"),
    ],
)
def test_what_is_no_event_is_one_clear_sentence(line, words):
    with pytest.raises(UnreadableLine, match=words) as raised:
        decode(line)
    assert "\n" not in str(raised.value)


def test_the_writer_appends_after_cutting_a_half_line(tmp_path):
    path = tmp_path / "events.jsonl"
    path.write_bytes(encode(Message(text="one")) + b"\n" + b'{"type":"mess')
    with EventWriter(path) as writer:
        writer.write(Message(text="two"))
        writer.write(Stopped(epoch=1))
    assert [decode(line) for line in path.read_bytes().splitlines()][1].text == "two"
    assert len(path.read_bytes().splitlines()) == 3


def test_the_writer_cuts_a_file_that_is_one_long_half_line(tmp_path):
    path = tmp_path / "events.jsonl"
    path.write_bytes(b"x" * 200_000)
    with EventWriter(path) as writer:
        writer.write(Message(text="one"))
    assert decode(path.read_bytes()).text == "one"


def test_a_full_disk_leaves_no_half_event(tmp_path, monkeypatch):
    import errno
    import os

    path = tmp_path / "events.jsonl"
    real, calls = os.write, []

    def write(file, data):
        calls.append(data)
        if len(calls) == 1:
            return real(file, data[:10])
        raise OSError(errno.ENOSPC, "No space left on device")

    with EventWriter(path) as writer:
        monkeypatch.setattr(os, "write", write)
        with pytest.raises(OSError, match="No space"):
            writer.write(Failed(kind="crashed", sentence="x"))
        monkeypatch.undo()
        assert path.read_bytes() == b""
        writer.write(Message(text="after"))
    assert decode(path.read_bytes()).text == "after"


def test_threads_share_a_writer_without_mixing_lines(tmp_path):
    import threading

    path = tmp_path / "events.jsonl"
    with EventWriter(path) as writer:
        threads = [
            threading.Thread(target=lambda n=n: [writer.write(Message(text=str(n) * 500)) for _ in range(50)]) for n in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len([decode(line) for line in path.read_bytes().splitlines()]) == 200
