"""Generates from codes in place of rows: the part of a trained stack that follows the code, and the sampler on it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from seqdec_gui.data.code_points import read_codes
from seqdec_gui.domain.dataflow import sources_of
from seqdec_gui.domain.design import Design, Port
from seqdec_gui.domain.generation import Stepwise
from seqdec_gui.domain.problems import InvalidInput, Problem
from seqdec_gui.domain.shapes import Inference, infer
from seqdec_gui.domain.types import tensors_of
from seqdec_gui.runner.encoding import code_ports
from seqdec_gui.runner.sample_file import Beside
from seqdec_gui.runner.sampler import Sampler

if TYPE_CHECKING:
    import keras

    from seqdec_gui.runs.tasks import GenerateTask

Array = npt.NDArray[Any]
CODES = "codes"
"""The name of the input that takes codes."""


class CodeSampler(Sampler):
    """A sampler whose rows are codes, `(rows, width)`, as `encode` gives them: `arrays` has them under the name `codes`.

    Raises InvalidInput where what follows the code reads other inputs too, or does not lead to what is generated.
    """

    width: int
    """How many numbers a code has."""

    def __init__(self, design: Design, models: Mapping[str, keras.Model], sampler: Sampler, port: str = "") -> None:
        self.__dict__.update(sampler.__dict__)  # the same symbols and compiled loops, but another start
        inference, plan = infer(design), sampler.plan
        ports = code_ports(design, inference, port)
        if self.first_step_from:
            raise _refused(ports, f"each row begins with a step of its own ({self.first_step_from})", "codes do not have it")
        if isinstance(plan, Stepwise):
            ends = sources_of(design, plan.decoder, leave_out=("inputs",))
        else:
            ends = (plan.port,)
        self._start = model_from(design, inference, models, ports, ends)
        self.width = int(self._start.inputs[0].shape[1])
        self.inputs = (CODES,)

    def _codes(self, arrays: Mapping[str, Array], rows: Array) -> list[Array]:
        found = self._start.predict_on_batch(np.asarray(arrays[CODES][rows], np.float32))
        return [np.asarray(one) for one in (found if isinstance(found, list | tuple) else [found])]

    def _states_of(self, arrays: Mapping[str, Array]) -> Any:
        decoder = self._decoder
        if decoder is None:
            return lambda rows: [self._predict(arrays, rows)]
        return lambda rows: decoder.with_zeros(self._codes(arrays, rows), len(rows))

    def _predict(self, arrays: Mapping[str, Array], rows: Array) -> Array:
        (predicted,) = self._codes(arrays, rows)
        return predicted.reshape(len(rows), -1, predicted.shape[-1])

    def _predicted_numbers(self, arrays: Mapping[str, Array], rows: Array) -> Any:
        if self._numbers is None or self._roll_out is None:
            return super()._predicted_numbers(arrays, rows)
        assert self._numbers.begin is not None
        begin = np.broadcast_to(self._numbers.begin, (len(rows), self._numbers.begin.shape[-1]))
        return self._roll_out.find(self._states_of(arrays)(rows), begin)


def rows_of_codes(task: GenerateTask, loaded: Any, sampler: Sampler) -> tuple[CodeSampler, dict[str, Array], Beside]:
    """Return the sampler and the arrays of a task that gives codes, and what stands beside them. Raises InvalidInput."""
    given = read_codes(Path(task.codes))
    code_sampler = CodeSampler(loaded.trained.design, loaded.trained.models, sampler, task.port)
    if given.codes.shape[1] != code_sampler.width:
        text = f"The codes have {given.codes.shape[1]} numbers, and the run's codes have {code_sampler.width}."
        raise InvalidInput([Problem("error", "bad_codes", "codes", text, "Encode rows with this run (seqdec-gui encode).")])
    if task.constraints.prefix_column:
        raise InvalidInput("A column of prefixes is read from a file of rows; codes have none.", "bad_decoding", "decoding")
    beside = Beside({}, {"code_row": [str(row) for row in given.rows], **given.kept})
    return code_sampler, {CODES: given.codes}, beside


def model_from(
    design: Design, inference: Inference, models: Mapping[str, keras.Model], given: Sequence[Port], ports: Sequence[Port]
) -> keras.Model:
    """Return a model from a code `(rows, numbers)` to the tensors of `ports`; the code is that of `given`, laid in a row.

    It shares all layers with `models`. Raises InvalidInput where another input is needed, or where no code is.
    """
    import keras
    from keras import ops

    types = [(port, tensor) for port in given for _, tensor in tensors_of(port.port, _type(inference, port))]
    shapes = [tuple(int(axis or 0) for axis in type_.shape) for _, type_ in types]
    sizes = [int(np.prod(shape, dtype=np.int64)) for shape in shapes]
    if any(type_.has_steps for _, type_ in types) and not all(sizes):
        raise _refused(given, "it has no fixed length", "choose another port")
    code = keras.Input((sum(sizes),), dtype="float32", name=CODES)
    carried: dict[Port, list[Any]] = {}
    at, used = 0, set[Port]()
    for (port, _), shape, size in zip(types, shapes, sizes, strict=True):
        carried.setdefault(port, []).append(ops.reshape(code[:, at : at + size], (-1, *shape)))
        at += size
    for port in given:  # a variational code is its mean when nothing is drawn
        if port.port == "mean" and "code" in inference.blocks[port.block].outputs:
            carried[Port(port.block, "code")] = carried[port]
    starts = set(carried)

    def tensors(port: Port) -> list[Any]:
        if port in starts:
            used.add(port)
        if port not in carried:
            block = design.block(port.block)
            if block.parameters.role == "input":
                raise _refused(given, f"what follows it reads {block.id} too", "a code alone does not say what it is")
            inputs = [tensor for source in sources_of(design, port.block) for tensor in tensors(source)]
            results = models[port.block](inputs[0] if len(inputs) == 1 else inputs)
            left = list(results) if isinstance(results, list | tuple) else [results]
            for out in block.parameters.outputs():
                count = len(tensors_of(out.name, inference.blocks[port.block].outputs[out.name]))
                carried.setdefault(Port(port.block, out.name), left[:count])
                left = left[count:]
        return carried[port]

    outputs = [tensor for port in ports for tensor in tensors(port)]
    if not used:
        raise _refused(given, "nothing that is generated follows from it", "choose another port")
    return keras.Model(code, outputs, name="from_codes")


def _type(inference: Inference, port: Port) -> Any:
    return inference.blocks[port.block].outputs[port.port]


def _refused(ports: Sequence[Port], why: str, so: str) -> InvalidInput:
    text = f"Nothing can be generated from the codes of {', '.join(map(str, ports))}: {why}, and {so}."
    return InvalidInput([Problem("error", "bad_codes", "port", text, "Name another output by --port, or generate from rows.")])
