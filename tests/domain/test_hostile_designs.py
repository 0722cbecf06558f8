"""A design file may come from anybody: whatever its strings are, they stay values in the script, or the design is refused."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seqdec_gui.domain.catalog import KINDS
from seqdec_gui.domain.codegen import LAYER_CLASSES, generate, generate_step, keras_file_names
from seqdec_gui.domain.design import Block, Design, Link, Port
from seqdec_gui.domain.document import from_builtins, to_builtins
from seqdec_gui.domain.kinds.keras_model import SUFFIXES, KerasModel, NamedTensor
from seqdec_gui.domain.kinds.layer_stack import AnyStackLayer, LayerStack
from seqdec_gui.domain.names import LONGEST, RESERVED, name_problem, usable_id
from seqdec_gui.domain.problems import InvalidInput, SeqdecError
from seqdec_gui.domain.source import SINUSOID, SourceError, docstring, is_identifier, literal, verified
from seqdec_gui.domain.validation import check
from tests.domain.designs import archetype, block, design, link
from tests.domain.test_codegen import all_designs


def imported() -> Design:
    """An imported file with two outputs between an input and a stack, a merge and a loss."""
    return design(
        [
            block("numbers", "float_sequence", length=5, features=3),
            block(
                "trained", "keras_model", file="trained.keras", sha256="00", layer_names=["a", "b"],
                model_inputs=[{"name": "x", "shape": [5, 3]}],
                model_outputs=[{"name": "code", "shape": [4]}, {"name": "other", "shape": [4]}],
            ),
            block("joined", "concatenate", count=2),
            block("head", "layer_stack", layers=[{"layer": "Dense", "units": 3}]),
            block("loss", "loss", loss="mean_squared_error", metrics=[]),
        ],
        [
            "numbers.output -> trained.x",
            "trained.code -> joined.input_0",
            "trained.other -> joined.input_1",
            "joined.output -> head.inputs",
            "head.outputs -> loss.predictions",
        ],
    )  # fmt: skip


def summed() -> Design:
    """Two convolutions added, then every kind of row that a stack can have and that fits a sequence."""
    names = (
        "Dense", "Conv1D", "Recurrent", "BatchNormalization", "LayerNormalization", "Activation", "Dropout", "SpatialDropout1D",
        "GaussianNoise", "Pooling1D", "UpSampling1D", "SwapAxes", "Crop", "Pad", "Masking", "GlobalPooling1D", "RepeatVector",
        "Flatten",
    )  # fmt: skip
    rows = [{"layer": name} for name in names]
    return design(
        [
            block("numbers", "float_sequence", length=20, features=3),
            block("one", "conv_encoder"),
            block("two", "conv_encoder", padding="causal"),
            block("sum", "add", count=2),
            block("head", "layer_stack", layers=[{"layer": "Reshape", "shape": [64, 20]}, *rows]),
            block("loss", "loss", loss="mean_squared_error", metrics=[]),
        ],
        [
            "numbers.output -> one.inputs",
            "numbers.output -> two.inputs",
            "one.code -> sum.input_0",
            "two.code -> sum.input_1",
            "sum.output -> head.inputs",
            "head.outputs -> loss.predictions",
        ],
    )


def attentive() -> Design:
    """Attention of both kinds, with tables of positions, and every row of a stack that has to do with it."""
    rows = [{"layer": "RMSNormalization"}, {"layer": "MultiHeadAttention"}, {"layer": "Residual", "rows": 2}]
    return design(
        [
            block("source", "token_sequence", length=7, symbols=5, encoding="ids"),
            block("encoder", "transformer_encoder", layers=1, output=["memory", "sequence"]),
            block("head", "layer_stack", layers=rows),
            block("decoder", "transformer_decoder", layers=1, positions="learned"),
            block("loss", "loss"),
            block("numbers", "loss", loss="mean_squared_error", metrics=[]),
        ],
        [
            "source.output -> encoder.inputs",
            "source.output -> decoder.inputs",
            "encoder.memory -> decoder.memory",
            "encoder.sequence -> head.inputs",
            "decoder.outputs -> loss.predictions",
            "head.outputs -> numbers.predictions",
        ],
    )


DESIGNS = [*all_designs(), imported(), summed(), attentive()]
SCRIPTS = [generate(each) for each in DESIGNS]
PIECES = (
    '"', "'", '"""', "\'\'\'", "\\", "\n", "\r", "\t", "\0", "\x1b[31m", "\x85", "\u2028", "\u202e", "]", ")", "(", "{", "}",
    "#", ";", ":", ",", "*", "=", "/", "..", "%s", "{0}", " ", "", "\ufb01le", "\uff45val", "\u2178", "\u0430", "x", "é", "1",
    "_", "class", "match", "case", "type", "None", "True", "build", "build_", "keras", "layers", "Path", "full", "__file__",
    "__name__", "__import__", "print", "data", "training.", "import os", "lambda: 0", "x.py", "x.keras", ".keras", ".h5", "~",
    "\n    __import__('os').system('touch pwned')\n", '");open("pwned", "w");("', '"]\nopen("pwned", "w")\n["',
    "$(touch pwned)", "<b>", "[red]", "a" * 300,
)  # fmt: skip
"""Quotes, ends of lines, brackets, letters that Python takes for others (NFKC), keywords, names of the script, and code."""
hostile = st.lists(st.sampled_from(PIECES), min_size=1, max_size=4).map("".join) | st.text(max_size=12)


def shape(script: str) -> Counter[str]:
    """How many nodes of which sort the syntax tree has, names and values aside."""
    return Counter(type(node).__name__ for node in ast.walk(ast.parse(script)))


def assert_only_builds(script: str) -> None:
    """A second opinion, apart from `source.verified`: which modules, which attributes and which functions are used."""
    tree = ast.parse(script)
    allowed = {"Input", "Model", "models", "load_model", "with_name", "trainable", "name", "summary", *LAYER_CLASSES}
    functions = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    tables = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == "sinusoid"]
    assert [ast.unparse(node) for node in tables] == [ast.unparse(ast.parse(SINUSOID))] * len(tables)  # word for word
    tree.body = [node for node in tree.body if node not in tables]
    for node in ast.walk(tree):
        assert not isinstance(node, ast.Lambda | ast.AsyncFunctionDef | ast.ClassDef | ast.Global | ast.Delete | ast.JoinedStr)
        if isinstance(node, ast.Import | ast.ImportFrom):
            assert ast.unparse(node) in {
                "import keras", "import math", "from keras import layers", "from pathlib import Path",
            }  # fmt: skip
        if isinstance(node, ast.Attribute):
            assert node.attr in allowed
        if isinstance(node, ast.Name) and node.id.startswith("__"):
            assert node.id in {"__file__", "__name__"}
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            stored = {name.id for name in ast.walk(tree) if isinstance(name, ast.Name) and isinstance(name.ctx, ast.Store)}
            assert node.func.id in functions | stored | {"Path"}


def texts(plain: Any, place: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The places of all strings in plain data."""
    if isinstance(plain, str):
        yield place
    elif isinstance(plain, dict):
        for key, value in plain.items():
            yield from texts(value, (*place, key))
    elif isinstance(plain, list | tuple):
        for number, value in enumerate(plain):
            yield from texts(value, (*place, number))


def replaced(plain: Any, place: tuple[Any, ...], text: str) -> Any:
    if not place:
        return text
    copy: Any = dict(plain) if isinstance(plain, dict) else list(plain)
    copy[place[0]] = replaced(plain[place[0]], place[1:], text)
    return copy


def outcome(wanted: Design) -> str | None:
    """The script; None where the design is refused with a problem."""
    try:
        return generate(wanted)
    except InvalidInput:
        return None


def rows_of(each: Block) -> tuple[AnyStackLayer, ...]:
    return each.parameters.layers if isinstance(each.parameters, LayerStack) else ()


def test_every_kind_and_row_stands_in_the_designs() -> None:
    rows = {row.type_name() for each in DESIGNS for b in each.blocks for row in rows_of(b)}

    assert {b.kind for each in DESIGNS for b in each.blocks} == set(KINDS)
    assert rows | {"Embedding"} == {row.type_name() for row in AnyStackLayer.__args__}  # type: ignore[attr-defined]


@settings(max_examples=600, deadline=None)
@given(st.integers(0, len(DESIGNS) - 1), st.data(), hostile)
def test_any_string_of_a_design_file_is_refused_or_leaves_the_script_as_it_is(number: int, data: Any, text: str) -> None:
    plain = to_builtins(DESIGNS[number])
    place = data.draw(st.sampled_from(sorted(texts(plain), key=str)))
    try:
        read = from_builtins(replaced(plain, place, text))
    except InvalidInput:
        return
    script = outcome(read)
    if script is not None:
        assert shape(script) == shape(SCRIPTS[number])
        assert_only_builds(script)


@settings(max_examples=300, deadline=None)
@given(st.integers(0, len(DESIGNS) - 1), st.data(), hostile)
def test_any_id_is_refused_or_leaves_the_script_as_it_is(number: int, data: Any, text: str) -> None:
    wanted = DESIGNS[number]
    old = data.draw(st.sampled_from([each.id for each in wanted.blocks]))
    script = outcome(wanted.renamed(old, text))

    assert (script is None) == (name_problem(text) is not None or (text != old and wanted.has(text)))
    if script is not None:
        assert shape(script) == shape(SCRIPTS[number])
        assert_only_builds(script)


@settings(max_examples=300, deadline=None)
@given(hostile, hostile, st.sampled_from([*SUFFIXES, ".KERAS", ".py", "", ".h5\n"]), hostile)
def test_any_port_name_and_file_is_refused_or_leaves_the_script_as_it_is(one: str, two: str, suffix: str, stem: str) -> None:
    wanted = imported()
    kind = wanted.block("trained").parameters
    assert isinstance(kind, KerasModel)
    tensors = (NamedTensor(one, (4,)), NamedTensor(two, (4,)))
    changed = msgspec.structs.replace(kind, file=stem + suffix, model_outputs=tensors)
    names = {"code": one, "other": two}
    links = tuple(
        Link(Port(each.source.block, names.get(each.source.port, each.source.port)), each.target) for each in wanted.links
    )
    wanted = msgspec.structs.replace(wanted, links=links)
    blocks = tuple(Block(each.id, changed) if each.id == "trained" else each for each in wanted.blocks)
    script = outcome(msgspec.structs.replace(wanted, blocks=blocks))
    if script is not None:
        assert shape(script) == shape(generate(imported()))
        assert_only_builds(script)
        assert keras_file_names(msgspec.structs.replace(wanted, blocks=blocks))["trained"] in {f"trained{s}" for s in SUFFIXES}


def struct_texts(struct: Any, place: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The places of all strings within a struct, those of a choice included."""
    if isinstance(struct, str):
        yield place
    elif isinstance(struct, msgspec.Struct):
        for name in struct.__struct_fields__:
            yield from struct_texts(getattr(struct, name), (*place, name))
    elif isinstance(struct, tuple):
        for number, value in enumerate(struct):
            yield from struct_texts(value, (*place, number))


def struct_replaced(struct: Any, place: tuple[Any, ...], text: str) -> Any:
    if not place:
        return text
    if isinstance(struct, tuple):
        return tuple(struct_replaced(v, place[1:], text) if i == place[0] else v for i, v in enumerate(struct))
    return msgspec.structs.replace(struct, **{place[0]: struct_replaced(getattr(struct, place[0]), place[1:], text)})


@settings(max_examples=400, deadline=None)
@given(st.integers(0, len(DESIGNS) - 1), st.data(), hostile)
def test_values_that_no_file_can_hold_stay_values_as_well(number: int, data: Any, text: str) -> None:
    """Past all checks of the decoder: the emitter alone must keep them apart from code."""
    wanted = DESIGNS[number]
    place = data.draw(st.sampled_from(sorted(struct_texts(wanted.blocks), key=str)))
    broken = msgspec.structs.replace(wanted, blocks=struct_replaced(wanted.blocks, place, text))
    try:
        script = generate(broken)
    except (SeqdecError, KeyError, ValueError, TypeError, AssertionError):
        return
    assert_only_builds(script)


# -- the emitter
@settings(deadline=None)
@given(st.text() | hostile)
def test_texts_come_back_from_source(text: str) -> None:
    assert ast.literal_eval(literal(text)) == text
    assert ast.literal_eval(docstring(text)) == text
    assert "\r" not in literal(text)
    assert len(literal(text).splitlines()) == 1


def test_values_that_are_no_literals_are_refused() -> None:
    class Tricky(str):
        def __repr__(self) -> str:
            return "__import__('os')"

    for value in (float("inf"), float("nan"), object(), [1], {1}, 1j, b"x", Tricky("x"), (1, object())):
        with pytest.raises(SourceError):
            literal(value)
    assert literal((3,)) == "(3,)"
    assert literal((-1, None, True, 0.5, "a")) == '(-1, None, True, 0.5, "a")'


@pytest.mark.parametrize("name", ["ﬁle", "е", "ⅸ", "class", "None", "", "1a", "a b", "a\n", "a\0", "a.b", "a-b", "\u2028"])
def test_names_that_python_reads_otherwise_are_no_identifiers(name: str) -> None:
    assert not is_identifier(name)


INTRUDERS = {
    "import os\nimport keras": "import keras",
    "import keras\nopen('pwned', 'w')": "import keras",
    "def build() -> dict[str, keras.Model]:\n    print(1)": "def build() -> dict[str, keras.Model]:",
    "def build(x=print(1)) -> dict[str, keras.Model]:": "def build() -> dict[str, keras.Model]:",
    "@print\ndef build() -> dict[str, keras.Model]:": "def build() -> dict[str, keras.Model]:",
    "def build() -> print(1):": "def build() -> dict[str, keras.Model]:",
    "def keras() -> dict[str, keras.Model]:": "def build() -> dict[str, keras.Model]:",
    "model_1 = eval('1')": "model_1 = build_model_1()",
    "model_1 = keras.utils.get_file('http://x')": "model_1 = build_model_1()",
    "model_1 = layers.Lambda(print)": "model_1 = build_model_1()",
    "model_1 = (lambda: 0)()": "model_1 = build_model_1()",
    "model_1 = [build_model_1() for _ in '1']": "model_1 = build_model_1()",
    "model_1 = f'{build_model_1()}'": "model_1 = build_model_1()",
    "model_1 = build_model_1().__class__": "model_1 = build_model_1()",
    "model_1 = __builtins__": "model_1 = build_model_1()",
    "model_1 = build_model_1() or print(1)": "model_1 = build_model_1()",
    "build_model_1 = build_model_1()": "model_1 = build_model_1()",
    "model_1, keras.Model = build_model_1(), 1": "model_1 = build_model_1()",
    "model_1[0] = build_model_1()": "model_1 = build_model_1()",
    "model_1 = Path('x').with_name('pwned')": "model_1 = build_model_1()",
    "model_1 = keras.models.load_model(Path(__file__).with_name('../x.keras'))": "model_1 = build_model_1()",
    "model_1 = keras.models.load_model(Path(__file__).with_name('x.py'))": "model_1 = build_model_1()",
    "if __name__ == 'model':": 'if __name__ == "__main__":',
    "    __import__('os')": '    build()["full"].summary(expand_nested=True)',
}


@pytest.mark.parametrize("intruder", INTRUDERS)
def test_script_with_anything_that_the_generator_does_not_write_is_refused(intruder: str) -> None:
    script = generate(archetype())
    assert verified(script, LAYER_CLASSES) == script
    changed = script.replace(INTRUDERS[intruder], intruder)
    ast.parse(changed)

    assert changed != script
    with pytest.raises(SourceError, match="This is a bug"):
        verified(changed, LAYER_CLASSES)


def test_layer_that_is_none_of_ours_is_refused() -> None:
    with pytest.raises(SourceError, match="Lambda"):
        verified(generate(archetype()).replace("layers.Dense(", "layers.Lambda("), LAYER_CLASSES)


# -- names
def test_ids_that_are_called_like_functions_of_the_script_are_told_apart() -> None:
    tricky = (
        archetype().renamed("model_1", "build_decoder").renamed("model_2", "decoder").renamed("latent", "build_build_decoder")
    )
    script = generate(tricky)

    assert check(tricky).ok
    assert "def build_decoder_() -> keras.Model:" in script
    assert "decoder = build_decoder_()" in script
    assert "build_decoder = build_build_decoder_()" in script


def test_results_that_are_called_like_functions_of_the_script_are_told_apart() -> None:
    tricky = archetype().renamed("model_1", "states").renamed("model_2", "build")
    assert not check(tricky).ok
    tricky = archetype().renamed("model_1", "build_x").renamed("model_2", "x_states")

    assert "build_x_states_ = build_x(latent)" in generate(tricky)


def test_ids_of_either_case_get_files_that_every_file_system_tells_apart() -> None:
    kind = imported().block("trained").parameters
    pair = Design((Block("enc", kind), Block("Enc", kind), Block("enc_2", kind)))

    assert keras_file_names(pair) == {"enc": "enc.keras", "Enc": "Enc_2.keras", "enc_2": "enc_2_2.keras"}


@pytest.mark.parametrize(
    "text", ["", "2nd", "class", "_x", "größe", "a b", "build", "training", "x" * 500, "\n", "ﬁle", "é", *sorted(RESERVED)]
)
def test_name_that_is_refused_comes_with_one_that_is_not(text: str) -> None:
    problem = name_problem(text)

    assert problem is not None
    assert name_problem(usable_id(text)) is None
    assert usable_id(text) in problem.hint
    assert len(usable_id(text)) <= LONGEST
    assert name_problem(Design().free_id(text)) is None


@given(hostile, st.sampled_from(["block", "model"]))
def test_any_text_makes_an_id(text: str, word: str) -> None:
    assert name_problem(usable_id(text, word)) is None
    assert name_problem(text) is not None or usable_id(text, word) == text


@pytest.mark.parametrize("name", ["match", "case", "type", "print", "str", "file", "model", "data", "os", "x1"])
def test_ids_that_hide_nothing_of_the_script_stay_legal(name: str) -> None:
    renamed = archetype().renamed("model_1", name)

    assert name_problem(name) is None
    assert shape(generate(renamed)) == shape(generate(archetype()))


def test_step_of_a_decoder_is_verified_too() -> None:
    wanted = archetype().renamed("model_2", "match")

    assert 'name="match_step"' in generate_step(wanted, "match")
    assert_only_builds(generate_step(archetype().renamed("model_2", 'x"\nimport os'), 'x"\nimport os'))


def test_block_called_data_or_training_hides_no_errors() -> None:
    """Problems of data and training do not keep a script from being made; those of such blocks do."""
    wanted = archetype().renamed("model_1", "training.x").renamed("latent", "data")
    with pytest.raises(InvalidInput, match=r"training\.x"):
        generate(wanted)
    unused = archetype().with_block(block("data", "vector"))
    with pytest.raises(InvalidInput, match="No loss depends"):
        generate(unused)


# -- circles
def circles(*links: str) -> list[str]:
    ids = sorted({end.partition(".")[0] for each in links for end in each.split(" -> ")})
    blocks = [block(name, "layer_stack") for name in ids]
    wanted = design(blocks, [each.replace(" -> ", ".outputs -> ") + ".inputs" for each in links])
    return [problem.text.partition(" run in")[0] for problem in check(wanted).problems if problem.code == "cycle"]


def test_circle_is_named_by_its_links_in_their_order() -> None:
    assert circles("a -> c", "c -> b", "b -> a") == ["The links a -> c -> b -> a"]


def test_every_circle_is_a_problem_of_its_own() -> None:
    assert circles("a -> b", "b -> a", "x -> y", "y -> x") == ["The links a -> b -> a", "The links x -> y -> x"]


def test_blocks_behind_a_circle_are_not_in_it() -> None:
    assert circles("a -> b", "b -> a", "b -> c", "c -> d") == ["The links a -> b -> a"]


def test_block_that_feeds_itself() -> None:
    assert circles("a -> a") == ["The links a -> a"]


# -- what a run does with it
@pytest.mark.parametrize("name", ["input:0", "a/b", "x y", 'q"', "class", "é"])
def test_port_of_an_imported_model_may_be_called_anything_that_can_be_shown(name: str, tmp_path: Path) -> None:
    wanted = imported()
    kind = wanted.block("trained").parameters
    assert isinstance(kind, KerasModel)
    changed = msgspec.structs.replace(kind, model_outputs=(NamedTensor(name, (4,)), NamedTensor("other", (4,))))
    links = tuple(link(f"trained.{name} -> joined.input_0") if each.source.port == "code" else each for each in wanted.links)
    blocks = tuple(Block(each.id, changed) if each.id == "trained" else each for each in wanted.blocks)
    script = tmp_path / "model.py"
    script.write_text(generate(msgspec.structs.replace(wanted, blocks=blocks, links=links)), encoding="utf-8")

    assert subprocess.run([sys.executable, "-m", "py_compile", script], check=False).returncode == 0


def test_ports_of_one_name_are_refused() -> None:
    kind = msgspec.convert(
        {"kind": "keras_model", "file": "a.keras", "model_outputs": [{"name": "x", "shape": [1]}, {"name": "x", "shape": [2]}]},
        KerasModel,
    )

    assert "names that differ" in " ".join(problem.text for problem in check(Design((Block("a", kind),))).problems)
