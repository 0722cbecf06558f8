"""`.prior`: what REINVENT 4 opens as a prior or agent, written without PyTorch.

A fresh process opens it with PyTorch where that is installed, else with the reader and the network of `runner.reinvent`.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from seqdec_gui import __version__
from seqdec_gui.data.codecs import FittedText
from seqdec_gui.data.storage import not_written
from seqdec_gui.domain.design import Block
from seqdec_gui.domain.problems import InvalidInput, SeqdecError
from seqdec_gui.runner.block_weights import file_of
from seqdec_gui.runner.exports.base import Array, Predict, Source, Writer
from seqdec_gui.runner.reinvent.kept import Kept, kept_in
from seqdec_gui.runner.reinvent.layers import arrays_of
from seqdec_gui.runner.reinvent.network import probabilities
from seqdec_gui.runner.reinvent.opening import DECODER_KIND
from seqdec_gui.runner.reinvent.prior import BEGIN, END, MOST_LAYERS, Prior, read, write

OPEN_A_PRIOR = "A design that is made of a prior (import) has the form that REINVENT needs."


class PriorFile(Writer):
    """One file: the network, the tokens, and where it came from."""

    opener = "seqdec_gui.runner.exports.reinvent:opened"

    def write(self, source: Source, path: Path, wanted: Path) -> tuple[Path, ...]:
        decoder = self._decoder(source)
        fitted = self._tokens(source, decoder)
        kind: Any = decoder.parameters
        layers = [layer.get_weights() for layer in source.models[decoder.id].layers if layer.weights]
        kept = _kept(source, decoder)
        run = source.trained.run.path.name
        prior = Prior(
            tokens=(END, BEGIN, *fitted.charset),
            cell=kind.cell,
            dropout=kind.dropout,
            longest=max(kept.longest, fitted.length + 1),
            metadata=kept.metadata.changed(f"trained with seqdec-gui {__version__}, run {run}, checkpoint {source.checkpoint}"),
            **arrays_of(layers, kind.cell),
        )
        try:
            write(prior, path)
        except OSError as error:
            raise not_written(wanted, error) from error
        return (path,)

    def not_reopened(self, source: Source, path: Path, wanted: Path, reason: str) -> Exception:
        return SeqdecError(f"The prior {wanted.name} cannot be opened: {reason}")

    def _decoder(self, source: Source) -> Block:
        """Return the only block with layers. Raises InvalidInput where the design is not an embedding, layers and Dense."""
        weighted = [block for block in source.design.blocks if block.id in source.models]
        if len(weighted) != 1 or weighted[0].kind != DECODER_KIND:
            why = "a prior is one recurrent decoder that is fed by its tokens alone."
            raise self.cannot_carry("full", why, OPEN_A_PRIOR)
        block = weighted[0]
        kind: Any = block.parameters
        wrong = {
            "mode has to be free_running": kind.mode != "free_running",
            "embedding has to be above 0": not kind.embedding,
            "batch_normalization has to be off": kind.batch_normalization,
            "squeeze_units has to be 0": bool(kind.squeeze_units),
            "mask_padding has to be off": kind.mask_padding,
            "recurrent_dropout has to be 0": bool(kind.recurrent_dropout),
            "output_activation has to be softmax": kind.output_activation != "softmax",
            "all layers need the same units": len(set(kind.units)) > 1,
            f"it has at most {MOST_LAYERS} layers": len(kind.units) > MOST_LAYERS,
            "reset_after has to be on": kind.cell == "GRU" and not kind.reset_after,
        }
        if found := [what for what, is_wrong in wrong.items() if is_wrong]:
            raise self.cannot_carry(block.id, f"{found[0]}.", OPEN_A_PRIOR)
        return block

    def _tokens(self, source: Source, decoder: Block) -> FittedText:
        """Return how the strings were encoded. Raises InvalidInput where ids do not mean what they do in a prior."""
        trained = source.trained
        if trained is None:
            raise SeqdecError("A prior is made of a run; this model belongs to none.")
        kind: Any = decoder.parameters
        fitted = trained.fitted()
        feed = next((feed for feed in fitted.feeds if feed.role == "input"), None)
        codec = None if feed is None else fitted.port(feed.array).codec
        if not isinstance(codec, FittedText) or codec.tokens != "smiles":
            raise self.cannot_carry(decoder.id, "its input is no text with tokens = smiles.", OPEN_A_PRIOR)
        judges = [judge for block in source.design.blocks if (judge := block.parameters.judge) is not None]
        masked = any(judge.mask_padding for judge in judges)
        wrong = {
            "its strings need marks = begin: they end where padding begins": codec.numbering.marks != (True, False),
            "its strings have to be padded on the right": codec.padding != "right",
            "its strings are fed back to front": codec.reverse,
            "its strings are folded to lower case": codec.lowercase,
            "its tokens have an unknown symbol": codec.unknown,
            "its loss leaves out padding, so that the end of a string was never learnt": masked,
            f"it predicts {kind.output_units} symbols, and {codec.symbols} have a meaning": kind.output_units != codec.symbols,
            f"one of its tokens is {END} or {BEGIN}": bool({END, BEGIN} & set(codec.charset)),
        }
        if found := [what for what, is_wrong in wrong.items() if is_wrong]:
            raise self.cannot_carry(decoder.id, f"{found[0]}.", OPEN_A_PRIOR)
        return codec


def _kept(source: Source, decoder: Block) -> Kept:
    """Return what the prior said with which the training began; defaults where there was none, or its file is gone."""
    if decoder.weights is None:
        return Kept()
    try:
        return kept_in(file_of(decoder, decoder.weights, source.keras_files))
    except (InvalidInput, OSError):
        return Kept()


def opened(path: Path, options: dict[str, str], weights: list[Array]) -> Predict:
    """The probabilities that the network of the file predicts."""
    if find_spec("torch") is not None:
        return _opened_by_torch(path)
    prior = read(path)
    return lambda inputs: [probabilities(prior, np.asarray(inputs[0]))]


def _opened_by_torch(path: Path) -> Predict:
    """As REINVENT computes it, from what `torch.load` reads without running code."""
    import torch

    content: Any = torch.load(str(path), map_location="cpu", weights_only=True)
    made, state = content["network_params"], content["network"]
    tokens, units, width = len(content["vocabulary"]["tokens"]), made["layer_size"], made["embedding_layer_size"]
    parts: Any = torch.nn.ModuleDict({
        "_embedding": torch.nn.Embedding(tokens, width),
        "_rnn": getattr(torch.nn, made["cell_type"].upper())(width, units, num_layers=made["num_layers"], batch_first=True),
        "_linear": torch.nn.Linear(units, tokens),
    })  # fmt: skip
    parts.load_state_dict(state)

    def predict(inputs: list[Array]) -> list[Array]:
        with torch.no_grad():
            ids = torch.as_tensor(np.asarray(inputs[0], np.int64))
            scores = parts["_linear"](parts["_rnn"](parts["_embedding"](ids))[0])
            return [scores.softmax(dim=2).numpy().astype(np.float32)]

    return predict
