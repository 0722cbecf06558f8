"""The environment variables of a child that trains with JAX."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from seqdec_gui.runs.spec import DeviceChoice

HOST_DEVICES = "--xla_force_host_platform_device_count"
"""The XLA flag for virtual CPU devices; one that a user has set is dropped."""
_TILINGS = "--xla_gpu_experimental_cost_model_gemm_tiling_options"
_FEW_TILINGS = f"{_TILINGS}=top=2,top_from_default=1"
"""XLA compiles and times a dozen kernels for every matrix product, on all cores. These are the two that its model of costs puts
first, nearly as fast (docs/decisions/0017-brief-children-try-few-kernels.md).
"""
_KNOW_TILINGS = ((0, 10, 1), (0, 13))
"""From which version of jaxlib to before which: XLA ends the process at a flag that it does not know."""
_SHARDY_CRASHES = (0, 11, 2)
"""The version of jaxlib whose partitioner ends the process with SIGSEGV, compiling loops for several CPU devices; 0.11.1 and
0.12.0 do not. JAX has another, older one (`JAX_USE_SHARDY_PARTITIONER`).
"""
_PARTITIONER = "JAX_USE_SHARDY_PARTITIONER"


def variables(devices: DeviceChoice, environment: Mapping[str, str], brief: bool) -> Mapping[str, str]:
    """Platform, flags of XLA and its partitioner, added to an `environment` without the flag `HOST_DEVICES`.

    What the user has set stays. JAX fails where GPUs were chosen and it has none, rather than train on the CPU.
    """
    on_gpu, flags = devices.kind == "gpu", environment.get("XLA_FLAGS", "")
    found = {"JAX_PLATFORMS": "cuda,cpu" if on_gpu else "cpu"}
    if not on_gpu:
        found["XLA_FLAGS"] = f"{flags} {HOST_DEVICES}={devices.count}".strip()
        if _jaxlib_version() == _SHARDY_CRASHES and _PARTITIONER not in environment:
            found[_PARTITIONER] = "0"
    elif brief and _TILINGS not in flags and _KNOW_TILINGS[0] <= _jaxlib_version() < _KNOW_TILINGS[1]:
        found["XLA_FLAGS"] = f"{flags} {_FEW_TILINGS}".strip()
    return found


def _jaxlib_version() -> tuple[int, ...]:
    """Of the one that children will import; empty without one, and of one that was not released."""
    from importlib.metadata import PackageNotFoundError, version  # 40 modules, which only the parent of a child needs

    try:
        found = version("jaxlib")
    except PackageNotFoundError:
        return ()
    return tuple(map(int, found.split("."))) if re.fullmatch(r"[\d.]+", found) else ()
