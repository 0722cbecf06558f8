import functools
import sys
import time
from pathlib import Path

import pytest

from seqdec_gui.domain.problems import InvalidInput
from seqdec_gui.runs import probe, probe_cache
from seqdec_gui.runs.advice import advise
from seqdec_gui.runs.probe import Plan
from seqdec_gui.runs.spec import DeviceChoice
from seqdec_gui.runs.tasks import Cancelled, run_task
from tests.runner.designs import stack

FAKE = Path(__file__).with_name("fake_probe.py")
CPU, TWO = DeviceChoice("cpu"), DeviceChoice("cpu", count=2)
PLANS = [Plan("jax", TWO, (64, 256, 1024)), Plan("jax", CPU, (64, 256, 1024))]


@pytest.fixture
def fake(monkeypatch):
    """Children of a mode; with `together` as on a machine of many cores."""

    def use(mode: str, together: bool = False) -> None:
        monkeypatch.setattr(probe, "run_task", functools.partial(run_task, argv=(sys.executable, str(FAKE), mode)))
        monkeypatch.setattr(probe, "_cores", lambda: 64 if together else 1)

    return use


@pytest.mark.parametrize("together", [False, True])
def test_every_plan_and_batch_is_measured_and_kept(tmp_path, fake, together):
    fake("measure", together)
    one, two = (DeviceChoice("gpu", gpus=(0,)), DeviceChoice("gpu", gpus=(0, 1))) if together else (CPU, TWO)
    heard = []
    plans = [Plan("jax", two, (64, 256, 1024)), Plan("jax", one, (64, 256, 1024))]
    found = probe.probe(stack(), tmp_path, plans, on_progress=heard.append)
    assert [(each.devices.replicas, each.batch_size) for each in found] == [(n, b) for n in (2, 1) for b in (64, 256, 1024)]
    assert {line.text for line in heard} == {f"jax on {one}", f"jax on {two}"}
    assert probe_cache.load(probe_cache.key_of(stack(), two, 256)) == (found[1],)


def test_memory_that_runs_out_is_an_answer_and_ends_that_child_alone(tmp_path, fake):
    fake("memory")
    found = probe.probe(stack(), tmp_path, PLANS)
    assert [one.failed for one in found] == ["", "out_of_memory"] * 2
    assert "Main memory ran out" in found[1].failure


def test_a_child_that_is_killed_keeps_what_it_had_measured(tmp_path, fake):
    fake("killed")
    found = probe.probe(stack(), tmp_path, PLANS[:1])
    assert [(one.batch_size, one.failed) for one in found] == [(64, ""), (256, "other")]
    assert "SIGKILL" in found[1].failure


def test_a_child_that_takes_too_long_is_given_up_and_says_so(tmp_path, fake):
    fake("slow")
    began = time.monotonic()
    found = probe.probe(stack(), tmp_path, PLANS[:1], budget_s=1.0)
    assert time.monotonic() - began < 15
    assert [(one.batch_size, one.failed) for one in found] == [(64, ""), (256, "time"), (1024, "time")]


def test_a_probe_can_be_given_up(tmp_path, fake):
    fake("slow")
    began = time.monotonic()
    with pytest.raises(Cancelled):
        probe.probe(stack(), tmp_path, PLANS, cancelled=lambda: time.monotonic() - began > 0.3)
    assert time.monotonic() - began < 10


def test_rows_that_cannot_be_read_and_an_unfinished_design_are_refused(tmp_path, fake):
    fake("invalid")
    with pytest.raises(InvalidInput, match="The rows are wrong"):
        probe.probe(stack(), tmp_path, PLANS)
    with pytest.raises(InvalidInput):
        probe.probe(stack().unlinked(stack().links), tmp_path, PLANS)


def test_advice_compares_all_devices_with_the_first(tmp_path, fake, monkeypatch):
    monkeypatch.setattr("seqdec_gui.runs.engine_choice.missing", lambda *_: "")
    fake("measure")
    advice = advise(stack(), tmp_path, TWO, engine="jax")
    assert advice.alone == CPU
    assert [one.batch_size for one in advice.measurements] == [64, 256, 1024] * 2
    assert [advice.speed_up(one) for one in advice.measurements[:3]] == pytest.approx([2.0, 2.0, 2.0])
    assert advice.sentence.startswith("2 virtual CPU devices: 2x at every batch measured (64 to 1,024).")
