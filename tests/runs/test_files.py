import errno
import os

import pytest

from seqdec_gui.runs.files import write_atomically


def test_an_error_is_about_the_file_that_was_asked_for_and_not_about_the_temporary_one(tmp_path, monkeypatch):
    path = tmp_path / "spec.json"
    write_atomically(path, b"old")

    def full(_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("seqdec_gui.runs.files.os.fsync", full)
    with pytest.raises(OSError, match="No space left") as caught:
        write_atomically(path, b"new")
    assert caught.value.filename == str(path)
    assert [file.read_bytes() for file in tmp_path.iterdir()] == [b"old"]
    with pytest.raises(FileNotFoundError) as missing:
        write_atomically(tmp_path / "nowhere" / "spec.json", b"")
    assert missing.value.filename == str(tmp_path / "nowhere" / "spec.json")
