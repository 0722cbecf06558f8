"""What is generated from the codes of rows is what is generated from the rows."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from seqdec_gui.data.code_points import Codes, write_codes
from seqdec_gui.domain.decoding import Beam, Greedy, Sampling
from seqdec_gui.domain.design import Design
from seqdec_gui.domain.problems import InvalidInput
from seqdec_gui.runs.tasks import EncodeTask, GenerateTask
from tests.runner import designs
from tests.runner.test_api import Here, make_run

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::DeprecationWarning")]


@pytest.mark.parametrize("strategy", [Greedy(), Sampling(1.3), Beam(3, n_best=2)], ids=["greedy", "sampling", "beam"])
@pytest.mark.parametrize(
    "design", [designs.stack(), designs.translation(), designs.variational()], ids=["stack", "translation", "variational"]
)
def test_codes_of_rows_generate_what_the_rows_generate(design: Design, strategy: object, tmp_path: Path) -> None:
    run, here = make_run(design, tmp_path, spread=0.2), Here()
    count = 2 if isinstance(strategy, Sampling) else 1
    codes, out = tmp_path / "codes.npz", tmp_path / "out.csv"
    encoded = here.do(EncodeTask(run=str(run.path), split="training", trained_on=30, output=str(codes)))

    def texts(**rows: object) -> list[tuple[str, ...]]:
        here.do(GenerateTask(run=str(run.path), output=str(out), strategy=strategy, count=count, **rows))  # type: ignore[arg-type]
        with out.open(encoding="utf-8", newline="") as file:
            return [(row["text"], row["log_probability"], row["sample"]) for row in csv.DictReader(file)]

    if not isinstance(strategy, Sampling):
        assert texts(codes=str(codes)) == texts(split="training", trained_on=30)
    else:  # the random numbers of a sequence follow from its row, which is another here
        assert len(texts(codes=str(codes))) == 2 * encoded.rows
    write_codes(codes, Codes(np.zeros((1, encoded.width + 1), np.float32), np.arange(1), {}))
    with pytest.raises(InvalidInput, match=rf"have {encoded.width + 1} numbers, and the run's codes have {encoded.width}"):
        texts(codes=str(codes))
