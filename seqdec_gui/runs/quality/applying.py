"""Which measures apply to what a design generates, from its plan of generating and the codec of its targets."""

from __future__ import annotations

from typing import NamedTuple

from seqdec_gui.data.codecs import FittedCategory, FittedIds, FittedText
from seqdec_gui.data.fitted import Fitted
from seqdec_gui.domain.dataflow import inputs_behind, sources_of
from seqdec_gui.domain.design import Design
from seqdec_gui.domain.generation import Plan, Stepwise, plan_for
from seqdec_gui.domain.problems import InvalidInput, Problem
from seqdec_gui.domain.quality import MEASURES
from seqdec_gui.domain.shapes import infer
from seqdec_gui.domain.wording import listed
from seqdec_gui.runs.quality.measures import missing_packages


class Subject(NamedTuple):
    """What a design generates: how, the codec of its targets, and whether rows give it inputs."""

    plan: Plan
    codec: object
    has_inputs: bool

    @property
    def measures(self) -> tuple[str, ...]:
        """The measures that apply.

        Molecules are measured where the targets are text of characters or of tokens of SMILES; whether it is SMILES only the
        rows tell. Without inputs nothing is generated for a row, so nothing can be compared with its target.
        """
        if self.plan.numbers:
            return tuple(name for name, measure in MEASURES.items() if measure.compares == "numbers" and self.has_inputs)
        wanted = set[str]()
        if self.has_inputs and isinstance(self.codec, FittedText | FittedIds | FittedCategory):
            wanted = {"tokens", "text"} if isinstance(self.codec, FittedText) else {"tokens"}
        if isinstance(self.codec, FittedText) and self.codec.tokens != "words" and not self.codec.lowercase:
            wanted.add("molecules")
        names = [name for name, measure in MEASURES.items() if measure.compares in wanted]
        return tuple(name for name in names if name != "token_error_rate" or not isinstance(self.codec, FittedCategory))


def subject_of(design: Design, fitted: Fitted) -> Subject:
    """Return what a design generates. Raises InvalidInput where it cannot generate, or the run has no data for its targets."""
    inference = infer(design)
    plan = plan_for(design, inference)
    feed = next((feed for feed in fitted.feeds if feed.name == plan.loss), None)
    if feed is None:
        raise InvalidInput(f"The run has no data for {plan.loss}, so nothing can be compared with it.", "not_fitted", plan.loss)
    if isinstance(plan, Stepwise):
        given = inputs_behind(design, sources_of(design, plan.decoder, leave_out=("inputs",)))
    else:
        given = inputs_behind(design, [plan.port])
    return Subject(plan, fitted.port(feed.array).codec, bool(given))


def quality_problems(design: Design, fitted: Fitted) -> tuple[Problem, ...]:
    """Return errors for measures of the training that do not apply, or need a package that is not installed."""
    names = design.training.measures
    if not names:
        return ()
    try:
        subject = subject_of(design, fitted)
    except InvalidInput as error:
        text = "The quality of what is generated is to be measured, and the design cannot generate"
        return tuple(
            Problem("error", "bad_measure", "training.quality", f"{text}: {problem.text}", problem.hint)
            for problem in error.problems
        )
    wrong = [name for name in names if name not in subject.measures]
    if not wrong:
        return tuple(missing_packages(names))
    which = listed([MEASURES[name].title for name in wrong])
    what = "numbers" if subject.plan.numbers else "sequences without inputs" if not subject.has_inputs else "symbols"
    text = f"{which} cannot be measured, because the model generates {what}."
    possible = ", ".join(subject.measures)
    hint = f"Measure {possible}." if possible else "Measure nothing."
    where = "training.quality" if set(wrong) & set(design.training.quality) else "training.monitor"
    return (Problem("error", "bad_measure", where, text, hint),)
