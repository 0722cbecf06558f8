"""Makes models of parts of a design: the blocks that are needed to compute some ports, and no others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from seqdec_gui.domain.dataflow import inputs_behind, sources_of
from seqdec_gui.domain.design import Design, Port
from seqdec_gui.domain.shapes import Inference
from seqdec_gui.domain.types import TensorType, tensors_of

if TYPE_CHECKING:
    import keras


def model_of(
    design: Design, inference: Inference, models: Mapping[str, keras.Model], ports: Sequence[Port], name: str = "part"
) -> keras.Model:
    """Return a model from the input blocks behind `ports` (in the design's order, named by id) to the tensors of `ports`.

    The tensors of a states port follow each other. The model shares all layers and weights with `models`.
    """
    import keras

    inputs: dict[str, Any] = {}
    for block_id in inputs_behind(design, ports):
        type = inference.blocks[block_id].outputs["output"]
        assert isinstance(type, TensorType)
        inputs[block_id] = keras.Input(type.shape, dtype=type.dtype, name=block_id)
    carried = {Port(block_id, "output"): [tensor] for block_id, tensor in inputs.items()}

    def tensors(port: Port) -> list[Any]:
        if port not in carried:
            inputs_of_block = [tensor for source in sources_of(design, port.block) for tensor in tensors(source)]
            results = models[port.block](inputs_of_block[0] if len(inputs_of_block) == 1 else inputs_of_block)
            outputs_left = list(results) if isinstance(results, list | tuple) else [results]
            for out in design.block(port.block).parameters.outputs():
                count = len(tensors_of(out.name, inference.blocks[port.block].outputs[out.name]))
                carried[Port(port.block, out.name)], outputs_left = outputs_left[:count], outputs_left[count:]
        return carried[port]

    outputs = [tensor for port in ports for tensor in tensors(port)]
    return keras.Model(list(inputs.values()), outputs, name=name)
