"""An imported model becomes the blocks that make exactly its layers, and predicts afterwards what it predicted before."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from seqdec_gui.domain.design import Design
from seqdec_gui.domain.document import to_builtins
from seqdec_gui.domain.problems import InvalidInput, errors
from seqdec_gui.domain.validation import check
from seqdec_gui.runs.import_design import design_of
from seqdec_gui.runs.model_description import ArrayDescription
from seqdec_gui.runs.splitting import split_task, with_divided
from seqdec_gui.runs.task_results import Divided, Inspected

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::DeprecationWarning")]


def imported(path: Path) -> tuple[Design, str]:
    """The design of an imported file, as the command makes it."""
    from seqdec_gui.runner.keras_files import inspect

    found = inspect(path)
    inputs = zip(found.inputs, found.symbols, strict=True)
    outputs = zip(found.outputs, found.activations, strict=True)
    inspected = Inspected(
        name=found.name,
        inputs=tuple(ArrayDescription(end.name, end.shape, end.dtype, symbols=room) for end, room in inputs),
        outputs=tuple(ArrayDescription(end.name, end.shape, end.dtype, activation=name) for end, name in outputs),
        layers=(),
        parameters=found.parameters,
        trainable=found.trainable,
        sha256=found.sha256,
    )
    return design_of(inspected, path, path.parent)


def divided(design: Design, block_id: str, folder: Path) -> tuple[Design, list[str]]:
    from seqdec_gui.runner.splitting.split import split

    task = split_task(design, block_id, folder, folder)
    made = split(Path(task.path), Path(task.folder), task.taken)
    result = Divided(
        design=to_builtins(Design(blocks=made.blocks, links=made.links)),
        inputs={name: tuple(map(str, ports)) for name, ports in made.inputs.items()},
        outputs={name: str(port) for name, port in made.outputs.items()},
    )
    return with_divided(design, block_id, result, folder)


def predictions_of(design: Design, folder: Path, inputs: dict[str, Any]) -> list[Any]:
    """What the full model of a design predicts with the weights that its blocks begin with; inputs are by input block."""
    from seqdec_gui.runner.block_weights import load_block_weights
    from seqdec_gui.runner.program import load_build
    from seqdec_gui.runner.reopen import predictions
    from seqdec_gui.runner.script_files import write_script

    script = folder / "out" / "model.py"
    script.parent.mkdir(exist_ok=True)
    write_script(design, script, (folder,))
    models = load_build(script)()
    load_block_weights(design, models, (folder,))
    return predictions(models["full"], [inputs[tensor.name] for tensor in models["full"].inputs])


def randomised(model: Any) -> Any:
    random = np.random.default_rng(3)
    model.set_weights([np.abs(random.normal(scale=0.4, size=w.shape)) + 0.05 if "variance" in w.name
                       else random.normal(scale=0.4, size=w.shape) for w in model.weights])  # fmt: skip
    return model


# -- models as people build them
def archetype(nested: bool) -> Any:
    import keras

    layers = keras.layers
    latent = keras.Input((5,), name="latent")
    states = []
    for number in range(2):
        for letter in "hc":
            x = layers.Dense(6, activation="relu", name=f"dense_{letter}{number}")(latent)
            states.append(layers.BatchNormalization(momentum=0.9, name=f"norm_{letter}{number}")(x))
    sequence = keras.Input((7, 4), name="sequence")

    def decoded(x: Any, given: list[Any]) -> Any:
        for number in range(2):
            pair = given[2 * number : 2 * number + 2]
            x = layers.LSTM(6, return_sequences=True, name=f"lstm{number}")(x, initial_state=pair)
            x = layers.BatchNormalization(momentum=0.9, name=f"norm{number}")(x)
        return layers.TimeDistributed(layers.Dense(4, activation="softmax"), name="symbols")(x)

    if not nested:
        return keras.Model([latent, sequence], decoded(sequence, states), name="whole")
    encoder = keras.Model(latent, states, name="encoder")
    taken = [keras.Input((6,)) for _ in range(4)]
    decoder = keras.Model([*taken, sequence], decoded(sequence, taken), name="decoder")
    a, b = keras.Input((5,), name="latent"), keras.Input((7, 4), name="sequence")
    return keras.Model([a, b], decoder([*encoder(a), b]), name="whole")


def tutorial(masked: bool, gives_states: bool = False) -> Any:
    """The model of Keras's tutorial on sequences, whose decoder returns states that nobody uses; or gives them out."""
    import keras

    layers = keras.layers
    ids = [keras.Input((None,), dtype="int32", name=name) for name in ("source", "target")]
    numbers = [keras.Input((None, size), name=name) for name, size in (("source", 7), ("target", 9))]
    inputs = ids if masked else numbers
    x, y = [layers.Embedding(9, 4, mask_zero=True)(each) for each in ids] if masked else numbers
    _, h, c = layers.LSTM(5, return_state=True)(x)
    y, *states = layers.LSTM(5, return_sequences=True, return_state=True)(y, initial_state=[h, c])
    outputs = layers.Dense(9, activation="softmax")(y)
    return keras.Model(inputs, [outputs, *states] if gives_states else outputs)


def translator() -> Any:
    import keras

    layers = keras.layers
    ids = keras.Input((None,), dtype="int32", name="source")
    x = layers.Embedding(11, 6, mask_zero=True)(ids)
    x, *_ = layers.GRU(5, return_sequences=True, return_state=True)(x)
    _, h = layers.GRU(5, return_state=True)(x)
    target = keras.Input((None,), dtype="int32", name="target")
    y = layers.GRU(5, return_sequences=True)(layers.Embedding(12, 6)(target), initial_state=[h])
    return keras.Model([ids, target], layers.Dense(12, activation="softmax")(y))


def language_model() -> Any:
    import keras

    layers = keras.layers
    chain = [keras.Input((None,), dtype="int32", name="symbols"), layers.Embedding(9, 4), layers.LSTM(5, return_sequences=True),
             layers.LSTM(6, return_sequences=True), layers.Dense(9, activation="softmax")]  # fmt: skip
    return keras.Sequential(chain)


def classifier() -> Any:
    import keras

    layers = keras.layers
    chain = [keras.Input((8, 3), name="steps"), layers.Bidirectional(layers.LSTM(4, dropout=0.1, return_sequences=True)),
             layers.Bidirectional(layers.LSTM(3, dropout=0.1)), layers.Dropout(0.2),
             layers.Dense(2, activation="softmax")]  # fmt: skip
    return keras.Sequential(chain)


def odd_activation() -> Any:
    """An encoder of our form, and a decoder that no kind makes."""
    import keras

    layers = keras.layers
    latent, sequence = keras.Input((5,), name="latent"), keras.Input((7, 4), name="sequence")
    states = [layers.Dense(6, activation="tanh", name=name)(latent) for name in ("h", "c")]
    x = layers.LSTM(6, activation="relu", return_sequences=True)(sequence, initial_state=states)
    return keras.Model([latent, sequence], layers.Dense(4)(x))


def chain_behind_a_model() -> Any:
    """A nested model, and behind it a chain of layers, of which the first is of no block kind."""
    import keras

    layers = keras.layers
    inner = keras.Input((5,))
    encoder = keras.Model(inner, layers.Dense(6, activation="relu", name="wide")(inner), name="encoder")
    x = layers.UnitNormalization(name="unit")(encoder(latent := keras.Input((5,), name="latent")))
    return keras.Model(latent, layers.Dense(4, activation="softmax", name="out")(x))


def encoder_and_head(cell: str) -> Any:
    """An encoder that ends in its recurrent layer, as a model of its own, and a layer behind it."""
    import keras

    layers = keras.layers
    chain = [keras.Input((8, 3), name="steps"), getattr(layers, cell)(6)]
    steps = keras.Input((8, 3), name="steps")
    return keras.Model(steps, layers.Dense(2, name="head")(keras.Sequential(chain, name="encoder")(steps)))


def encoder_and_decoder(cell: str) -> Any:
    """Keras's own sequence to sequence model, each half as a model of its own."""
    import keras

    layers = keras.layers
    source = keras.Input((None, 3), name="source")
    _, *states = getattr(layers, cell)(6, return_state=True)(source)
    encoder = keras.Model(source, states if len(states) > 1 else states[0], name="encoder")
    taken = [keras.Input((6,)) for _ in states]
    target = keras.Input((None, 4), name="target")
    y = getattr(layers, cell)(6, return_sequences=True)(target, initial_state=taken)
    decoder = keras.Model([target, *taken], layers.Dense(4, activation="softmax")(y), name="decoder")
    a, b = keras.Input((None, 3), name="source"), keras.Input((None, 4), name="target")
    given = encoder(a)
    return keras.Model([a, b], decoder([b, *(given if isinstance(given, list) else [given])]))


def masked(*behind: Any, dtype: str = "int32") -> Any:
    """Ids whose zeros are masked for the layers after the embedding, in one flat model."""
    import keras

    layers = keras.layers
    ids = keras.Input((7,), dtype=dtype, name="ids")
    return keras.Sequential([ids, layers.Embedding(9, 4, mask_zero=True), *behind, layers.Dense(3, activation="softmax")])


def masked_classifier(dtype: str) -> Any:
    import keras

    return masked(keras.layers.LSTM(5), dtype=dtype)


def masked_encoder() -> Any:
    """Layers that only an encoder makes, which hand the mask on between them, and a head that takes none."""
    import keras

    layers = keras.layers
    both = [layers.Bidirectional(layers.GRU(4, dropout=0.1, return_sequences=more)) for more in (True, False)]
    return masked(*both, layers.Dropout(0.2))


def masked_steps() -> Any:
    """Steps of zeros are skipped by a layer of its own."""
    import keras

    layers = keras.layers
    read = [layers.LSTM(units, dropout=0.1, return_sequences=more) for units, more in ((5, True), (4, False))]
    return keras.Sequential([keras.Input((7, 3), name="steps"), layers.Masking(), *read, layers.Dense(3)])


CASES: dict[str, tuple[Callable[[], Any], list[str]]] = {
    "archetype": (lambda: archetype(nested=True), ["dense_states", "recurrent_decoder"]),
    "flat archetype": (lambda: archetype(nested=False), ["dense_states", "recurrent_decoder"]),
    "language model": (language_model, ["recurrent_decoder"]),
    "classifier": (classifier, ["recurrent_encoder", "layer_stack"]),
    "odd activation": (odd_activation, ["dense_states", "keras_model"]),
    "chain behind a model": (chain_behind_a_model, ["layer_stack", "keras_model", "layer_stack"]),
    "tutorial": (partial(tutorial, False), ["recurrent_encoder", "recurrent_decoder"]),
    "tutorial, masked": (partial(tutorial, True), ["recurrent_encoder", "recurrent_decoder"]),
    "tutorial, states out": (partial(tutorial, False, True), ["recurrent_encoder", "keras_model"]),
    "masked": (partial(masked_classifier, "int32"), ["layer_stack"]),
    "masked, ids as numbers": (partial(masked_classifier, "float32"), ["layer_stack"]),
    "masked encoder": (masked_encoder, ["recurrent_encoder", "layer_stack"]),
    "masked steps": (masked_steps, ["recurrent_encoder", "layer_stack"]),
    "translator": (translator, ["keras_model", "recurrent_decoder"]),
    **{f"{cell}, {make.__name__}": (partial(make, cell), kinds) for cell in ("LSTM", "GRU") for make, kinds in (
        (encoder_and_head, ["recurrent_encoder", "layer_stack"]),
        (encoder_and_decoder, ["recurrent_encoder", "recurrent_decoder"]),
    )},
}  # fmt: skip


def test_layers_that_no_block_makes_stay_with_the_mask_that_they_take(tmp_path: Path) -> None:
    import keras

    from seqdec_gui.runner.splitting.split import split

    masked(keras.layers.SimpleRNN(5, name="reader")).save(tmp_path / "whole.keras")
    (why,) = split(tmp_path / "whole.keras", tmp_path).closed.values()
    assert why.startswith("No block kind makes its layers (Embedding, SimpleRNN) in this order; layers that take the mask of")


def test_why_a_piece_stays_closed_is_said_of_the_model_in_words(tmp_path: Path) -> None:
    """An operation is no layer, a mask of something else than padding is none of a block, and another class has its name."""
    import keras

    from seqdec_gui.runner.splitting.split import split

    layers, ops = keras.layers, keras.ops
    ids, numbers = keras.Input((6,), dtype="int32", name="ids"), keras.Input((5,), name="numbers")
    x = layers.LSTM(5, name="reader")(layers.Embedding(9, 4)(ids), mask=ops.greater(ids, 3))
    first = keras.Model(ids, x, name="first")
    second = keras.Model(numbers, ops.sin(numbers), name="second")
    keras.Model([ids, numbers], [first(ids), second(numbers)]).save(tmp_path / "whole.keras")
    closed = split(tmp_path / "whole.keras", tmp_path).closed
    assert closed["second"] == "It computes sin without a layer, which no block kind does."
    assert closed["first"] == "It computes greater without a layer, which no block kind does."


@pytest.mark.parametrize("name", CASES)
def test_predictions_are_the_same_before_and_after(name: str, tmp_path: Path) -> None:
    from seqdec_gui.runner.keras2.convert import difference_of, random_inputs
    from seqdec_gui.runner.reopen import predictions

    make, kinds = CASES[name]
    model = randomised(make())
    path = tmp_path / "whole.keras"
    model.save(path)
    design, block_id = imported(path)
    after, blocks = divided(design, block_id, tmp_path)
    assert [after.block(block).kind for block in blocks] == kinds
    assert errors(check(after).problems) == ()
    assert check(after).inference.parameters == check(design).inference.parameters
    inputs = random_inputs(model)
    by_block = {tensor.name: array for tensor, array in zip(model.inputs, inputs, strict=True)}
    assert difference_of(predictions_of(after, tmp_path, by_block), predictions(model, inputs)) < 1e-6


def test_the_archetype_travels_on_one_wire_of_states(tmp_path: Path) -> None:
    path = tmp_path / "whole.keras"
    randomised(archetype(nested=False)).save(path)
    after, (encoder, decoder) = divided(*imported(path), tmp_path)
    assert f"{encoder}.states -> {decoder}.initial_states" in map(str, after.links)
    assert after.block(encoder).weights is not None
    assert not Path(after.block(encoder).weights.file).is_absolute()  # type: ignore[union-attr]


def test_what_the_block_was_set_to_is_kept_and_other_weights_are_not_lost(tmp_path: Path) -> None:
    import msgspec

    from seqdec_gui.domain.design import BlockWeights

    path = tmp_path / "whole.keras"
    randomised(archetype(nested=True)).save(path)
    design, block_id = imported(path)
    kind = msgspec.structs.replace(design.block(block_id).parameters, trainable=False, learning_rate_factor=0.5)
    design = design.with_parameters(block_id, kind)
    after, blocks = divided(design, block_id, tmp_path)
    kinds = [after.block(name).parameters for name in blocks]
    assert {(kind.is_trainable, kind.rate_factor) for kind in kinds} == {(False, 0.5)}
    with pytest.raises(InvalidInput, match="begins with other weights"):
        split_task(design.with_weights(block_id, BlockWeights("a.weights.h5", "a")), block_id, tmp_path, tmp_path)


def test_a_layer_that_is_used_twice_keeps_the_model_whole(tmp_path: Path) -> None:
    import keras

    x = keras.Input((3,))
    twice = keras.layers.Dense(3, name="twice")
    keras.Model(x, twice(twice(x))).save(tmp_path / "a.keras")
    with pytest.raises(InvalidInput, match="twice is used several times"):
        divided(*imported(tmp_path / "a.keras"), tmp_path)
