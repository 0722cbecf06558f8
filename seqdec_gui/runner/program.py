"""What an engine trains, before any device is touched: the script, the losses, the optimizer, the seed."""

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
from seqdec_gui.domain.losses import LossName, MetricName
from seqdec_gui.domain.problems import SeqdecError
from seqdec_gui.domain.shapes import Inference, infer
from seqdec_gui.domain.source import verified
from seqdec_gui.domain.training import Training

if TYPE_CHECKING:
    import keras

FULL = "full"
Build = Callable[[], "dict[str, keras.Model]"]


class Judged(msgspec.Struct, frozen=True):
    """A loss block: `output` is the place of its source among the full model's outputs."""

    name: str
    output: int
    loss: LossName
    weight: float = 1.0
    mask_padding: bool = True
    metrics: tuple[MetricName, ...] = ()


class Divergence(msgspec.Struct, frozen=True):
    """The KL term of a variational bottleneck `block`; its outputs are mean and log variance."""

    block: str
    weight: float
    warmup_epochs: int


class Program(msgspec.Struct, frozen=True):
    """Everything an engine needs and no device. `model_file` is the generated script."""

    design: Design
    inference: Inference
    model_file: Path
    losses: tuple[Judged, ...]
    divergences: tuple[Divergence, ...]

    @classmethod
    def of(cls, design: Design, model_file: Path) -> Program:
        """The program of a design without errors, whose script has been written to `model_file`."""
        judges = [(block.id, judge) for block in design.blocks if (judge := block.parameters.judge) is not None]
        linked = [(name, judge) for name, judge in judges if design.into(Port(name, "predictions")) is not None]
        losses = tuple(_judged(name, number, judge) for number, (name, judge) in enumerate(linked))
        divergences = tuple(
            Divergence(block.id, term.kl_weight, term.kl_warmup_epochs)
            for block in design.blocks
            if (term := block.parameters.divergence) is not None
        )
        return cls(design, infer(design), model_file, losses, divergences)

    @property
    def training(self) -> Training:
        return self.design.training

    @property
    def precision(self) -> Literal["float32", "bfloat16"]:
        """`auto` is float32 for now: bfloat16 is not faster for recurrent layers on every GPU."""
        return "bfloat16" if self.training.precision == "bfloat16" else "float32"

    @property
    def global_statistics(self) -> bool:
        """Whether BatchNormalization takes its moments over the rows of all devices."""
        return self.training.batch_statistics == "global"

    def build_models(self) -> dict[str, keras.Model]:
        """Run the script: every block and "full", initialised from the seed, under the precision's policy.

        Call under the engine's scope. Random layers get their seeds from the seed too, so they repeat from run to run.
        """
        import keras

        _seed_layers(self.training.seed)
        before = keras.config.dtype_policy()
        keras.config.set_dtype_policy("mixed_bfloat16" if self.precision == "bfloat16" else "float32")
        try:
            models = load_build(self.model_file)()
        finally:
            keras.config.set_dtype_policy(before)
        if self.precision == "bfloat16":
            _keep_outputs_precise(models[FULL])
        return models


def _seed_layers(seed: int) -> None:
    """Seed the generators that Keras draws the layers' seeds from.

    (`keras.utils.set_random_seed` would import TensorFlow, seconds, whatever the backend is. That engine calls it itself.)
    """
    import numpy as np

    random.seed(seed)
    np.random.seed(seed)


def _judged(name: str, output: int, judge: Judge) -> Judged:
    return Judged(name, output, judge.loss, judge.weight, judge.mask_padding, judge.metrics)


def load_build(path: Path) -> Build:
    """The `build` of a generated script, which is run as a module of its own. Raises SeqdecError.

    The text is read, verified and compiled here: Python's own import would prefer compiled code that lies in `__pycache__`
    beside the script, which in a foreign run need not be that of the script.
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
    """The full model with the mean and the log variance of every variational bottleneck as further outputs.

    Takes a list of inputs and gives a list of outputs, in the order of `full.inputs` and of `program`: one per loss, then mean
    and log variance per divergence. Shares all layers with `models`.
    """
    import keras

    full = models[FULL]
    extra: list[Any] = []
    for divergence in program.divergences:
        block = models[divergence.block]
        nodes = (node for same_depth in full._nodes_by_depth.values() for node in same_depth)
        call = next(node for node in nodes if node.operation is block)
        outputs = list(call.output_tensors)
        extra += outputs[1:3]  # code, mean, log_variance: the order of the block's ports
    return keras.Model(list(full.inputs), [*full.outputs, *extra], name="training")


def make_optimizer(training: Training) -> keras.Optimizer:
    """The Keras optimizer. It clips what it is given by the global norm: give it the gradients of the global batch."""
    import keras

    common = {"learning_rate": training.learning_rate, "global_clipnorm": training.clip_norm or None}
    match training.optimizer:
        case "adam":
            return keras.optimizers.Adam(**common)
        case "adamw":
            return keras.optimizers.AdamW(weight_decay=training.weight_decay, **common)
        case "rmsprop":
            return keras.optimizers.RMSprop(momentum=training.momentum, **common)
        case "sgd":
            return keras.optimizers.SGD(momentum=training.momentum, **common)


def _keep_outputs_precise(full: keras.Model) -> None:
    """Let the layers that give the predictions compute in float32: a softmax in bfloat16 has two digits."""
    import keras

    for tensor in full.outputs:
        layer, index = tensor._keras_history[0], tensor._keras_history[2]
        while isinstance(layer, keras.Model):
            tensor = layer.outputs[index]
            layer, index = tensor._keras_history[0], tensor._keras_history[2]
        layer.dtype_policy = "float32"
