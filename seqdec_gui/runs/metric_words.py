"""What a metric of a run is called where people read it; events and files keep the names of docs/run_folder.md."""

from __future__ import annotations

from seqdec_gui.domain.quality import MEASURES, measure_of

_OWN_WORDS = {"samples_per_s": "samples/s", "loss_loss": "loss alone"}


def in_words(metric: str) -> str:
    """Short enough for a legend: `loss`, `val token acc.`; of a block that is called a loss `char loss`, not `char loss loss`.

    `loss` is the sum of all terms, so the term of a block called `loss` is `loss alone`. Measures of what was generated freely
    are `free exact match`, without `val`: they are always of validation rows.
    """
    if name := measure_of(metric):
        return f"free {MEASURES[name].title}"
    plain = metric.removeprefix("val_")
    words = _OWN_WORDS.get(plain, plain.replace("_", " ").replace("accuracy", "acc."))
    if words.endswith(" loss") and "loss" in words.removesuffix(" loss").split():
        words = words.removesuffix(" loss")
    return words if plain == metric else f"val {words}"
