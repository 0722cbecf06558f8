"""`seqdec-gui import`: a model file becomes a design that can be trained, and says what was done."""

from __future__ import annotations

from pathlib import Path

import pytest

from seqdec_gui import cli
from seqdec_gui.domain.document import load
from seqdec_gui.domain.problems import errors
from seqdec_gui.domain.validation import check

FOLDER = Path(__file__).resolve().parent.parent / "fixtures" / "keras2"


@pytest.mark.slow
def test_a_stack_of_keras_2_becomes_a_design_with_inputs_and_a_loss(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "stack.seqdec"
    assert cli.main(["import", str(FOLDER / "stack.h5"), "-o", str(target)]) == 0
    out = capsys.readouterr().out
    assert f"written for Keras 3: {tmp_path / 'stack.keras'}" in out
    design = load(target)
    assert errors(check(design).problems) == ()
    kinds = {block.id: block.kind for block in design.blocks}
    assert kinds == {"a": "vector", "b": "token_sequence", "stack": "keras_model", "loss": "loss"}
    assert design.block("stack").parameters.imported.file == "stack.keras"  # type: ignore[union-attr]
    before = target.read_bytes()
    assert cli.main(["import", str(FOLDER / "old.h5"), "-o", str(target)]) == 2
    assert "--force" in capsys.readouterr().err
    assert target.read_bytes() == before
    assert cli.main(["import", str(FOLDER / "old.h5"), "--into", str(target), "-o", str(target), "--force"]) == 0
    assert [block.id for block in load(target).blocks][-1] == "old"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["missing.h5", "-o", "a.seqdec"], "no such file"),
        (["missing.h5", "-o", "a.txt"], "ends with .seqdec"),
        (["missing.h5", "-o", "nowhere/a.seqdec"], "does not exist"),
    ],
)
def test_bad_arguments_are_refused_before_anything_is_written(
    arguments: list[str], words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert cli.main(["import", *arguments]) == 2
    assert words in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
