"""The measures, each against another computation: jiwer, sacrebleu's command, RDKit by hand, and what papers print."""

from __future__ import annotations

import math
import subprocess
import sys
from itertools import product
from pathlib import Path

import jiwer
import numpy as np
import pytest

from seqdec_gui.domain.quality import MEASURES, PREFIX, larger_is_better, measure_of
from seqdec_gui.runs.quality import measures
from seqdec_gui.runs.quality.measures import FORMULAS, Generated, measured
from seqdec_gui.runs.quality.molecules import canonical, look_like_smiles

TARGETS = ["the cat sat on the mat", "there is a dog", "to be or not to be", "exactly this one"]
FOUND = ["the cat sat on mat", "there was a dog there", "to be to be or not", "exactly this one"]


def words(texts: list[str]) -> list[list[str]]:
    return [text.split() for text in texts]


def test_there_is_a_formula_for_every_measure_and_a_measure_for_every_formula() -> None:
    assert list(FORMULAS) == list(MEASURES)


def test_error_rates_are_those_of_jiwer() -> None:
    by_words = measured(["exact_match", "token_error_rate"], Generated(targets=TARGETS, found=FOUND, cut=words))
    assert by_words["token_error_rate"] == pytest.approx(jiwer.wer(TARGETS, FOUND))
    assert by_words["exact_match"] == 0.25
    by_characters = measured(["token_error_rate"], Generated(targets=TARGETS, found=FOUND))
    assert by_characters["token_error_rate"] == pytest.approx(jiwer.cer(TARGETS, FOUND))


def test_bleu_and_chrf_are_what_the_command_of_sacrebleu_prints(tmp_path: Path) -> None:
    target, found = tmp_path / "targets", tmp_path / "found"
    target.write_text("\n".join(TARGETS) + "\n")
    found.write_text("\n".join(FOUND) + "\n")
    command = [sys.executable, "-m", "sacrebleu", str(target), "-i", str(found), "-m", "bleu", "chrf", "-b", "-w", "6"]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    scores = [float(number) for number in printed.replace("[", " ").replace("]", " ").replace(",", " ").split()]
    values = measured(["bleu", "chrf"], Generated(targets=TARGETS, found=FOUND))
    assert [values["bleu"], values["chrf"]] == pytest.approx(scores, abs=1e-5)
    assert 0 < values["bleu"] < 100


def test_bleu_is_the_product_of_its_parts() -> None:
    """By the formula of Papineni et al. (2002): 4 precisions of clipped counts, and the penalty for brevity."""
    target, found = ["a", "b", "c", "d", "e", "f", "g", "h"], ["a", "b", "c", "d", "e", "x", "g"]

    def grams(tokens: list[str], n: int) -> list[tuple[str, ...]]:
        return [tuple(tokens[i : i + n]) for i in range(len(tokens) - n + 1)]

    precisions = []
    for n in range(1, 5):
        wanted, made = grams(target, n), grams(found, n)
        precisions.append(sum(min(made.count(gram), wanted.count(gram)) for gram in set(made)) / len(made))
    expected = 100 * math.exp(1 - len(target) / len(found)) * math.prod(precisions) ** 0.25
    assert measures.bleu([" ".join(target)], [" ".join(found)]) == pytest.approx(expected)


def test_molecules_are_valid_unique_novel_and_diverse_as_counted_by_hand() -> None:
    from rdkit import Chem
    from rdkit.Chem import AllChem

    samples = ["CCO", "OCC", "c1ccccc1", "CC(=O)O", "C1CC", "", "not one", "CCN"]
    known = canonical(["C(C)O", "CCCC", "broken("])
    values = measured(["valid", "unique", "novel", "diversity"], Generated(samples=samples, known=known))
    assert known == {"CCO", "CCCC"}
    assert values["valid"] == 5 / 8  # CCO twice, benzene, acetic acid, CCN
    assert values["unique"] == 4 / 5
    assert values["novel"] == 3 / 4
    found = [Chem.MolFromSmiles(smiles) for smiles in ("CCO", "OCC", "c1ccccc1", "CC(=O)O", "CCN")]
    prints = [AllChem.GetHashedMorganFingerprint(molecule, 2, 1024) for molecule in found]
    bits = [set(each.GetNonzeroElements()) for each in prints]
    similar = [len(a & b) / len(a | b) for a, b in product(bits, bits)]
    assert values["diversity"] == pytest.approx(1 - np.mean(similar))


def test_mean_squared_error_counts_every_number_once() -> None:
    wanted, predicted = [np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([[5.0, 6.0]])], [np.zeros((2, 2)), np.ones((1, 2))]
    value = measured(["mean_squared_error"], Generated(wanted=wanted, predicted=predicted))["mean_squared_error"]
    assert value == pytest.approx((1 + 4 + 9 + 16 + 16 + 25) / 6)


def test_numbers_of_other_shapes_are_not_compared_by_broadcasting() -> None:
    with pytest.raises(ValueError, match="shapes"):
        measures.mean_squared_error([np.ones((1, 3))], [np.ones((3, 1))])


@pytest.mark.parametrize("name", MEASURES)
def test_nothing_to_measure_is_no_number(name: str) -> None:
    assert math.isnan(measured([name], Generated())[name])


def test_texts_look_like_smiles_where_nearly_all_are() -> None:
    molecules = ["CCO", "c1ccccc1", "CC(=O)Oc1ccccc1C(=O)O", "CCN(CC)CC", "C1CCCCC1"] * 4
    assert look_like_smiles(molecules)
    assert not look_like_smiles(["I", "II", "III", "IV", "MCMXCIX", "XLII"])
    assert not look_like_smiles(["hello", "world"])
    assert not look_like_smiles(["C", "N", "O", "CC"])
    assert not look_like_smiles([])


def test_the_names_of_metrics_say_their_measure_and_direction() -> None:
    assert [measure_of(PREFIX + name) for name in MEASURES] == list(MEASURES)
    assert measure_of("val_loss") == measure_of("exact_match") == measure_of("val_free_other") == ""
    assert larger_is_better("val_token_accuracy")
    assert larger_is_better("val_free_bleu")
    assert not larger_is_better("val_free_token_error_rate")
    assert not larger_is_better("val_loss")


def test_a_measure_says_which_extra_it_lacks(monkeypatch: pytest.MonkeyPatch) -> None:
    assert measures.missing_packages(MEASURES) == []
    monkeypatch.setattr(measures, "find_spec", lambda name: None)
    problems = measures.missing_packages(MEASURES)
    assert [problem.code for problem in problems] == ["missing_extra"] * 2
    assert "BLEU, chrF" in problems[0].text
    assert problems[1].hint == 'Install it: pip install "seqdec-gui[rdkit]"'
