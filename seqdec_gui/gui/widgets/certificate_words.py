"""The verdict of a certificate as a word, a colour and a tooltip."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from seqdec_gui.gui.look import theme

if TYPE_CHECKING:
    from seqdec_gui.runs.certificate import Certificate

Verdict = Literal["", "equal", "not_equal", "uncertified"]
WORDS: dict[Verdict, str] = {"": "", "equal": "Equal", "not_equal": "Not equal", "uncertified": "Not certified"}
"""The word of each verdict."""


def verdict_of(certificate: Certificate | None, devices: int) -> Verdict:
    """Return the verdict on a run with this number of devices; empty for one device without a certificate."""
    if certificate is not None:
        return "equal" if certificate.passed else "not_equal"
    return "uncertified" if devices > 1 else ""


def verdict_text(certificate: Certificate | None, devices: int) -> str:
    """Return the verdict in words: `Equal`, `Not equal: decoder`, `Not certified`, or nothing."""
    verdict = verdict_of(certificate, devices)
    if certificate is not None and verdict == "not_equal" and certificate.culprit:
        return f"{WORDS[verdict]}: {certificate.culprit}"
    return WORDS[verdict]


def verdict_color(verdict: Verdict) -> str:
    look = theme.current()
    return {"equal": look.ok, "not_equal": look.error}.get(verdict, look.text_dim)


def verdict_tip(certificate: Certificate | None, devices: int) -> str:
    """Return a tooltip with the largest differences, and what to do about them."""
    if certificate is None:
        return "These devices have not been compared with one of them yet." if devices > 1 else ""
    lines = [f"{certificate.devices} and {certificate.reference}, {certificate.steps} steps of batch {certificate.batch_size}"]
    lines.append(certificate.rows_sentence)
    lines += [f"{what}: {difference}" for what, difference, _ in differences(certificate)]
    if certificate.culprit:
        lines.append(f"It begins in block {certificate.culprit}: {certificate.cause}")
    elif certificate.cause:
        lines.append(certificate.cause)
    if certificate.repair_text:
        lines.append(certificate.repair_text)
    return "\n".join(lines)


def differences(certificate: Certificate) -> list[tuple[str, str, str]]:
    """Return for each comparison: what was compared, the largest difference, and its place or its limit."""
    rows = [("Predictions", digits(certificate.prediction_difference), f"allowed {certificate.tolerance:.0e}")]
    rows.append(("Weights", digits(certificate.weight_difference), certificate.weight))
    for name, value in certificate.metric_differences.items():
        block, _, metric = name.rpartition("/")
        rows.append((metric.replace("_", " ").capitalize(), digits(value), f"block {block}" if block else "all terms together"))
    if certificate.neutral:
        names = ", ".join(certificate.neutral)
        rows.append(("Weights without effect", digits(certificate.neutral_difference), names))
    return rows


def digits(difference: float | None) -> str:
    return "not a number" if difference is None else "0" if difference == 0 else f"{difference:.1e}"
