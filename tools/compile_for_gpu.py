#!/usr/bin/env python3
"""Compile a training step for H100s that are not there, and count what it consists of.

    pip install --target PLUGIN --no-deps jax-cuda13-plugin==VERSION jax-cuda13-pjrt==VERSION     # the version of JAX
    PYTHONPATH=PLUGIN JAX_PLATFORMS=cpu KERAS_BACKEND=jax python tools/compile_for_gpu.py SIZE BATCH PRECISION GPUS [HLO]

Sizes are those of `seqdec-gui bench`. Prints how many kernels of which kind a step starts, and the largest arrays that they
write: copies, cut sequences and messages between GPUs show without one. HLO is a file for the compiled module. Without a GPU
nothing is tuned, so the choice of kernels for products is not that of a real machine, and times cannot be told.
"""

from __future__ import annotations

import math
import re
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any, cast

import jax
import jax.numpy as jnp
from jax.experimental import topologies
from jax.sharding import NamedSharding
from jax.sharding import PartitionSpec as P

from seqdec_gui.data.dataset import open_dataset
from seqdec_gui.domain.dataflow import data_ports
from seqdec_gui.runner import engines
from seqdec_gui.runner.bench.peer import write_model
from seqdec_gui.runner.bench.work import Job, design, write_arrays
from seqdec_gui.runner.engines.jax.engine import JaxEngine
from seqdec_gui.runner.engines.jax.layers import REPLICAS
from seqdec_gui.runner.engines.jax.steps import BY_ROWS, EVERYWHERE, Steps
from seqdec_gui.runner.engines.jax.tuning import Tuning
from seqdec_gui.runner.program import Program
from seqdec_gui.runs.spec import DeviceChoice, Placement

H100 = """
gpu_device_info {
  threads_per_block_limit: 1024 threads_per_warp: 32 shared_memory_per_block: 49152 shared_memory_per_core: 233472
  threads_per_core_limit: 2048 core_count: 132 fpus_per_core: 128 block_dim_limit_x: 2147483647 block_dim_limit_y: 65535
  block_dim_limit_z: 65535 memory_bandwidth: 3352320000000 l2_cache_size: 52428800 clock_rate_ghz: 1.98
  device_memory_size: 84942979072 shared_memory_per_block_optin: 232448 cuda_compute_capability { major: 9 minor: 0 }
  registers_per_core_limit: 65536 registers_per_block_limit: 65536
}
platform_name: "CUDA" dnn_version_info { major: 9 minor: 10 } device_description_str: "NVIDIA H100 80GB HBM3"
"""
LINES = 8
BYTES = {"pred": 1, "u8": 1, "s8": 1, "bf16": 2, "f16": 2, "u64": 8, "s64": 8, "f64": 8}
NO_KERNELS = (
    "parameter", "constant", "tuple", "get-tuple-element", "bitcast", "while", "call", "conditional", "after-all",
    "all-reduce-done", "partition-id", "iota",
)  # fmt: skip
_INSTRUCTION = re.compile(r"\s+(?:ROOT )?%(?P<name>[\w.\-]+) = (?P<shape>\(.*?\)|\S+) (?P<operation>[\w\-]+)\((?P<rest>.*)")


def main() -> None:
    size, batch, precision, gpus = sys.argv[1], int(sys.argv[2]), sys.argv[3], int(sys.argv[4])
    text = compiled(Job(size, DeviceChoice("cpu", gpus), batch, LINES, precision=precision))  # type: ignore[arg-type]
    if len(sys.argv) > 5:
        Path(sys.argv[5]).write_text(text, encoding="utf-8")
    kernels, written = counted(text)
    print(f"{sum(kernels.values())} kernels a step")
    for kind, count in kernels.most_common(16):
        print(f"  {count:6d} x {kind}")
    print("largest arrays written, MB a step:")
    for (kind, shape), megabytes in written.most_common(16):
        print(f"  {megabytes:8.1f}  {kind:40s} {shape[:70]}")


def compiled(job: Job) -> str:
    """The module that such GPUs would run for a call of `LINES` steps."""
    topology = topologies.get_topology_desc("", "cuda", topology=f"1x1x{job.devices.replicas}", target_config=H100)
    mesh = topologies.make_mesh(topology, (job.devices.replicas,), (REPLICAS,))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_arrays(job, folder)
        wanted = design(job)
        program = Program.of(wanted, write_model(job, folder))
        engine = cast(JaxEngine, engines.create(Placement(job.devices, "jax"), program, tuning=Tuning(unroll=8)))
        engine.build()
        dataset = open_dataset(wanted.data, data_ports(wanted), folder)
        engine.start(dataset)
    steps = Steps(
        engine.training_model, engine.optimizer, engine._objective, dataset.feeds, mesh,
        resident=True, global_statistics=True, fixed=job.devices.replicas > 1,
    )  # fmt: skip

    def like(shape: tuple[int, ...], dtype: Any, spec: Any = EVERYWHERE) -> jax.ShapeDtypeStruct:
        return jax.ShapeDtypeStruct(shape, dtype, sharding=NamedSharding(mesh, spec))

    state, data = jax.tree.map(lambda array: like(array.shape, array.dtype), (engine._state, dict(dataset.arrays)))
    rows = like((LINES, job.batch), jnp.int32, BY_ROWS)
    numbers = like((), jnp.int32, P()), like((LINES,), jnp.float32), like((LINES, 0), jnp.float32)
    return steps.compiled_text(state, data, rows, *numbers)


def counted(text: str) -> tuple[Counter[str], Counter[tuple[str, str]]]:
    """Kernels by kind, and megabytes written by kind and shape, both per training step: what stands in the loop of steps."""
    computations: dict[str, list[re.Match[str]]] = {}
    entry = name = ""
    for line in text.splitlines():
        if head := re.match(r"(ENTRY )?%?([\w.\-]+) \(.*\) -> .* \{", line):
            name = head[2]
            computations[name] = []
            entry = name if head[1] else entry
        elif found := _INSTRUCTION.match(line):
            computations[name].append(found)
    kernels: Counter[str] = Counter()
    written: Counter[tuple[str, str]] = Counter()

    def walk(name: str, times: int, depth: int) -> None:
        for one in computations.get(name, ()):
            operation, rest = one["operation"], one["rest"]
            if operation == "while":
                trips = re.search(r'known_trip_count":\{"n":"(\d+)"', rest)
                body = re.search(r"body=%?([\w.\-]+)", rest)
                assert body is not None
                walk(body[1], times * (int(trips[1]) if trips and depth else 1), depth + 1)
            elif operation in ("call", "conditional"):
                for called in re.findall(r"(?:to_apply|calls)=%?([\w.\-]+)", rest):
                    walk(called, times, depth)
            elif operation not in NO_KERNELS and depth:
                kind = re.sub(r"[.\d]+$", "", one["name"]) if operation == "fusion" else operation
                kernels[kind] += times
                written[kind, one["shape"]] += times * size_of(one["shape"]) / 1e6  # type: ignore[assignment]

    walk(entry, 1, 0)
    return kernels, written


def size_of(shape: str) -> int:
    """Bytes of an array or of a tuple of them, as HLO writes it: `(f32[128,512]{1,0}, s32[])`."""
    arrays = re.findall(r"(\w+)\[([\d,]*)\]", shape)
    return sum(BYTES.get(kind, 4) * math.prod(int(n) for n in sizes.split(",") if n) for kind, sizes in arrays)


if __name__ == "__main__":
    main()
