"""Judges constraints while they are typed: what of them the sequences of a trained model cannot be like."""

from __future__ import annotations

from seqdec_gui.data.codecs import FittedText
from seqdec_gui.data.written_symbols import told_symbols, written_ids
from seqdec_gui.domain.decoding import Constraints
from seqdec_gui.domain.problems import InvalidInput


def constraint_faults(codec: object, constraints: Constraints, width: int) -> dict[str, str]:
    """Return for each field of the constraints that cannot be met why, in the order of the fields.

    `codec` is that of the targets, `width` the number of symbols that are predicted. The rules are those by which sequences
    are generated.
    """
    faults = {}
    for name in ("allow", "forbid"):
        if text := getattr(constraints, name):
            try:
                written_ids(codec, text, width, name)
            except InvalidInput as error:
                faults[name] = _plainly(error)
    if constraints.prefix or constraints.prefix_column:
        name = "prefix" if constraints.prefix else "prefix_column"
        if isinstance(codec, FittedText) and (codec.reverse or codec.padding == "left"):
            how = "written in reverse" if codec.reverse else "padded on the left"
            faults[name] = f"The texts of the training were {how}, so that a beginning cannot be given."
        elif constraints.prefix:
            steps = codec.room if isinstance(codec, FittedText) else max(1, len(constraints.prefix))
            _, reasons = told_symbols(codec, [constraints.prefix], width, steps, None)
            if reasons:
                faults[name] = reasons[0]
    if isinstance(codec, FittedText) and constraints.min_length > codec.room + codec.end:
        faults["min_length"] = f"A sequence has at most {codec.room + codec.end} symbols, without an end mark."
    return faults


def _plainly(error: InvalidInput) -> str:
    return " ".join(problem.text for problem in error.problems)
