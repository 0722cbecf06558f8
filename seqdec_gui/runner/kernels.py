"""Counts the recurrent layers of a model, and decides which of them may use cuDNN's kernel.

With a mask the kernel accepts only right-padded rows that are not empty.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from seqdec_gui.data.tensor_feeds import TensorFeed
from seqdec_gui.domain.design import Design, Port
from seqdec_gui.domain.shapes import Inference
from seqdec_gui.domain.types import TensorType

if TYPE_CHECKING:
    import keras

    from seqdec_gui.data.dataset import Dataset

CHUNK_ROWS = 65_536
"""Rows that are checked for padding at a time."""


def recurrent_layers(model: keras.Model) -> int:
    """Return the number of LSTM, GRU and simple recurrent layers of the model, each direction counted."""
    import keras

    from seqdec_gui.runner.normalization import all_layers

    kinds = keras.layers.LSTM | keras.layers.GRU | keras.layers.SimpleRNN
    return sum(isinstance(layer, kinds) for layer in all_layers(model))


def avoid_cudnn_for_padding(
    models: dict[str, keras.Model], design: Design, inference: Inference, dataset: Dataset
) -> tuple[str, ...]:
    """Switch `use_cudnn` off for recurrent layers whose data has left padding, or rows of padding alone, under a mask.

    Otherwise Keras would fail with an assertion in the middle of the training. Returns the names of the layers.
    """
    from seqdec_gui.runner.normalization import all_layers

    unsuitable = [
        feed.name for feed in dataset.feeds if feed.role == "input" and not right_padded(feed, dataset.arrays[feed.array])
    ]
    if not unsuitable:
        return ()
    changed: list[str] = []
    for block in sorted(set().union(*(blocks_with_steps_of(design, inference, name) for name in unsuitable))):
        layers = all_layers(models[block])
        if _mask_anything(layers):
            changed += _switch_cudnn_off(layers)
    return tuple(changed)


def avoid_cudnn_under_masks(model: keras.Model) -> tuple[str, ...]:
    """Switch `use_cudnn` off for all recurrent layers of a model with a mask, because future rows may be padded anywhere.

    Returns the names of the layers.
    """
    from seqdec_gui.runner.normalization import all_layers

    layers = all_layers(model)
    return _switch_cudnn_off(layers) if _mask_anything(layers) else ()


def _mask_anything(layers: list[keras.Layer]) -> bool:
    import keras

    return any(isinstance(layer, keras.layers.Masking) or getattr(layer, "mask_zero", False) for layer in layers)


def _switch_cudnn_off(layers: list[keras.Layer]) -> tuple[str, ...]:
    import keras

    changed = [layer for layer in layers if isinstance(layer, keras.layers.LSTM | keras.layers.GRU) and layer.use_cudnn]
    for layer in changed:
        layer.use_cudnn = False
    return tuple(layer.name for layer in changed)


def blocks_with_steps_of(design: Design, inference: Inference, input_id: str) -> set[str]:
    """Return the blocks whose layers process the steps of this input, directly or after other blocks."""
    blocks: set[str] = set()
    waiting = [Port(input_id, "output")]
    while waiting:
        source = waiting.pop()
        for link in design.links:
            block = link.target.block
            if link.source != source or block in blocks or inference.blocks[block].submodel is None:
                continue
            blocks.add(block)
            waiting += [Port(block, name) for name, type in inference.blocks[block].outputs.items() if _has_steps(type)]
    return blocks


def _has_steps(type: Any) -> bool:
    return isinstance(type, TensorType) and len(type.shape) >= 2


def right_padded(feed: TensorFeed, array: npt.NDArray[Any]) -> bool:
    """Whether no row is empty or has padding before its last valid step."""
    if array.ndim < 2:
        return True
    return all(
        _right_padded(_valid_steps(feed, array[first : first + CHUNK_ROWS])) for first in range(0, len(array), CHUNK_ROWS)
    )


def _valid_steps(feed: TensorFeed, array: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    """Return the mask of valid steps, (rows, steps): id 0 of an embedding and vectors of zeros are not valid."""
    cut = array[:, feed.first : feed.last]
    if feed.encoding == "values":
        mask = (cut != 0).any(axis=-1) if cut.ndim > 2 else np.ones(cut.shape, bool)
    elif feed.encoding == "ids":
        mask = cut != 0
    else:
        mask = cut < feed.depth
        if feed.pad_id is not None:
            mask &= cut != feed.pad_id
    return mask if mask.ndim == 2 else np.ones((len(cut), 1), bool)


def _right_padded(mask: npt.NDArray[np.bool_]) -> bool:
    return bool(mask[:, 0].all() and (mask[:, 1:] <= mask[:, :-1]).all())
