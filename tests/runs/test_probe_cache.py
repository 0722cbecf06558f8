import msgspec
import pytest

from seqdec_gui.domain.bindings import DataSource
from seqdec_gui.runs import probe_cache
from seqdec_gui.runs.devices import Device
from seqdec_gui.runs.measurement import Measurement
from seqdec_gui.runs.spec import DeviceChoice
from tests.runner.designs import stack

CPU, GPUS = DeviceChoice("cpu"), DeviceChoice("gpu", gpus=(0, 1))
MACHINE = (
    Device("cpu", "cpu", "A CPU", cores=2),
    *(Device(f"gpu:{i}", "gpu", "H100", driver="580") for i in range(3)),
)


def key(design=None, devices=CPU, batch=64):
    return probe_cache.key_of(design or stack(), devices, batch, MACHINE)


def measured(engine="jax", step_s=0.01, **more):
    return Measurement(engine=engine, devices=CPU, batch_size=64, step_s=step_s, **more)


def test_what_is_stored_is_found_again_and_only_under_its_key(tmp_path):
    probe_cache.store(key(), [measured()], folder=tmp_path)
    assert probe_cache.load(key(), folder=tmp_path) == (measured(),)
    for other in (key(batch=128), key(devices=DeviceChoice("cpu", count=2)), key(stack(units=(8, 9)))):
        assert probe_cache.load(other, folder=tmp_path) == ()


def test_engines_are_kept_side_by_side_and_each_is_replaced_by_a_newer_one(tmp_path):
    probe_cache.store(key(), [measured("jax"), measured("tensorflow")], folder=tmp_path)
    probe_cache.store(key(), [measured("jax", step_s=0.02)], folder=tmp_path)
    found = {one.engine: one.step_s for one in probe_cache.load(key(), folder=tmp_path)}
    assert found == {"jax": 0.02, "tensorflow": 0.01}
    assert [path.suffix for path in tmp_path.iterdir()] == [".json"]


def test_a_measurement_grows_old_although_another_is_stored_beside_it(tmp_path):
    probe_cache.store(key(), [measured("jax")], now=0.0, folder=tmp_path)
    probe_cache.store(key(), [measured("tensorflow")], now=probe_cache.MAX_AGE_S, folder=tmp_path)
    assert [one.engine for one in probe_cache.load(key(), probe_cache.MAX_AGE_S + 1, tmp_path)] == ["tensorflow"]


def test_memory_that_ran_out_is_remembered_for_an_hour_and_lack_of_time_not_at_all(tmp_path):
    full = measured(step_s=None, failed="out_of_memory", failure="The GPU ran out of memory.")
    slow = measured("tensorflow", step_s=None, failed="time", failure="no time")
    probe_cache.store(key(), [full, slow], now=0.0, folder=tmp_path)
    assert probe_cache.load(key(), 60.0, tmp_path) == (full,)
    assert probe_cache.load(key(), 3700.0, tmp_path) == ()


def test_on_a_busy_machine_counts_what_was_measured_on_a_busy_one(tmp_path):
    probe_cache.store(key(), [measured("jax")], now=0.0, folder=tmp_path, busy=False)
    probe_cache.store(key(), [measured("tensorflow")], now=0.0, folder=tmp_path, busy=True)

    def found(now, busy):
        return [one.engine for one in probe_cache.load(key(), now, tmp_path, busy)]

    assert found(3600.0, True) == ["tensorflow"]
    assert found(3600.0, False) == ["jax"]
    assert found(3600.0, None) == found(60.0, True) == ["jax", "tensorflow"]


def test_files_of_before_busy_was_kept_still_count(tmp_path):
    probe_cache.store(key(), [measured()], folder=tmp_path)
    (path,) = tmp_path.iterdir()
    older = msgspec.json.decode(path.read_bytes())
    for kept in older["kept"]:
        del kept["busy"]
    path.write_bytes(msgspec.json.encode(older))
    assert probe_cache.load(key(), folder=tmp_path, busy=True) == (measured(),)


@pytest.mark.parametrize(("load", "busy"), [(0.9, False), (1.4, False), (1.6, True), (13.0, True)])
def test_cores_are_busy_where_more_wait_than_they_can_serve(monkeypatch, load, busy):
    monkeypatch.setattr(probe_cache.os, "getloadavg", lambda: (load, 0.0, 0.0), raising=False)
    monkeypatch.setattr(probe_cache.os, "cpu_count", lambda: 2)
    assert probe_cache.cores_are_busy(CPU) is busy
    assert probe_cache.cores_are_busy(GPUS) is None


@pytest.mark.parametrize("content", [b"", b"{", b"\xff", b'{"format": 1}', b"[]"])
def test_a_damaged_file_is_no_measurement_and_is_replaced(tmp_path, content):
    path = tmp_path / f"{key().digest}.json"
    path.write_bytes(content)
    assert probe_cache.load(key(), folder=tmp_path) == ()
    probe_cache.store(key(), [measured()], folder=tmp_path)
    assert probe_cache.load(key(), folder=tmp_path) == (measured(),)


def test_a_file_of_another_format_is_no_measurement(tmp_path):
    probe_cache.store(key(), [measured()], folder=tmp_path)
    (path,) = tmp_path.iterdir()
    newer = msgspec.json.decode(path.read_bytes()) | {"format": probe_cache.FORMAT + 1}
    path.write_bytes(msgspec.json.encode(newer))
    assert probe_cache.load(key(), folder=tmp_path) == ()


def test_a_cache_that_cannot_be_written_is_no_error(tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("")
    probe_cache.store(key(), [measured()], folder=blocked / "below")
    assert probe_cache.load(key(), folder=blocked / "below") == ()


def test_names_places_data_and_rates_do_not_change_the_shape_of_a_design():
    design = stack()
    same = design.renamed("model_1", "encoder").moved({"loss": (5.0, 6.0)}).with_data(DataSource("x.csv"))
    same = same.with_training(msgspec.structs.replace(same.training, learning_rate=0.5, epochs=7, seed=3, batch_size=8))
    assert probe_cache.shape_of(same) == probe_cache.shape_of(design)


def test_what_a_step_computes_changes_the_shape_of_a_design():
    design = stack()

    def training(**changes):
        return design.with_training(msgspec.structs.replace(design.training, **changes))

    others = [
        stack(units=(8, 9)),
        stack(cell="GRU"),
        training(optimizer="sgd"),
        training(precision="bfloat16"),
        training(batch_statistics="local"),
        training(clip_norm=1.0),
        design.unlinked(design.links[:1]),
    ]
    assert len({probe_cache.shape_of(each) for each in (design, *others)}) == len(others) + 1


def test_gpus_count_by_name_and_driver_not_by_number():
    first, second = DeviceChoice("gpu", gpus=(0, 1)), DeviceChoice("gpu", gpus=(1, 2))
    assert key(devices=first) == key(devices=second)
    assert key(devices=first) != key(devices=DeviceChoice("gpu", gpus=(0,)))
    assert probe_cache.machine_of(first, MACHINE) == ("H100, driver 580", "H100, driver 580")
    assert probe_cache.machine_of(DeviceChoice("cpu", count=2), MACHINE) == ("2 x A CPU, 2 cores",)
