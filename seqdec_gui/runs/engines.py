"""The engines that train models: everything the program knows about each without importing its framework.

A new engine is a class (`runner.engines.base.Engine`), one row here, and its packages in setup.cfg.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import msgspec

from seqdec_gui.domain.problems import InvalidInput
from seqdec_gui.runs import jax_environment
from seqdec_gui.runs.engine_names import EngineName

if TYPE_CHECKING:
    from seqdec_gui.runs.spec import DeviceChoice

Variables = Callable[["DeviceChoice", Mapping[str, str], bool], Mapping[str, str]]
"""A function `(devices, environment so far, brief)` that returns further environment variables of a child."""


def _no_variables(devices: DeviceChoice, environment: Mapping[str, str], brief: bool) -> Mapping[str, str]:
    return {}


class EngineInfo(msgspec.Struct, frozen=True, kw_only=True):
    """One engine. `"module:name"` strings point to code of the runner, which only a child imports.

    - `name`: as in `--engine`, `spec.json` and events. `title`: what users call it.
    - `backend`: the Keras backend (`KERAS_BACKEND`) of a child.
    - `engine`: the class, a `runner.engines.base.Engine`.
    - `begin`: a function `(devices) -> None` that a child calls before it reads rows, to start what takes long; "": none.
    - `leading`: the engine of process 0 of a run on several hosts, a subclass of `engine`; "": it trains in one process.
    - `following`: a function `(addresses, number, processes, devices) -> None` that trains under it as another process.
    - `compiler`: a function `(model, function) -> function` that compiles inference (`runner.decoding.compiled`); "": none.
    - `packages`: the framework's import names. The first must be installed; their exceptions are the framework's.
    - `install`: what `pip install` takes to install the framework.
    - `distributions`: packages whose versions a run records.
    - `gpu_plugins`: modules of which one must be installed for GPUs; empty where the framework needs none.
    - `gpu_distributions`: packages that come with them; their versions are part of what a measurement holds for.
    - `gpu_install`: what `pip install` takes to install GPU support.
    - `variables`: further environment variables of a child.
    - `exact_variables`: environment variables that keep a child's matrix products in full float32 on GPUs.
    - `unused_packages`: packages that Keras imports wherever they are installed, and that a child can do without.
    - `builds_without_compiling`: whether building a Keras model runs no compiler. Such a framework is preferred for short jobs,
      builds on the device that runs the model, and can try an export in the training process.
    - `rematerialises`: whether it can compute activations again in place of keeping them (`training.rematerialise`).
    - `own_recurrent_loops`: whether the engine computes recurrent layers itself and is faster without cuDNN.
    - `faster_on_cpu_from_rows`: the batch from which it is the fastest engine on one CPU, as a rule; None: never.
    - `longer_gpu_start_s`: how much longer a training on GPUs takes to start than a probe, which tries fewer kernels.
    """

    name: EngineName
    title: str
    backend: str
    engine: str
    packages: tuple[str, ...]
    install: str
    distributions: tuple[str, ...]
    begin: str = ""
    leading: str = ""
    following: str = ""
    compiler: str = ""
    gpu_plugins: tuple[str, ...] = ()
    gpu_distributions: tuple[str, ...] = ()
    gpu_install: str = ""
    variables: Variables = _no_variables
    exact_variables: Mapping[str, str] = {}
    unused_packages: tuple[str, ...] = ()
    builds_without_compiling: bool = False
    rematerialises: bool = False
    own_recurrent_loops: bool = False
    faster_on_cpu_from_rows: int | None = None
    longer_gpu_start_s: float = 0.0


_JAX = EngineInfo(
    name="jax",
    title="JAX",
    backend="jax",
    engine="seqdec_gui.runner.engines.jax.engine:JaxEngine",
    begin="seqdec_gui.runner.engines.jax.start:begin",
    leading="seqdec_gui.runner.engines.jax.leading:LeadingEngine",
    following="seqdec_gui.runner.engines.jax.following:follow",
    compiler="seqdec_gui.runner.engines.jax.inference:compiled",
    packages=("jax", "jaxlib"),
    install="'seqdec-gui[jax]'",
    distributions=("jax", "jaxlib"),
    gpu_plugins=("jax_cuda13_plugin", "jax_cuda12_plugin"),
    gpu_distributions=("jax-cuda12-plugin", "jax-cuda13-plugin"),
    gpu_install="'seqdec-gui[gpu]'",
    variables=jax_environment.variables,
    exact_variables={"JAX_DEFAULT_MATMUL_PRECISION": "highest"},
    unused_packages=("requests",),  # for a callback that reports to a web server; TensorFlow itself needs it
    rematerialises=True,
    own_recurrent_loops=True,
    longer_gpu_start_s=10.0,  # docs/performance.md
)
_TENSORFLOW = EngineInfo(
    name="tensorflow",
    title="TensorFlow",
    backend="tensorflow",
    engine="seqdec_gui.runner.engines.tensorflow:TensorFlowEngine",
    compiler="seqdec_gui.runner.engines.tensorflow:compiled",
    packages=("tensorflow",),
    install="tensorflow",
    distributions=("tensorflow",),
    builds_without_compiling=True,
    faster_on_cpu_from_rows=512,  # docs/parallelism.md
)
ENGINES: dict[EngineName, EngineInfo] = {info.name: info for info in (_JAX, _TENSORFLOW)}
"""Every engine by name, the one that trains fastest as a rule first."""


def engine_info(name: EngineName) -> EngineInfo:
    """Return the row of an engine. Raises InvalidInput for a name that this version does not know."""
    if name not in ENGINES:
        text = f"Expected an engine that this version has ({', '.join(ENGINES)}), received {name!r}."
        raise InvalidInput(f"{text} Choose one of them with --engine, or upgrade seqdec-gui.", "unknown_engine", "engine")
    return ENGINES[name]


def cluster_engine() -> EngineInfo:
    """Return the engine that trains on several hosts."""
    return next(info for info in ENGINES.values() if info.leading)


def engine_title(name: EngineName) -> str:
    """Return what users call an engine; its name if this version does not know it."""
    return ENGINES[name].title if name in ENGINES else name


def of_backend(backend: str) -> EngineInfo | None:
    """Return the engine that runs on this Keras backend; None if there is none."""
    return next((info for info in ENGINES.values() if info.backend == backend), None)


def framework_packages() -> frozenset[str]:
    """Return the import names of every engine's framework."""
    return frozenset(package for info in ENGINES.values() for package in info.packages)


def measured_distributions() -> tuple[str, ...]:
    """Return the packages that decide how fast a step is: Keras, the frameworks and their GPU support."""
    return ("keras", *(name for info in ENGINES.values() for name in (*info.distributions, *info.gpu_distributions)))
