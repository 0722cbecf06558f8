"""One state for a binding, whoever asks: no sign says that it fits while a sentence says that it does not."""

from __future__ import annotations

import hypothesis.strategies as st
from hypothesis import given, settings

from seqdec_gui.data.binding_state import binding_states, port_with_row
from seqdec_gui.domain.data_edits import with_columns
from seqdec_gui.domain.dataflow import data_ports
from seqdec_gui.domain.problems import Problem
from tests.domain.designs import archetype

BARE = archetype()
PORTS = data_ports(BARE)
LATENT, STEPS, LOSS = PORTS
BOUND = with_columns(with_columns(BARE, PORTS, LATENT, ["X"]), PORTS, STEPS, ["smiles"])


def words(*problems: Problem, tried: bool = True) -> dict[str, str]:
    return {name: state.word for name, state in binding_states(BOUND, PORTS, problems, tried).ports.items()}


def test_a_column_that_is_too_wide_for_the_targets_fits_at_neither_end() -> None:
    wide = Problem("error", "wrong_shape", "loss.targets", "It is 44 wide; loss.targets has 22 classes.")
    assert words(wide) == {"latent": "ok", STEPS.name: "error", "loss": "error"}
    states = binding_states(BOUND, PORTS, [wide, wide], tried=True)
    assert states.ports[STEPS.name].problems == (wide,)  # said once, where the column is chosen
    assert states.ports["loss"].problems == ()
    assert states.ports["loss"].teacher == STEPS
    assert states.errors == 1


def test_what_has_not_been_tried_as_it_is_now_does_not_count_as_fitting() -> None:
    assert words(tried=False) == {"latent": "unknown", STEPS.name: "unknown", "loss": "unknown"}
    assert {state.word for state in binding_states(BARE, PORTS, (), True).ports.values()} == {"unbound"}


def test_a_problem_of_a_parameter_belongs_to_the_port_of_its_block() -> None:
    assert port_with_row("latent.width", BOUND, PORTS) == LATENT
    assert port_with_row("training.batch_size", BOUND, PORTS) is None
    assert port_with_row("latent", BOUND, PORTS) == LATENT


def test_a_problem_of_no_port_is_general() -> None:
    few = Problem("error", "too_few_rows", "training.batch_size", "Too few.")
    states = binding_states(BOUND, PORTS, [few], tried=True)
    assert states.general == (few,)
    assert states.errors == 1


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.builds(
            Problem,
            st.sampled_from(["error", "warning", "info"]),
            st.just("wrong_shape"),
            st.sampled_from(["latent.output", "loss.targets", "loss", "model_2.inputs", "decoder_inputs.length", "elsewhere"]),
            st.sampled_from(["a", "b"]),
        ),
        max_size=4,
    )
)
def test_whatever_is_wrong_no_port_counts_as_fitting_beside_an_error_of_its_column(problems: list[Problem]) -> None:
    states = binding_states(BOUND, PORTS, problems, tried=True).ports
    for ends in ([LATENT.name], [STEPS.name, LOSS.name]):
        wrong = [problem for name in ends for problem in states[name].problems if problem.severity == "error"]
        assert {states[name].word == "error" for name in ends} == {bool(wrong)}
