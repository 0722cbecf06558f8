"""A decoder that takes other symbols than it predicts generates with a mapping, and with text on both sides by itself."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from seqdec_gui.data.feed_map import FeedMap, as_pairs, feeding, of_pairs, read_feed_map
from seqdec_gui.data.number_codecs import FittedIds
from seqdec_gui.domain import document
from seqdec_gui.domain.bindings import Binding, TextCodec
from seqdec_gui.domain.generation import Stepwise, plan_for
from seqdec_gui.domain.problems import InvalidInput
from seqdec_gui.domain.shapes import infer
from tests.domain.designs import archetype


def test_a_file_says_what_is_fed(tmp_path: Path) -> None:
    plain, other = tmp_path / "map.csv", tmp_path / "map.json"
    plain.write_text("predicted,fed\nbegin,43\n0,7\n1,8\n")
    other.write_text(json.dumps({"begin": 43, "0": 7, "1": "8"}))
    assert read_feed_map(plain) == read_feed_map(other) == FeedMap((("0", "7"), ("1", "8")), "43")
    found = feeding(read_feed_map(plain), FittedIds((9,)), FittedIds((9,)), 22, 44)
    assert found.begin == 43
    assert found.fed_next.tolist() == [7, 8, *[-1] * 20]
    for content, words in (
        ("a,b\n1,2\n", "its columns"),
        ("predicted,fed\nbegin,2\nbegin,3\n1,2\n", "twice"),
        ("predicted,fed\n", "maps nothing"),
    ):
        plain.write_text(content)
        with pytest.raises(InvalidInput, match=words):
            read_feed_map(plain)
    with pytest.raises(InvalidInput, match="twice what follows '1'"):
        feeding(FeedMap((("1", "2"), ("1", "3"))), FittedIds((9,)), FittedIds((9,)), 22, 44)
    with pytest.raises(InvalidInput, match="from 0 to 43"):
        feeding(FeedMap((("0", "44"),)), FittedIds((9,)), FittedIds((9,)), 22, 44)


def test_widths_may_differ_with_a_mapping_or_text_on_both_sides() -> None:
    made = archetype()
    with pytest.raises(InvalidInput, match="--feed-map"):
        plan_for(made, infer(made))
    plan = plan_for(made, infer(made), mapped=True)
    assert isinstance(plan, Stepwise)
    assert (plan.width, plan.taken) == (22, 44)
    texts = tuple(Binding(port, "text", TextCodec()) for port in ("decoder_inputs.output", "loss.targets"))
    bound = made.with_data(made.data.with_bindings(texts))
    assert plan_for(bound, infer(bound)) == plan


def test_a_design_keeps_its_mapping_and_needs_no_file_then() -> None:
    pairs = (("0", "7"), ("1", "8"), ("begin", "43"))
    mapping = of_pairs(pairs)
    assert mapping == FeedMap((("0", "7"), ("1", "8")), "43")
    assert as_pairs(mapping) == pairs
    made = archetype()
    kept = made.with_data(msgspec.structs.replace(made.data, feed_map=pairs))
    plan = plan_for(kept, infer(kept))
    assert isinstance(plan, Stepwise)
    assert plan.taken == 44
    assert document.loads(document.dumps(kept)) == kept
    assert "feed_map" not in document.dumps(made)  # earlier versions read it
    with pytest.raises(InvalidInput, match="twice"):
        of_pairs((("begin", "7"), ("begin", "8"), ("0", "1")))


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_what_is_fed_is_what_the_mapping_says(tmp_path: Path) -> None:
    from seqdec_gui.data.fitted import Fitted, FittedPort
    from seqdec_gui.data.tensor_feeds import TensorFeed, expand
    from seqdec_gui.domain.decoding import Sampling
    from seqdec_gui.runner.program import load_build
    from seqdec_gui.runner.sampler import Sampler
    from seqdec_gui.runner.scoring import Scorer
    from tests.domain.designs import block, design
    from tests.runner import designs
    from tests.runner.test_sampler import drawn

    made = design(
        [
            block("inputs", "token_sequence", length=6, symbols=9),
            block("decoder", "recurrent_decoder", mode="free_running", units=[5], output_units=4),
            block("loss", "loss"),
        ],
        ["inputs.output -> decoder.inputs", "decoder.outputs -> loss.predictions"],
    )
    models = load_build(designs.write_script(made, tmp_path))()
    random = np.random.default_rng(1)
    models["decoder"].set_weights([drawn(random, weight.path, weight.shape) for weight in models["decoder"].weights])
    feed = TensorFeed("inputs", "input", "inputs", encoding="one_hot", depth=9)
    fitted = Fitted(
        (
            FittedPort("inputs", "inputs.output", "input", ("x",), FittedIds((6,)), generated=True),
            FittedPort("loss", "loss.targets", "target", ("y",), FittedIds((6,), pad_id=0)),
        ),
        (feed, TensorFeed("loss", "target", "loss", encoding="ids", depth=4)),
    )
    ids = np.array([[8, 1, 2, 3, 4, 5]])
    mapping = FeedMap((("1", "7"), ("2", "3"), ("3", "5")))
    rows: dict[str, Any] = {"inputs": ids, "loss": np.array([[1, 2, 3, 0, 0, 0], [2, 1, 1, 1, 1, 1]])}
    sampler = Sampler(made, models, fitted, rows.__getitem__, None, mapping)
    scorer = Scorer(made, models, fitted, sampler)
    samples = [sample for part in sampler.generate({}, 1, 20, Sampling(1.2)) for sample in part]
    assert len({sample.text for sample in samples}) > 3
    for sample in samples:
        chosen = [int(number) for number in sample.text.split()]
        fed = [8, *({1: 7, 2: 3, 3: 5}[number] for number in chosen)][:6]
        predicted = np.asarray(models["full"].predict_on_batch(expand(feed, np.array([(fed + [0] * 6)[:6]]))))[0]
        wanted = [*chosen, 0][:6]
        expected = sum(np.log(predicted[at, number]) for at, number in enumerate(wanted))
        assert sample.log_probability == pytest.approx(expected, abs=1e-4)
        stored = {"loss": np.array([(chosen + [0] * 6)[:6]])}
        ((score,),) = scorer.scores(stored, np.arange(1))
        assert score.log_probability == pytest.approx(expected, abs=1e-4)

    def texts(one: Sampler) -> list[Any]:
        return [tuple(sample) for part in one.generate({}, 1, 8, Sampling(1.2)) for sample in part]

    # A design that keeps the mapping, and a bundle of it, give the same without a file
    kept = made.with_data(msgspec.structs.replace(made.data, feed_map=as_pairs(mapping)))
    assert texts(Sampler(kept, models, fitted, rows.__getitem__)) == texts(sampler)
    of_bundle = Sampler(kept, models, fitted, None, sampler.record())
    assert texts(of_bundle) == texts(sampler)
    ((score,),) = Scorer(kept, models, fitted, of_bundle).scores(stored, np.arange(1))
    assert score.log_probability == pytest.approx(expected, abs=1e-4)
