import msgspec
import pytest

from seqdec_gui.domain.cost import operations_per_row, operations_per_training
from seqdec_gui.domain.design import Design
from seqdec_gui.domain.shapes import infer
from seqdec_gui.runs import engine_choice, probe, probe_cache
from seqdec_gui.runs.devices import list_devices
from seqdec_gui.runs.engine_choice import by_measurement, choose_engine, decide
from seqdec_gui.runs.measurement import Measurement
from seqdec_gui.runs.probe import best_engine, estimated_training_s, has_rows, is_worth_probing
from seqdec_gui.runs.spec import DeviceChoice
from seqdec_gui.runs.workload import estimated_rows
from tests.runner.designs import bound, language, stack, translation, write_rows

CPU = DeviceChoice("cpu")


@pytest.fixture(autouse=True)
def both_installed(monkeypatch):
    monkeypatch.setattr(engine_choice, "missing", lambda *_: "")


def of(engine, step_s=0.01, **more):
    return Measurement(engine=engine, devices=CPU, batch_size=64, step_s=step_s, **more)


# -- what was measured
def test_the_faster_step_wins_where_the_rows_are_not_known():
    found = by_measurement([of("jax", 0.01), of("tensorflow", 0.03)], epochs=20)
    assert found.engine == "jax"
    assert found.why == "JAX was measured 3.0 times as fast as TensorFlow here (6,400 and 2,133 samples/s)."


@pytest.mark.parametrize(("epochs", "engine"), [(5, "tensorflow"), (50, "jax")])
def test_a_short_training_goes_to_the_engine_that_begins_sooner(epochs, engine):
    measured = [of("jax", 0.01, ready_s=20.0, epoch_s=1.0), of("tensorflow", 0.02, ready_s=5.0, epoch_s=2.0)]
    assert by_measurement(measured, epochs).engine == engine


def test_on_gpus_a_training_on_jax_begins_later_than_its_probe():
    gpu, more = DeviceChoice("gpu", gpus=(0,)), {"epoch_s": 1.0, "ready_s": 10.0}
    measured = [
        msgspec.structs.replace(of("jax", 0.01, **more), devices=gpu),
        msgspec.structs.replace(of("tensorflow", 0.01, **more | {"epoch_s": 1.5}), devices=gpu),
    ]
    assert by_measurement(measured, 15).engine == "tensorflow"
    assert by_measurement(measured, 25).engine == "jax"


def test_the_engine_that_ran_out_of_memory_loses():
    full = of("jax", None, failed="out_of_memory", failure="full")
    assert by_measurement([full, of("tensorflow", 9.0)], 1).engine == "tensorflow"
    assert by_measurement([full, of("tensorflow", None, failed="out_of_memory", failure="full")], 1) is None


def test_one_measurement_alone_decides_nothing():
    assert by_measurement([of("jax")], 1) is None
    assert by_measurement([], 1) is None


# -- auto
def test_auto_follows_the_cache_and_a_wish_does_not():
    design = stack()
    assert choose_engine("auto", CPU, design)[0] == "jax"
    key = probe_cache.key_of(design, CPU, design.training.batch_size)
    probe_cache.store(key, [of("jax", 0.02), of("tensorflow", 0.01)])
    assert choose_engine("auto", CPU, design)[0] == "tensorflow"
    assert choose_engine("auto", CPU, stack(units=(9,)))[0] == "jax"
    assert choose_engine("auto", CPU)[0] == "jax"
    assert choose_engine("jax", CPU, design) == ("jax", "jax was asked for.")


@pytest.mark.parametrize(
    ("devices", "batch", "engine"),
    [
        (CPU, 256, "jax"),
        (CPU, 512, "tensorflow"),
        (DeviceChoice("cpu", count=2), 512, "jax"),
        (DeviceChoice("gpu", gpus=(0,)), 512, "jax"),
    ],
)
def test_without_a_measurement_there_is_a_rule(devices, batch, engine):
    design = stack()
    decision = decide("auto", devices, design.with_training(msgspec.structs.replace(design.training, batch_size=batch)))
    assert (decision.engine, decision.measurement) == (engine, None)
    assert decision.why.endswith("not been compared on this design here.")


# -- how much there is to compute
def test_operations_are_two_per_weight_and_step_and_three_times_that_with_the_backward_pass():
    inference = infer(language())
    (cell, head) = (
        call for call in inference.blocks["decoder"].submodel.calls if call.layer.type in ("LSTM", "TimeDistributed", "Dense")
    )
    assert operations_per_row(inference) == pytest.approx(3 * 2 * 9 * (cell.parameters + head.parameters))


def test_embeddings_and_normalisation_multiply_nothing():
    plain, normalised = (infer(stack(batch_normalization=flag)) for flag in (False, True))
    assert operations_per_row(plain) == operations_per_row(normalised)


def test_a_sequence_of_open_length_counts_a_hundred_steps():
    short, long = (operations_per_row(infer(translation(steps=steps))) for steps in (9, None))
    assert long > 5 * short


def test_rows_are_estimated_from_the_file_alone(tmp_path):
    text = tmp_path / "rows.csv"
    text.write_text("a,b\n" + "12,34567\n" * 30_000)
    design = bound(stack(), text)
    assert estimated_rows(design, tmp_path) == pytest.approx(30_000, rel=0.02)
    assert estimated_rows(bound(stack(), write_rows(tmp_path, 50)), tmp_path) == 50
    assert estimated_rows(bound(stack(), tmp_path / "nothing.csv"), tmp_path) is None
    assert estimated_rows(stack(), tmp_path) is None


def test_a_training_counts_epochs_and_the_validation_rows_once(tmp_path):
    one, many = (bound(stack(), tmp_path / "x.csv", epochs=epochs) for epochs in (1, 10))
    assert operations_per_training(many, 100) == 10 * operations_per_training(one, 100)
    row = operations_per_row(infer(one))
    assert operations_per_training(one, 100) == pytest.approx(100 * row * (0.8 + 0.2 / 3))


def test_only_a_long_training_is_worth_a_probe(tmp_path):
    file = write_rows(tmp_path, 50)
    assert not is_worth_probing(bound(stack(), file, epochs=20), tmp_path, CPU)
    long = bound(stack(units=(512, 512)), file, epochs=1_000_000)
    assert is_worth_probing(long, tmp_path, CPU)
    assert not is_worth_probing(stack(), tmp_path, CPU)  # without rows nobody knows
    gpus = DeviceChoice("gpu", gpus=(0, 1))
    assert estimated_training_s(long, tmp_path, gpus) < estimated_training_s(long, tmp_path, CPU) / 20


# -- before a run
@pytest.fixture
def long(tmp_path) -> Design:
    return bound(stack(units=(512, 512)), write_rows(tmp_path, 50), epochs=1_000_000)


def test_a_long_training_is_measured_once(tmp_path, long, monkeypatch):
    calls = []

    def measure(design, folder, plans, **_):
        calls.append([plan.engine for plan in plans])
        found = tuple(of(plan.engine, {"jax": 0.02, "tensorflow": 0.01}[plan.engine]) for plan in plans)
        probe._store(design, found)
        return found

    monkeypatch.setattr(probe, "probe", measure)
    assert best_engine(long, tmp_path, CPU).engine == "tensorflow"
    assert best_engine(long, tmp_path, CPU).engine == "tensorflow"
    assert calls == [["jax", "tensorflow"]]
    assert choose_engine("auto", CPU, long)[0] == "tensorflow"  # what the run itself will find


def test_a_probe_that_fails_leaves_the_rule(tmp_path, long, monkeypatch):
    from seqdec_gui.domain.problems import SeqdecError

    def fail(*_, **__):
        raise SeqdecError("no")

    monkeypatch.setattr(probe, "probe", fail)
    assert best_engine(long, tmp_path, CPU).engine == "jax"


def test_a_short_training_is_not_measured(tmp_path, monkeypatch):
    monkeypatch.setattr(probe, "probe", None)
    assert best_engine(bound(stack(), write_rows(tmp_path)), tmp_path, CPU).engine == "jax"


def test_real_rows_are_measured_only_where_every_port_is_bound_and_the_file_is_there(tmp_path):
    design = bound(stack(), write_rows(tmp_path))
    assert has_rows(design, tmp_path)
    assert not has_rows(stack(), tmp_path)
    assert not has_rows(bound(stack(), tmp_path / "gone.npz"), tmp_path)
    half = design.with_data(type(design.data)(design.data.file, design.data.split, design.data.bindings[:1]))
    assert not has_rows(half, tmp_path)


def test_the_machine_is_named_from_its_devices():
    (name,) = probe_cache.machine_of(CPU)
    assert next(device.name for device in list_devices() if device.id == "cpu") in name
