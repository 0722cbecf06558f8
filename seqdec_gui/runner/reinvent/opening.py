"""Makes a design of a prior: the tokens of SMILES, a free-running decoder that begins with its weights, and a loss.

Ids are those of the prior. `$` ends strings and fills rows up, which is what the text codec does without an end mark; since a
prior predicts it after itself, the loss counts the steps that are filled up, as REINVENT's training does.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from seqdec_gui.domain.bindings import Binding, DataSource, TextCodec
from seqdec_gui.domain.design import Block, BlockWeights, Design, Link, Port, new_id
from seqdec_gui.domain.kinds.inputs import TokenSequence
from seqdec_gui.domain.kinds.loss import Loss
from seqdec_gui.domain.kinds.recurrent_decoder import RecurrentDecoder
from seqdec_gui.domain.problems import SeqdecError
from seqdec_gui.domain.training import Training
from seqdec_gui.domain.types import TensorType
from seqdec_gui.runner.block_weights import write_weights
from seqdec_gui.runner.reinvent.kept import KEPT, Kept
from seqdec_gui.runner.reinvent.layers import keras_weights
from seqdec_gui.runner.reinvent.network import probabilities
from seqdec_gui.runner.reinvent.prior import Prior, read

SMILES, DECODER, LOSS = "smiles", "decoder", "loss"
"""The ids of the blocks."""
DECODER_KIND = RecurrentDecoder.kind()
"""The kind of block whose layers a prior can hold."""
COLUMN = "SMILES"
"""The column of the data that is bound until another is chosen."""
SPACING = 300.0
"""The horizontal distance of two blocks, in scene units."""
LEARNING_RATE = 1e-4
"""For training on: the usual rate would make a prior forget."""
LARGEST_DIFFERENCE = 1e-5
"""Largest difference of a probability between the block and the prior."""


def design_of(path: Path, folder: Path) -> tuple[Design, Prior]:
    """Return a design without data that continues the prior, whose weights are written into the folder. Raises InvalidInput."""
    prior = read(path)
    kind = decoder_of(prior)
    weights = _weights_of(prior, kind, path, folder)
    blocks = (
        Block(SMILES, TokenSequence(length=None, symbols=len(prior.tokens), encoding="ids")),
        Block(DECODER, kind, (SPACING, 0.0), weights),
        Block(LOSS, Loss(mask_padding=False, metrics=("perplexity",)), (2 * SPACING, 0.0)),
    )
    links = (
        Link(Port(SMILES, "output"), Port(DECODER, "inputs")),
        Link(Port(DECODER, "outputs"), Port(LOSS, "predictions")),
    )
    codec = TextCodec(tokens="smiles", charset=prior.charset, marks="begin")
    data = DataSource().with_bindings((Binding(f"{SMILES}.output", COLUMN, codec),))
    return Design(blocks, links, data, Training(learning_rate=LEARNING_RATE), new_id()), prior


def decoder_of(prior: Prior) -> RecurrentDecoder:
    """Return the block that computes what the network of the prior does."""
    return RecurrentDecoder(
        mode="free_running",
        cell=prior.cell,
        units=(prior.units,) * len(prior.layers),
        embedding=int(prior.embedding.shape[1]),
        batch_normalization=False,
        dropout=prior.dropout,
        output_units=len(prior.tokens),
    )


def _weights_of(prior: Prior, kind: RecurrentDecoder, path: Path, folder: Path) -> BlockWeights:
    """Write the weights of the block, once it is proven that it predicts what the prior does."""
    from seqdec_gui.runner.keras2.convert import difference_of
    from seqdec_gui.runner.reopen import predictions
    from seqdec_gui.runner.splitting.graphs import built

    submodel = kind.submodel({"inputs": TensorType((None,), "int32", len(prior.tokens))})
    model: Any = built(submodel)
    weighted = [layer for layer in model.layers if layer.weights]
    for layer, arrays in zip(weighted, keras_weights(prior), strict=True):
        layer.set_weights(arrays)
    ids = np.random.default_rng(0).integers(0, len(prior.tokens), (8, 24)).astype(np.int32)
    difference = difference_of(predictions(model, [ids]), [probabilities(prior, ids)])
    if not difference <= LARGEST_DIFFERENCE:  # NaN as well
        raise SeqdecError(f"The block does not predict what {path.name} does: the largest difference is {difference:.2g}.")
    layers = {layer.name: layer for layer in weighted}
    kept = msgspec.json.encode(Kept(prior.longest, prior.metadata)).decode()
    written = write_weights({DECODER: layers}, path.stem, folder, {KEPT: kept})
    return msgspec.structs.replace(written, part=DECODER, parameters=submodel.parameters)
