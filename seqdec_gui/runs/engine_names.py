"""The types of engines' names, apart from the engines, whose rows need what `spec.json` holds."""

from __future__ import annotations

from typing import TypeAlias

EngineName: TypeAlias = str
"""A name of `runs.engines.ENGINES`. Files may hold one that this version does not know; `engine_info` refuses it where it is
used.
"""
EngineChoice: TypeAlias = str
"""An `EngineName`, or `auto`: the engine is chosen when a run starts."""
