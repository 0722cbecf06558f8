#!/usr/bin/env python3
"""Make the priors in tests/fixtures/reinvent with PyTorch, and write down what PyTorch says of 1,000 strings.

python3 tools/make_reinvent_fixture.py tests/fixtures/reinvent

Any Python with PyTorch will do (for example Debian's python3-torch); nothing of this project is imported. The network has the
form of REINVENT 4's, and the file the objects that REINVENT puts into it, of classes that have the same names here.
"""

from __future__ import annotations

import json
import random
import re
import sys
import types
from pathlib import Path
from typing import Any

import torch

TOKENS = [
    "#", "%", "(", ")", "+", "-", "1", "2", "3", "4", "5", "6", "=", "Br", "C", "Cl", "F", "N", "O", "S", "[C@@H]",
    "[C@H]", "[N+]", "[N-]", "[O-]", "[S@@]", "[nH]", "[n+]", "c", "n", "o", "s", "%10", "/", "\\", "[Si]", "I", "P",
]  # fmt: skip
PATTERN = re.compile(r"(\[[^\]]*\]|%\d{2}|Br|Cl|.)")
SEED = 11


class Network(torch.nn.Module):
    """An embedding, recurrent layers, a linear layer, under the names of REINVENT."""

    def __init__(self, tokens: int, cell: str, units: int, layers: int, width: int) -> None:
        super().__init__()
        self._embedding = torch.nn.Embedding(tokens, width)
        self._rnn = getattr(torch.nn, cell)(width, units, num_layers=layers, batch_first=True)
        self._linear = torch.nn.Linear(units, tokens)

    def forward(self, ids: Any) -> Any:
        return self._linear(self._rnn(self._embedding(ids))[0])


def named(module: str, name: str, **content: Any) -> Any:
    """Return an object of a class that a pickle finds under this name."""
    parts = module.split(".")
    for count in range(1, len(parts) + 1):
        sys.modules.setdefault(".".join(parts[:count]), types.ModuleType(".".join(parts[:count])))
    made = type(name, (), {"__module__": module})
    setattr(sys.modules[module], name, made)
    one = made()
    one.__dict__.update(content)
    return one


def strings(count: int) -> list[str]:
    """Return different strings of tokens; what stands side by side by chance is read as it will be read."""
    made: dict[str, None] = {}
    while len(made) < count:
        text = "".join(random.choices(TOKENS, k=random.randint(1, 40)))
        if all(token in TOKENS for token in PATTERN.findall(text)):
            made[text] = None
    return list(made)


def likelihoods(network: Any, ids: dict[str, int], texts: list[str]) -> list[float]:
    """Return the negative log-likelihood of each string with its end, by PyTorch in 64 bits."""
    found = []
    exact = network.double()
    with torch.no_grad():
        for text in texts:
            row = torch.tensor([[ids["^"], *(ids[token] for token in PATTERN.findall(text)), ids["$"]]])
            scores = exact(row[:, :-1]).log_softmax(dim=2)
            found.append(float(-scores[0].gather(1, row[0, 1:, None]).sum()))
    network.float()
    return found


def make(folder: Path, name: str, cell: str, count: int, *, old: bool) -> None:
    """Write a prior, and what PyTorch says of the strings."""
    tokens = ["$", *TOKENS, "^"] if old else ["$", "^", *TOKENS]
    ids = {token: number for number, token in enumerate(tokens)}
    network = Network(len(tokens), cell, 24, 2, 16)
    with torch.no_grad():
        for weight in network.parameters():
            weight.mul_(2.0)
    vocabulary: Any = {"tokens": ids, "pad_token": 0, "bos_token": 1, "eos_token": 2, "unk_token": None}
    metadata: Any = {
        "hash_id": None, "hash_id_format": "", "model_id": "5e1f0d6c1d6f4b0e8a3c9d2b7f6a5e4d",
        "origina_data_source": "made up", "creation_date": 1700000000.0, "date_format": "UNIX epoch",
        "model_id_format": "uuid.uuid4 3.11.2", "updates": [], "comments": ["fixture"],
    }  # fmt: skip
    place = "reinvent.models.reinvent.models.vocabulary"
    if old:
        both = {**ids, **{number: token for token, number in ids.items()}}
        vocabulary = named(place, "Vocabulary", _tokens=both, _current_id=len(ids))
        metadata = named("reinvent.models.meta_data", "ModelMetaData", **metadata)
    torch.save(
        {
            "model_type": "Reinvent", "version": 1, "metadata": metadata, "vocabulary": vocabulary,
            "tokenizer": named(place, "SMILESTokenizer"), "max_sequence_length": 128, "network": network.state_dict(),
            "network_params": {
                "dropout": 0.0, "layer_size": 24, "num_layers": 2, "cell_type": cell.lower(), "embedding_layer_size": 16,
                "layer_normalization": False,
            },
        },
        folder / f"{name}.prior",
    )  # fmt: skip
    texts = strings(count)
    answers = {"torch": torch.__version__, "strings": dict(zip(texts, likelihoods(network, ids, texts)))}  # noqa: B905
    (folder / f"{name}.json").write_text(json.dumps(answers, indent=0) + "\n", "utf-8")


def main() -> None:
    folder = Path(sys.argv[1])
    random.seed(SEED)
    torch.manual_seed(SEED)
    make(folder, "lstm", "LSTM", 1000, old=False)
    make(folder, "old_gru", "GRU", 200, old=True)


if __name__ == "__main__":
    main()
