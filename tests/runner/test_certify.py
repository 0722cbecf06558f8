"""Certificates by real children."""

from types import SimpleNamespace

import msgspec
import pytest

from seqdec_gui.domain import document
from seqdec_gui.domain.problems import InvalidInput
from seqdec_gui.runner import engines
from seqdec_gui.runner.certify import train_for_certificate
from seqdec_gui.runs.certificate import certify
from seqdec_gui.runs.engines import ENGINES
from seqdec_gui.runs.spec import DeviceChoice, Placement
from seqdec_gui.runs.tasks import CertifyTask
from tests.runner.designs import bound, noisy, stack, translation, write_rows

pytestmark = pytest.mark.timeout(280)
slow = pytest.mark.slow
TWO, THREE = DeviceChoice("cpu", count=2), DeviceChoice("cpu", count=3)


@pytest.mark.parametrize("name", ENGINES)
def test_the_engines_of_a_certificate_are_exact(name, tmp_path, monkeypatch):
    class Made(Exception):
        pass

    def create(placement, program, **options):
        raise Made(placement, options)

    monkeypatch.setattr(engines, "create", create)
    design = bound(stack(), write_rows(tmp_path), batch_size=8)
    task = CertifyTask(
        design=document.to_builtins(design), folder=str(tmp_path), devices=TWO, engine=name, output=str(tmp_path / "out.npz")
    )
    channel = SimpleNamespace(send=lambda line: None)
    with pytest.raises(Made) as made:
        train_for_certificate(task, channel, tmp_path)
    assert made.value.args == (Placement(TWO, name), {"exact": True})


@slow
def test_three_devices_equal_one_on_ragged_masked_rows_of_the_designs_own(tmp_path):
    design = bound(translation(steps=9), write_rows(tmp_path), batch_size=8)
    heard = []
    found = certify(design, tmp_path, THREE, engine="jax", on_progress=heard.append)
    assert found.passed, found.sentence
    assert (found.data, found.batch_size, found.steps, found.reference) == ("real", 9, 5, DeviceChoice("cpu"))
    assert (found.data_reason, found.rows_sentence) == ("", "Compared on the design's own rows.")
    assert found.prediction_difference <= 1e-5
    assert [block.block for block in found.blocks] == ["encoder", "decoder"]
    assert found.weight_difference < 1e-4
    assert found.metric_differences["loss"] < 1e-5
    assert {line.text for line in heard} == {"cpu", "cpu:3"}


@slow
@pytest.mark.long
def test_random_layers_are_switched_off_by_name_and_two_devices_then_equal_one(tmp_path):
    found = certify(noisy(), tmp_path, TWO, engine="tensorflow", steps=3)
    assert found.passed, found.sentence
    assert (found.data, found.data_reason) == ("random", "The design has no data file.")
    assert len(found.switched_off) == 4


@slow
def test_local_statistics_fail_and_name_the_block_and_the_repair(tmp_path):
    local = stack().with_training(msgspec.structs.replace(stack().training, batch_size=8, batch_statistics="local"))
    found = certify(local, tmp_path, TWO, engine="jax")
    assert not found.passed
    assert found.prediction_difference > 1e-4
    assert (found.culprit, found.repair) == ("model_1", "training.batch_statistics=global")


@slow
@pytest.mark.long
def test_on_jax_two_devices_equal_one_with_a_frozen_block_factors_and_weights_from_a_file(tmp_path):
    from seqdec_gui.domain.design import BlockWeights
    from seqdec_gui.domain.shapes import infer
    from seqdec_gui.runner import checkpoints
    from seqdec_gui.runner.splitting import graphs

    design = stack(units=(6,))
    submodel = infer(design).blocks["model_2"].submodel
    layers = {layer.name: layer for layer in graphs.built(submodel).layers}
    (tmp_path / "kept.weights.h5").write_bytes(checkpoints.parts_as_bytes({"then": layers}))
    replace = msgspec.structs.replace
    design = design.with_parameters("model_1", replace(design.block("model_1").parameters, trainable=False))
    design = design.with_parameters("model_2", replace(design.block("model_2").parameters, learning_rate_factor=0.1))
    design = design.with_weights("model_2", BlockWeights("kept.weights.h5", "then", "", submodel.parameters))
    design = design.with_training(replace(design.training, batch_size=8))
    found = certify(design, tmp_path, TWO, engine="jax", steps=3)
    assert found.passed, found.sentence
    (tmp_path / "kept.weights.h5").unlink()
    with pytest.raises(InvalidInput, match=r"kept\.weights\.h5 .* cannot be found"):
        certify(design, tmp_path, TWO, engine="jax", steps=3)
