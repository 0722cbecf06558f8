"""PyTorch as an expert tunes it for GPUs: the whole training step, optimizer included, captured as one CUDA graph.

All rows wait on the device as small integers; a step is one replay, after the first row of its batch was copied into a scalar.
TensorFloat-32 is on, as in the product. On several devices each process captures its step with DistributedDataParallel and
SyncBatchNorm in it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

import torch
from torch import nn
from torch.nn import functional

from seqdec_gui.runner.bench.peer import measure, tell
from seqdec_gui.runner.bench.torch_ddp import Stack, join_group, run_on_all_devices
from seqdec_gui.runner.bench.work import Job, arrays

WARM_UP_STEPS = 11
"""Eager steps before the capture: DistributedDataParallel needs eleven (PyTorch's notes on CUDA graphs)."""


def train(rank: int, job: Job, port: int) -> None:
    """One process of `job.devices.replicas`."""
    count, device = job.devices.replicas, torch.device("cuda", rank)
    torch.cuda.set_device(rank)
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = True
    stream = torch.cuda.Stream()
    with join_group(rank, count, port, "nccl"):
        torch.manual_seed(0)
        model: Any = Stack(job.shape).to(device)
        if count > 1:
            model = nn.SyncBatchNorm.convert_sync_batchnorm(model)
            with torch.cuda.stream(stream):
                model = nn.parallel.DistributedDataParallel(model, device_ids=[rank])
        step, loss, first_row = captured(model, job, rank, stream)

        def epoch() -> float:
            total = torch.zeros((), device=device)
            for number in range(job.steps):
                first_row.fill_(number * job.per_device_batch)
                step()
                total += loss
            return float(total) / job.steps  # waits for the device

        found = measure(job, epoch)
    if rank == 0:
        tell(found)


def captured(model: Any, job: Job, rank: int, stream: torch.cuda.Stream) -> tuple[Callable[[], None], Any, Any]:
    """The training step as a graph to replay, the scalar that holds its loss, and the scalar that says where its rows begin."""
    device, batch, size = torch.device("cuda", rank), job.per_device_batch, job.shape
    rows = arrays(size, job.rows // job.devices.replicas, seed=rank)
    latent, x, y = (torch.from_numpy(rows[name]).to(device) for name in ("latent", "inputs", "targets"))
    symbols, places = torch.eye(size.inputs, device=device), torch.arange(batch, device=device)
    optimizer = torch.optim.Adam(model.parameters(), 1e-3, capturable=True, fused=True)
    first_row, loss = torch.zeros((), dtype=torch.long, device=device), torch.zeros((), device=device)

    def step() -> None:
        here = first_row + places
        with torch.autocast("cuda", torch.bfloat16) if job.precision == "bfloat16" else contextlib.nullcontext():
            predictions = model(latent[here], symbols[x[here].int()])
        found = functional.cross_entropy(predictions.float().transpose(1, 2), y[here].long())
        found.backward()
        optimizer.step()
        optimizer.zero_grad(set_to_none=False)
        loss.copy_(found.detach())

    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        for _ in range(WARM_UP_STEPS):
            step()
    torch.cuda.current_stream().wait_stream(stream)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        step()
    return graph.replay, loss, first_row


if __name__ == "__main__":
    run_on_all_devices(train)
