import msgspec
import numpy as np
import pytest

from seqdec_gui.domain.problems import InvalidInput
from seqdec_gui.domain.shapes import infer
from seqdec_gui.runs import certificate
from seqdec_gui.runs.certificate import Certificate, certify, explained
from seqdec_gui.runs.comparison import Differences, layers_before_normalization, neutral_biases
from seqdec_gui.runs.folder import RunFolder
from seqdec_gui.runs.spec import DeviceChoice
from seqdec_gui.runs.task_results import Trained, WeightName
from tests.domain.designs import block, design
from tests.runner.designs import bound, stack, write_rows

WEIGHTS = (
    WeightName("model_1", "Dense_h_0/kernel", True),
    WeightName("model_1", "BN_h_0/moving_mean", False),
    WeightName("model_2", "LSTM/kernel", True),
    WeightName("model_2", "BN_Decoder_0/moving_mean", False),
)
CPU, TWO = DeviceChoice("cpu"), DeviceChoice("cpu", count=2)


def arrays(**changes):
    """Weights 1.0 before, during and after; `changes` adds to the second value of an array."""
    found = {f"{letter}{i}": np.ones(2, np.float32) for letter in "isw" for i in range(4)}
    found |= {"p0": np.full((3, 2), 0.5, np.float32), "losses": np.ones(5, np.float32)}
    for name, change in changes.items():
        found[name] = found[name].copy()
        found[name].flat[1] += change
    return found


def differences(initial="a", metrics=None, neutral=(), **changes):
    one = Trained(weights=WEIGHTS, outputs=("loss",), metrics={"loss/loss": 1.0, "loss/kl": None}, initial="a")
    many = msgspec.structs.replace(one, initial=initial, metrics=metrics or one.metrics)
    return Differences(one, many, arrays(), arrays(**changes), ("latent", "model_1", "model_2", "loss"), neutral)


def failed(**more):
    return Certificate(
        passed=False, engine="jax", devices=TWO, reference=CPU, batch_size=8, steps=5, seed=0, data="random",
        prediction_difference=1e-3, weight_difference=1e-3, metric_differences={}, **more,
    )  # fmt: skip


# -- how far apart
def test_equal_trainings_differ_by_nothing():
    found = differences()
    assert found.predictions() == 0.0
    assert found.weights() == (0.0, "model_1/Dense_h_0/kernel")
    assert found.metrics() == {"loss": 0.0, "loss/loss": 0.0, "loss/kl": None}
    assert found.statistics() == found.gradients() == frozenset()


def test_predictions_are_compared_relative_to_those_above_one():
    assert differences(p0=0.25).predictions() == pytest.approx(0.25)
    a, b = arrays() | {"p0": np.array([100.0])}, arrays() | {"p0": np.array([101.0])}
    assert differences()._replace(a=a, b=b).predictions() == pytest.approx(0.01)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_predictions_that_are_no_numbers_never_pass(bad):
    assert differences(p0=bad).predictions() is None


def test_the_largest_weight_difference_is_named_and_neutral_ones_are_apart():
    found = differences(w0=0.5, w2=0.25)
    assert found.weights() == (0.5, "model_1/Dense_h_0/kernel")
    found = differences(w0=0.5, w2=0.25, neutral=("model_1/Dense_h_0/kernel",))
    assert found.weights() == (0.25, "model_2/LSTM/kernel")
    assert found.neutral_difference() == 0.5
    assert differences(w2=np.nan).weights() == (None, "model_2/LSTM/kernel")


def test_gradients_are_compared_to_their_own_size():
    base = {f"s{i}": -1e-2 for i in range(4)}  # one.a stays at 1: both sides need the step
    found = differences()._replace(a=arrays(**base), b=arrays(**(base | {"s2": -1.1e-2})))
    assert found.gradients() == frozenset({"model_2"})
    found = found._replace(b=arrays(**(base | {"s2": -1e-2 - 2e-6})))
    assert found.gradients() == frozenset()


# -- who is to blame
def test_statistics_of_the_first_step_name_the_first_block_that_differs():
    found = differences(s1=1e-2, s3=1e-2, s0=1e-2)
    said = explained(failed(), stack(), found, lambda _: pytest.fail("no second training is needed"))
    assert (said.culprit, said.repair) == ("model_1", "")
    said = explained(failed(), stack(), differences(s3=1e-2, s0=1e-2), lambda _: pytest.fail("nor here"))
    assert said.culprit == "model_2"


def test_local_statistics_come_with_their_repair():
    local = stack().with_training(msgspec.structs.replace(stack().training, batch_statistics="local"))
    said = explained(failed(), local, differences(s1=1e-2), lambda _: pytest.fail("no second training is needed"))
    assert (said.culprit, said.repair) == ("model_1", "training.batch_statistics=global")
    assert "It begins in block model_1" in said.sentence
    assert said.sentence.endswith("costs next to nothing.")


def test_wrong_gradients_name_the_last_block_that_has_them_after_a_step_of_plain_descent():
    asked = []

    def one_step(design):
        asked.append(design.training)
        return differences(s0=0.5, s2=0.5)

    said = explained(failed(), stack(), differences(s0=1e-2, s2=1e-2), one_step)
    assert said.culprit == "model_2"
    (training,) = asked
    assert (training.optimizer, training.learning_rate, training.clip_norm, training.momentum) == ("sgd", 1.0, 0.0, 0.0)


def test_other_initial_weights_are_said():
    said = explained(failed(), stack(), differences(initial="b", s1=1.0), lambda _: pytest.fail("not needed"))
    assert (said.culprit, said.cause) == ("", "The trainings began from different weights.")


def test_a_difference_that_only_grows_names_nobody():
    said = explained(failed(), stack(), differences(w0=1e-2), lambda _: differences())
    assert said.culprit == ""
    assert "grows over the steps" in said.sentence


# -- directions without effect
def test_biases_right_before_normalisation_are_neutral_and_others_are_not():
    linear = infer(stack(activation="linear")).blocks["model_1"].submodel
    assert layers_before_normalization(linear) == {"Dense_h_0", "Dense_c_0", "Dense_h_1", "Dense_c_1"}
    assert layers_before_normalization(infer(stack(activation="relu")).blocks["model_1"].submodel) == set()
    assert (
        layers_before_normalization(infer(stack(activation="linear", batch_normalization=False)).blocks["model_1"].submodel)
        == set()
    )


def test_a_bias_whose_layer_feeds_something_else_too_is_not_neutral():
    layers = [{"layer": "Dense", "units": 4}, {"layer": "BatchNormalization"}, {"layer": "Dense", "units": 4}]
    tower = design([block("x", "vector", width=3), block("tower", "layer_stack", layers=layers)], ["x.output -> tower.inputs"])
    names = [call.layer.name for call in infer(tower).blocks["tower"].submodel.calls]
    weights = [WeightName("tower", f"{name}/{end}", True) for name in names for end in ("kernel", "bias")]
    assert neutral_biases(tower, weights) == (f"tower/{names[0]}/bias",)


def test_the_bias_of_the_keys_of_an_attention_is_neutral_and_those_of_queries_and_values_are_not():
    rows = [{"layer": "MultiHeadAttention"}, {"layer": "Dense", "units": 4}]
    made = design([block("x", "float_sequence", length=5, features=3), block("head", "layer_stack", layers=rows)],
                  ["x.output -> head.inputs"])  # fmt: skip
    attention, dense = (call.layer.name for call in infer(made).blocks["head"].submodel.calls)
    paths = [f"{attention}/{part}/bias" for part in ("query", "key", "value", "attention_output")] + [f"{dense}/bias"]
    assert neutral_biases(made, [WeightName("head", path, True) for path in paths]) == (f"head/{attention}/key/bias",)


# -- the file
def test_a_certificate_is_stored_with_the_run_and_read_back(tmp_path):
    run = RunFolder(tmp_path)
    assert certificate.read(run) is None
    stored = failed(culprit="model_1", repair="training.batch_statistics=global", neutral=("a/b",))
    assert certificate.write(stored, run) == tmp_path / "certificate.json"
    assert certificate.read(run) == stored
    (tmp_path / "certificate.json").write_text("{")
    assert certificate.read(run) is None


def test_the_verdict_is_a_sentence():
    passed = msgspec.structs.replace(failed(), passed=True, prediction_difference=2e-8, switched_off=("Dropout_0",))
    assert passed.sentence == (
        "Equal: cpu:2 and cpu, jax, 5 steps of batch 8 with 1 random layer switched off; "
        "predictions differ by 2.0e-08 at most (allowed 1e-05)."
    )


@pytest.fixture
def compared(monkeypatch):
    """Lets `certify` compare without training: gives what rows were asked for, and fails real rows with `refused`."""
    asked = []
    refused = []

    def compare(of, folder, engine, devices, reference, steps, real, on_progress, cancelled):
        asked.append(real)
        if real and refused:
            raise InvalidInput(refused[0], "ragged_rows", "data")
        return differences()

    monkeypatch.setattr(certificate, "_compared", compare)
    return asked, refused


def test_a_certificate_says_that_its_rows_are_the_designs_own(compared, tmp_path):
    found = certify(bound(stack(), write_rows(tmp_path)), tmp_path, TWO, engine="jax")
    assert (found.data, found.data_reason) == ("real", "")
    assert found.rows_sentence == "Compared on the design's own rows."


@pytest.mark.parametrize(
    ("made", "reason"),
    [
        (lambda folder: stack(), "The design has no data file."),
        (lambda folder: bound(stack(), folder / "gone.npz"), "There is no data file {folder}/gone.npz."),
        (lambda folder: unbound_at_one_end(folder), "No column is bound to decoder_inputs.output and loss.targets."),
    ],
)
def test_a_certificate_says_why_its_rows_are_random(compared, tmp_path, made, reason):
    found = certify(made(tmp_path), tmp_path, TWO, engine="jax")
    assert (found.data, found.data_reason) == ("random", reason.format(folder=tmp_path))
    assert found.rows_sentence == f"Compared on random rows: {reason.format(folder=tmp_path)}"
    assert compared[0] == [False]


def test_rows_that_cannot_be_read_are_replaced_by_random_ones_and_the_certificate_says_why(compared, tmp_path):
    asked, refused = compared
    refused.append("Row 7 of the file has 3 values, expected 4.")
    found = certify(bound(stack(), write_rows(tmp_path)), tmp_path, TWO, engine="jax")
    assert asked == [True, False]
    assert (found.data, found.data_reason) == ("random", "Row 7 of the file has 3 values, expected 4.")


def unbound_at_one_end(folder):
    whole = bound(stack(), write_rows(folder))
    return whole.with_data(msgspec.structs.replace(whole.data, bindings=whole.data.bindings[:-1]))


def test_one_device_has_nothing_to_be_compared_with(tmp_path):
    with pytest.raises(InvalidInput, match="two or more devices"):
        certify(stack(), tmp_path, CPU)
