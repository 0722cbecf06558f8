"""Draws rows of `seqdec-gui bench` as bars in SVG; ratios are relative to the first engine of this program in each group."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any
from xml.sax.saxutils import escape

WIDTH = 720
"""The width of the picture, in pixels."""

NAMES = 180
"""The width of the names at the left, in pixels."""

FIGURES = 170
"""The width of the figures at the right of the longest bar, in pixels."""

BAR = 18
"""The height of a bar, in pixels."""

GAP = 8
"""The distance between two bars, in pixels."""

HEADING = 34
"""The height of the heading of a group, in pixels."""

OWN = "#2f6fde"
"""The colour of the bars of this program."""

OTHER = "#9aa4b2"
"""The colour of all other bars."""


def drawn(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return the text of an SVG file, which follows the light or dark scheme of the viewer."""
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
