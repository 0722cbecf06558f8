"""What came of one format when a model was exported in all of them."""

from __future__ import annotations

import msgspec


class FormatResult(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Files and figures as in `runs.tasks.Exported`, or the `sentence` that says why there are none.

    `limit`: the format cannot carry the model, or is not installed; otherwise the export failed.
    """

    format: str
    paths: tuple[str, ...] = ()
    difference: float | None = None
    rows: int = 0
    bytes: int = 0
    seconds: float = 0.0
    sentence: str = ""
    limit: bool = False
