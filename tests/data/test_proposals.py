"""Which columns are proposed for which ports, and when nothing is taken because several would do."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

from seqdec_gui import resource_files
from seqdec_gui.commands.templates import NAMES
from seqdec_gui.data.column_fit import type_fault
from seqdec_gui.data.formats.base import Column
from seqdec_gui.data.proposals import Proposal, propose, with_proposals
from seqdec_gui.data.tables import inspect
from seqdec_gui.data.text_facts import TextFacts, text_facts
from seqdec_gui.domain.bindings import DataSource, Split, TextCodec
from seqdec_gui.domain.data_edits import with_columns
from seqdec_gui.domain.dataflow import data_ports
from seqdec_gui.domain.design import Design
from seqdec_gui.domain.document import load
from seqdec_gui.domain.validation import unbound
from tests.domain.designs import block
from tests.domain.designs import design as make_design

ROWS = 100


def text(name: str, rows: int = ROWS) -> Column:
    return Column(name, "text", "text", (), rows)


def number(name: str, rows: int = ROWS) -> Column:
    return Column(name, "number", "float64", (), rows)


def whole(name: str, rows: int = ROWS) -> Column:
    return Column(name, "integer", "int64", (), rows)


def array(name: str, *shape: int, rows: int = ROWS, dtype: str = "float32") -> Column:
    return Column(name, "array", dtype, shape, rows)


def template(name: str) -> Design:
    return load(resource_files.path(f"templates/{name}.seqdec"))


def of(design: Design, columns: Sequence[Column], **facts: TextFacts) -> dict[str, Proposal]:
    found = propose(design, data_ports(design), columns, facts)
    return {proposal.port.name: proposal for proposal in found}


def taken(design: Design, *columns: Column, **facts: TextFacts) -> dict[str, tuple[str, ...]]:
    return {name: each.taken.columns for name, each in of(design, columns, **facts).items() if each.taken is not None}


def choices(design: Design, *columns: Column, **facts: TextFacts) -> dict[str, set[tuple[str, ...]]]:
    return {
        name: {choice.columns for choice in each.choices} for name, each in of(design, columns, **facts).items() if each.choices
    }


ARCHETYPE = template("latent-to-sequence")
PAIRS = template("sequence-to-sequence")
AUTOENCODER = template("sequence-autoencoder")


# -- the bundled examples, from their files
@pytest.mark.parametrize("name", ["roman", "digits", "molecules", "pronunciation"])
def test_every_example_is_bound_as_its_author_bound_it(name: str) -> None:
    path = resource_files.path(f"examples/{name}.seqdec")
    design = load(path)
    table = inspect(path.parent / design.data.file)
    bare = design.with_data(DataSource(file=design.data.file))
    proposals = propose(bare, data_ports(bare), table.columns, text_facts(table))
    bound = with_proposals(bare, data_ports(bare), proposals)
    assert unbound(bound) == ()
    assert {each.port: each.columns for each in bound.data.bindings} == {
        each.port: each.columns for each in design.data.bindings
    }
    words = [each.codec.tokens for each in bound.data.bindings if isinstance(each.codec, TextCodec)]
    assert words == (["words"] if name == "pronunciation" else [])
    assert all(proposal.reason.endswith(".") and not proposal.shared for proposal in proposals)


@pytest.mark.parametrize("name", [name for name in NAMES if name != "blank"])
def test_every_template_proposes_something_for_every_port_that_its_kind_of_data_can_feed(name: str) -> None:
    design = template(name)
    columns = [array("X", 4096 if name == "image-to-sequence" else 11), text("a"), text("b")]
    one_text = ("language-model", "conditional-language-model", "latent-to-sequence", "image-to-sequence")
    columns = columns[: 2 if name in one_text else 3]
    found = of(design, columns)
    assert set(found) == {port.name for port in unbound(design) if port.role == "input"}
    assert all(each.taken or each.choices for each in found.values())


# -- by shape, by name, by elimination
def test_shape_and_type_decide_where_only_one_column_has_them() -> None:
    assert taken(ARCHETYPE, array("anything", 11), array("other", 12), text("what")) == {
        "latent": ("anything",),
        "decoder_inputs": ("what",),
    }


def test_single_numbers_are_proposed_together_where_they_make_up_the_width() -> None:
    descriptors = [number(f"d{i}") for i in range(11)]
    assert taken(ARCHETYPE, *descriptors, text("smiles"))["latent"] == tuple(f"d{i}" for i in range(11))
    others = [number("mass"), number("logp")]
    assert taken(ARCHETYPE, *others, *descriptors, text("smiles"))["latent"] == tuple(f"d{i}" for i in range(11))
    assert "latent" not in taken(ARCHETYPE, *descriptors, *[number(f"e{i}") for i in range(11)], text("smiles"))


def test_a_column_that_numbers_the_rows_is_not_taken_for_data() -> None:
    descriptors = [number(f"prop_{name}") for name in "abcdefghijk"]
    assert len(taken(ARCHETYPE, whole("id"), *descriptors, text("smiles"))["latent"]) == 11
    assert taken(template("language-model"), whole("Index"), text("line")) == {"decoder_inputs": ("line",)}


def test_names_decide_between_columns_that_both_fit() -> None:
    assert taken(PAIRS, text("tgt"), text("src")) == {"source": ("src",), "decoder_inputs": ("tgt",)}
    assert taken(PAIRS, text("comment"), text("source"), text("target_text")) == {
        "source": ("source",),
        "decoder_inputs": ("target_text",),
    }
    assert "latent" not in taken(ARCHETYPE, array("X", 11), array("Z", 11), text("smiles"))  # a letter says too little
    assert taken(ARCHETYPE, array("latent", 11), array("other", 11), text("smiles"))["latent"] == ("latent",)


def test_a_name_that_fits_in_another_size_keeps_other_columns_from_being_taken() -> None:
    found = of(ARCHETYPE, [array("latent", 44), array("X", 11), text("smiles")])["latent"]
    assert found.taken is None
    assert {choice.columns for choice in found.choices} == {("latent",), ("X",)}


def test_equal_columns_without_telling_names_are_a_choice() -> None:
    assert taken(PAIRS, text("a"), text("b")) == {}
    assert choices(PAIRS, text("a"), text("b")) == {"source": {("a",), ("b",)}, "decoder_inputs": {("a",), ("b",)}}
    assert "which one is it" in of(PAIRS, [text("a"), text("b")])["source"].reason.lower()


def test_what_was_chosen_for_one_end_is_left_out_for_the_other_unless_both_may_read_it() -> None:
    ports = data_ports(PAIRS)
    chosen = with_columns(PAIRS, ports, ports[0], ["a"])
    found = of(chosen, [text("a"), text("b")])
    assert set(found) == {"decoder_inputs"}  # both ends alike: b, or a once more
    assert [choice.columns for choice in found["decoder_inputs"].choices] == [("b",), ("a",)]


def test_one_column_of_text_feeds_both_ends_of_an_autoencoder_and_says_so() -> None:
    found = of(AUTOENCODER, [text("smiles")])
    assert {name: each.taken and each.taken.columns for name, each in found.items()} == {
        "sequence": ("smiles",),
        "decoder_inputs": ("smiles",),
    }
    assert all(each.shared and "both ends" in each.reason for each in found.values())
    assert found["decoder_inputs"].follows == "loss.targets"


# -- what the rows hold
def test_text_that_is_too_long_by_characters_is_read_as_words() -> None:
    image = template("image-to-sequence")
    found = of(image, [array("pixels", 4096), text("about")], about=TextFacts(60, 200, 2000, 20))["decoder_inputs"]
    assert found.taken is not None
    assert found.taken.codec == TextCodec(tokens="words")
    assert "20 words" in found.reason


def test_text_that_does_not_fit_either_way_is_offered_with_what_is_too_small_and_not_taken() -> None:
    found = of(ARCHETYPE, [array("X", 11), text("smiles")], smiles=TextFacts(40, 32, 5000, 1))["decoder_inputs"]
    assert found.taken is None
    assert found.reason == "smiles holds text of at most 32 characters, but model_2.output_units is 22, and 43 are needed."


def test_a_list_of_names_beside_the_rows_is_no_candidate_but_parts_of_like_length_are_a_choice() -> None:
    assert taken(ARCHETYPE, array("X", 11, rows=5000), text("smiles", rows=5000), text("names", rows=11)) == {
        "latent": ("X",),
        "decoder_inputs": ("smiles",),
    }
    parts = [
        array("X_train", 11, rows=80),
        text("s_train", rows=80),
        array("X_test", 11, rows=20),
        text("s_test", rows=20),
    ]
    assert taken(ARCHETYPE, *parts) == {}
    ports = data_ports(ARCHETYPE)
    assert taken(with_columns(ARCHETYPE, ports, ports[0], ["X_test"]), *parts) == {"decoder_inputs": ("s_test",)}


def test_the_column_of_the_split_is_not_data() -> None:
    split = ARCHETYPE.with_data(DataSource(split=Split(kind="column", column="part")))
    assert taken(split, text("part"), text("smiles"), array("X", 11)) == {"latent": ("X",), "decoder_inputs": ("smiles",)}


def test_a_binding_whose_column_is_not_in_the_file_counts_as_none() -> None:
    ports = data_ports(ARCHETYPE)
    stale = with_columns(ARCHETYPE, ports, ports[0], ["gone"])
    assert taken(stale, array("X", 11), text("smiles"))["latent"] == ("X",)


def test_the_two_ends_of_a_regression_are_told_apart_by_width() -> None:
    design = regression(8, 3)
    assert taken(design, array("X", 8), array("y", 3)) == {"features": ("X",), "loss": ("y",)}
    assert taken(regression(3, 3), array("X", 3), array("y", 3)) == {"features": ("X",), "loss": ("y",)}
    assert taken(regression(3, 3), array("p", 3), array("q", 3)) == {}
    assert taken(regression(2, 1), number("mass"), number("charge"), number("target")) == {
        "features": ("mass", "charge"),
        "loss": ("target",),
    }


def regression(width: int, targets: int) -> Design:
    layers = [{"layer": "Dense", "units": targets, "activation": "linear"}]
    blocks = [
        block("features", "vector", width=width),
        block("net", "layer_stack", layers=layers),
        block("loss", "loss", loss="mean_squared_error", metrics=[]),
    ]
    return make_design(blocks, ["features.output -> net.inputs", "net.outputs -> loss.predictions"])


# -- for all files
names = st.sampled_from(["a", "b", "X", "y", "src", "tgt", "smiles", "latent", "names", "id", "source", "decoder_inputs"])
column = st.one_of(
    st.builds(text, names, st.sampled_from([10, 100])),
    st.builds(whole, names, st.sampled_from([10, 100])),
    st.builds(number, names, st.just(100)),
    st.builds(array, names, st.sampled_from([11, 12]), rows=st.sampled_from([10, 100])),
    st.builds(array, names, st.just(33), st.sampled_from([22, 44]), rows=st.just(100)),
)
files = st.lists(column, max_size=8, unique_by=lambda each: each.name)
designs = st.sampled_from([ARCHETYPE, PAIRS, AUTOENCODER, template("language-model"), template("image-to-sequence")])
quick = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@quick
@given(designs, files, st.randoms(use_true_random=False))
def test_the_order_of_the_columns_changes_nothing(design: Design, columns: list[Column], random: object) -> None:
    shuffled = list(columns)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert {name: set(names) for name, names in taken(design, *columns).items()} == {
        name: set(names) for name, names in taken(design, *shuffled).items()
    }
    first, second = (
        {name: {frozenset(names) for names in each} for name, each in choices(design, *some).items()}
        for some in (columns, shuffled)
    )
    assert first == second


@quick
@given(designs, files)
def test_what_is_taken_fits_is_equally_long_and_feeds_one_port_unless_it_says_so(design: Design, columns: list[Column]) -> None:
    found = propose(design, data_ports(design), columns, {})
    by_name = {each.name: each for each in columns}
    used: list[str] = []
    for proposal in found:
        assert (proposal.taken is None) == bool(proposal.choices)
        if proposal.taken is None:
            continue
        members = [by_name[name] for name in proposal.taken.columns]
        assert len(members) > 1 or not type_fault(proposal.port, members[0])
        assert not proposal.taken.flaw
        used += [] if proposal.shared else list(proposal.taken.columns)
    assert len(used) == len(set(used))
    assert len({by_name[name].rows for each in found if each.taken for name in each.taken.columns}) <= 1


@quick
@given(designs, files)
def test_taking_the_proposals_leaves_none_that_was_taken(design: Design, columns: list[Column]) -> None:
    ports = data_ports(design)
    found = propose(design, ports, columns, {})
    bound = with_proposals(design, ports, found)
    again = propose(bound, ports, columns, {})
    assert not {each.port.name for each in found if each.taken} & {each.port.name for each in again}


@quick
@given(designs, st.lists(st.sampled_from("pqrstuvw"), min_size=2, max_size=5, unique=True))
def test_several_texts_that_differ_in_nothing_but_meaningless_names_are_never_guessed(
    design: Design, letters: list[str]
) -> None:
    assert not {
        name for name, columns in taken(design, array("numbers", 11), *map(text, letters)).items() if columns[0] in letters
    }


# -- the facts
def test_the_facts_count_characters_and_words_of_the_first_rows(tmp_path: Path) -> None:
    path = tmp_path / "words.csv"
    path.write_text("said,year,mass\na bb a,1987,0.5\n,7,1.5\n")
    facts = text_facts(inspect(path))
    assert facts == {"said": TextFacts(3, 6, 2, 3), "year": TextFacts(4, 4, 2, 1)}


def test_a_file_with_thousands_of_columns_is_judged_at_once() -> None:
    wide = [number(f"gene {i} of {np.random.default_rng(i).integers(10)}") for i in range(3000)]
    assert "latent" not in taken(ARCHETYPE, *wide, text("smiles"))


# -- old scripts keep what goes into a decoder and what is to come out of it as two arrays
@pytest.mark.parametrize("names", [("decoder_inputs", "targets"), ("b", "a")])
def test_two_arrays_of_the_shapes_of_a_decoder_feed_its_input_and_the_loss(names: tuple[str, str]) -> None:
    columns = array("X", 11), array(names[0], 33, 44), array(names[1], 33, 22)
    assert taken(ARCHETYPE, *columns) == {"latent": ("X",), "decoder_inputs": (names[0],), "loss": (names[1],)}
    for first in ("decoder_inputs", "loss"):  # one at a time, in either order
        found = of(ARCHETYPE, columns)
        half = with_proposals(ARCHETYPE, data_ports(ARCHETYPE), [found[first]])
        rest = propose(half, data_ports(half), columns, {})
        bound = with_proposals(half, data_ports(half), rest)
        assert {each.column for each in bound.data.bindings} == {"X", *names}
        assert unbound(bound) == ()


def test_an_array_that_gives_the_targets_too_has_one_step_more() -> None:
    found = of(PAIRS, [array("source", 16, 40), array("target", 17, 40)])
    assert found["decoder_inputs"].taken is not None
    assert found["decoder_inputs"].follows == "loss.targets"
    assert "loss" not in found
