import pytest

from seqdec_gui.runs.advice import Advice, batches, divisible_batch, sentence_of
from seqdec_gui.runs.measurement import Measurement
from seqdec_gui.runs.spec import DeviceChoice
from tests.runner.designs import bound, stack, write_rows

ONE, TWO = DeviceChoice("gpu", gpus=(1,)), DeviceChoice("gpu", gpus=(1, 3))


def measured(devices, batch, samples_per_s=None, failed="", failure=""):
    step_s = None if samples_per_s is None else batch / samples_per_s
    return Measurement(engine="jax", devices=devices, batch_size=batch, step_s=step_s, failed=failed, failure=failure)


def advice(*measurements, devices=TWO):
    return Advice(
        engine="jax", why="", devices=devices, alone=devices.first, batch_size=256, measurements=measurements, sentence=""
    )


def ratios(**speeds):
    """Measurements from batch=(rows per second on one, on two)."""
    pairs = [(int(name[1:]), pair) for name, pair in speeds.items()]
    return [measured(devices, batch, pair[i]) for batch, pair in pairs for i, devices in enumerate((ONE, TWO))]


@pytest.mark.parametrize(
    ("speeds", "sentence"),
    [
        ({"b256": (100, 130), "b2048": (200, 390), "b8192": (200, 392)}, "2 GPUs: 1.3x at batch 256, 1.95x from 2,048."),
        ({"b256": (100, 130), "b2048": (200, 390)}, "2 GPUs: 1.3x at batch 256, 1.95x at 2,048."),
        ({"b256": (100, 84), "b1024": (100, 120), "b4096": (100, 171)}, "2 GPUs: 0.84x at batch 256, 1.71x at 4,096."),
        ({"b256": (100, 190), "b2048": (100, 198)}, "2 GPUs: 1.9x to 1.98x at every batch measured (256 to 2,048)."),
        ({"b256": (100, 130)}, "2 GPUs: 1.3x at batch 256."),
        ({"b256": (100, 130), "b512": (100, 180), "b1024": (100, 140)}, "2 GPUs: 1.3x at batch 256, at most 1.8x (batch 512)."),
    ],
)
def test_the_sentence_says_what_was_measured_at_the_chosen_batch_and_from_where_it_is_better(speeds, sentence):
    assert sentence_of(advice(*ratios(**speeds))) == sentence


def test_nothing_is_claimed_where_one_of_the_two_is_missing():
    found = [measured(TWO, 256, 130.0), measured(ONE, 256, failed="time"), measured(TWO, 1024, 150.0)]
    said = sentence_of(advice(*found))
    assert said == "2 GPUs could not be compared with one. Batch 256 was not measured for want of time on 1 GPU."
    assert advice(*found).speed_up(found[0]) is None
    assert advice(*found).speed_up(found[2]) is None


def test_memory_that_ran_out_is_said_for_the_smallest_batch_of_each():
    failed = [measured(ONE, size, failed="out_of_memory", failure="full") for size in (4096, 8192)]
    said = sentence_of(advice(*ratios(b256=(100, 190)), measured(TWO, 4096, 200.0), *failed))
    assert said == "2 GPUs: 1.9x at batch 256. Batch 4,096 runs out of memory on 1 GPU."


def test_other_failures_are_quoted():
    said = sentence_of(advice(measured(TWO, 256, failed="other", failure="jax failed: no."), measured(ONE, 256, 10.0)))
    assert said.endswith("2 GPUs, batch 256: jax failed: no.")


def test_what_fails_everywhere_for_one_reason_is_said_once():
    failed = [measured(devices, size, failed="other", failure="No CUDA.") for size in (64, 256, 1024) for devices in (TWO, ONE)]
    said = sentence_of(advice(*failed[:-1], measured(ONE, 1024, failed="other", failure="No room.")))
    assert said.endswith("2 GPUs, batches 64, 256 and 1,024; 1 GPU, batches 64 and 256: No CUDA. 1 GPU, batch 1,024: No room.")


def test_one_device_alone_is_told_its_speed_and_what_a_larger_batch_gives():
    alone = advice(measured(ONE, 256, 1000.0), measured(ONE, 1024, 2500.0), devices=ONE)
    assert sentence_of(alone) == "1 GPU: 1,000 samples/s at batch 256, 2.5x that at 1,024."
    assert sentence_of(advice(measured(ONE, 256, 1000.0), devices=ONE)) == "1 GPU: 1,000 samples/s at batch 256."
    assert sentence_of(advice(measured(ONE, 256, failed="time"), devices=ONE)).startswith("Batch 256 was not measured")


def test_virtual_devices_that_gain_nothing_are_explained():
    one, two = DeviceChoice("cpu"), DeviceChoice("cpu", count=2)
    slow = advice(measured(one, 64, 100.0), measured(two, 64, 80.0), devices=two)
    fast = advice(measured(one, 64, 100.0), measured(two, 64, 150.0), devices=two)
    assert sentence_of(slow).endswith("for trying parallel training out.")
    assert sentence_of(fast) == "2 virtual CPU devices: 1.5x at batch 64."


def test_batches_divide_by_the_devices_and_are_no_larger_than_the_training_rows(tmp_path):
    three = DeviceChoice("cpu", count=3)
    assert batches(stack(), tmp_path, three) == (63, 255, 1023)
    design = bound(stack(), write_rows(tmp_path, 50), batch_size=8)
    assert batches(design, tmp_path, TWO) == (8, 32)
    assert (divisible_batch(1, 3), divisible_batch(64, 3), divisible_batch(65, 2)) == (3, 63, 64)
