import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqdec_gui.domain.problems import InvalidInput
from seqdec_gui.runs.control import COMMANDS, Command, CommandReader, Unreadable, append, command


@given(st.sampled_from(COMMANDS), st.floats(1e-9, 100), st.text(max_size=20))
def test_a_command_survives_the_line(name, rate, number):
    sent = Command(name, rate if name == "set_learning_rate" else None, number)
    assert msgspec.json.decode(msgspec.json.encode(sent), type=Command) == sent


def test_commands_are_read_once_and_in_order(tmp_path):
    path = tmp_path / "commands.jsonl"
    reader = CommandReader(path)
    assert reader.read() == []
    first, second = command("pause"), command("set_learning_rate", 1e-4)
    append(path, first)
    append(path, second)
    assert reader.read() == [first, second]
    assert reader.read() == []
    assert first.id != second.id


def test_a_half_written_command_is_left_for_later(tmp_path):
    path = tmp_path / "commands.jsonl"
    line = msgspec.json.encode(command("stop")) + b"\n"
    reader = CommandReader(path)
    path.write_bytes(line[:9])
    assert reader.read() == []
    path.write_bytes(line)
    assert [read.command for read in reader.read()] == ["stop"]


def test_a_command_after_a_half_line_that_nobody_will_finish_is_still_read(tmp_path):
    path = tmp_path / "commands.jsonl"
    path.write_bytes(b'{"command": "pau')
    append(path, command("stop"))
    damaged, stop = CommandReader(path).read()
    assert isinstance(damaged, Unreadable)
    assert stop.command == "stop"


@pytest.mark.parametrize(
    ("line", "identity", "words"),
    [
        ('{"id": "7", "command": "dance"}', "7", "dance"),
        ('{"id": "7", "command": "set_learning_rate"}', "7", "above 0"),
        ('{"id": "7", "command": "set_learning_rate", "value": -1}', "7", "above 0"),
        ('{"id": "7", "command": "stop", "value": 1}', "7", "takes no value"),
        ('{"id": "7", "command": "stop", "when": "now"}', "7", "when"),
        ("stop", "", "Expected a command"),
    ],
)
def test_what_is_no_command_can_be_answered_with_its_id(tmp_path, line, identity, words):
    path = tmp_path / "commands.jsonl"
    path.write_text(line + "\n")
    (read,) = CommandReader(path).read()
    assert isinstance(read, Unreadable)
    assert read.id == identity
    assert words in read.text


def test_a_shell_may_leave_out_the_id(tmp_path):
    path = tmp_path / "commands.jsonl"
    path.write_text('{"command": "stop"}\n\n')
    (read,) = CommandReader(path).read()
    assert read.command == "stop"
    assert read.id


def test_a_reader_begins_where_it_is_told(tmp_path):
    path = tmp_path / "commands.jsonl"
    append(path, command("stop"))
    reader = CommandReader(path, path.stat().st_size)
    append(path, command("pause"))
    assert [read.command for read in reader.read()] == ["pause"]


@pytest.mark.parametrize(("name", "value"), [("dance", None), ("stop", 3.0), ("set_learning_rate", None)])
def test_a_wrong_command_is_refused_before_it_is_sent(name, value):
    with pytest.raises(InvalidInput):
        command(name, value)
