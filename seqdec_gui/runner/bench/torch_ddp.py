"""PyTorch as its users write it: an nn.LSTM stack under DistributedDataParallel with SyncBatchNorm, one process a device.

One-hot floats wait in pinned host memory and are copied at each step.
"""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Callable, Iterator
from typing import Any

import torch
import torch.distributed as dist
from torch import nn
from torch.nn import functional

from seqdec_gui.runner.bench.peer import given, measure, tell
from seqdec_gui.runner.bench.work import Job, Size, arrays


class Stack(nn.Module):
    """The same model by hand."""

    def __init__(self, size: Size) -> None:
        super().__init__()
        units, layers = size.units, size.layers
        self.dense = nn.ModuleList(nn.Linear(size.latent, units) for _ in range(2 * layers))
        self.dense_norm = nn.ModuleList(nn.BatchNorm1d(units) for _ in range(2 * layers))
        self.lstm = nn.ModuleList(nn.LSTM(units if i else size.inputs, units, batch_first=True) for i in range(layers))
        self.norm = nn.ModuleList(nn.BatchNorm1d(units) for _ in range(layers))
        self.out = nn.Linear(units, size.outputs)

    def forward(self, latent: Any, x: Any) -> Any:
        pairs = zip(self.dense, self.dense_norm, strict=True)
        states = [norm(functional.relu(dense(latent)))[None] for dense, norm in pairs]
        for i, (lstm, norm) in enumerate(zip(self.lstm, self.norm, strict=True)):
            x, _ = lstm(x, (states[2 * i], states[2 * i + 1]))
            x = norm(x.transpose(1, 2)).transpose(1, 2)
        return self.out(x)


def train(rank: int, job: Job, port: int) -> None:
    """One process of `job.devices.replicas`."""
    on_gpu, count = job.devices.kind == "gpu", job.devices.replicas
    device = torch.device("cuda", rank) if on_gpu else torch.device("cpu")
    if on_gpu:
        torch.cuda.set_device(rank)
    with join_group(rank, count, port, "nccl" if on_gpu else "gloo"):
        torch.manual_seed(0)
        model: Any = Stack(job.shape).to(device)
        if count > 1:
            if on_gpu:  # SyncBatchNorm has no CPU version
                model = nn.SyncBatchNorm.convert_sync_batchnorm(model)
            model = nn.parallel.DistributedDataParallel(model, device_ids=[rank] if on_gpu else None)
        optimizer, batch = torch.optim.Adam(model.parameters(), 1e-3), job.per_device_batch
        rows = {name: torch.from_numpy(array) for name, array in arrays(job.shape, job.rows // count, seed=rank).items()}
        data = [rows["latent"], functional.one_hot(rows["inputs"].long(), job.shape.inputs).float(), rows["targets"].long()]
        if on_gpu:
            data = [array.pin_memory() for array in data]

        def epoch() -> float:
            total = torch.zeros((), device=device)
            for i in range(0, len(data[0]), batch):
                latent, x, y = (array[i : i + batch].to(device, non_blocking=True) for array in data)
                loss = functional.cross_entropy(model(latent, x).transpose(1, 2), y)
                optimizer.zero_grad(set_to_none=True)
                loss.backward()
                optimizer.step()
                total += loss.detach()
            return float(total) * batch / len(data[0])  # waits for the device

        found = measure(job, epoch)
    if rank == 0:
        tell(found)


@contextlib.contextmanager
def join_group(rank: int, count: int, port: int, backend: str) -> Iterator[None]:
    """Within it the processes of a measurement know each other; alone, nothing is needed."""
    if count > 1:
        os.environ.update(MASTER_ADDR="127.0.0.1", MASTER_PORT=str(port))
        dist.init_process_group(backend, rank=rank, world_size=count)
    try:
        yield
    finally:
        if count > 1:
            dist.destroy_process_group()


def run_on_all_devices(train: Callable[[int, Job, int], None]) -> None:
    """`train(rank, job, port)` in a process a device, in this one where there is a single device."""
    job, _ = given()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    if job.devices.replicas == 1:
        train(0, job, port)
    else:
        torch.multiprocessing.spawn(train, (job, port), job.devices.replicas)


if __name__ == "__main__":
    run_on_all_devices(train)
