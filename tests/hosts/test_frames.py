"""Messages between this machine and a host: whole or not at all."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqdec_gui.runs.hosts import frames
from seqdec_gui.runs.hosts.frames import Garbled

messages = st.lists(
    st.tuples(st.sampled_from(["events", "log", "done"]), st.binary(max_size=40), st.text(max_size=9)), max_size=5
)


@given(messages, st.integers(0, 400))
def test_messages_arrive_whole_and_a_broken_one_not_at_all(sent: list[tuple[str, bytes, str]], cut: int) -> None:
    parts = [frames.packed(kind, data, text=text) for kind, data, text in sent]
    stream = io.BytesIO(b"".join(parts)[:cut])
    whole = 0
    while whole < len(parts) and sum(map(len, parts[: whole + 1])) <= cut:
        whole += 1
    arrived = []
    while (frame := frames.read(stream)) is not None:
        arrived.append((frame.kind, frame.data, frame.text("text")))
    assert arrived == sent[:whole]


@pytest.mark.parametrize(
    "line", [b"hello\n", b'{"kind": "x", "size": -1}\n', b'{"size": 9999999999}\n', b'{"size": "9"}\n', b"[]\n"]
)
def test_what_is_no_message_is_refused(line: bytes) -> None:
    with pytest.raises(Garbled):
        frames.read(io.BytesIO(line))


def test_a_field_of_another_type_is_refused() -> None:
    frame = frames.read(io.BytesIO(frames.packed("state", offset="9", ok=True)))
    assert frame is not None
    for ask in (lambda: frame.integer("offset"), lambda: frame.integer("ok"), lambda: frame.text("missing")):
        with pytest.raises(Garbled):
            ask()
