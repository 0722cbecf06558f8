"""Keras files that a design written by hand only names."""

from __future__ import annotations

from pathlib import Path

import pytest

from seqdec_gui.domain.design import Design
from seqdec_gui.domain.kinds.keras_model import KerasModel
from seqdec_gui.domain.problems import InvalidInput, Problem
from seqdec_gui.domain.shapes import infer
from seqdec_gui.runs import imports
from seqdec_gui.runs.model_description import ArrayDescription, LayerDescription
from seqdec_gui.runs.task_results import Inspected
from seqdec_gui.runs.tasks import InspectTask
from tests.domain.designs import block, design

FOUND = Inspected(
    name="encoder",
    inputs=(ArrayDescription("seq", (None, 4), "float32"),),
    outputs=(ArrayDescription("code", (6,), "bfloat16"), ArrayDescription("ids", (3,), "int64")),
    layers=(LayerDescription("code", "LSTM", 264),),
    parameters=264,
    trainable=264,
    sha256="abc",
)


def by_hand(**parameters: object) -> Design:
    blocks = [block("x", "float_sequence", length=9, features=4), block("encoder", "keras_model", **parameters)]
    return design(blocks, ["x.output -> encoder.seq"])


def test_a_file_that_is_only_named_is_looked_into(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    asked: list[InspectTask] = []
    monkeypatch.setattr(imports, "run_task", lambda task, _: asked.append(task) or FOUND)
    found = imports.inspected(by_hand(file="a.keras", trainable=False), tmp_path)

    assert asked == [InspectTask(path=str(tmp_path / "a.keras"), folder=str(tmp_path))]
    known = infer(found).blocks["encoder"]
    assert {name: str(type) for name, type in known.outputs.items()} == {
        "code": "float32 (None, 6)",
        "ids": "int32 (None, 3)",
    }
    assert (known.parameters, known.trainable, known.problems) == (264, 0, ())
    kind = found.block("encoder").parameters
    assert isinstance(kind, KerasModel)
    assert (kind.file, kind.sha256, kind.layer_names) == ("a.keras", "abc", ("code",))


def test_what_was_looked_into_before_starts_no_child(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    known = by_hand().with_parameters("encoder", imports.keras_model(FOUND, "a.keras"))
    monkeypatch.setattr(imports, "run_task", lambda *_: pytest.fail("a child was started"))

    assert imports.inspected(known, tmp_path) == known
    assert imports.inspected(by_hand(), tmp_path) == by_hand()  # no file yet: `check` says so


def test_a_file_that_cannot_be_used_is_a_problem_at_its_block(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def refuse(task: InspectTask, _: object) -> Inspected:
        raise InvalidInput([Problem("error", "unusable_keras_file", "file", "a.keras cannot become a block: no.")])

    monkeypatch.setattr(imports, "run_task", refuse)
    with pytest.raises(InvalidInput) as caught:
        imports.inspected(by_hand(file="a.keras"), tmp_path)

    assert [problem.where for problem in caught.value.problems] == ["encoder.file"]
