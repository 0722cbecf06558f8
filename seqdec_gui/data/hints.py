"""Parts of hints that name a setting, as designs and `--set` at the shell take it."""

from __future__ import annotations

LEAVE_OUT = "leave such rows out of a training (data.faulty_rows=leave_out)"


def codec_setting(port: str, setting: str) -> str:
    """Return a setting of the codec of a port such as `loss.targets`: `loss.codec.longer=truncate`."""
    return f"{port.partition('.')[0]}.codec.{setting}"
