"""Rows that come with a task, as the codecs of the run want them."""

from __future__ import annotations

import errno
import os
import stat
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from seqdec_gui.data.codecs import FittedIds, FittedNumbers, FittedText
from seqdec_gui.data.fitted import Fitted, FittedPort
from seqdec_gui.data.tensor_feeds import TensorFeed
from seqdec_gui.domain.problems import InvalidInput, SeqdecError
from seqdec_gui.runner.sample_file import Beside, columns_of, write_samples
from seqdec_gui.runner.sampler import Sample


def fitted(codec: FittedIds | FittedNumbers | FittedText) -> Fitted:
    feed = TensorFeed("x", "input", "x", encoding="values")
    return Fitted((FittedPort("x", "x.output", "input", ("column",), codec),), (feed,))


def test_one_hot_rows_are_taken_as_they_were_trained() -> None:
    run = fitted(FittedIds((3,), depth=4, pad_id=4, limit=4))
    rows = [{"x": np.eye(4)[[0, 2, 1]].tolist()}, {"x": np.eye(4)[[3, 3, 1]].tolist()}]
    assert run.encode_rows(columns_of(rows, run))["x"].tolist() == [[0, 2, 1], [3, 3, 1]]


def test_what_is_no_text_is_refused_and_not_written_out() -> None:
    run = fitted(FittedText(("a", "n", "1"), 4))
    assert columns_of([{"x": "nan"}, {"x": 1}, {"x": np.int64(11)}], run) == {"x": ["nan", "1", "11"]}
    for value in (None, float("nan"), np.float32("nan"), b"a", ["a"], {"a": 1}):
        with pytest.raises(InvalidInput, match=r"Row 2 of input x is .*; expected text"):
            columns_of([{"x": "a"}, {"x": value}], run)


def test_numbers_of_another_shape_are_named_with_their_row() -> None:
    run = fitted(FittedNumbers((2,)))
    with pytest.raises(InvalidInput, match=r"Row 2 of input x is '\[1.0\]'; expected numbers of shape \(2,\)"):
        columns_of([{"x": [1.0, 2.0]}, {"x": [1.0]}], run)


def test_a_column_marks_sequences_that_were_cut_where_it_is_asked_for(tmp_path: Path) -> None:
    parts = [[Sample(0, 0, "ab", -1.0, finished=False), Sample(1, 0, "b", None)]]
    write_samples(tmp_path / "plain.csv", parts)
    write_samples(tmp_path / "marked.csv", parts, mark_unfinished=True)
    assert (tmp_path / "plain.csv").read_text() == "row,sample,text,log_probability\n0,0,ab,-1.000000\n1,0,b,\n"
    header, *rows = (tmp_path / "marked.csv").read_text().splitlines()
    assert header == "row,sample,text,log_probability,finished"
    assert rows == ["0,0,ab,-1.000000,0", "1,0,b,,1"]


def test_rows_that_could_not_be_decoded_have_their_reason_and_columns_are_carried_over(tmp_path: Path) -> None:
    beside = Beside({0: "it is empty", 2: "it is too long", 3: "no"}, {"id": ["q0", "q1", "q2", "q3"], "text": list("abcd")})
    parts = [[Sample(1, 0, "ab", -1.0), Sample(1, 1, "b", None)]]
    count, preview = write_samples(tmp_path / "out.csv", parts, beside=beside)
    assert (count, len(preview)) == (2, 2)
    assert (tmp_path / "out.csv").read_text().splitlines() == [
        "row,sample,text,log_probability,id,input_text,problem",
        "0,,,,q0,a,it is empty",
        "1,0,ab,-1.000000,q1,b,",
        "1,1,b,,q1,b,",
        "2,,,,q2,c,it is too long",
        "3,,,,q3,d,no",
    ]


def test_samples_go_into_a_pipe_that_stays_one(tmp_path: Path) -> None:
    pipe = tmp_path / "out.csv"
    os.mkfifo(pipe)
    read: list[str] = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_text(encoding="utf-8")))
    reader.start()
    count, preview = write_samples(pipe, [[Sample(0, 0, "ä", -1.0)], [Sample(1, 0, "b", None)]])
    reader.join(10)

    assert (count, len(preview)) == (2, 2)
    assert read == ["row,sample,text,log_probability\n0,0,ä,-1.000000\n1,0,b,\n"]
    assert stat.S_ISFIFO(pipe.stat().st_mode)
    assert list(tmp_path.iterdir()) == [pipe]


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.ENOSPC, "No space left on device .* are free.; make room"),
        (errno.EACCES, "Permission denied; change the permissions"),
    ],
)
def test_samples_that_cannot_be_written_leave_nothing(number: int, words: str, tmp_path: Path) -> None:
    def parts() -> Iterator[list[Sample]]:
        yield [Sample(0, 0, "a", -1.0)]
        raise OSError(number, os.strerror(number))

    with pytest.raises(SeqdecError, match=words):
        write_samples(tmp_path / "out.csv", parts())
    assert list(tmp_path.iterdir()) == []
