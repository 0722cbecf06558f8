"""Rows of `seqdec-gui bench` as bars, in SVG: per size the first of this program's engines is 1, the others are parts of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any
from xml.sax.saxutils import escape

WIDTH, NAMES, FIGURES = 720, 180, 170
"""Of the picture, of the names at the left, and of the figures at the right, in pixels."""
BAR, GAP, HEADING = 18, 8, 34
OWN, OTHER = "#2f6fde", "#9aa4b2"


def drawn(rows: Sequence[Mapping[str, Any]]) -> str:
    """The text of an SVG file; it follows the viewer's light or dark scheme."""
    lines, y = [], 0
    for (size, batch, devices), group in groupby(rows, lambda row: (row["size"], row["per_device_batch"], row["devices"])):
        members = list(group)
        y += HEADING
        lines.append(_text(0, y - 10, f"{size}, {batch} rows per device, {devices}", "heading"))
        for line in _bars(members, y):
            lines.append(line)
        y += len(members) * (BAR + GAP)
    style = (
        "text{font:13px sans-serif;fill:#1f2430}.heading{font-weight:600}.end{text-anchor:end}"
        "@media(prefers-color-scheme:dark){text{fill:#e6e9ef}}"
    )
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {y}" width="{WIDTH}" height="{y}">'
    return "\n".join([head, f"<style>{style}</style>", *lines, "</svg>", ""])


def _bars(rows: Sequence[Mapping[str, Any]], top: int) -> Iterator[str]:
    room = WIDTH - NAMES - FIGURES
    most = max(row["samples_per_s"] for row in rows)
    own = next((row for row in rows if row["who"].startswith("seqdec-gui")), rows[0])
    for place, row in enumerate(rows):
        y = top + place * (BAR + GAP)
        width = max(1.0, room * row["samples_per_s"] / most)
        colour = OWN if row["who"].startswith("seqdec-gui") else OTHER
        yield _text(NAMES - 10, y + BAR - 5, row["who"], "end")
        yield f'<rect x="{NAMES}" y="{y}" width="{width:.1f}" height="{BAR}" rx="3" fill="{colour}"/>'
        ratio = row["samples_per_s"] / own["samples_per_s"]
        yield _text(NAMES + width + 8, y + BAR - 5, f"{row['samples_per_s']:,.0f} samples/s, {ratio:.2f}", "")


def _text(x: float, y: float, text: str, style: str) -> str:
    return f'<text x="{x:.0f}" y="{y:.0f}" class="{style}">{escape(text)}</text>'
