"""Words for numbers, in sentences for the user."""

from __future__ import annotations


def counted(number: int, thing: str) -> str:
    """`1 row`, `2,000 rows`."""
    return f"{number:,} {thing}{'' if number == 1 else 's'}"
