"""The environment variables of a child that trains with JAX."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from seqdec_gui.runs.spec import DeviceChoice

HOST_DEVICES = "--xla_force_host_platform_device_count"
"""The XLA flag for the number of virtual CPU devices; a value that the user has set is dropped."""
_TILINGS = "--xla_gpu_experimental_cost_model_gemm_tiling_options"
"""The XLA flag for the kernels that are tried for a matrix product."""
_FEW_TILINGS = f"{_TILINGS}=top=2,top_from_default=1"
"""The XLA flag for fewer kernels: XLA compiles and times a dozen for every matrix product, on all cores.

The two that XLA's cost model ranks first are nearly as fast (docs/decisions/0017-brief-children-try-few-kernels.md).
"""
_TILINGS_VERSIONS = ((0, 10, 1), (0, 13))
"""The versions of jaxlib, from the first to before the second, that know the flag; XLA ends the process at an unknown flag."""
_SHARDY_CRASHES = (0, 11, 2)
"""The version of jaxlib whose partitioner crashes with SIGSEGV when it compiles loops for several CPU devices.

0.11.1 and 0.12.0 do not. JAX can use an older partitioner instead (`JAX_USE_SHARDY_PARTITIONER`).
"""
_PARTITIONER = "JAX_USE_SHARDY_PARTITIONER"
"""The variable that selects the partitioner of JAX."""


def variables(devices: DeviceChoice, environment: Mapping[str, str], brief: bool) -> Mapping[str, str]:
    """Return the variables for JAX's platform, XLA's flags and its partitioner.

    `environment` is the child's so far, without the flag `HOST_DEVICES`; flags that the user has set in it are kept. With these
    variables JAX fails if GPUs were chosen and it has none, instead of training on the CPU. `brief` as in `child_environment`.
    """
    on_gpu, flags = devices.kind == "gpu", environment.get("XLA_FLAGS", "")
    jax_variables = {"JAX_PLATFORMS": "cuda,cpu" if on_gpu else "cpu"}
    if not on_gpu:
        jax_variables["XLA_FLAGS"] = f"{flags} {HOST_DEVICES}={devices.count}".strip()
        if _jaxlib_version() == _SHARDY_CRASHES and _PARTITIONER not in environment:
            jax_variables[_PARTITIONER] = "0"
    elif brief and _TILINGS not in flags and _TILINGS_VERSIONS[0] <= _jaxlib_version() < _TILINGS_VERSIONS[1]:
        jax_variables["XLA_FLAGS"] = f"{flags} {_FEW_TILINGS}".strip()
    return jax_variables


def _jaxlib_version() -> tuple[int, ...]:
    """Return the version of the installed jaxlib; empty if there is none, or if it is not a released version."""
    from importlib.metadata import PackageNotFoundError, version  # 40 modules, which only the parent of a child needs

    try:
        text = version("jaxlib")
    except PackageNotFoundError:
        return ()
    return tuple(map(int, text.split("."))) if re.fullmatch(r"[\d.]+", text) else ()
