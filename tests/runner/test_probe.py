import contextlib
import fcntl
import math
import sys
import threading
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from seqdec_gui.data.tensor_feeds import expand
from seqdec_gui.domain.cost import OPEN_LENGTH
from seqdec_gui.domain.dataflow import data_ports
from seqdec_gui.domain.document import load, to_builtins
from seqdec_gui.resource_files import path as resource
from seqdec_gui.runner import measurement_lock
from seqdec_gui.runner import probe as probe_child
from seqdec_gui.runner.engines.base import peak_of_process
from seqdec_gui.runner.measurement_lock import MeasurementLock
from seqdec_gui.runner.probe import StepTimer, failure, part_of, process_age_s, rows_in, share_saved, steps_in_interval
from seqdec_gui.runner.random_rows import random_dataset, rows_for, with_lengths
from seqdec_gui.runs.measurement import Measurement
from seqdec_gui.runs.probe import Plan, probe
from seqdec_gui.runs.spec import DeviceChoice
from seqdec_gui.runs.tasks import Measured, ProbeTask, run_task
from tests.runner.designs import ALL, bound, stack, translation, write_rows

STREAMED = Path(__file__).with_name("streamed_probe.py")
AS_ON_GPUS = Path(__file__).with_name("probe_as_on_gpus.py")
BLANK = Measurement(engine="jax", devices=DeviceChoice("cpu"), batch_size=64)


# -- random rows
@pytest.mark.parametrize("make", ALL.values(), ids=ALL)
def test_random_rows_have_the_shape_of_every_port(make, tmp_path):
    design, dataset = rows_for(make(), tmp_path, real=False, count=20)
    ports = {port.name: port for port in data_ports(design)}
    assert {feed.name for feed in dataset.feeds} == set(ports)
    for feed in dataset.feeds:
        port, given = ports[feed.name], expand(feed, dataset.arrays[feed.array])
        shape = port.type.shape[:-1] if port.classes else port.type.shape
        assert given.shape == (20, *shape)
        assert given.dtype == (np.int32 if port.classes or port.type.dtype == "int32" else np.float32)
        if port.classes or port.type.dtype == "int32":
            assert 0 <= given.min() < given.max() < (port.classes or port.type.symbols)


def test_a_taught_target_is_its_input_one_step_ahead_and_both_are_one_array():
    design = stack()
    dataset = random_dataset(data_ports(design), 20, 0)
    given = {feed.name: feed for feed in dataset.feeds}
    assert given["loss"].array == given["decoder_inputs"].array == "decoder_inputs"
    ids = dataset.arrays["decoder_inputs"]
    assert (expand(given["loss"], ids)[:, :-1] == ids[:, 1:-1]).all()
    assert ids.dtype == np.uint8


def test_random_sequences_are_ragged_and_padded_at_the_right():
    ids = random_dataset(data_ports(translation(steps=9)), 200, 0).arrays["source"]
    shown = ids != 0
    assert set(shown.sum(1)) == {5, 6, 7, 8, 9}
    assert (shown[:, 1:] <= shown[:, :-1]).all()


def test_other_symbols_in_and_out_get_arrays_of_their_own():
    design = load(resource("templates/latent-to-sequence.seqdec"))
    dataset = random_dataset(data_ports(design), 5, 0)
    assert {feed.array for feed in dataset.feeds} == {"latent", "decoder_inputs", "loss"}


def test_open_lengths_are_fixed_for_random_rows_only(tmp_path):
    open_ended = translation()
    assert with_lengths(open_ended).block("source").parameters.length == OPEN_LENGTH
    real = bound(translation(steps=9), write_rows(tmp_path))
    assert rows_for(real, tmp_path, real=True, count=5)[0] == real


def test_a_part_of_a_dataset_holds_its_first_training_rows(tmp_path):
    _, dataset = rows_for(bound(stack(), write_rows(tmp_path)), tmp_path, real=True, count=5)
    part = part_of(dataset, 7)
    assert part.rows == len(part.training) == 7
    for name, array in part.arrays.items():
        assert (array == dataset.arrays[name][dataset.training[:7]]).all()
    assert rows_in(dataset, sum(array.nbytes for array in dataset.arrays.values())) == dataset.rows


# -- times, shares, memory, kernels
@pytest.mark.parametrize(("step_s", "steps"), [(1e-6, 192), (0.002, 64), (0.01, 16), (0.02, 8), (0.2, 1), (9.0, 1)])
def test_an_interval_has_a_length_for_which_engines_compile_loops(step_s, steps):
    assert steps_in_interval(step_s) == steps


@pytest.mark.parametrize(("step_s", "fewest", "steps"), [(0.002, 16, 64), (0.002, 3, 96), (0.01, 16, 16), (9.0, 3, 3)])
def test_an_interval_is_made_of_whole_loops_where_their_length_is_fixed(step_s, fewest, steps):
    assert steps_in_interval(step_s, fewest=fewest) == steps


def test_a_share_is_the_median_of_its_pairs_and_none_where_they_disagree():
    assert share_saved([(1.0, 0.8), (2.0, 1.5), (1.0, 0.7)]) == pytest.approx(0.25)
    assert share_saved([(1.0, 1.1), (1.0, 1.2)]) == 0.0
    assert share_saved([(1.0, 0.1), (1.0, 0.9), (1.0, 0.5), (1.0, 1.6)]) is None


@pytest.mark.parametrize(
    ("error", "failed"),
    [
        (RuntimeError("RESOURCE_EXHAUSTED: Out of memory while trying to allocate 98304000000 bytes."), "out_of_memory"),
        (ValueError("OOM when allocating tensor with shape[4096] on /job:localhost/device:GPU:0"), "out_of_memory"),
        (MemoryError(), "out_of_memory"),
        (ValueError("shapes differ\nsecond line"), "other"),
    ],
)
def test_running_out_of_memory_is_told_from_other_failures(error, failed):
    found = failure(BLANK, error)
    assert found.failed == failed
    assert found.step_s is None
    assert "second line" not in found.failure


def test_peak_memory_and_age_of_this_process(tmp_path):
    assert 10 << 20 < peak_of_process() < 1 << 40
    assert peak_of_process(tmp_path / "nothing") is None
    assert 0 < process_age_s() < 86400
    assert process_age_s() >= math.floor(probe_child.time.monotonic() - probe_child._IMPORT_TIME)


# -- intervals
class Machine:
    """An engine and a clock: a call takes `call_s`, a step `step_s`, or as long as `slowly` says of the calls so far."""

    fewest_steps = 1
    program = SimpleNamespace(kl_terms=())

    def __init__(self, kind, step_s, call_s=0.0, slowly=lambda call: 1.0):
        self.devices = DeviceChoice(kind, gpus=(0,) if kind == "gpu" else ())
        self.now, self.calls, self.lengths = 0.0, 0, []
        self._step_s, self._call_s, self._slowly = step_s, call_s, slowly

    def without_reductions(self):
        return contextlib.nullcontext()

    def train(self, rows, *_):
        self.now += (self._call_s + self._step_s * len(rows)) * self._slowly(self.calls)
        self.calls += 1
        self.lengths.append(len(rows))


@pytest.fixture
def step_on(monkeypatch):
    """What a `StepTimer` finds on a machine."""

    def measure(machine, first_s=0.0, seconds=0.48):
        monkeypatch.setattr(probe_child.time, "monotonic", lambda: machine.now)
        rows = SimpleNamespace(training=np.arange(8))
        task = ProbeTask(design={}, folder="", devices=machine.devices, engine="jax", batch_sizes=(4,))
        return StepTimer(machine, rows, task, BLANK, MeasurementLock(""))._step(4, seconds, first_s)

    return measure


def test_steps_on_gpus_are_measured_in_few_intervals_of_a_length(step_on):
    step = step_on(Machine("gpu", 0.0013), first_s=9.0)
    assert (step.steps, len(step.seconds)) == (32, probe_child.GPU_INTERVALS)
    assert step.median == pytest.approx(0.0013)
    assert step.compile_s == pytest.approx(9.0 - 0.0013)


def test_a_length_that_was_found_beside_others_is_found_again_when_they_are_quiet(step_on):
    step = step_on(Machine("gpu", 0.0013, call_s=0.002, slowly=lambda call: 10.0 if call < 2 else 1.0))
    assert step.steps == 32
    assert step.median == pytest.approx(0.0013, rel=0.06)


def test_a_call_that_costs_as_much_as_a_step_does_not_make_one_step_of_many(step_on):
    step = step_on(Machine("gpu", 0.0066, call_s=0.004, slowly=lambda call: 1.1 if call < 2 else 1.0))
    assert step.steps == 8
    assert step.median == pytest.approx(0.0066, rel=0.08)


def test_intervals_on_gpus_that_differ_are_measured_until_most_agree(step_on):
    step = step_on(Machine("gpu", 0.0047, slowly=lambda call: 1.6 if call in (5, 6, 7) else 1.0))
    assert len(step.seconds) == probe_child.MAX_GPU_INTERVALS
    assert step.median == pytest.approx(0.0047)
    ever_slower = Machine("gpu", 0.3, slowly=lambda call: 1.0 + call)
    assert 2 <= len(step_on(ever_slower).seconds) < probe_child.MAX_GPU_INTERVALS


def test_on_a_cpu_no_more_intervals_are_measured_than_there_is_time_for(step_on):
    assert len(step_on(Machine("cpu", 0.01), seconds=2.5).seconds) == probe_child.CPU_INTERVALS
    assert len(step_on(Machine("cpu", 1.0, slowly=lambda call: 1.0 + call % 2), seconds=2.5).seconds) == 2


@pytest.mark.parametrize("slow", range(1, 7))  # call 0 warms up the steps without reduction
def test_one_slow_interval_does_not_move_the_share_of_the_reduction(slow, monkeypatch):
    machine = Machine("gpu", 0.002, slowly=lambda call: 1.25 if call == slow else 1.0)
    monkeypatch.setattr(probe_child.time, "monotonic", lambda: machine.now)
    task = ProbeTask(design={}, folder="", devices=machine.devices, engine="jax", batch_sizes=(4,))
    bench = StepTimer(machine, SimpleNamespace(training=np.arange(8)), task, BLANK, MeasurementLock(""))
    share = bench._reduction_share(4, probe_child.StepTimes(32, 0.0, (0.002,)))
    assert machine.calls == 7
    assert share == pytest.approx(0)


# -- real children
@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("engine", ["jax", pytest.param("tensorflow", marks=pytest.mark.long)])
def test_a_step_on_two_devices_is_measured_with_all_its_parts(engine, tmp_path):
    design = bound(stack(), write_rows(tmp_path), batch_size=8)
    heard = []
    plan = Plan(engine, DeviceChoice("cpu", count=2), (8, 16))
    found = probe(design, tmp_path, [plan], budget_s=200, on_progress=heard.append)
    assert [(one.batch_size, one.failure) for one in found] == [(8, ""), (16, "")]
    first, second = found
    assert 0 < first.step_s < first.ready_s
    assert first.intervals >= 2
    assert first.data == "real"
    assert first.epoch_s == pytest.approx(40 // 8 * first.step_s)
    assert first.samples_per_s == pytest.approx(8 / first.step_s)
    assert (first.resident, first.input_share, first.cudnn_layers, first.recurrent_layers) == (True, 0.0, None, 2)
    assert first.reduction_share is None or 0 <= first.reduction_share < 1
    assert 100 << 20 < first.peak_memory < 16 << 30
    assert second.ready_s is None
    assert any("batch 16" in line.text for line in heard)


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_rows_that_do_not_fit_are_measured_with_the_share_of_their_stream(tmp_path):
    design = bound(stack(), write_rows(tmp_path, 400), batch_size=8)
    devices = DeviceChoice("cpu")
    task = ProbeTask(
        design=to_builtins(design), folder=str(tmp_path), devices=devices, engine="tensorflow", batch_sizes=(8,),
        real_rows=True, budget_s=200,
    )  # fmt: skip
    sent = []
    run_task(task, sent.append, devices, "tensorflow", argv=(sys.executable, str(STREAMED), "4000"))
    (found,) = [line.measurement for line in sent if isinstance(line, Measured)]
    assert found.failure == ""
    assert (found.resident, found.reduction_share) == (False, 0.0)
    assert 0 <= found.input_share < 1


@pytest.mark.slow
@pytest.mark.timeout(240)
@pytest.mark.parametrize(("budget_s", "has_time"), [(100.0, True), (probe_child.GPU_TURNS_S + 1, False)])
def test_on_gpus_the_reduction_is_measured_where_its_compilation_leaves_time(budget_s, has_time, tmp_path):
    design = bound(stack(), write_rows(tmp_path), batch_size=8)
    devices = DeviceChoice("cpu", count=2)
    task = ProbeTask(
        design=to_builtins(design), folder=str(tmp_path), devices=devices, engine="jax", batch_sizes=(8,),
        real_rows=True, budget_s=budget_s,
    )  # fmt: skip
    sent = []
    run_task(task, sent.append, devices, "jax", argv=(sys.executable, str(AS_ON_GPUS)))
    (found,) = [line.measurement for line in sent if isinstance(line, Measured)]
    assert found.failure == ""
    assert found.intervals >= 2
    assert found.compile_s > 0
    assert found.cudnn_layers == 0
    assert (found.reduction_share is not None) == has_time


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_a_child_that_has_measured_ends_with_the_others(tmp_path):
    turn = tmp_path / "turn"
    turn.touch()
    design = bound(stack(), write_rows(tmp_path), batch_size=8)
    devices = DeviceChoice("cpu", count=2)
    task = ProbeTask(
        design=to_builtins(design), folder=str(tmp_path), devices=devices, engine="jax", batch_sizes=(8,),
        real_rows=True, shares=False, budget_s=100, turn=str(turn),
    )  # fmt: skip
    sent, ended = [], threading.Event()
    with MeasurementLock(str(turn)) as other:
        child = threading.Thread(target=lambda: (run_task(task, sent.append, devices, "jax"), ended.set()))
        child.start()
        other.wait_for_all(0)  # it works no more, and has still to measure
        other._lock(fcntl.LOCK_SH, measurement_lock._UNFINISHED_BYTE)
        while not any(isinstance(line, Measured) for line in sent):
            assert not ended.wait(0.05)
        assert not ended.wait(1.5)
    assert ended.wait(20)
    child.join()
