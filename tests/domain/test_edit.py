import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqdec_gui.domain.bindings import Binding, DataSource, IdsCodec, TextCodec, VectorCodec
from seqdec_gui.domain.catalog import KINDS, fields
from seqdec_gui.domain.design import Block, Design
from seqdec_gui.domain.document import loads
from seqdec_gui.domain.edit import bind, parse_assignment, set_value
from seqdec_gui.domain.problems import InvalidInput
from seqdec_gui.resource_files import path


@pytest.fixture
def design() -> Design:
    return loads(path("templates/latent-to-sequence.seqdec").read_bytes())


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("model_2.units", "64,32", (64, 32)),
        ("model_2.units", "[64, 32]", (64, 32)),
        ("model_2.units", "64", (64,)),
        ("model_2.cell", "GRU", "GRU"),
        ("model_2.dropout", "0.25", 0.25),
        ("model_2.dropout", "0", 0.0),
        ("model_2.batch_normalization", "off", False),
        ("model_2.batch_normalization", "True", True),
        ("model_1.trunk", "", ()),
        ("model_1.trunk", "[]", ()),
        ("model_2.embedding", "1_000", 1000),
        ("loss.metrics", "token_accuracy,perplexity", ("token_accuracy", "perplexity")),
    ],
)
def test_parameters_are_read_as_they_are_written(design, name, text, value):
    block, _, parameter = name.partition(".")
    assert getattr(set_value(design, name, text).block(block).parameters, parameter) == value


def test_training_and_data_are_set_by_name(design):
    changed = set_value(design, "training.learning_rate", "3e-4")
    changed = set_value(changed, "data.split.validation", "0.25")
    changed = set_value(changed, "data.file", "x y.csv")
    assert changed.training.learning_rate == 3e-4
    assert changed.data.split.validation == 0.25
    assert changed.data.file == "x y.csv"
    assert design.data.file == ""


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("model_2.unit", "3", "Did you mean 'units'?"),
        ("model_3.units", "3", "Did you mean 'model_2'?"),
        ("nothing", "3", "There is no block 'nothing'"),
        ("trainin.epochs", "3", "Did you mean 'training'?"),
        ("training.epoch", "3", "Did you mean 'epochs'?"),
        ("model_2.units", "0", ">= 1, received '0'. Allowed each: 1 to 65,536."),
        ("model_2.units", "64;32", "whole numbers separated by commas, received '64;32'"),
        ("model_2.units", "", "received ''"),
        ("model_2.dropout", "1", "Expected a number < 1.0, received '1'. Allowed: "),
        ("model_2.dropout", "0,5", "with a point, not a comma"),
        ("model_2.dropout", "nan", "a finite number"),
        ("model_2.embedding", "1.5", "a whole number"),
        ("model_2.cell", "GRUU", "Expected one of LSTM, GRU, received 'GRUU'. Did you mean 'GRU'?"),
        ("model_2.batch_normalization", "maybe", "true or false"),
        ("loss.metrics", "acuracy", "token_accuracy"),
        ("training.optimizer", "adan", "Did you mean 'adam'?"),
        ("data.split.kind", "rando", "Did you mean 'random'?"),
    ],
)
def test_a_wrong_value_is_refused_with_what_is_allowed(design, name, text, words):
    with pytest.raises(InvalidInput) as raised:
        set_value(design, name, text)
    assert words in str(raised.value)
    assert raised.value.problems[0].where == name


def _written(value: object) -> str:
    if isinstance(value, tuple):
        return ",".join(map(str, value))
    return "none" if value is None else str(value)


@pytest.mark.parametrize(
    ("kind", "field"),
    [(kind, field) for kind in KINDS.values() for field in fields(kind) if field.type != "table"],
    ids=lambda each: getattr(each, "name", None) or each.kind(),
)
def test_every_default_survives_being_written_and_read(kind, field):
    design = Design(blocks=(Block("x", kind()),))
    assert set_value(design, f"x.{field.name}", _written(field.default)) == design


@given(st.sampled_from(["model_2.units", "training.epochs", "model_2.dropout", "loss.metrics", "data.split.seed"]), st.text())
def test_any_text_gives_a_design_or_a_sentence(name, text):
    design = loads(path("templates/latent-to-sequence.seqdec").read_bytes())
    try:
        changed, problems = set_value(design, name, text), ()
    except InvalidInput as error:
        changed, problems = None, error.problems
    assert isinstance(changed, Design) or problems[0].text


def test_an_assignment_is_split_at_its_first_equals_sign():
    assert parse_assignment("a.b = c=d ") == ("a.b", "c=d")
    for wrong in ("a.b", "=3", ""):
        with pytest.raises(InvalidInput, match=r"block\.parameter=value"):
            parse_assignment(wrong)


def test_binding_replaces_what_fed_the_port_under_any_name_and_keeps_its_codec(design):
    codec = TextCodec(lowercase=True)
    with_codec = design.with_data(type(design.data)(bindings=(Binding("model_2.inputs", "a", codec),)))
    assert bind(with_codec, "decoder_inputs", ["b"]).data.bindings == (Binding("model_2.inputs", "b", codec),)
    assert bind(design, "latent", ["mass", "logp"]).data.bindings == (Binding("latent", ("mass", "logp")),)
    with pytest.raises(InvalidInput, match="Did you mean 'latent'"):
        bind(design, "latnt", ["x"])


def test_the_codec_of_a_bound_port_is_set_by_its_port(design):
    design = bind(bind(design, "latent", ["X"]), "loss", ["y"])
    found = set_value(design, "loss.targets.codec.pad_id", "0")
    assert found.data.bindings[1].codec == IdsCodec(0)
    assert set_value(found, "loss.codec.pad_id", "none").data.bindings[1].codec == IdsCodec()
    for text, value in (("no", False), ("true", True), ("auto", "auto")):
        assert set_value(design, "latent.codec.standardise", text).data.bindings[0].codec == VectorCodec(value)
    assert set_value(design, "latent.codec.lowercase", "yes").data.bindings[0].codec == TextCodec(lowercase=True)


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("latent.codec.standardise", "maybe", "auto, true, false"),
        ("latent.codec.pad", "0", "no parameter 'pad'"),
        ("model_2.inputs.codec.pad_id", "0", "No column is bound to 'model_2.inputs'"),
        ("nobody.codec.pad_id", "0", "No column is bound to 'nobody'"),
    ],
)
def test_a_codec_that_cannot_be_set_so_says_what_can(design, name, text, expected):
    with pytest.raises(InvalidInput, match=expected):
        set_value(bind(design, "latent", ["X"]), name, text)


def test_the_first_binding_numbers_text_alike_and_a_bound_design_keeps_its_numbering(design: Design) -> None:
    fresh = design
    assert fresh.data.numbering is None
    assert bind(fresh, "latent", ["X"]).data.numbering == "shared"
    assert bind(set_value(fresh, "data.numbering", "own"), "latent", ["X"]).data.numbering == "own"
    old = fresh.with_data(DataSource("x.npz", bindings=(Binding("latent", "X"),)))
    assert bind(old, "model_2.inputs", ["y"]).data.numbering is None
    with pytest.raises(InvalidInput, match=r"Expected one of shared, own, received 'alike'"):
        set_value(fresh, "data.numbering", "alike")
