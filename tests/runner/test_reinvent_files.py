"""Priors of REINVENT are read and written without PyTorch: equal likelihoods, a valid hash, and no file that does harm."""

from __future__ import annotations

import copy
import pickle  # noqa: TID251  what hostile files are made of
import random
import zipfile
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from seqdec_gui.domain.problems import InvalidInput
from seqdec_gui.runner.reinvent import network, torch_reading, torch_writing
from seqdec_gui.runner.reinvent.layers import arrays_of, keras_weights
from seqdec_gui.runner.reinvent.prior import read, write
from tests.runner.reinvent_fixtures import FOLDER, NAMES, encoded, likelihoods, recorded


@pytest.mark.parametrize("name", NAMES)
def test_likelihoods_are_those_of_pytorch(name: str) -> None:
    prior = read(FOLDER / f"{name}.prior")
    texts = recorded(name)
    ids = encoded(list(texts), prior.tokens)
    found = likelihoods(network.probabilities(prior, ids[:, :-1]), ids)
    assert len(texts) == (1000 if name == "lstm" else 200)
    assert np.abs(found - list(texts.values())).max() < 1e-4


@pytest.mark.parametrize("name", NAMES)
def test_weights_go_into_keras_layers_and_back(name: str) -> None:
    prior = read(FOLDER / f"{name}.prior")
    back = arrays_of(keras_weights(prior), prior.cell)
    assert np.array_equal(back["embedding"], prior.embedding)
    assert np.array_equal(back["kernel"], prior.kernel)
    for layer, again in zip(prior.layers, back["layers"], strict=True):
        assert np.array_equal(layer.kernel, again.kernel)
        assert np.array_equal(layer.recurrent, again.recurrent)
        if prior.cell == "LSTM":  # Keras has one bias
            assert np.allclose(layer.bias + layer.recurrent_bias, again.bias + again.recurrent_bias, rtol=0, atol=1e-7)
        else:
            assert np.array_equal(layer.recurrent_bias, again.recurrent_bias)


def test_a_prior_of_an_older_reinvent_has_its_tokens_put_in_order() -> None:
    prior, stored = read(FOLDER / "old_gru.prior"), torch_reading.read(FOLDER / "old_gru.prior")
    assert prior.tokens[:2] == ("$", "^")
    ids = stored["vocabulary"].state["_tokens"]
    assert ids["^"] == len(prior.tokens) - 1
    assert np.array_equal(prior.embedding[1], stored["network"]["_embedding.weight"][ids["^"]])
    assert prior.metadata.origina_data_source == "made up"


@pytest.mark.parametrize("name", NAMES)
def test_what_is_written_is_read_again_and_has_the_hash_that_reinvent_computes(name: str, tmp_path: Path) -> None:
    xxhash = pytest.importorskip("xxhash", reason="the hash of a prior needs the extra reinvent")
    prior = read(FOLDER / f"{name}.prior")
    write(prior, tmp_path / "again.prior")
    again = read(tmp_path / "again.prior")
    assert (again.tokens, again.cell, again.longest, again.metadata) == (prior.tokens, prior.cell, 128, prior.metadata)
    assert np.array_equal(again.layers[1].recurrent, prior.layers[1].recurrent)
    content = copy.deepcopy(torch_reading.read(tmp_path / "again.prior"))  # what REINVENT does to check it
    said = content["metadata"]["hash_id"]
    content["metadata"]["hash_id"] = content["metadata"]["hash_id_format"] = None
    content = dict(sorted(content.items()))
    assert xxhash.xxh3_128_hexdigest(pickle.dumps(content, 4)) == said
    content["network"]["_linear.bias"][0] += 1
    assert xxhash.xxh3_128_hexdigest(pickle.dumps(content, 4)) != said


def test_what_is_written_opens_with_weights_only_in_pytorch(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch", minversion="2.0", reason="PyTorch is not installed; the fixtures are its answers")
    prior = read(FOLDER / "lstm.prior")
    write(prior, tmp_path / "again.prior")
    content = torch.load(str(tmp_path / "again.prior"), weights_only=True)
    assert np.array_equal(content["network"]["_linear.weight"].numpy(), prior.kernel)


def test_numbers_begin_where_they_can_be_mapped(tmp_path: Path) -> None:
    torch_writing.write(tmp_path / "a.prior", {"a": np.arange(3.0), "b": np.ones((2, 5)), "c": OrderedDict(x=(1, 2.5, None))})
    found = torch_reading.read(tmp_path / "a.prior")
    assert found["b"].shape == (2, 5)
    assert found["c"] == {"x": (1, 2.5, None)}
    data = (tmp_path / "a.prior").read_bytes()
    assert data.index(np.ones(10, np.float32).tobytes()) % torch_writing.ALIGNMENT == 0


# -- files that are no priors
def entries() -> dict[str, bytes]:
    with zipfile.ZipFile(FOLDER / "lstm.prior") as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def pickled(found: dict[str, bytes]) -> str:
    return next(name for name in found if name.endswith("/data.pkl"))


def with_pickle(change: Callable[[bytes], bytes]) -> dict[str, bytes]:
    found = entries()
    return found | {pickled(found): change(found[pickled(found)])}


class Runs:
    """A pickle of it calls the function when it is opened by Python's pickle."""

    def __init__(self, call: Any, *arguments: Any) -> None:
        self.call = call, arguments

    def __reduce__(self) -> Any:
        return self.call


def without(ending: str) -> dict[str, bytes]:
    return {name: data for name, data in entries().items() if not name.endswith(ending)}


HOSTILE: dict[str, tuple[Callable[[], dict[str, bytes]], str]] = {
    "code": (lambda: with_pickle(lambda _: pickle.dumps(Runs(eval, "1/0"), 2)), "builtin"),
    "code by another way": (lambda: with_pickle(lambda _: b"cos\nsystem\n(X\x04\x00\x00\x00truetR."), "os.system"),
    "a class of reinvent that is no data": (
        lambda: with_pickle(lambda _: b"creinvent.runmodes\nrun\n."),
        "reinvent.runmodes.run",
    ),
    "an old pickle": (lambda: with_pickle(lambda _: b"(S'x'\nios\nsystem\n."), "string"),
    "a state for a class": (lambda: with_pickle(lambda _: b"ccollections\nOrderedDict\n}b."), "no data"),
    "nothing on the stack": (lambda: with_pickle(lambda _: b"\x80\x020."), "more than hold data (pop)"),
    "cut off": (lambda: with_pickle(lambda data: data[:300]), "damaged"),
    "numbers that are missing": (lambda: without("/data/3"), "missing"),
    "two pickles": (lambda: entries() | {"other/data.pkl": b"."}, "2 entries data.pkl"),
    "a way out": (lambda: entries() | {"../up": b"x"}, "outside"),
    "more than is stored": (
        lambda: {name: data[:-4] if name.endswith("/data/0") else data for name, data in entries().items()},
        "claims",
    ),
    "a tensor beyond its numbers": (
        lambda: with_pickle(lambda data: data.replace(b"K\x28K\x10\x86", b"K\x28K\xff\x86")),
        "beyond",
    ),
}


def packed(path: Path, found: dict[str, bytes], how: int = zipfile.ZIP_STORED) -> Path:
    with zipfile.ZipFile(path, "w", how) as archive:
        for name, data in found.items():
            archive.writestr(name, data)
    return path


def refusal(path: Path) -> str:
    with pytest.raises(InvalidInput) as caught:
        read(path)
    assert [problem.code for problem in caught.value.problems] == ["not_a_prior"]
    return str(caught.value)


@pytest.mark.parametrize("case", HOSTILE)
def test_hostile_files_are_refused_in_a_sentence(case: str, tmp_path: Path) -> None:
    make, words = HOSTILE[case]
    assert words in refusal(packed(tmp_path / "a.prior", make()))


def test_what_is_no_archive_or_compressed_is_refused(tmp_path: Path) -> None:
    bomb = entries() | {"archive/data/99": bytes(10_000_000)}
    assert "compressed" in refusal(packed(tmp_path / "bomb.prior", bomb, zipfile.ZIP_DEFLATED))
    (tmp_path / "old.prior").write_bytes(pickle.dumps({"network": 1}))
    assert "zip" in refusal(tmp_path / "old.prior")
    (tmp_path / "empty.prior").write_bytes(b"")
    assert "zip" in refusal(tmp_path / "empty.prior")


CHANGES: dict[str, tuple[Callable[[dict[str, Any]], Any], str]] = {
    "another model": (lambda content: content.update(model_type="Mol2Mol"), "'Mol2Mol'"),
    "no network": (lambda content: content.update(network=None), "no dictionary"),
    "another layer": (lambda content: content["network"].update(extra=np.ones(2)), "'extra'"),
    "a layer that is missing": (lambda content: content["network"].pop("_linear.bias"), "_linear.bias"),
    "another shape": (lambda content: content["network"].update({"_linear.bias": np.ones(7)}), "(7,)"),
    "not finite": (lambda content: content["network"].update({"_linear.bias": np.full(40, np.nan)}), "not finite"),
    "normalisation": (lambda content: content["network_params"].update(layer_normalization=True), "normalises"),
    "another cell": (lambda content: content["network_params"].update(cell_type="gru"), "cell_type"),
    "another width": (lambda content: content["network_params"].update(layer_size=512), "layer_size is 512"),
    "ids with a gap": (lambda content: content["vocabulary"]["tokens"].update({"Cl": 99}), "0, 1, 2"),
    "no begin": (
        lambda content: content["vocabulary"]["tokens"].update({"^^": content["vocabulary"]["tokens"].pop("^")}),
        "'^'",
    ),
    "a length that is none": (lambda content: content.update(max_sequence_length=-1), "max_sequence_length"),
}


@pytest.mark.parametrize("case", CHANGES)
def test_what_is_no_prior_is_refused_with_the_reason(case: str, tmp_path: Path) -> None:
    change, words = CHANGES[case]
    content = torch_reading.read(FOLDER / "lstm.prior")
    del content["tokenizer"]
    change(content)
    torch_writing.write(tmp_path / "a.prior", content)
    assert words in refusal(tmp_path / "a.prior")


def test_damaged_files_are_opened_or_refused_and_nothing_else(tmp_path: Path) -> None:
    chance = random.Random(5)
    good = entries()
    name = pickled(good)
    for _ in range(400):
        data = bytearray(good[name])
        for _ in range(chance.randint(1, 4)):
            data[chance.randrange(len(data))] = chance.randrange(256)
        path = packed(tmp_path / "a.prior", good | {name: bytes(data)})
        codes = ["not_a_prior"]
        try:
            read(path)
        except InvalidInput as error:
            codes = [problem.code for problem in error.problems]
        assert codes == ["not_a_prior"]
