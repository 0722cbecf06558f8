"""Which part of the window a problem leads to."""

from __future__ import annotations

import pytest

from seqdec_gui.domain.design import Block, Design, Link, Port
from seqdec_gui.domain.kinds.inputs import TokenSequence
from seqdec_gui.domain.kinds.layer_stack import LayerStack
from seqdec_gui.domain.kinds.loss import Loss
from seqdec_gui.domain.problem_place import mended_at
from seqdec_gui.domain.problems import Problem
from seqdec_gui.domain.shapes import infer

DESIGN = Design(
    (Block("text", TokenSequence(symbols=9)), Block("model", LayerStack()), Block("loss", Loss())),
    (
        Link(Port("text", "output"), Port("model", "inputs")),
        Link(Port("model", "outputs"), Port("loss", "predictions")),
    ),
)


@pytest.mark.parametrize(
    ("code", "where", "of_data", "place"),
    [
        ("too_few_rows", "training.batch_size", True, "training"),
        ("batch_devices", "training.batch_size", False, "training"),
        ("data_missing", "data", True, "data"),
        ("bad_split", "data.split", False, "data"),
        ("unbound_port", "loss.targets", False, "data"),
        ("too_many_symbols", "text.output", True, "data"),
        ("wrong_shape", "loss.targets", True, "data"),  # of the rows of a column
        ("wrong_shape", "model.inputs", False, "block"),
        ("wrong_shape", "model.inputs", True, "block"),  # with the lengths of the data
        ("steps_differ", "loss.targets", True, "data"),
        ("steps_differ", "text.length", True, "block"),
        ("loss_activation", "loss.predictions", False, "block"),
        ("no_loss", "", False, "design"),
        ("duplicate_name", "gone", False, "design"),
        ("from_a_newer_version", "model.inputs", False, "block"),
        ("from_a_newer_version", "", True, "data"),
    ],
)
def test_a_problem_leads_to_where_it_is_mended(code: str, where: str, of_data: bool, place: str) -> None:
    assert mended_at(Problem("error", code, where, "What is wrong."), DESIGN, infer(DESIGN), of_data) == place
