"""The engine on JAX."""

from seqdec_gui.runner.engines.jax.engine import JaxEngine

__all__ = ["JaxEngine"]
