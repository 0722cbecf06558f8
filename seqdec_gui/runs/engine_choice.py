"""Which engine trains a run. Looks only at what is installed: nothing heavy is imported."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import seqdec_gui
from seqdec_gui.domain.problems import InvalidInput
from seqdec_gui.runs.spec import DeviceChoice, EngineChoice, EngineName

_GPU_PLUGINS = ("jax_cuda13_plugin", "jax_cuda12_plugin")


def choose_engine(wish: EngineChoice, devices: DeviceChoice) -> tuple[EngineName, str]:
    """The engine for these devices and a sentence that says why. Raises InvalidInput where none can be used.

    `auto`: JAX if it is installed with support for the devices, otherwise TensorFlow.
    """
    usable = {name: missing(name, devices) for name in ("jax", "tensorflow")}
    if wish != "auto":
        if usable[wish]:
            raise InvalidInput(f"The engine {wish} cannot be used: {usable[wish]}", "engine_missing", "engine")
        return wish, f"{wish} was asked for."
    if not usable["jax"]:
        return "jax", "JAX is installed with support for the devices."
    if not usable["tensorflow"]:
        return "tensorflow", f"JAX cannot be used: {usable['jax']}"
    raise InvalidInput(f"No engine can be used: {usable['tensorflow']} {usable['jax']}", "engine_missing", "engine")


def missing(engine: EngineName, devices: DeviceChoice) -> str:
    """Why an engine cannot be used on these devices, and what to install; empty where it can."""
    if not _exists(engine):
        return f"this version has no {engine} engine."
    if find_spec(engine) is None:
        return f"{engine} is not installed (pip install {_PACKAGES[engine]})."
    if engine == "jax" and devices.kind == "gpu" and not any(find_spec(plugin) for plugin in _GPU_PLUGINS):
        return "JAX is installed without GPU support (pip install 'seqdec-gui[gpu]')."
    return ""


def _exists(engine: EngineName) -> bool:
    engines = Path(seqdec_gui.__file__).parent / "runner" / "engines"
    return (engines / f"{engine}.py").exists() or (engines / engine / "__init__.py").exists()


_PACKAGES: dict[EngineName, str] = {"tensorflow": "tensorflow", "jax": "'seqdec-gui[jax]'"}
