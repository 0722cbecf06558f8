"""The `.seqdec` file: exact round trips, and one clear sentence for everything that can be wrong with it."""

from __future__ import annotations

import importlib.util
import json
import os
import re
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqdec_gui.domain.bindings import Binding, CategoryCodec, DataSource, IdsCodec, Split, TextCodec, ValuesCodec, VectorCodec
from seqdec_gui.domain.catalog import KINDS, Field, fields
from seqdec_gui.domain.design import Block, Design, Link, Port
from seqdec_gui.domain.document import LARGEST_FILE, dumps, from_builtins, load, loads, save
from seqdec_gui.domain.kinds.keras_model import KerasModel, NamedTensor
from seqdec_gui.domain.problems import InvalidInput
from seqdec_gui.domain.training import Training
from tests.domain.designs import archetype

names = st.from_regex(r"[a-z][a-z0-9_]{0,8}", fullmatch=True)
numbers = st.floats(-1e6, 1e6, allow_nan=False)
blocks = st.builds(Block, names, st.sampled_from([kind() for kind in KINDS.values()]), st.tuples(numbers, numbers))
ports = st.builds(Port, names, names)
vectors = [VectorCodec(), VectorCodec(True), VectorCodec(False)]
codecs = st.sampled_from(
    [None, TextCodec(charset=("a", "é", "\n")), IdsCodec(3), *vectors, CategoryCodec(("x",)), ValuesCodec()]
)
bindings = st.builds(Binding, names, st.one_of(st.text(min_size=1), st.tuples(st.text(), st.text())), codecs)
sources = st.builds(DataSource, st.text(), st.builds(Split), st.lists(bindings, max_size=3).map(tuple))
designs = st.builds(
    Design,
    st.lists(blocks, max_size=4, unique_by=lambda block: block.id).map(tuple),
    st.lists(st.builds(Link, ports, ports), max_size=4).map(tuple),
    sources,
    st.builds(Training, epochs=st.integers(1, 99), learning_rate=st.floats(1e-9, 1)),
    st.text(),
)


@given(designs)
def test_reading_gives_back_what_was_written(design: Design) -> None:
    read = loads(dumps(design))

    assert read == design
    assert read.id == design.id
    assert dumps(read) == dumps(design)


def test_the_id_is_no_part_of_what_a_design_means() -> None:
    one, other = archetype().with_id("a"), archetype().with_id("b")

    assert one == other == archetype()
    assert (one != other) is False
    assert hash(one) == hash(other)
    assert one != archetype().without_blocks(["latent"]).with_id("a")
    assert list(json.loads(dumps(one)))[:2] == ["format", "id"]


def test_an_id_that_is_no_text_is_refused() -> None:
    with pytest.raises(InvalidInput, match="Expected a text"):
        loads('{"format": 1, "id": 3}')


def test_file_round_trip_leaves_nothing_else_behind(tmp_path: Path) -> None:
    save(archetype(), tmp_path / "a.seqdec")

    assert load(tmp_path / "a.seqdec") == archetype()
    assert [path.name for path in tmp_path.iterdir()] == ["a.seqdec"]


def test_layout_is_the_documented_one() -> None:
    plain = json.loads(dumps(archetype()))

    assert list(plain) == ["format", "blocks", "links", "data", "training"]
    assert plain["blocks"][2]["id"] == "model_1"
    assert plain["blocks"][2]["kind"] == "dense_states"
    assert plain["links"][2] == {"from": "model_1.states", "to": "model_2.initial_states"}


def refused(text: str | bytes) -> list[str]:
    with pytest.raises(InvalidInput) as caught:
        loads(text)
    return [problem.code for problem in caught.value.problems]


def changed(**top: object) -> str:
    return json.dumps(json.loads(dumps(archetype())) | top)


def test_truncated_json() -> None:
    assert refused(dumps(archetype())[:200]) == ["not_json"]


def test_json_too_deep_to_be_a_design() -> None:
    assert refused("[" * 100_000) == ["not_json"]


def test_a_byte_order_mark_is_no_part_of_the_design() -> None:
    assert loads(b"\xef\xbb\xbf" + dumps(archetype()).encode()) == archetype()


def test_every_wrong_field_of_a_section_is_named_with_what_was_received() -> None:
    with pytest.raises(InvalidInput) as caught:
        loads(changed(training={"epochs": 0, "learning_rate": -1, "epoch": 3}, data={"split": {"validation": 1}, "fil": "a"}))
    assert [(problem.where, problem.text) for problem in caught.value.problems] == [
        ("data.split.validation", "Expected a number < 1.0, received 1."),
        ("data", "There is no 'fil' here."),
        ("training.epochs", "Expected a whole number >= 1, received 0."),
        ("training.learning_rate", "Expected a number > 0.0, received -1."),
        ("training", "There is no 'epoch' here."),
    ]


@pytest.mark.parametrize("link", [{"from": 1, "to": 2}, {"from": None, "to": "a.b"}])
def test_a_link_between_what_is_no_text(link: dict[str, object]) -> None:
    with pytest.raises(InvalidInput, match=re.escape('{"from": "block.port", "to": "block.port"}')):
        loads(changed(links=[link]))


def test_bytes_that_are_no_text() -> None:
    assert refused(b"\xff\xfe\x00\x01") == ["not_json"]


def test_newer_format() -> None:
    assert refused(changed(format=2)) == ["newer_format"]


@pytest.mark.parametrize("value", ["1", 0, True, None, 1.5])
def test_format_that_is_no_number(value: object) -> None:
    assert refused(changed(format=value)) == ["not_a_design"]


def test_json_that_is_no_design() -> None:
    assert refused("[1, 2]") == ["not_a_design"]
    assert refused('{"cells": []}') == ["not_a_design"]


def test_every_wrong_place_is_named() -> None:
    plain = json.loads(dumps(archetype()))
    plain["blocks"][0]["kind"] = "vectr"
    plain["blocks"][2]["parameters"] |= {"units": [0], "momentumm": 0.5, "momentum": 2}
    plain["blocks"][3]["position"] = "here"
    plain["links"][0] = {"from": "latent", "to": "model_1.inputs"}
    plain["training"]["epochs"] = 0
    plain["exta"] = 1
    with pytest.raises(InvalidInput) as caught:
        loads(json.dumps(plain))
    found = {problem.where: problem for problem in caught.value.problems}

    assert found["latent"].hint == "Did you mean 'vector'?"
    assert found["model_1.units"].code == "bad_value"
    assert found["model_1.momentumm"].hint == "Did you mean 'momentum'?"
    assert found["model_1.momentum"].code == "bad_value"
    assert found["model_2"].code == "bad_position"
    assert found["links[0]"].code == "bad_link"
    assert found["training.epochs"].code == "bad_value"
    assert found["exta"].code == "unknown_field"


STACK = {"id": "stack", "kind": "layer_stack"}
BOUND = {"port": "latent", "column": "x"}


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"training": {"epochs": 0}}, "training.epochs: Expected a whole number >= 1, received 0."),
        ({"training": {"optimizer": "Adam"}}, "received 'Adam'. Did you mean 'adam'?"),
        ({"training": {"epoch": 5}}, "training: There is no 'epoch' here. Did you mean 'epochs'?"),
        ({"training": []}, "training: Expected an object, received []."),
        (
            {"data": {"bindings": [{"port": "latent"}]}},
            "data.bindings[0]: Expected an object with 'column', received {'port': ",
        ),
        (
            {"data": {"bindings": [BOUND | {"codec": {"type": "texts"}}]}},
            "bits, received 'texts'. Did you mean 'text'?",
        ),
        (
            {"data": {"bindings": [BOUND | {"codec": {"type": "text", "pad": 1}}]}},
            "There is no 'pad' here. Did you mean 'padding'?",
        ),
        (
            {"data": {"bindings": [BOUND | {"codec": {"type": "ids", "pad_id": -1}}]}},
            "codec.pad_id: Expected a whole number >= 0",
        ),
        ({"blocks": [STACK | {"parameters": {"layers": [{"layer": "dense"}]}}]}, "received 'dense'. Did you mean 'Dense'?"),
        (
            {"blocks": [STACK | {"parameters": {"layers": [{"layer": "Dense"}, {"layer": "Dense", "units": "3"}]}}]},
            "stack.layers: layers[1].units: Expected a whole number, received '3'.",
        ),
        ({"blocks": [STACK | {"parameters": {"trainable": 1}}]}, "stack.trainable: Expected true or false, received 1."),
    ],
)
def test_what_a_file_has_wrong_is_said_with_what_is_expected(changes: dict[str, object], sentence: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        loads(changed(**changes))
    assert sentence in " ".join(problem.sentence() for problem in caught.value.problems)


@pytest.mark.parametrize("value", [None, 3, "x", {"a": 1}])
def test_blocks_that_are_no_list(value: object) -> None:
    assert "wrong_type" in refused(changed(blocks=value))


def test_missing_file_says_so(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="no such file"):
        load(tmp_path / "none.seqdec")


def test_folder_that_does_not_exist_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=f"cannot be written: there is no folder {tmp_path / 'none'}. Make it"):
        save(archetype(), tmp_path / "none" / "a.seqdec")


def test_a_new_file_has_the_permissions_of_the_umask_and_an_old_one_keeps_its_own(tmp_path: Path) -> None:
    path = tmp_path / "a.seqdec"
    before = os.umask(0o077)
    try:
        save(archetype(), path)
        assert path.stat().st_mode & 0o777 == 0o600
        path.chmod(0o640)
        save(archetype(), path)
    finally:
        os.umask(before)
    assert path.stat().st_mode & 0o777 == 0o640


def test_the_page_about_the_format_is_up_to_date() -> None:
    root = Path(__file__).resolve().parents[2]
    written = (root / "docs" / "design_file.md").read_text()
    spec = importlib.util.spec_from_file_location("make_design_docs", root / "tools" / "make_design_docs.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)

    assert written == module.text(), "run python tools/make_design_docs.py"


def _every_field() -> list[tuple[str, Field]]:
    kinds = [(name, field) for name, kind in KINDS.items() for field in fields(kind)]
    return [*kinds, *(("training", field) for field in fields(Training))]


def _refused(owner: str, field: Field, value: object) -> str:
    """What a design file with this value is told."""
    section = {"training": {field.name: value}}
    if owner != "training":
        section = {"blocks": [{"id": "b", "kind": owner, "parameters": {field.name: value}}]}
    with pytest.raises(InvalidInput) as caught:
        from_builtins({"format": 1, **section})
    (problem,) = caught.value.problems
    return problem.sentence()


@pytest.mark.parametrize(("owner", "field"), [(owner, field) for owner, field in _every_field() if field.choices])
def test_a_wrong_choice_is_told_what_there_is_whatever_its_type(owner: str, field: Field) -> None:
    wrong = (["zzz"], [3], "zzz") if field.type == "choices" else ("zzz", 3)
    for value in wrong:
        said = _refused(owner, field, value)
        assert all(choice in said for choice in field.choices)


@pytest.mark.parametrize(
    ("owner", "field"), [(owner, field) for owner, field in _every_field() if field.range_text() and field.type != "table"]
)
def test_a_number_out_of_its_range_is_told_the_whole_range(owner: str, field: Field) -> None:
    outside = [] if field.minimum is None else [int(field.minimum) - 1]
    outside += [] if field.maximum is None else [int(field.maximum) + 1]
    for value in (*outside, "x"):
        assert field.range_text() in _refused(owner, field, [value] if field.type == "integers" else value)


def whole_numbers(kind: object, place: str, seen: set[type]) -> Iterator[tuple[str, msgspec.inspect.IntType]]:
    """Every whole number that a type can hold, with its place."""
    match kind:
        case msgspec.inspect.IntType():
            yield place, kind
        case msgspec.inspect.Metadata(type=inner) | msgspec.inspect.VarTupleType(item_type=inner):
            yield from whole_numbers(inner, place, seen)
        case msgspec.inspect.UnionType(types=parts) | msgspec.inspect.TupleType(item_types=parts):
            for part in parts:
                yield from whole_numbers(part, place, seen)
        case msgspec.inspect.StructType(cls=struct, fields=fields) if struct not in seen:
            seen.add(struct)
            for field in fields:
                yield from whole_numbers(field.type, f"{place}.{field.name}", seen)


def test_every_whole_number_of_a_design_has_bounds_that_forms_and_arrays_can_hold() -> None:
    """Without, a file could hold numbers for which the window has no box, and lengths for which there is no memory."""
    seen: set[type] = set()
    sections = {**KINDS, "data": DataSource, "training": Training}
    found = [pair for name, struct in sections.items() for pair in whole_numbers(msgspec.inspect.type_info(struct), name, seen)]

    assert {"training.epochs", "data.bindings.codec.length", "layer_stack.layers.units"} <= {place for place, _ in found}
    for place, number in found:
        if place.endswith(".shape"):  # `KerasModel.faults` looks at it
            continue
        assert number.ge is not None, place
        assert number.le is not None, place
        assert number.le < 2**31 or place.endswith("_count"), place


@pytest.mark.parametrize("size", [-1, 0, 2**31, 10**15])
def test_imported_tensor_of_an_impossible_size_is_a_problem(size: int) -> None:
    trained = KerasModel(file="a.keras", model_inputs=(NamedTensor("x", (None, size)),))

    ((field, text),) = trained.faults()
    assert field == "model_inputs"
    assert f"in the shape of x, got {size:,}." in text


def test_a_pipe_or_a_device_in_place_of_a_design_makes_nobody_wait(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.seqdec")
    (tmp_path / "b.seqdec").symlink_to("/dev/zero")

    for name in ("a.seqdec", "b.seqdec"):
        with pytest.raises(InvalidInput, match="it is a pipe or a device, and a file was expected"):
            load(tmp_path / name)


def test_a_design_of_endless_size_is_not_read_whole(tmp_path: Path) -> None:
    with (tmp_path / "a.seqdec").open("wb") as file:
        file.truncate(LARGEST_FILE + 1)

    with pytest.raises(InvalidInput, match="more than 256 MiB"):
        load(tmp_path / "a.seqdec")


def test_a_design_is_read_from_the_pipe_of_a_shell() -> None:
    reading, writing = os.pipe()
    os.write(writing, dumps(archetype()).encode())
    os.close(writing)

    assert load(f"/dev/fd/{reading}") == archetype()
    os.close(reading)
