"""What `--cluster` is understood as, and what is refused."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import pytest

from seqdec_gui.commands import resume
from seqdec_gui.domain import document
from seqdec_gui.domain.problems import InvalidInput
from seqdec_gui.runs import spec
from seqdec_gui.runs.cluster import fitting
from seqdec_gui.runs.cluster.addresses import is_loopback
from seqdec_gui.runs.cluster.choice import Cluster, first_of_list, parse, place_in_step
from seqdec_gui.runs.folder import RunFolder
from seqdec_gui.runs.run_words import device_names, device_words
from seqdec_gui.runs.spec import DeviceChoice, of_all
from tests.runner import designs

IN_SBATCH = {"SLURM_JOB_ID": "4711", "SLURM_JOB_NUM_NODES": "4", "SLURM_JOB_NODELIST": "lab[03-06]"}
IN_STEP = IN_SBATCH | {"SLURM_PROCID": "2", "SLURM_STEP_NUM_TASKS": "4", "SLURM_STEP_NODELIST": "lab[03-06]"}


@pytest.mark.parametrize(
    ("text", "environment", "meant"),
    [
        ("local:3", {}, Cluster("local", 3, one_host=True)),
        ("hosts:lab1, lab2", {}, Cluster("hosts", 2, hosts=("lab1", "lab2"))),
        ("ray://?hosts=2", {}, Cluster("ray", 2)),
        ("ray://10.0.0.1:6379?hosts=4", {}, Cluster("ray", 4, address="10.0.0.1:6379")),
        ("slurm", IN_SBATCH, Cluster("slurm", 4)),
        ("slurm", IN_SBATCH | {"SLURM_NTASKS": "2"}, Cluster("slurm", 2)),
        ("slurm", IN_SBATCH | {"SLURM_JOB_NUM_NODES": "1", "SLURM_NTASKS": "2"}, Cluster("slurm", 2, one_host=True)),
        ("slurm", IN_STEP, Cluster("slurm", 4, at=("lab03",), port=61440 + 4711 % 4096, started_outside=True)),
    ],
)
def test_what_is_written_is_understood(text: str, environment: dict[str, str], meant: Cluster) -> None:
    assert parse(text, environment) == meant
    assert parse(str(meant), environment) == meant


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("local", "Expected local:2"),
        ("local:0", "1 to 1024 processes"),
        ("hosts:lab1,lab1", "different hosts"),
        ("hosts:", "different hosts"),
        ("ray://head:6379", "hosts=2"),
        ("slurm", "no job of SLURM"),
        ("mpi", "Expected local:2"),
    ],
)
def test_what_is_not_understood_is_refused(text: str, says: str) -> None:
    with pytest.raises(InvalidInput, match=says):
        parse(text, {})


def test_srun_says_which_process_this_is() -> None:
    assert place_in_step(IN_STEP) == (2, 4)
    assert place_in_step(IN_SBATCH) == (0, 1)


@pytest.mark.parametrize(
    ("nodes", "first"),
    [("lab[03-05,9],other", "lab03"), ("a,b", "a"), ("one", "one"), ("n[1,3]", "n1"), ("x-1-[7-9]", "x-1-7")],
)
def test_the_first_node_of_a_list(nodes: str, first: str) -> None:
    assert first_of_list(nodes) == first


def test_devices_of_all_hosts_are_named_and_counted() -> None:
    gpus, cluster = DeviceChoice("gpu", gpus=(0, 1)), Cluster("hosts", 2, hosts=("lab1", "lab2"))
    assert device_names(gpus, cluster) == ("lab1/gpu:0", "lab1/gpu:1", "lab2/gpu:0", "lab2/gpu:1")
    assert device_words(device_names(gpus, cluster)) == "4 GPUs on 2 hosts"
    assert device_words(device_names(DeviceChoice("cpu"), Cluster("local", 3))) == "3 CPU devices in 3 processes"
    assert device_words(device_names(gpus, None)) == "2 GPUs"
    assert of_all(gpus, cluster).replicas == 4


def test_only_one_engine_and_only_fitting_devices() -> None:
    with pytest.raises(InvalidInput, match="trains on one host"):
        fitting.engine_for("tensorflow", DeviceChoice("cpu"))
    with pytest.raises(InvalidInput, match="cannot share a GPU"):
        fitting.devices_for(Cluster("local", 2), DeviceChoice("gpu", gpus=(0,)), DeviceChoice("gpu", gpus=(0,)))
    assert fitting.devices_for(Cluster("local", 2), DeviceChoice("auto"), DeviceChoice("gpu", gpus=(0,))) == DeviceChoice("cpu")


def test_addresses_that_mean_the_own_machine_to_everybody() -> None:
    assert all(map(is_loopback, ("127.0.1.1", "::1", "localhost")))
    assert not any(map(is_loopback, ("10.1.2.3", "lab1", "fd00::1")))


def test_a_run_of_hosts_or_of_slurm_is_not_resumed_where_nobody_would_join(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.delenv("SLURM_JOB_ID", raising=False)
    run = RunFolder(tmp_path / "run")
    run.path.mkdir()
    design = document.to_builtins(designs.stack())
    for cluster, says in (
        (Cluster("hosts", 2, hosts=("lab1", "lab2"), started_outside=True), "resumed from where it was started"),
        (Cluster("slurm", 2), "no job of SLURM"),
    ):
        spec.write(spec.RunSpec(design=design, devices=DeviceChoice("cpu"), cluster=cluster), run.spec)
        arguments = argparse.ArgumentParser()
        resume.add_arguments(arguments)
        with pytest.raises(InvalidInput, match=says):
            resume.run(arguments.parse_args([str(run.path)]))
