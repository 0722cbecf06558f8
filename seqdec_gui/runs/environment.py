"""Makes the environment variables of a child, which select engine, devices and memory before its Python starts."""

from __future__ import annotations

import site
import sys
import sysconfig
from collections.abc import Mapping
from pathlib import Path

import seqdec_gui
from seqdec_gui.runs.engines import engine_info
from seqdec_gui.runs.jax_environment import HOST_DEVICES
from seqdec_gui.runs.spec import Placement

_DROPPED = (
    "KERAS_BACKEND",
    "CUDA_VISIBLE_DEVICES",
    "JAX_PLATFORMS",
    "JAX_PLATFORM_NAME",
    "JAX_NUM_CPU_DEVICES",
    "TF_CONFIG",
    "TF_USE_LEGACY_KERAS",
    "PYTHONSTARTUP",
    "PYTHONHASHSEED",
    "LC_ALL",
)
"""Variables of the parent that children do not inherit."""

_FIXED = {
    "CUDA_DEVICE_ORDER": "PCI_BUS_ID",  # the order in which nvidia-ml-py numbers the GPUs
    "TF_FORCE_GPU_ALLOW_GROWTH": "true",
    "XLA_PYTHON_CLIENT_PREALLOCATE": "false",
    "LC_NUMERIC": "C",
    "PYTHONUTF8": "1",
    "PYTHONUNBUFFERED": "1",
    "PYTHONFAULTHANDLER": "1",
    "PYTHONSAFEPATH": "1",  # nothing is imported from the working folder
}
"""Variables that every child has."""

_DEFAULTS = {
    "TF_CPP_MIN_LOG_LEVEL": "1",
    "OPENBLAS_NUM_THREADS": "1",  # children share the cores; of BLAS they need small factorizations
    "JAX_TRACEBACK_IN_LOCATIONS_LIMIT": "0",  # XLA would print the Python stack of every operation, for profilers
}
"""Variables that every child has unless the user has set them."""

_NO_TENSOR_FLOAT_32 = {"NVIDIA_TF32_OVERRIDE": "0"}
"""The variable that cuBLAS and cuDNN read when they are loaded, to multiply in full float32."""


def child_environment(
    placement: Placement, base: Mapping[str, str], *, brief: bool = False, exact: bool = False
) -> dict[str, str]:
    """Return the whole environment of a child.

    Variables of `_DEFAULTS` and `XLA_FLAGS` that the user has set are kept.

    Args:
        placement: The child's devices and engine.
        base: The environment of the parent.
        brief: Whether the child lives only for seconds, so that it should compile fast rather than well.
        exact: Whether the child multiplies in full float32 on GPUs.

    Raises InvalidInput where this version does not know the engine.
    """
    devices, engine = placement.devices, engine_info(placement.engine)
    environment = _DEFAULTS | {name: value for name, value in base.items() if name not in _DROPPED}
    environment.update(_FIXED)
    if base.get("LC_ALL"):
        environment["LANG"] = base["LC_ALL"]
    environment["KERAS_BACKEND"] = engine.backend
    on_gpu = devices.kind == "gpu"
    environment["CUDA_VISIBLE_DEVICES"] = ",".join(map(str, devices.gpus)) if on_gpu else "-1"
    environment["JAX_PLATFORMS"] = "cpu"  # so that JAX does not use the GPUs if another engine's child imports it
    flags = [flag for flag in base.get("XLA_FLAGS", "").split() if not flag.startswith(HOST_DEVICES)]
    _set(environment, "XLA_FLAGS", " ".join(flags))
    environment.update(engine.variables(devices, environment, brief))
    if exact and on_gpu:
        environment.update(_NO_TENSOR_FLOAT_32 | dict(engine.exact_variables))
    _set(environment, "PYTHONPATH", _python_path(base.get("PYTHONPATH", "")))
    return environment


def _set(environment: dict[str, str], name: str, value: str) -> None:
    if value:
        environment[name] = value
    else:
        environment.pop(name, None)


def working_folder() -> Path:
    """Return the working folder of children, which is never a run folder, because that may come from elsewhere.

    Libraries search the working folder: XLA runs a compiler at `cuda_sdk_lib/bin/ptxas` if there is one.
    """
    home = Path.home()
    return home if home.is_dir() else Path(home.anchor)


def with_package(base: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of a child that runs a command of this package."""
    environment = dict(base)
    _set(environment, "PYTHONPATH", _python_path(base.get("PYTHONPATH", "")))
    return environment


def _python_path(before: str) -> str:
    """Return a PYTHONPATH with which a child imports this package from a checkout; an installed one needs no entry."""
    entries = [str(Path(entry).absolute()) for entry in before.split(":") if entry]
    root = Path(seqdec_gui.__file__).resolve().parents[1]
    if str(root) not in entries and root not in _installed_in():
        entries.insert(0, str(root))
    return ":".join(entries)


def _installed_in() -> set[Path]:
    folders = [*site.getsitepackages(), site.getusersitepackages(), *sysconfig.get_paths().values()]
    return {Path(folder).resolve() for folder in folders if folder != sys.prefix}
