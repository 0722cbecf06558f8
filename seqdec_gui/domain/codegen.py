"""Generates the Keras script of a design: the Code tab shows it, a run trains it, and "export script" saves it.

The text is formatted as ruff and black would at `WIDTH` columns, so that a formatter leaves it alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import PurePath

from seqdec_gui.domain.design import Block, Design, Port
from seqdec_gui.domain.graph import NO_LAYERS, Call, Submodel
from seqdec_gui.domain.kinds.keras_model import SUFFIXES
from seqdec_gui.domain.layers.layer import Layer, Sinusoid, Value
from seqdec_gui.domain.layers.specs import LAYERS
from seqdec_gui.domain.problems import InvalidInput, errors
from seqdec_gui.domain.shapes import Inference, infer
from seqdec_gui.domain.source import SINUSOID, Names, SourceError, docstring, identifier, literal, verified
from seqdec_gui.domain.types import PortType, TensorType, tensors_of
from seqdec_gui.domain.validation import check, model_problems

WIDTH = 100
"""The number of columns of a line of the script."""

LAYER_CLASSES = LAYERS.keys()
"""Classes of `keras.layers` that a script can name."""
_OWN_NAMES = ("Path", "build", "full", "keras", "layers")
"""The names that the script uses besides those of blocks."""


def generate(design: Design, *, verify: bool = True) -> str:
    """Return the script: `build_<block>()` for each submodel, and `build() -> dict[str, keras.Model]` with the model "full".

    Raises InvalidInput if the model has errors; errors of data or training do not matter here. Verification takes longer than
    all else: it may be left out for text that is only shown, since a child verifies the script that it runs.
    """
    inference = infer(design)
    if faults := errors(tuple(model_problems(design, inference))):
        raise InvalidInput(faults)
    text = "\n".join(_script(design, inference)) + "\n"
    return verified(text, LAYER_CLASSES) if verify else text


def generate_step(design: Design, decoder: str) -> str:
    """Return a script whose `build_step()` makes a model of one step: (inputs, states) -> (outputs, *new states).

    Layer names are those of the full model, so weights can be copied layer by layer. Raises InvalidInput as `generate` does,
    and KeyError or TypeError for a block that does not feed back what it predicts.
    """
    report = check(design)
    kind = design.block(decoder).parameters
    if report.inference.blocks[decoder].submodel is None and kind.feeds_back:
        raise InvalidInput(list(errors(report.problems)))
    step = step_of(design, report.inference, decoder)
    imports, tables = _tables([step])
    lines = [
        docstring("One step of a decoder, for sampling symbol by symbol."),
        "",
        *imports,
        "import keras",
        "from keras import layers",
        *tables,
        "",
        "",
    ]
    function = _submodel_function("build_step", step, f"{decoder}_step")
    return verified("\n".join([*lines, *function]) + "\n", LAYER_CLASSES)


def step_of(design: Design, inference: Inference, decoder: str) -> Submodel:
    """Return the layers of one step of this decoder (`Kind.step_submodel`), with the names that they have in the full model.

    Raises KeyError or TypeError for a block that does not feed back what it predicts, or whose inputs are open.
    """
    kind, known = design.block(decoder).parameters, inference.blocks[decoder]
    step = kind.step_submodel(known.inputs) if known.submodel is not None else None
    plain = kind.submodel(known.inputs) if known.submodel is not None else None
    if step is None or plain is None or known.submodel is None:
        raise TypeError(f"{decoder} is a {kind.kind()}, expected a block that feeds back what it predicts")
    return step if plain.layer_names() == known.submodel.layer_names() else step.prefixed(f"{decoder}_")


def keras_file_names(design: Design) -> dict[str, str]:
    """Return, by block, the name under which an imported file is copied beside the script, such as `encoder.keras`.

    Names that would differ only in case get a number, since some file systems ignore case.
    """
    names: dict[str, str] = {}
    for block in design.blocks:
        if (imported := block.parameters.imported) is not None:
            stem, suffix, number = identifier(block.id), PurePath(imported.file).suffix.lower() or SUFFIXES[0], 2
            if suffix not in SUFFIXES:
                raise SourceError(f"{suffix!r} is no suffix of a Keras file")
            while f"{stem}{suffix}".lower() in {name.lower() for name in names.values()}:
                stem, number = f"{block.id}_{number}", number + 1
            names[block.id] = stem + suffix
    return names


def _script(design: Design, inference: Inference) -> Iterator[str]:
    """Yield the lines of the script."""
    submodels = [design.block(block_id) for block_id in parts(design, inference)]
    imported = any(block.parameters.imported is not None for block in submodels)
    own = any(block.parameters.imported is None for block in submodels)
    usage = "`build()` returns every submodel by name and the stacked model as `full`; run the file to see its summary."
    names = Names([*(identifier(block.id) for block in design.blocks), *_OWN_NAMES])
    functions = {block.id: names.new(f"build_{block.id}") for block in submodels}
    files = keras_file_names(design)
    yield docstring(f"{_title(design, inference)}\n\n{usage}\n")
    yield ""
    imports, tables = _tables(inference.blocks[block.id].submodel or NO_LAYERS for block in submodels)
    yield from imports[:1]
    if imported:
        yield "from pathlib import Path"
    if imported or imports:
        yield ""
    yield "import keras"
    if own:
        yield "from keras import layers"
    yield from tables
    for block in submodels:
        known = inference.blocks[block.id]
        yield from ("", "")
        if block.parameters.imported is not None:
            yield from _import_function(functions[block.id], files[block.id], block.id)
        else:
            assert known.submodel is not None
            yield from _submodel_function(functions[block.id], known.submodel, block.id)
    yield from ("", "")
    yield from _build_function(design, inference, submodels, functions, names)
    yield from ("", "", 'if __name__ == "__main__":', '    build()["full"].summary(expand_nested=True)')


def parts(design: Design, inference: Inference | None = None) -> list[str]:
    """Return the blocks with layers, of which `build()` makes models, in topological order."""
    known = infer(design) if inference is None else inference
    return [
        block_id
        for block_id in known.order
        if design.block(block_id).parameters.imported is not None or known.blocks[block_id].submodel is not None
    ]


def _title(design: Design, inference: Inference) -> str:
    inputs = [block.id for block in design.blocks if block.parameters.role == "input"]
    chain = parts(design, inference)
    title = f"Stacked Keras model: {', '.join(inputs)} -> {' -> '.join(chain)}."
    return title if len(title) + 3 <= WIDTH else f"Stacked Keras model of {len(chain)} submodels."


def _import_function(function: str, file_name: str, name: str) -> Iterator[str]:
    yield f"def {identifier(function)}() -> keras.Model:"
    yield f"    {docstring(f'The trained model in {file_name}, which lies beside this script.')}"
    yield f"    file = Path(__file__).with_name({literal(file_name)})"
    yield "    model = keras.models.load_model(file, compile=False, safe_mode=True)"
    yield f"    model.name = {literal(name)}"
    yield "    return model"


# -- one submodel
def _submodel_function(function: str, submodel: Submodel, name: str) -> Iterator[str]:
    """Yield the lines of the function that builds a submodel."""
    yield f"def {identifier(function)}() -> keras.Model:"
    yield f"    {docstring(submodel.summary)}"
    for tensor in submodel.inputs:
        variable = identifier(tensor.variable)
        yield from _indented(_call(f"{variable} = ", "keras.Input", _input_arguments(tensor.type, tensor.name)))
    yield from _indented(_calls(submodel))
    inputs = _one_or_list([identifier(tensor.variable) for tensor in submodel.inputs])
    outputs = _one_or_list([identifier(variable) for output in submodel.outputs for variable in output.variables])
    yield from _indented(_call("return ", "keras.Model", [inputs, outputs, f"name={literal(name)}"]))


def _calls(submodel: Submodel) -> list[str]:
    """Return the calls of all layers; a layer that is called several times gets a variable before its first call."""
    times = Counter(call.layer.name for call in submodel.calls)
    taken = [tensor.variable for tensor in submodel.inputs]
    taken += [tensor.variable for call in submodel.calls for tensor in call.outputs]
    names = Names([*taken, "keras", "layers"])
    variables: dict[str, str] = {}
    lines: list[str] = []
    for call in submodel.calls:
        name = call.layer.name
        if times[name] > 1 and name not in variables:
            variables[name] = names.new(name.lower())
            layer_class = f"layers.{identifier(call.layer.type)}"
            lines += _call(f"{identifier(variables[name])} = ", layer_class, _layer_arguments(call.layer))
        lines += _layer_call(call, variables.get(name, ""))
    return lines


def _input_arguments(type: TensorType, name: str) -> list[str]:
    dtype = [f"dtype={literal(type.dtype)}"] if type.dtype != "float32" else []
    return [literal(type.shape), *dtype, f"name={literal(name)}"]


def _layer_arguments(layer: Layer) -> list[str]:
    """Return the arguments of a layer as source; the leading one or two are positional, as people write them."""
    bare = LAYERS[layer.type].positional
    arguments = [_value(value) if key in bare else f"{identifier(key)}={_value(value)}" for key, value in layer.arguments]
    if layer.inner is not None:
        arguments.insert(0, f"layers.{identifier(layer.inner.type)}({', '.join(_layer_arguments(layer.inner))})")
    return [*arguments, f"name={literal(layer.name)}"]


def _value(value: Value) -> str:
    """Return the value of an argument as source."""
    return f"sinusoid({value.steps}, {value.width})" if isinstance(value, Sinusoid) else literal(value)


def _tables(submodels: Iterable[Submodel]) -> tuple[list[str], list[str]]:
    """Return the import and the function that the tables of these submodels need; empty lists where none has a table."""
    values = [value for submodel in submodels for call in submodel.calls for _, value in call.layer.arguments]
    if not any(isinstance(value, Sinusoid) for value in values):
        return [], []
    return ["import math", ""], ["", "", *SINUSOID.splitlines()]


def _layer_call(call: Call, variable: str) -> list[str]:
    """Return the call of a layer, which is made there, or held by a variable."""
    results = [identifier(tensor.variable) for tensor in call.outputs]
    tensors = [identifier(name) for name in call.inputs]
    arguments = tensors if LAYERS[call.layer.type].separate_inputs else [_one_or_list(tensors)]
    arguments += [f"{identifier(name)}={_value(value)}" for name, value in call.options]
    arguments += [f"{identifier(name)}={identifier(variable)}" for name, variable in call.named]
    if call.initial_state:
        arguments.append(f"initial_state=[{', '.join(map(identifier, call.initial_state))}]")
    if variable:
        return _call(f"{', '.join(results)} = ", identifier(variable), arguments)
    layer_class = f"layers.{identifier(call.layer.type)}"
    return _call(f"{', '.join(results)} = ", layer_class, _layer_arguments(call.layer), f"({', '.join(arguments)})")


# -- the whole
def _build_function(
    design: Design, inference: Inference, submodels: Sequence[Block], functions: Mapping[str, str], names: Names
) -> Iterator[str]:
    """Yield the lines of `build()`, which connects all submodels to the full model."""
    yield "def build() -> dict[str, keras.Model]:"
    yield '    """Every submodel and the full model, freshly initialised."""'
    for block in submodels:
        yield f"    {identifier(block.id)} = {identifier(functions[block.id])}()"
    frozen = [block.id for block in submodels if not block.parameters.is_trainable]
    for block_id in frozen:
        yield f"    {identifier(block_id)}.trainable = False"
    yield ""
    inputs = [block for block in design.blocks if block.parameters.role == "input"]
    carried: dict[Port, str] = {}  # the variable of each output port in the script, with a star for a tuple of states
    for block in inputs:
        type = inference.blocks[block.id].outputs["output"]
        assert isinstance(type, TensorType)
        yield from _indented(_call(f"{identifier(block.id)} = ", "keras.Input", _input_arguments(type, block.id)))
        carried[Port(block.id, "output")] = block.id
    for block in submodels:
        yield from _indented(_block_call(design, inference, block, carried, names))
    sources = [link.source for block in design.blocks if block.parameters.role == "loss"
               if (link := design.into(Port(block.id, "predictions"))) is not None]  # fmt: skip
    outputs = _one_or_list([carried[source] for source in sources])
    yield ""
    model = [_one_or_list([block.id for block in inputs]), outputs, 'name="full"']
    yield from _indented(_call("full = ", "keras.Model", model))
    entries = [f"{literal(block.id)}: {identifier(block.id)}" for block in submodels] + ['"full": full']
    yield from _indented(_bracketed("return {", entries, "}"))


def _block_call(design: Design, inference: Inference, block: Block, carried: dict[Port, str], names: Names) -> list[str]:
    """Return the call of a submodel, such as `a, *b = block([x, *y])`, and adds the variables of its results to `carried`."""
    inputs: list[str] = []
    for port in block.parameters.inputs():
        link = design.into(Port(block.id, port.name))
        if link is not None:
            inputs.append(carried[link.source])
    results = _results(block, inference.blocks[block.id].outputs, design, carried, names)
    if len(inputs) == 1 and "," not in inputs[0]:
        arguments = inputs[0].removeprefix("*")
    else:
        arguments = f"[{', '.join(inputs)}]"
    return _call(f"{results} = ", identifier(block.id), [arguments])


def _results(block: Block, outputs: Mapping[str, PortType], design: Design, carried: dict[Port, str], names: Names) -> str:
    """Return the targets of the assignment of a submodel call, and add the variables of its outputs to `carried`.

    Python takes one starred target: the tensors of further ports with several have a variable each.
    """
    used = {link.source.port for link in design.links if link.source.block == block.id}
    results: list[str] = []
    for port in block.parameters.outputs():
        tensors = tensors_of(port.name, outputs[port.name])
        if len(tensors) > 1 and any(result.startswith("*") for result in results):
            each = [names.new(f"{block.id}_{port.name}_{name}") for name, _ in tensors]
            carried[Port(block.id, port.name)] = ", ".join(each)
            results += each if port.name in used else ["_"] * len(each)
            continue
        name = names.new(f"{block.id}_{port.name}")
        carried[Port(block.id, port.name)] = f"*{name}" if len(tensors) > 1 else name
        shown = name if port.name in used else "_"
        results.append(f"*{shown}" if len(tensors) > 1 else shown)
    return results[0].removeprefix("*") if len(results) == 1 else ", ".join(results)


# -- formatting
def _one_or_list(names: list[str]) -> str:
    return names[0] if len(names) == 1 and not names[0].startswith("*") else f"[{', '.join(names)}]"


def _indented(lines: list[str]) -> Iterator[str]:
    return (f"    {line}" if line else line for line in lines)


def _call(prefix: str, function: str, arguments: list[str], suffix: str = "") -> list[str]:
    """Return `prefix function(arguments)suffix` in as few lines as possible, with 4 columns left for the indentation."""
    head = f"{prefix}{function}({', '.join(arguments)})"
    if suffix and len(head + suffix) > WIDTH - 4 and len(head) < WIDTH - 4:
        return _bracketed(f"{head}(", [suffix.removeprefix("(").removesuffix(")")], ")")
    return _bracketed(f"{prefix}{function}(", arguments, f"){suffix}")


def _bracketed(opening: str, items: list[str], closing: str) -> list[str]:
    """Return one line if it fits; else the items on a line of their own (calls only), else one item a line."""
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
