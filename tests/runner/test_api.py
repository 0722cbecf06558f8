"""What scripts do with a trained run is what the commands do, and importing the package imports no framework."""

from __future__ import annotations

import csv
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import seqdec_gui
from seqdec_gui.domain.decoding import Beam, Constraints, Sampling, check_decoding
from seqdec_gui.domain.problems import InvalidInput
from seqdec_gui.runs.task_results import Encoded
from seqdec_gui.runs.tasks import EncodeTask, EvaluateTask, GenerateTask
from tests.runner import designs
from tests.runner.test_task import Here, make_run


def test_the_package_imports_nothing_of_the_window_or_a_framework() -> None:
    code = "import seqdec_gui, sys; assert not {'keras', 'jax', 'tensorflow', 'PyQt5', 'numpy'} & set(sys.modules); "
    code += "assert set(seqdec_gui.__all__) >= {'open_run', 'generate', 'score', 'encode', 'evaluate', 'load_bundle'}"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
    with pytest.raises(AttributeError, match="no attribute 'generat'"):
        _ = seqdec_gui.generat  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("how", "match"),
    [
        ({"strategy": "beam"}, r"Expected a strategy such as Greedy\(\).* received 'beam'"),
        ({"strategy": Sampling(top_k=2.5)}, "Expected top_k to be a whole number, received 2.5"),  # type: ignore[arg-type]
        ({"strategy": Sampling("hot")}, "Expected temperature to be a number, received 'hot'"),  # type: ignore[arg-type]
        ({"strategy": Sampling(), "count": 2.5}, "Expected the number of samples to be a whole number, received 2.5"),
        ({"strategy": Sampling(), "seed": 1.5}, "Expected the seed to be a whole number, received 1.5"),
    ],
)
def test_what_is_no_strategy_or_no_whole_number_is_refused(how: Any, match: str) -> None:
    with pytest.raises(InvalidInput, match=match):
        check_decoding(**how)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore:.* for what no training row has")
def test_five_functions(tmp_path: Path) -> None:
    run, here = make_run(designs.stack(), tmp_path, spread=0.2), Here()
    model = seqdec_gui.open_run(run.path)
    assert model.inputs == ("latent",)
    rows = [[1, 2, 3], {"latent": [3, 2, 1]}]
    out = tmp_path / "out.csv"

    def written() -> list[tuple[int, int, str]]:
        with out.open(encoding="utf-8", newline="") as file:
            return [(int(row["row"]), int(row["sample"]), row["text"]) for row in csv.DictReader(file)]

    typed = ({"latent": [1, 2, 3]}, {"latent": [3, 2, 1]})
    for strategy, n, unique in ((Sampling(1.3, top_p=0.9), 3, True), (Beam(4, n_best=2), 1, False)):
        constraints = Constraints(forbid="a", prefix="bc", min_length=3)
        samples = seqdec_gui.generate(model, rows, n=n, strategy=strategy, seed=5, constraints=constraints, unique=unique)
        options: Any = {"count": n, "strategy": strategy, "seed": 5, "constraints": constraints, "unique": unique}
        here.do(GenerateTask(run=str(run.path), output=str(out), rows=typed, **options))
        assert [sample[:3] for sample in samples] == written()
        assert all(sample.text.startswith("bc") and "a" not in sample.text and len(sample.text) >= 3 for sample in samples)
        assert len({(sample.row, sample.text) for sample in samples}) == len(samples)
        scores = seqdec_gui.score(model, [{"latent": typed[s.row]["latent"], "text": s.text} for s in samples], text="text")
        for sample, score in zip(samples, scores, strict=True):
            assert score.text == sample.text
            assert score.log_probability == pytest.approx(sample.log_probability, abs=1e-4)

    prefixed = [{"latent": [1, 2, 3], "start": start} for start in ("ab", "", "c")]
    samples = seqdec_gui.generate(model, prefixed, constraints=Constraints(prefix_column="start"))
    assert [sample.text[:2] for sample in samples[:1]] == ["ab"]
    assert samples[2].text[:1] == "c"
    wrong: list[tuple[Any, dict[str, Any], str]] = [
        (rows, {"constraints": Constraints(prefix_column="strat")}, "No row has the prefix column 'strat'"),
        (rows, {"split": "test"}, "received both"),
        ([], {"split": "tests"}, "Expected a split of .*, received 'tests'"),
        ("123", {}, "Expected a list of rows, received text"),
        ({"latent": [1, 2, 3]}, {}, "Expected a list of rows, received one mapping"),
        ([{"latent": [1, 2, 3], "latnt": 1}], {}, r"No port 'latnt' was trained; expected one of [^.]*\.$"),
    ]
    for given, how, match in wrong:
        with pytest.raises(InvalidInput, match=match):
            seqdec_gui.generate(model, given, **how)

    codes = seqdec_gui.encode(model, rows)
    stored = model.loaded.fitted.encode_rows({"latent": np.array([[1.0, 2, 3], [3, 2, 1]])})["latent"]
    states = model.models["model_1"].predict_on_batch(stored.astype(np.float32))
    assert codes == pytest.approx(np.concatenate([np.asarray(state) for state in states], axis=1), abs=1e-6)
    assert np.array_equal(codes[1:], seqdec_gui.encode(model, rows[1:]))
    given = tmp_path / "rows.csv"
    given.write_text("id,latent\nx,1 2 3\ny,1 2\nz,3 2 1\n")
    result = here.do(EncodeTask(run=str(run.path), input=str(given), output=str(tmp_path / "codes.csv")))
    assert isinstance(result, Encoded)
    assert (result.rows, result.refused, result.width) == (2, 1, codes.shape[1])
    with (tmp_path / "codes.csv").open(newline="") as file:
        lines = list(csv.DictReader(file))
    assert [line["id"] for line in lines] == ["x", "y", "z"]
    assert [float(lines[2][f"code_{k}"]) for k in range(codes.shape[1])] == pytest.approx(codes[1], abs=1e-5)
    here.do(EncodeTask(run=str(run.path), split="test", trained_on=30, output=str(tmp_path / "codes.npz")))
    with np.load(tmp_path / "codes.npz") as file:
        assert np.array_equal(file["codes"], seqdec_gui.encode(model, split="test"))

    assert (
        seqdec_gui.evaluate(model, split="validation")
        == here.do(EvaluateTask(run=str(run.path), split="validation", trained_on=30)).metrics
    )
    with pytest.raises(InvalidInput, match="there are"):
        seqdec_gui.encode(model, rows, port="model_1.code")
