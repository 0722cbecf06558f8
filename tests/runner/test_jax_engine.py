"""The engine on JAX, checks in children with three virtual CPU devices (see `jax_checks`)."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from seqdec_gui.runs.environment import child_environment
from seqdec_gui.runs.spec import DeviceChoice, Placement

pytestmark = pytest.mark.slow
ROOT = Path(__file__).resolve().parents[2]
ALONE = {"starting", "storage"}
"""Modules whose checks need a process that nothing has run in; those of another share one."""


@pytest.fixture(scope="module")
def outcome(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], str]:
    """What a check ended with: nothing, or why it failed. A module's wanted checks share a child, as starting takes seconds."""
    tests = [item for item in request.session.items if isinstance(item, pytest.Function) and item.originalname == "test_on_jax"]
    wanted = [str(test.callspec.params["check"]) for test in tests]
    found: dict[str, str] = {}

    def find(check: str) -> str:
        if check not in found:
            module = check.partition(".")[0]
            together = [check] if module in ALONE else [one for one in wanted if one.partition(".")[0] == module]
            found.update(run(together, tmp_path_factory.mktemp(module)))
        return found[check]

    return find


def run(checks: list[str], folder: Path) -> dict[str, str]:
    quick = "--xla_backend_optimization_level=0 --xla_llvm_disable_expensive_passes=true"  # most of the time is compilation
    environment = child_environment(Placement(DeviceChoice("cpu", 3), "jax"), os.environ) | {"XLA_FLAGS": quick}
    command = [sys.executable, "-m", "tests.runner.jax_checks", str(folder), *checks]
    done = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, check=False)
    results = folder / "results.json"
    ended: dict[str, str] = json.loads(results.read_text()) if results.exists() else {}
    died = f"The process ended with status {done.returncode}:\n{(done.stdout + done.stderr)[-4000:]}"
    return {check: ended.get(check, died) for check in checks}


@pytest.mark.parametrize(
    "check",
    [
        "equality.many_devices_equal_one stack",
        "equality.many_devices_equal_one masked",
        "equality.many_devices_equal_one masked between layers",
        "equality.many_devices_equal_one two losses",
        "equality.many_devices_equal_one transformer",
        pytest.param("equality.computing_activations_again_gives_the_same", marks=pytest.mark.long),
        "equality.a_single_cpu_shares_a_batch_among_its_cores_and_gives_the_same",
        "equality.local_statistics_are_averaged",
        "normalization.moments_are_exact_far_from_zero",
        "normalization.moments_have_the_derivatives_of_the_whole_batch",
        "recurrence.recurrent_layers_equal_those_of_keras",
        "recurrence.unrolled_scans_give_what_single_steps_give",
        "recurrence.dropout_of_recurrent_layers_equals_that_of_keras",
        "recurrence.masks_reach_cudnn_as_lengths",
        "whole_sequence.outputs_and_gradients_equal_those_of_the_loops",
        "whole_sequence.layers_take_it_with_a_mask_and_without",
        "whole_sequence.plans_fit",
        "whole_sequence.a_probe_refuses_what_is_wrong_slow_or_does_not_start",
        "loops.intervals_of_any_length_are_compiled_once",
        pytest.param("loops.loops_of_fixed_length_give_what_open_ones_give", marks=pytest.mark.long),
        "loops.what_is_compiled_ahead_serves_the_epochs",
        "loops.who_waits_for_a_compilation_may_look_around_and_leave",
        "loops.kernels_that_all_fail_are_tried_once_more",
        pytest.param("loops.tuning_changes_no_results", marks=pytest.mark.long),
        "storage.streamed_rows_give_what_resident_rows_give",
        "storage.what_does_not_fit_is_streamed",
        "equality.training_equals_keras_own",
        "loops.rate_and_clipping_are_those_of_each_step",
        "equality.bfloat16_trains_about_as_float32_does",
        "questions.forward_calls_of_cudnn_are_counted_in_compiled_text",
        "questions.a_compiled_step_is_read_only_where_somebody_may_have_called_cudnn",
        "starting.gpus_start_while_other_things_are_done",
        "starting.devices_are_introduced_before_anything_is_compiled",
        "starting.weights_for_measuring_are_drawn_without_a_compilation",
        "storage.the_first_weights_are_made_on_the_cpu",
        "storage.compiled_code_is_kept_whole_or_not_at_all",
        "storage.kernels_chosen_under_other_flags_are_kept_apart",
        "storage.tensorflow_stays_out_of_the_process",
        "randomness.replicas_draw_different_numbers_and_the_sequence_goes_on",
        "randomness.a_resumed_training_goes_on_as_if_it_had_not_stopped",
    ],
)
def test_on_jax(check: str, outcome: Callable[[str], str]) -> None:
    failed = outcome(check)
    assert not failed, failed
