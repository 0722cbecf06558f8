"""Masks of padding: what a file cannot store, and where a mask is lost."""

from __future__ import annotations

import pytest

from seqdec_gui.domain.validation import check
from tests.domain.designs import block, design


@pytest.mark.parametrize(
    ("rows", "lost"),
    [
        ([{"layer": "Masking"}, {"layer": "RMSNormalization"}, {"layer": "MultiHeadAttention"}], True),
        ([{"layer": "Masking"}, {"layer": "LayerNormalization"}, {"layer": "MultiHeadAttention"}], False),
        ([{"layer": "Masking"}, {"layer": "Conv1D"}, {"layer": "Dense"}, {"layer": "Recurrent"}], True),
        ([{"layer": "Masking"}, {"layer": "Conv1D"}, {"layer": "Masking"}, {"layer": "Recurrent"}], False),
        ([{"layer": "Masking"}, {"layer": "Conv1D"}, {"layer": "Dense"}], False),
        ([{"layer": "Masking"}, {"layer": "Flatten"}, {"layer": "BatchNormalization"}], False),
        ([{"layer": "RMSNormalization"}, {"layer": "MultiHeadAttention"}], False),
    ],
)
def test_a_mask_that_is_lost_on_the_way_to_a_layer_that_would_use_it_is_told(rows: list[dict[str, str]], lost: bool) -> None:
    made = design([block("steps", "float_sequence", length=5, features=4), block("head", "layer_stack", layers=rows)],
                  ["steps.output -> head.inputs"])  # fmt: skip
    found = [problem for problem in check(made).problems if problem.code == "mask_lost"]
    assert [problem.where for problem in found] == (["head"] if lost else [])
