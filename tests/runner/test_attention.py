"""The weights of attention are those that the trained stack computes, with the symbols that they belong to."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from seqdec_gui.domain.design import Design
from seqdec_gui.domain.generation import attends
from seqdec_gui.domain.problems import InvalidInput
from seqdec_gui.runs.attention import MEAN, RowAttention, read_attention, write_attention
from tests.runner import designs
from tests.runner.test_sampler import Trained

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::DeprecationWarning")]

STACKS: dict[str, Callable[[], Design]] = {
    "transformer with every option": designs.every_option_of_attention,
    "language model": lambda: designs.attentive_language(prefix=False),
    "bahdanau, masked": designs.attentive,
    "luong, GRU": lambda: designs.attentive("luong_dot", "GRU"),
    "several heads": lambda: designs.attentive("multi_head"),
    "input feeding": lambda: designs.attentive("luong_dot", mode="free_running", input_feeding="luong"),
}


def read(trained: Trained, rows: int) -> tuple[list[RowAttention], Any]:
    """The attention of the greedy sequences of the first rows, and these."""
    from seqdec_gui.runner.attention import AttentionReader
    from seqdec_gui.runner.scoring import Scorer

    sampler = trained.sampler()
    scorer = Scorer(trained.design, trained.models, trained.dataset.fitted, sampler)
    reader = AttentionReader(trained.design, trained.models, trained.dataset.fitted, scorer)
    arrays = trained.dataset.batch(np.arange(7))
    found = [pair for part in sampler.greedy(arrays, np.arange(rows)) for pair in part]
    ids = [sequence.ids for _, sequence in found]
    return list(reader.read(arrays, [row for row, _ in found], ids)), (arrays, ids)


@pytest.mark.parametrize("name", STACKS)
def test_weights_of_a_target_sum_to_one_and_padding_has_none(name: str, tmp_path: Path) -> None:
    design = STACKS[name]()
    assert attends(design)
    trained = Trained(design, tmp_path)
    found, (_, ids) = read(trained, 3)
    assert [each.row for each in found] == [0, 1, 2]
    for each, sequence in zip(found, ids, strict=True):
        assert each.maps
        for one in each.maps:
            weights = np.array(one.weights)
            assert weights.shape == (one.heads, len(one.targets), len(one.sources))
            assert weights.sum(axis=-1) == pytest.approx(1.0, abs=2e-5 * len(one.sources))
            assert np.array(one.of_head(MEAN)) == pytest.approx(weights.mean(axis=0))
            if one.block == "decoder":
                assert len(one.targets) == len(sequence)
                assert "".join(one.targets).replace("<end>", "") == each.text
            if one.block == "decoder" and one.itself:  # no step sees a later one
                before = len(one.sources) - len(one.targets)
                assert np.triu(weights, before + 1).max() == 0.0
            if not one.itself and name != "input feeding":
                assert "<pad>" not in one.sources


def test_weights_are_those_of_the_layer_in_the_trained_stack(tmp_path: Path) -> None:
    import keras

    trained = Trained(designs.attentive(), tmp_path)
    found, (arrays, ids) = read(trained, 3)
    decoder, encoder = trained.models["decoder"], trained.models["encoder"]
    weighs = keras.Model(decoder.inputs, decoder.get_layer("Attention_Weights").output)
    source = next(feed for feed in trained.dataset.feeds if feed.name == "source")
    for each, sequence in zip(found, ids, strict=True):
        fed = np.zeros((1, 9), np.int32)
        fed[0, : len(sequence)] = [1, *sequence[:-1]]
        given = np.asarray(arrays[source.array][each.row : each.row + 1], np.int32)
        expected = np.asarray(weighs([keras.ops.convert_to_tensor(fed), *encoder(keras.ops.convert_to_tensor(given))]))[
            0, : len(sequence), :, 0
        ]
        (one,) = each.maps
        assert np.array(one.weights)[0] == pytest.approx(expected[:, : len(one.sources)], abs=1e-5)


def test_titles_name_the_input_that_is_attended_to(tmp_path: Path) -> None:
    found, _ = read(Trained(designs.every_option_of_attention(), tmp_path), 1)
    titles = [each.title for each in found[0].maps]
    assert titles[:2] == ["encoder · Self_Attention_0 → itself", "encoder · Self_Attention_1 → itself"]
    assert "decoder · Cross_Attention_0 → source" in titles
    assert "decoder · Cross_Attention_1_2 → vector" in titles
    itself = next(each for each in found[0].maps if each.block == "decoder" and each.itself)
    assert itself.sources[:2] == ("<prefix>", "<begin>")
    of_vector = next(each for each in found[0].maps if each.attends_to == "vector")
    assert of_vector.sources == ("vector",)


def test_a_design_without_attention_is_refused(tmp_path: Path) -> None:
    assert not attends(designs.stack())
    with pytest.raises(InvalidInput, match="No block of this design attends"):
        read(Trained(designs.stack(), tmp_path), 1)


def test_files_hold_what_was_found(tmp_path: Path) -> None:
    found, _ = read(Trained(designs.transformer(), tmp_path), 2)
    write_attention(found, tmp_path / "a.json")
    assert list(read_attention(tmp_path / "a.json")) == found
    write_attention(found, tmp_path / "a.npz")
    with np.load(tmp_path / "a.npz") as arrays:
        about = json.loads(str(arrays["about"]))
        assert about[1]["text"] == found[1].text
        assert arrays["row_1_map_0"] == pytest.approx(np.array(found[1].maps[0].weights), abs=1e-6)
    with pytest.raises(InvalidInput, match=r"\.json or \.npz"):
        write_attention(found, tmp_path / "a.csv")


class Opened:
    """What the tasks take of an opened run."""

    def __init__(self, trained: Trained) -> None:
        self.design, self.models, self._dataset = trained.design, trained.models, trained.dataset

    def fitted(self) -> Any:
        return self._dataset.fitted

    def dataset(self) -> Any:
        return self._dataset


def test_generated_sequences_and_the_same_ones_given_attend_alike(tmp_path: Path) -> None:
    from seqdec_gui.runner.attention_task import attention_of
    from seqdec_gui.runner.loaded import LoadedRun
    from seqdec_gui.runs.tasks import AttentionTask

    loaded = LoadedRun(Opened(Trained(designs.attentive("luong_general"), tmp_path)))
    rows = tuple({"source": text} for text in ("ab", "cabba", "c"))
    task = AttentionTask(run="", output=str(tmp_path / "a.json"), rows=rows, generated=True, most=2)
    made, refused = attention_of(task, loaded, lambda _notice: None)
    assert [each.row for each in made] == [0, 1]  # the most rows that were asked for
    assert not refused
    given = tuple((each.row, each.text) for each in made)
    task = AttentionTask(run="", output=str(tmp_path / "a.json"), rows=rows, given=given[::-1])
    again, _ = attention_of(task, loaded, lambda _notice: None)
    assert again == made[::-1]
    assert [len(each.maps[0].sources) for each in made] == [2, 5]  # no padding
