"""What `train` binds by itself, what it leaves to the user, and what its refusal proposes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from seqdec_gui import resource_files
from seqdec_gui.domain.design import Design
from seqdec_gui.domain.document import load
from seqdec_gui.domain.edit import bind, set_value
from seqdec_gui.domain.validation import unbound
from seqdec_gui.runs.proposed import bound_if_clear, in_words, proposals_for, with_hints
from seqdec_gui.runs.readiness import readiness
from seqdec_gui.runs.spec import DeviceChoice


def template(name: str, data: Path) -> Design:
    return set_value(load(resource_files.path(f"templates/{name}.seqdec")), "data.file", str(data))


@pytest.fixture
def letters(tmp_path: Path) -> Path:
    path = tmp_path / "letters.npz"
    rows = np.array(["abc", "bca", "cab"] * 40)
    np.savez(path, values=np.zeros((120, 11), np.float32), written=rows)
    return path


def test_columns_that_only_one_port_can_mean_are_bound_and_said(letters: Path) -> None:
    design = template("latent-to-sequence", letters)
    proposals = proposals_for(design, letters.parent)
    bound = bound_if_clear(design, proposals)
    assert bound is not None
    assert unbound(bound) == ()
    assert {binding.port: binding.columns for binding in bound.data.bindings} == {
        "latent.output": ("values",),
        "model_2.inputs": ("written",),
    }
    assert [in_words(proposal) for proposal in proposals] == [
        "latent.output is bound to values: 11 numbers a row; nothing else fits.",
        "model_2.inputs is bound to written: text of at most 3 characters; nothing else is left.",
    ]


def test_a_choice_is_left_to_the_user_and_named_in_the_hint(tmp_path: Path) -> None:
    path = tmp_path / "pairs.csv"
    path.write_text("one,two words\n" + "abc,cba\n" * 100)
    design = template("sequence-to-sequence", path)
    proposals = proposals_for(design, tmp_path)
    assert bound_if_clear(design, proposals) is None
    problems = with_hints(readiness(design, tmp_path, DeviceChoice("cpu")), proposals)
    hints = {problem.where: problem.hint for problem in problems if problem.code == "unbound_port"}
    assert "--bind source.output=one or --bind 'source.output=two words'" in hints["source.output"]
    assert hints["loss.targets"] == "The column of decoder.inputs gives it too, one step ahead."


def test_one_column_for_both_ends_is_proposed_and_not_taken(tmp_path: Path) -> None:
    path = tmp_path / "lines.csv"
    path.write_text("line\n" + "abc\n" * 100)
    design = template("sequence-autoencoder", path)
    proposals = proposals_for(design, tmp_path)
    assert all(proposal.taken is not None and proposal.shared for proposal in proposals)
    assert bound_if_clear(design, proposals) is None


def test_nothing_is_proposed_where_all_is_bound_or_the_file_cannot_be_read(letters: Path) -> None:
    design = template("latent-to-sequence", letters)
    assert proposals_for(set_value(design, "data.file", "nowhere.csv"), letters.parent) == ()
    everything = bind(bind(design, "latent", ["values"]), "model_2.inputs", ["written"])
    assert proposals_for(everything, letters.parent) == ()


def test_a_proposal_that_is_read_as_words_says_so_in_its_options(tmp_path: Path) -> None:
    path = tmp_path / "captions.npz"
    captions = np.array([f"a small picture of the handwritten number {number}" for number in range(50)])
    np.savez(path, image=np.zeros((50, 4096), np.float32), caption=captions, other=captions)
    design = template("image-to-sequence", path)
    problems = with_hints(readiness(design, tmp_path, DeviceChoice("cpu")), proposals_for(design, tmp_path))
    hints = {problem.where: problem.hint for problem in problems if problem.code == "unbound_port"}
    assert hints["image.output"].startswith("Proposed: --bind image.output=image (")
    assert "--bind decoder.inputs=caption --set decoder.inputs.codec.tokens=words" in hints["decoder_inputs.output"]
