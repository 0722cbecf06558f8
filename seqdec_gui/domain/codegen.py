"""A design as a plain Keras script: what the Code tab shows, what a run trains, and what "export script" saves.

The text is formatted as ruff and black would at `WIDTH` columns, so that a formatter leaves it alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePath

from seqdec_gui.domain.codes import about
from seqdec_gui.domain.design import Block, Design, Port
from seqdec_gui.domain.graph import Call, Submodel
from seqdec_gui.domain.kinds.keras_model import KerasModel
from seqdec_gui.domain.kinds.loss import Loss
from seqdec_gui.domain.kinds.recurrent_decoder import RecurrentDecoder
from seqdec_gui.domain.layers.layer import Layer
from seqdec_gui.domain.layers.specs import LAYERS
from seqdec_gui.domain.problems import InvalidInput, errors
from seqdec_gui.domain.shapes import Inference, infer
from seqdec_gui.domain.types import StatesType, TensorType, tensors_of
from seqdec_gui.domain.validation import check

WIDTH = 100


def generate(design: Design) -> str:
    """The script: one `build_<block>()` per submodel and `build() -> dict[str, keras.Model]` with "full" for the whole.

    Raises InvalidInput where the design has errors.
    """
    report = check(design)
    # what concerns data or training alone does not keep the model from being built
    faults = [problem for problem in errors(report.problems) if about(problem.code) not in ("binding", "data", "training")]
    if faults:
        raise InvalidInput(faults)
    return "\n".join(_script(design, report.inference)) + "\n"


def generate_step(design: Design, decoder: str) -> str:
    """A script whose `build_step()` gives one step of this decoder: (inputs, states) -> (outputs, *new states).

    Layer names are those of the full model, so weights can be copied layer by layer. Raises InvalidInput as `generate` does,
    and KeyError or TypeError for a block that is no recurrent decoder.
    """
    report = check(design)
    block = design.block(decoder)
    if not isinstance(block.parameters, RecurrentDecoder):
        raise TypeError(f"{decoder} is a {block.kind}, expected a recurrent_decoder")
    known = report.inference.blocks[decoder]
    if known.submodel is None:
        raise InvalidInput(list(errors(report.problems)))
    step = block.parameters.step_submodel(known.inputs)
    plain = block.parameters.submodel(known.inputs)
    if plain.layer_names() != known.submodel.layer_names():
        step = step.prefixed(f"{decoder}_")
    lines = [
        '"""One step of a decoder, for sampling symbol by symbol."""',
        "",
        "import keras",
        "from keras import layers",
        "",
        "",
    ]
    return "\n".join([*lines, *_submodel_function("step", step, f"{decoder}_step")]) + "\n"


def keras_file_name(block: Block) -> str:
    """The name under which an imported file is copied beside the script."""
    assert isinstance(block.parameters, KerasModel)
    return block.id + (PurePath(block.parameters.file).suffix.lower() or ".keras")  # Keras refuses .KERAS


def _script(design: Design, inference: Inference) -> Iterator[str]:
    submodels = [design.block(block_id) for block_id in parts(design, inference)]
    imported = any(isinstance(block.parameters, KerasModel) for block in submodels)
    own = any(not isinstance(block.parameters, KerasModel) for block in submodels)
    yield '"""' + _title(design, inference)
    yield ""
    yield "`build()` returns every submodel by name and the stacked model as `full`; run the file to see its summary."
    yield '"""'
    yield ""
    if imported:
        yield from ("from pathlib import Path", "")
    yield "import keras"
    if own:
        yield "from keras import layers"
    for block in submodels:
        known = inference.blocks[block.id]
        yield from ("", "")
        if isinstance(block.parameters, KerasModel):
            yield from _import_function(block)
        else:
            assert known.submodel is not None
            yield from _submodel_function(block.id, known.submodel, block.id)
    yield from ("", "")
    yield from _build_function(design, inference, submodels)
    yield from ("", "", 'if __name__ == "__main__":', '    build()["full"].summary(expand_nested=True)')


def parts(design: Design, inference: Inference | None = None) -> list[str]:
    """The blocks that `build()` gives a model of, in the order of the wires: those with layers."""
    known = infer(design) if inference is None else inference
    return [
        block_id
        for block_id in known.order
        if isinstance(design.block(block_id).parameters, KerasModel) or known.blocks[block_id].submodel is not None
    ]


def _title(design: Design, inference: Inference) -> str:
    inputs = [block.id for block in design.blocks if block.parameters.category == "Inputs"]
    chain = parts(design, inference)
    title = f"Stacked Keras model: {', '.join(inputs)} -> {' -> '.join(chain)}."
    return title if len(title) + 3 <= WIDTH else f"Stacked Keras model of {len(chain)} submodels."


def _import_function(block: Block) -> Iterator[str]:
    yield f"def build_{block.id}() -> keras.Model:"
    yield f'    """The trained model in {keras_file_name(block)}, which lies beside this script."""'
    yield f'    file = Path(__file__).with_name("{keras_file_name(block)}")'
    yield "    model = keras.models.load_model(file, compile=False, safe_mode=True)"
    yield f'    model.name = "{block.id}"'
    yield "    return model"


# -- one submodel
def _submodel_function(function: str, submodel: Submodel, name: str) -> Iterator[str]:
    yield f"def build_{function}() -> keras.Model:"
    yield f'    """{submodel.summary}"""'
    for tensor in submodel.inputs:
        yield from _indented(_call(f"{tensor.variable} = ", "keras.Input", _input_arguments(tensor.type, tensor.name)))
    for call in submodel.calls:
        yield from _indented(_layer_call(call))
    inputs = _one_or_list([tensor.variable for tensor in submodel.inputs])
    outputs = _one_or_list([variable for output in submodel.outputs for variable in output.variables])
    yield from _indented(_call("return ", "keras.Model", [inputs, outputs, f'name="{name}"']))


def _input_arguments(type: TensorType, name: str) -> list[str]:
    shape = "(" + ", ".join(map(str, type.shape)) + ("," if len(type.shape) == 1 else "") + ")"
    return [shape, *([f'dtype="{type.dtype}"'] if type.dtype != "float32" else []), f'name="{name}"']


def _layer_arguments(layer: Layer) -> list[str]:
    """The arguments as a person writes them: the leading one or two without their names."""
    bare = LAYERS[layer.type].positional
    arguments = [literal(value) if key in bare else f"{key}={literal(value)}" for key, value in layer.arguments]
    if layer.inner is not None:
        arguments.insert(0, f"layers.{layer.inner.type}({', '.join(_layer_arguments(layer.inner))})")
    return [*arguments, f'name="{layer.name}"']


def literal(value: object) -> str:
    """A value as Python source: `repr`, with the double quotes that formatters prefer."""
    if isinstance(value, str) and not set(value) & set("'\"\\") and value.isprintable():
        return f'"{value}"'
    return repr(value)


def _layer_call(call: Call) -> list[str]:
    results = [tensor.variable for tensor in call.outputs]
    separate = LAYERS[call.layer.type].separate_inputs
    inputs = list(call.inputs) if separate else [_one_or_list(list(call.inputs))]
    inputs += [f"{name}={literal(value)}" for name, value in call.options]
    if call.initial_state:
        inputs.append(f"initial_state=[{', '.join(call.initial_state)}]")
    return _call(
        f"{', '.join(results)} = ", f"layers.{call.layer.type}", _layer_arguments(call.layer), f"({', '.join(inputs)})"
    )


# -- the whole
def _build_function(design: Design, inference: Inference, submodels: Sequence[Block]) -> Iterator[str]:
    yield "def build() -> dict[str, keras.Model]:"
    yield '    """Every submodel and the full model, freshly initialised."""'
    for block in submodels:
        yield f"    {block.id} = build_{block.id}()"
    frozen = [block.id for block in submodels if not getattr(block.parameters, "trainable", True)]
    for block_id in frozen:
        yield f"    {block_id}.trainable = False"
    yield ""
    inputs = [block for block in design.blocks if block.parameters.category == "Inputs"]
    carried: dict[Port, str] = {}  # what a port's wire is called in the script; a states tuple carries a star
    taken = {block.id for block in design.blocks}
    for block in inputs:
        type = inference.blocks[block.id].outputs["output"]
        assert isinstance(type, TensorType)
        yield from _indented(_call(f"{block.id} = ", "keras.Input", _input_arguments(type, block.id)))
        carried[Port(block.id, "output")] = block.id
    for block in submodels:
        yield from _indented(_block_call(design, inference, block, carried, taken))
    sources = [link.source for block in design.blocks if isinstance(block.parameters, Loss)
               if (link := design.into(Port(block.id, "predictions"))) is not None]  # fmt: skip
    outputs = _one_or_list([carried[source] for source in sources])
    yield ""
    model = [_one_or_list([block.id for block in inputs]), outputs, 'name="full"']
    yield from _indented(_call("full = ", "keras.Model", model))
    entries = [f'"{block.id}": {block.id}' for block in submodels] + ['"full": full']
    yield from _indented(_bracketed("return {", entries, "}"))


def _block_call(design: Design, inference: Inference, block: Block, carried: dict[Port, str], taken: set[str]) -> list[str]:
    """`a, *b = block([x, *y])`; enters the names of the results into `carried`."""
    given: list[str] = []
    for port in block.parameters.inputs():
        link = design.into(Port(block.id, port.name))
        if link is not None:
            given.append(carried[link.source])
    results = _results(block, inference.blocks[block.id].outputs, design, carried, taken)
    if len(given) == 1:
        arguments = given[0].removeprefix("*")
    else:
        arguments = f"[{', '.join(given)}]"
    return _call(f"{results} = ", block.id, [arguments])


def _results(
    block: Block, outputs: Mapping[str, StatesType | TensorType], design: Design, carried: dict[Port, str], taken: set[str]
) -> str:
    used = {link.source.port for link in design.links if link.source.block == block.id}
    names: list[str] = []
    for port in block.parameters.outputs():
        many = len(tensors_of(port.name, outputs[port.name])) > 1
        name = f"{block.id}_{port.name}"
        while name in taken:
            name += "_"
        taken.add(name)
        carried[Port(block.id, port.name)] = f"*{name}" if many else name
        shown = name if port.name in used else "_"
        names.append(f"*{shown}" if many else shown)
    return names[0].removeprefix("*") if len(names) == 1 else ", ".join(names)


# -- formatting
def _one_or_list(names: list[str]) -> str:
    return names[0] if len(names) == 1 and not names[0].startswith("*") else f"[{', '.join(names)}]"


def _indented(lines: list[str]) -> Iterator[str]:
    return (f"    {line}" if line else line for line in lines)


def _call(prefix: str, function: str, arguments: list[str], suffix: str = "") -> list[str]:
    """`prefix function(arguments)suffix` in as few lines as fit; 4 columns are kept for the indentation of the body."""
    head = f"{prefix}{function}({', '.join(arguments)})"
    if suffix and len(head + suffix) > WIDTH - 4 and len(head) < WIDTH - 4:
        return _bracketed(f"{head}(", [suffix.removeprefix("(").removesuffix(")")], ")")
    return _bracketed(f"{prefix}{function}(", arguments, f"){suffix}")


def _bracketed(opening: str, items: list[str], closing: str) -> list[str]:
    """One line if it fits; else the items on a line of their own (calls only), else one item a line."""
    limit = WIDTH - 4
    line = opening + ", ".join(items) + closing
    if len(line) <= limit:
        return [line]
    inner = "    " + ", ".join(items)
    if opening.endswith("(") and len(inner) <= limit:
        return [opening, inner, closing]
    lines = [opening]
    for item in items:
        if item.startswith("[") and len(item) + 5 > limit:
            lines += [f"    {part}" for part in _bracketed("[", item[1:-1].split(", "), "],")]
        else:
            lines.append(f"    {item},")
    return [*lines, closing]


__all__ = ["generate", "generate_step", "keras_file_name", "literal"]
