"""The list of hosts, and what the words of ssh mean."""

from __future__ import annotations

import shlex
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqdec_gui import cli
from seqdec_gui.domain.problems import InvalidInput
from seqdec_gui.runs.hosts import book, ssh
from seqdec_gui.runs.hosts.book import Host
from seqdec_gui.runs.hosts.ssh import LinkLost, NotPrepared

LAB = Host("lab", "me@server")


def test_hosts_are_added_replaced_listed_and_forgotten(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["hosts", "list"]) == 0
    assert "No hosts" in capsys.readouterr().out
    assert cli.main(["hosts", "add", "lab", "me@server", "--folder", "/big disk/me"]) == 0
    assert cli.main(["hosts", "add", "other", "ssh://me@server:2222"]) == 0
    assert cli.main(["hosts", "add", "lab", "me@new"]) == 0
    assert [(host.name, host.address, host.folder) for host in book.read()] == [
        ("other", "ssh://me@server:2222", "seqdec-gui"), ("lab", "me@new", "seqdec-gui"),
    ]  # fmt: skip
    capsys.readouterr()
    assert cli.main(["hosts", "list", "--json"]) == 0
    assert '"address": "me@new"' in capsys.readouterr().out
    assert cli.main(["hosts", "remove", "other"]) == 0
    assert [host.name for host in book.read()] == ["lab"]


def test_an_unknown_host_is_said_with_the_nearest() -> None:
    book.add(LAB)
    with pytest.raises(InvalidInput, match=r"no host 'lap'; there are lab\. Did you mean lab\?"):
        book.find("lap")
    book.remove("lab")
    with pytest.raises(InvalidInput, match=r"there is none yet\. Add it: seqdec-gui hosts add lab user@server"):
        book.find("lab")


@pytest.mark.parametrize("name", ["", "-lab", "a b", "lab:gpu", "gpu", "cpu", "auto", "a/b", "x" * 80, "a\nb"])
def test_names_that_mean_something_else_are_refused(name: str) -> None:
    with pytest.raises(InvalidInput, match="Expected a name"):
        book.add(Host(name, "me@server"))


@pytest.mark.parametrize("address", ["", "-oProxyCommand=x", "me@-oProxyCommand=x", "a b", "a\nb", "me@", "ssh://-x", "a\tb"])
def test_addresses_that_ssh_would_take_for_options_are_refused(address: str) -> None:
    with pytest.raises(InvalidInput, match="Expected a server"):
        book.add(Host("lab", address))
    with pytest.raises(InvalidInput):  # nor from a file that was changed by hand
        ssh.argv(Host("lab", address), "true")


@pytest.mark.parametrize("folder", ["", " ", "~other/x", "a\0b"])
def test_folders_that_lead_nowhere_are_refused(folder: str) -> None:
    with pytest.raises(InvalidInput, match="Expected a path for the folder"):
        book.add(Host("lab", "me@server", folder))


def test_a_damaged_list_is_named() -> None:
    book.add(LAB)
    path = book.data_folder() / book.FILE
    path.write_text("{")
    with pytest.raises(InvalidInput, match="Remove it, and add the hosts anew"):
        book.read()
    path.write_text('{"format": 99}')
    with pytest.raises(InvalidInput, match="format 99"):
        book.read()


words = st.lists(st.text(st.characters(exclude_characters="\0", exclude_categories=("Cs",)), max_size=12), max_size=4)


@given(words)
def test_words_arrive_as_they_were_whatever_they_hold(arguments: list[str]) -> None:
    """A login shell gets one command; `sh` is the shell here."""
    command = ssh.quoted(["printf", "%s\\0", *arguments])
    done = subprocess.run(["sh", "-c", command], capture_output=True, check=True)
    assert done.stdout.decode().split("\0")[:-1] == (arguments or [""])
    assert shlex.split(command)[:3] == ["exec", "sh", "-c"]


@pytest.mark.parametrize(
    ("status", "said", "kind", "sentence"),
    [
        (255, "Host key verification failed.", LinkLost, "not known here yet. Connect once by hand (ssh me@server)"),
        (255, "@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! @\nHost key verification failed.", LinkLost, "ssh-keygen -R"),
        (255, "me@server: Permission denied (publickey).", LinkLost, "ssh-copy-id me@server"),
        (255, "ssh: Could not resolve hostname server: Name or service not known", LinkLost, "no server of that name"),
        (255, "ssh: connect to host server port 22: Connection refused", LinkLost, "is sshd running"),
        (255, "ssh: connect to host server port 22: Connection timed out", LinkLost, "switched on"),
        (255, "", LinkLost, "the link to me@server broke."),
        (127, "sh: 1: exec: seqdec-gui/venv/bin/python: not found", NotPrepared, "hosts prepare lab"),
        (1, "python: No module named seqdec_gui", NotPrepared, "hosts prepare lab"),
        (2, "there is no command and no file 'answer'.", NotPrepared, "too old"),
        (1, "OSError: [Errno 28] No space left on device", LinkLost, "disk there is full"),
        (1, "ModuleNotFoundError: No module named 'msgspec'", NotPrepared, "does not start: ModuleNotFoundError"),
    ],
)
def test_what_ssh_says_becomes_a_sentence_that_helps(status: int, said: str, kind: type, sentence: str) -> None:
    error = ssh.explanation(LAB, status, said)
    assert type(error) is kind
    assert sentence in str(error)
    assert str(error).startswith("lab: ")


def test_without_ssh_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEQDEC_GUI_SSH", "no-such-program -v")
    with pytest.raises(LinkLost, match="no program 'no-such-program' here: install OpenSSH"):
        ssh.argv(LAB, "true")


def test_ssh_asks_for_nothing_and_forwards_nothing() -> None:
    argv = ssh.argv(LAB, "true")
    assert {"BatchMode=yes", "ClearAllForwardings=yes"} <= set(argv)
    assert argv[-3:] == ["--", "me@server", "true"]
