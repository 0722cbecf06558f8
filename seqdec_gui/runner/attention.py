"""Computes which steps a trained stack attends to while it makes given sequences, in one pass of its layers."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from seqdec_gui.data.codecs import FittedIds, FittedText
from seqdec_gui.data.fitted import Fitted
from seqdec_gui.domain.dataflow import inputs_in_step, sources_of
from seqdec_gui.domain.design import Design, Port
from seqdec_gui.domain.problems import InvalidInput, Problem
from seqdec_gui.domain.shapes import Inference, infer
from seqdec_gui.domain.types import tensors_of
from seqdec_gui.runner.decoding.layer_calls import Calls, Node
from seqdec_gui.runs.attention import DIGITS, AttentionMap, RowAttention

if TYPE_CHECKING:
    import keras

    from seqdec_gui.runner.scoring import Scorer

Array = npt.NDArray[Any]
NOTICED = 1e-4
"""The weight from which a step of padding is shown: a model without masks attends to it."""
PADDING, BEGIN, END, PREFIX = "<pad>", "<begin>", "<end>", "<prefix>"
"""How what is no symbol is written."""


class Recorded(NamedTuple):
    """The weights of one attention, `(rows, heads, queries, sources)`, and the port of its sources, "" for itself."""

    block: str
    layer: str
    port: str
    weights: Array


class AttentionReader:
    """Reads the attention of a stack whose `scorer` scores sequences. Raises InvalidInput where nothing attends."""

    def __init__(self, design: Design, models: Mapping[str, keras.Model], fitted: Fitted, scorer: Scorer) -> None:
        self._design, self._models, self._fitted, self._scorer = design, models, fitted, scorer
        self._inference: Inference = infer(design)
        link = design.into(Port(scorer.loss, "predictions"))
        assert link is not None
        self._end = link.source
        if not any(_attending(calls) for calls in self._blocks().values()):
            text = "No block of this design attends to anything: there are no weights to show."
            hint = "Transformer blocks, and recurrent decoders with attention, have them."
            raise InvalidInput([Problem("error", "no_attention", "", text, hint)])

    def _blocks(self) -> dict[str, Calls]:
        """Return the layer calls of the blocks that the predictions depend on, in the order in which they compute."""
        found, waiting = set[str](), [self._end.block]
        while waiting:
            block = waiting.pop()
            if block not in found:
                found.add(block)
                waiting += [source.block for source in sources_of(self._design, block)]
        known = {block: self._inference.blocks[block].submodel for block in self._inference.order if block in found}
        return {block: Calls(submodel) for block, submodel in known.items() if submodel is not None}

    def read(self, arrays: Mapping[str, Array], rows: Sequence[int], ids: Sequence[Array]) -> Iterator[RowAttention]:
        """Yield the attention of a sequence of each row; `ids` are as predicted, up to the end symbol, which is included.

        `arrays` are stored arrays of the scorer's inputs.
        """
        steps = self._scorer.symbols.steps
        for row, sequence in zip(rows, ids, strict=True):
            filled = np.zeros((1, steps), np.int64)
            filled[0, : len(sequence)] = sequence
            given = dict(self._scorer.given(arrays, np.array([row]), filled))
            maps = [self._map(found, arrays, row, sequence) for found in self._recorded(given)]
            yield RowAttention(int(row), self._scorer.symbols.read(sequence.tolist()), tuple(maps))

    # -- one pass
    def _recorded(self, given: Mapping[str, Array]) -> list[Recorded]:
        """Run the blocks one after the other, and return the weights in the order in which they are computed."""
        from keras import ops

        carried: dict[Port, list[Any]] = {Port(name, "output"): [ops.convert_to_tensor(each)] for name, each in given.items()}
        recorded: list[Recorded] = []
        blocks = self._blocks()
        for block in self._inference.order:
            needed = block in blocks or self._design.block(block).parameters.imported is not None
            sources = sources_of(self._design, block)
            if not needed or not sources or any(source not in carried for source in sources):
                continue
            inputs = [tensor for source in sources for tensor in carried[source]]
            calls = blocks.get(block)
            if calls is not None and _attending(calls):
                results = self._run(block, calls, inputs, recorded)
            else:
                found = self._models[block](inputs[0] if len(inputs) == 1 else inputs, training=False)
                results = list(found) if isinstance(found, list | tuple) else [found]
            for out in self._design.block(block).parameters.outputs():
                count = len(tensors_of(out.name, self._inference.blocks[block].outputs[out.name]))
                carried[Port(block, out.name)], results = results[:count], results[count:]
        return recorded

    def _run(self, block: str, calls: Calls, inputs: list[Any], recorded: list[Recorded]) -> list[Any]:
        values = dict(zip(calls.inputs, inputs, strict=True))
        steps_of: dict[str, list[Array]] = {}
        port_of: dict[str, str] = {}
        for node in calls.nodes:
            weights = None
            if node.attends:
                with warnings.catch_warnings():
                    warnings.filterwarnings("ignore", ".*softmax over axis.*")  # a memory of one step is meant
                    result, weights = node.run(self._models[block], values, return_attention_scores=True)
                port_of[node.name] = self._port(block, calls, node.inputs[1], node.inputs[0] == node.inputs[1])
            else:
                result = node.run(self._models[block], values)
                if node.name in calls.submodel.attention_weights:
                    weights = _one_head(result)
                    context = next(each for each in calls.nodes if node.outputs[0] in each.inputs)
                    port_of[node.name] = self._port(block, calls, context.inputs[1], False)
            node.keep(result, values)
            if weights is not None:
                steps_of.setdefault(node.name, []).append(np.asarray(weights, np.float32))
        for name, parts in steps_of.items():  # input feeding calls its attention once for each step
            recorded.append(Recorded(block, name, port_of[name], np.concatenate(parts, axis=2)))
        return [values[value] for value in calls.outputs]

    def _port(self, block: str, calls: Calls, value: int, itself: bool) -> str:
        """Return the input port of a block that a value is made of; "" for a sequence that attends to itself."""
        if itself:
            return ""
        made, waiting = set[int](), [value]
        while waiting:
            now = waiting.pop()
            made.add(now)
            waiting += [other for node in calls.nodes if now in node.outputs for other in node.used if other not in made]
        known = self._inference.blocks[block]
        ports = [
            port.name
            for port in known.block.parameters.inputs()
            if port.name in known.inputs
            for _ in tensors_of(port.name, known.inputs[port.name])
        ]
        found = [ports[number] for number in calls.inputs if number in made and number < len(ports)]
        return found[0] if found else ""

    # -- words
    def _map(self, found: Recorded, arrays: Mapping[str, Array], row: int, ids: Array) -> AttentionMap:
        weights = found.weights[0]  # (heads, queries, sources)
        decodes = found.block == self._end.block and self._scorer.fed != ""
        queries, sources = weights.shape[1:]
        extra = queries - self._scorer.symbols.steps if decodes and not found.port else 0  # the prefix of conditions
        if decodes:
            asked = queries - self._scorer.symbols.steps
            weights = weights[:, asked : asked + len(ids)]
            targets = [self._predicted(int(number)) for number in ids]
        else:
            targets = self._labels(found.block, "", queries, arrays, row)
        if decodes and not found.port:
            names = [PREFIX] * extra + [self._fed(ids, step) for step in range(sources - extra)]
            kept = np.arange(sources) < extra + len(ids)
        else:
            names = self._labels(found.block, found.port, sources, arrays, row)
            kept = np.array([name != PADDING for name in names]) | (weights.max(axis=(0, 1)) > NOTICED)
        if not decodes:
            shown = np.array([name != PADDING for name in targets])
            shown = shown if shown.any() else np.ones(len(targets), bool)
            weights, targets = weights[:, shown], [name for name, show in zip(targets, shown, strict=True) if show]
        weights = weights[:, :, kept]
        link = self._design.into(Port(found.block, found.port)) if found.port else None
        behind = self._inputs_behind(found.block, found.port)
        attends_to = found.block if link is None else (behind[0] if behind else link.source.block)
        return AttentionMap(
            found.block, found.layer, attends_to, not found.port, tuple(targets),
            tuple(name for name, keep in zip(names, kept, strict=True) if keep),
            tuple(tuple(tuple(round(float(w), DIGITS) for w in line) for line in head) for head in weights),
        )  # fmt: skip

    def _predicted(self, number: int) -> str:
        symbols = self._scorer.symbols
        if number == symbols.end:
            return END
        return (symbols.read([number]) if symbols.allowed[number] else "") or f"<{number}>"

    def _fed(self, ids: Array, step: int) -> str:
        """Return the symbol that a decoder is fed at a step."""
        if step == 0:
            return BEGIN
        return self._predicted(int(ids[step - 1])) if step <= len(ids) else PADDING

    def _inputs_behind(self, block: str, port: str) -> tuple[str, ...]:
        """Return the input blocks whose steps are those of an input port; without a port, of the block's first sequence."""
        if not port:
            ports = [each.name for each in self._inference.blocks[block].block.parameters.inputs()]
            known = self._inference.blocks[block].inputs
            port = next((name for name in ports if name in known and getattr(known[name], "has_steps", False)), "")
        link = self._design.into(Port(block, port)) if port else None
        return () if link is None else inputs_in_step(self._design, self._inference, link.source)

    def _labels(self, block: str, port: str, count: int, arrays: Mapping[str, Array], row: int) -> list[str]:
        """Return what stands at the steps that a port has: symbols of the row, or numbers from 1."""
        for name in self._inputs_behind(block, port):
            feed = next((feed for feed in self._fitted.feeds if feed.name == name and feed.array in arrays), None)
            if feed is None:
                continue
            stored = np.asarray(arrays[feed.array][row])
            stored = stored[feed.first : feed.last] if feed.first or feed.last is not None else stored
            if len(stored) == count and stored.ndim == 1 and np.issubdtype(stored.dtype, np.integer):
                return [_written(self._fitted.port(feed.array).codec, int(number)) for number in stored]
        if count == 1 and port:
            link = self._design.into(Port(block, port))
            return [port if link is None else link.source.block]
        return [str(number) for number in range(1, count + 1)]


def _attending(calls: Calls) -> list[Node]:
    weigh = calls.submodel.attention_weights
    return [node for node in calls.nodes if node.attends or node.name in weigh]


def _one_head(weights: Any) -> Any:
    """Return weights `(rows, 1, queries, sources)` of attention with one score for each pair of steps."""
    array = np.asarray(weights)
    return array[..., 0][:, None] if array.ndim == 4 else array[:, None]


def _written(codec: object, number: int) -> str:
    """Return a stored id as a symbol."""
    if isinstance(codec, FittedText):
        if number == codec.pad_id:
            return PADDING
        marks = {codec.begin_id: BEGIN, codec.end_id: END}
        if number in marks:
            return marks[number]
        place = number - codec.first_symbol
        return codec.charset[place] if 0 <= place < len(codec.charset) else f"<{number}>"
    if isinstance(codec, FittedIds) and codec.pad_id == number:
        return PADDING
    return str(number)
