"""What an engine trains, independent of devices: the script, the losses, the optimizer, the seed."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, Literal, cast

import msgspec

from seqdec_gui.domain.codegen import LAYER_CLASSES
from seqdec_gui.domain.design import Design, Port
from seqdec_gui.domain.kinds.roles import Judge
from seqdec_gui.domain.losses import LOSSES, LossName, MetricName
from seqdec_gui.domain.problems import InvalidInput, SeqdecError
from seqdec_gui.domain.shapes import Inference, infer
from seqdec_gui.domain.source import verified
from seqdec_gui.domain.training import Training
from seqdec_gui.domain.training_options import WHOLE_BATCH, not_in_parts

if TYPE_CHECKING:
    import keras

FULL = "full"
"""Name of the model of the whole stack among the models of a script."""
Build = Callable[[], "dict[str, keras.Model]"]


class LossTerm(msgspec.Struct, frozen=True):
    """A loss block of the design. `output` is the index of its predictions among the outputs of the full model.

    `smoothing` is the share of each target that is spread over all classes while training, 0 where none are compared.
    """

    name: str
    output: int
    loss: LossName
    weight: float = 1.0
    mask_padding: bool = True
    metrics: tuple[MetricName, ...] = ()
    smoothing: float = 0.0


class KLTerm(msgspec.Struct, frozen=True):
    """The KL divergence that the variational bottleneck `block` adds to the loss; its outputs are mean and log variance."""

    block: str
    weight: float
    warmup_epochs: int


class Program(msgspec.Struct, frozen=True):
    """The model and training of a design, as an engine needs them. `model_file` is the generated script."""

    design: Design
    inference: Inference
    model_file: Path
    losses: tuple[LossTerm, ...]
    kl_terms: tuple[KLTerm, ...]

    @classmethod
    def of(cls, design: Design, model_file: Path) -> Program:
        """The program of a design without errors, whose script has been written to `model_file`."""
        judges = [(block.id, judge) for block in design.blocks if (judge := block.parameters.judge) is not None]
        linked = [(name, judge) for name, judge in judges if design.into(Port(name, "predictions")) is not None]
        smoothing = design.training.label_smoothing
        losses = tuple(_loss_term(name, number, judge, smoothing) for number, (name, judge) in enumerate(linked))
        kl_terms = tuple(
            KLTerm(block.id, term.kl_weight, term.kl_warmup_epochs)
            for block in design.blocks
            if (term := block.parameters.divergence) is not None
        )
        return cls(design, infer(design), model_file, losses, kl_terms)

    @property
    def training(self) -> Training:
        return self.design.training

    @property
    def precision(self) -> Literal["float32", "bfloat16"]:
        """The precision to train in; `auto` is float32, because bfloat16 is not faster for recurrent layers on every GPU."""
        return "bfloat16" if self.training.precision == "bfloat16" else "float32"

    @property
    def global_statistics(self) -> bool:
        """Whether BatchNormalization takes its moments over the rows of all devices."""
        return self.training.batch_statistics == "global"

    def build_models(self) -> dict[str, keras.Model]:
        """Run the script and return its models by block id, and "full", initialised from the seed in the program's precision.

        Call it under the engine's scope. Random layers take their seeds from the seed too, so they repeat from run to run.
        """
        import keras

        _seed_layers(self.training.seed)
        policy_before = keras.config.dtype_policy()
        keras.config.set_dtype_policy("mixed_bfloat16" if self.precision == "bfloat16" else "float32")
        try:
            models = load_build(self.model_file)()
        finally:
            keras.config.set_dtype_policy(policy_before)
        if self.precision == "bfloat16":
            _keep_outputs_precise(models[FULL])
        return models


def _seed_layers(seed: int) -> None:
    """Seed the generators from which Keras draws the seeds of layers.

    (`keras.utils.set_random_seed` would import TensorFlow, for seconds, on any backend. The TensorFlow engine calls it itself.)
    """
    import numpy as np

    random.seed(seed)
    np.random.seed(seed)


def _loss_term(name: str, output: int, judge: Judge, smoothing: float) -> LossTerm:
    share = smoothing if LOSSES[judge.loss].compares == "classes" else 0.0
    return LossTerm(name, output, judge.loss, judge.weight, judge.mask_padding, judge.metrics, share)


def load_build(path: Path) -> Build:
    """Run a generated script as a module of its own, and return its function `build`. Raises SeqdecError.

    The text is read, verified and compiled here, because Python's own import would prefer compiled code in `__pycache__` beside
    the script, which need not be that of the script in a run from elsewhere.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SeqdecError(f"Expected a Python script that builds the model at {path}, and found none: {error}.") from None
    module = ModuleType("seqdec_gui_run_model")
    module.__file__ = str(path)
    exec(compile(verified(text, LAYER_CLASSES), str(path), "exec"), module.__dict__)
    return cast(Build, module.build)


def training_model(models: Mapping[str, keras.Model], program: Program) -> keras.Model:
    """Return the full model with the mean and the log variance of every variational bottleneck as further outputs.

    Raises InvalidInput where a layer needs whole batches and the training computes them in parts.

    It takes a list of inputs and returns a list of outputs, in the order of `full.inputs` and of `program`: one per loss, then
    mean and log variance of each KL term. It shares all layers with `models`.
    """
    import keras

    if program.training.micro_batches > 1:
        _fail_if_whole_batches_are_needed(models, program)
    full = models[FULL]
    extra: list[Any] = []
    for kl_term in program.kl_terms:
        block = models[kl_term.block]
        nodes = (node for same_depth in full._nodes_by_depth.values() for node in same_depth)
        call = next(node for node in nodes if node.operation is block)
        outputs = list(call.output_tensors)
        extra += outputs[1:3]  # code, mean, log_variance: the order of the block's ports
    return keras.Model(list(full.inputs), [*full.outputs, *extra], name="training")


def _fail_if_whole_batches_are_needed(models: Mapping[str, keras.Model], program: Program) -> None:
    """Raise InvalidInput for blocks, imported ones too, whose layers depend on all rows of a batch together."""
    from seqdec_gui.runner.normalization import all_layers

    blocks = [block.id for block in program.design.blocks if block.id in models and block.parameters.is_trainable]
    layers = {name: all_layers(models[name]) for name in blocks}
    if faulty := [
        name for name in blocks if any(layer.trainable and type(layer).__name__ in WHOLE_BATCH for layer in layers[name])
    ]:
        raise InvalidInput([not_in_parts(name) for name in faulty])


def _keep_outputs_precise(full: keras.Model) -> None:
    """Make the layers of the predictions compute in float32: a softmax in bfloat16 has only two digits."""
    import keras

    from seqdec_gui.runner.normalization import all_layers

    for layer in all_layers(full):
        if isinstance(layer, keras.layers.ReversibleEmbedding):
            layer.reverse_dtype = "float32"
    for tensor in full.outputs:
        layer, index = tensor._keras_history[0], tensor._keras_history[2]
        while isinstance(layer, keras.Model):
            tensor = layer.outputs[index]
            layer, index = tensor._keras_history[0], tensor._keras_history[2]
        layer.dtype_policy = "float32"
