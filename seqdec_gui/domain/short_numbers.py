"""Numbers and times, written short."""

from __future__ import annotations

from seqdec_gui.domain.quality import SHARES, measure_of


def compact(number: float) -> str:
    """Format a number briefly: `950`, `12.5k`, `3M`."""
    for limit, suffix in ((1e9, "G"), (1e6, "M"), (1e4, "k")):
        if abs(number) >= limit:
            scale = 1e3 if suffix == "k" else limit
            return f"{number / scale:.4g}{suffix}"
    return f"{number:.4g}"


def clock(seconds: float) -> str:
    """Format seconds as a clock: `0:07`, `12:30`, `3:05:00`, with a minus sign for negative seconds."""
    whole = round(abs(seconds))
    sign = "-" if seconds < 0 and whole else ""
    hours, minutes = whole // 3600, whole // 60 % 60
    return f"{sign}{hours}:{minutes:02}:{whole % 60:02}" if hours else f"{sign}{minutes}:{whole % 60:02}"


def duration(seconds: float) -> str:
    """Format seconds as a duration: `8 s`, `4 min 10 s`, `2 h 5 min`, `3 d 4 h`."""
    whole = round(seconds)
    for unit, (big, small), size, part in (
        (86400, ("d", "h"), 86400, 3600),
        (3600, ("h", "min"), 3600, 60),
        (60, ("min", "s"), 60, 1),
    ):
        if whole >= unit:
            rest = whole % size // part
            return f"{whole // size} {big} {rest} {small}" if rest else f"{whole // size} {big}"
    return f"{whole} s"


def value_text(metric: str, value: float | None) -> str:
    """A metric's value as the legend and the tables write it."""
    if value is None:
        return "not finite"
    plain = metric.removeprefix("val_")
    if plain == "samples_per_s":
        return f"{value:,.0f}"
    if "accuracy" in plain or measure_of(metric) in SHARES:
        return f"{value:.1%}"
    return f"{value:.4g}"
