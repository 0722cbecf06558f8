"""The moving averages of weights that an optimizer keeps (`optimizers`), without importing a framework."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


def averages(optimizer: Any) -> Iterator[tuple[Any, Any]]:
    """Yield every variable that is trained with its moving average; nothing if none is kept."""
    if kept := getattr(optimizer, "averages", ()):
        yield from zip(optimizer.averaged, kept, strict=True)
