"""Which measures apply follows from what a design generates and how its targets are encoded."""

from __future__ import annotations

from pathlib import Path

import pytest

from seqdec_gui.data.codecs import FittedText
from seqdec_gui.data.dataset import open_dataset
from seqdec_gui.data.fitted import Fitted
from seqdec_gui.data.written_tokens import error_rate, tokens_of
from seqdec_gui.domain.dataflow import data_ports
from seqdec_gui.domain.design import Design
from seqdec_gui.domain.edit import set_value
from seqdec_gui.domain.validation import check
from seqdec_gui.runs.quality import measures
from seqdec_gui.runs.quality.applying import quality_problems, subject_of
from tests.domain.designs import block, design
from tests.runner import designs

PAIRS = ("exact_match", "token_error_rate", "bleu", "chrf")
MOLECULES = ("valid", "unique", "novel", "diversity")


def fitted(wanted: Design, folder: Path) -> tuple[Design, Fitted]:
    bound = designs.bound(wanted, designs.write_rows(folder))
    found = open_dataset(bound.data, data_ports(bound), folder).fitted
    assert found is not None
    return bound, found


def regression() -> Design:
    return design(
        [block("vector", "vector", width=3), block("model", "layer_stack", layers=[{"layer": "Dense", "units": 3}]),
         block("numbers", "loss", loss="mean_squared_error", metrics=["mean_absolute_error"])],
        ["vector.output -> model.inputs", "model.outputs -> numbers.predictions"],
    )  # fmt: skip


def test_measures_follow_from_the_codec_and_the_inputs(tmp_path: Path) -> None:
    assert subject_of(*fitted(designs.stack(), tmp_path)).measures == (*PAIRS, *MOLECULES)
    assert subject_of(*fitted(designs.language(), tmp_path)).measures == MOLECULES  # nothing is generated for a row
    assert subject_of(*fitted(regression(), tmp_path)).measures == ("mean_squared_error",)


def test_a_measure_that_does_not_apply_is_an_error_that_names_those_that_do(tmp_path: Path) -> None:
    made, found = fitted(regression(), tmp_path)
    assert quality_problems(made, found) == ()
    asked = set_value(made, "training.quality", "exact_match,mean_squared_error")
    (problem,) = quality_problems(asked, found)
    assert (problem.code, problem.where) == ("bad_measure", "training.quality")
    assert problem.text == "exact match cannot be measured, because the model generates numbers."
    assert problem.hint == "Measure mean_squared_error."
    (problem,) = quality_problems(set_value(made, "training.monitor", "val_free_bleu"), found)
    assert (problem.code, problem.where) == ("bad_measure", "training.monitor")


def test_a_package_that_is_missing_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made, found = fitted(designs.stack(), tmp_path)
    asked = set_value(made, "training.quality", "exact_match,bleu")
    assert quality_problems(asked, found) == ()
    monkeypatch.setattr(measures, "find_spec", lambda name: None)
    (problem,) = quality_problems(asked, found)
    assert problem.hint == 'Install it: pip install "seqdec-gui[bleu]"'


def test_quality_needs_validation_rows(tmp_path: Path) -> None:
    made, _ = fitted(designs.stack(), tmp_path)
    without = set_value(set_value(made, "data.split.validation", "0"), "training.quality", "exact_match")
    assert [(problem.code, problem.where) for problem in check(without).problems if problem.severity == "error"] == [
        ("no_validation", "training.quality")
    ]


def test_what_is_monitored_is_measured(tmp_path: Path) -> None:
    made, _ = fitted(designs.stack(), tmp_path)
    asked = set_value(set_value(made, "training.quality", "bleu"), "training.monitor", "val_free_exact_match")
    assert asked.training.measures == ("bleu", "exact_match")
    assert set_value(asked, "training.monitor", "val_loss").training.measures == ("bleu",)


@pytest.mark.parametrize(
    ("tokens", "charset", "short"),
    [
        ("words", ("HH", "AH0", "L", "OW1"), "PER"),
        ("words", ("the", "cat", "D"), "WER"),
        ("characters", ("a", "b"), "CER"),
        ("characters", ("ə", "b"), "PER"),
        ("smiles", ("C", "Cl"), "TER"),
    ],
)
def test_an_error_rate_is_named_after_its_tokens(tokens: str, charset: tuple[str, ...], short: str) -> None:
    assert error_rate(FittedText(charset, 9, tokens=tokens)).short == short  # type: ignore[arg-type]


def test_texts_are_cut_as_the_codec_cuts_them() -> None:
    texts = ["CCl[nH]", "", "C%12 Br"]
    smiles = FittedText((), 9, tokens="smiles")
    assert tokens_of(smiles, texts) == [["C", "Cl", "[nH]"], [], ["C", "%12", " ", "Br"]]
    assert tokens_of(FittedText((), 9, tokens="words"), ["a  b", "", "c"]) == [["a", "b"], [], ["c"]]
    assert tokens_of(FittedText((), 9), ["añ", "b"]) == [["a", "ñ"], ["b"]]
    assert tokens_of(None, ["1 22 3"]) == [["1", "22", "3"]]
