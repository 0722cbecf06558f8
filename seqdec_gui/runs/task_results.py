"""What tasks answer: their results, and why they failed. The tasks are in `runs.tasks`."""

from __future__ import annotations

import math
from typing import Any, Literal, TypeAlias

import msgspec

from seqdec_gui.domain.problems import Problem
from seqdec_gui.domain.scaling import Scaling
from seqdec_gui.runs.format_result import FormatResult
from seqdec_gui.runs.model_description import ArrayDescription, LayerDescription
from seqdec_gui.runs.task_names import WeightsInUse
from seqdec_gui.runs.weight_rows import WeightRow


class Tagged(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", forbid_unknown_fields=True):
    pass


class Exported(Tagged, frozen=True, kw_only=True, tag="exported"):
    """The files written, and the largest difference between the reopened model and the trained one on `rows` rows.

    `standardised`: what is not in the numbers of the data. The rows take `seconds` reopened, and `keras_seconds` in Keras.
    `weights` says which weights they are where the run has kept a moving average, and is None where it has none.
    """

    paths: tuple[str, ...]
    difference: float | None = None
    rows: int = 0
    standardised: tuple[Scaling, ...] = ()
    bytes: int = 0
    seconds: float = 0.0
    keras_seconds: float = 0.0
    weights: WeightsInUse | None = None


class ExportedAll(Tagged, frozen=True, kw_only=True, tag="exported_all"):
    """One result per format, in the order of the task; `standardised`, `keras_seconds` and `weights` as in `Exported`."""

    results: tuple[FormatResult, ...]
    standardised: tuple[Scaling, ...] = ()
    keras_seconds: float = 0.0
    weights: WeightsInUse | None = None


class Generated(Tagged, frozen=True, kw_only=True, tag="generated"):
    """The file written, how many rows it has, and the first of them: (row, sample, text, log-probability).

    `unfinished` sequences were cut at the greatest length. `refused` rows could not be decoded; the file says why.
    `agreements` has a sentence about each property of molecules that was asked for: how well the samples have it.
    """

    path: str
    samples: int
    preview: tuple[tuple[int, int, str, float | None], ...] = ()
    unfinished: int = 0
    refused: int = 0
    agreements: tuple[str, ...] = ()


class ErrorsFound(Tagged, frozen=True, kw_only=True, tag="errors_found"):
    """The files written, and what is wrong in short: `runs.quality.errors.Errors`, with the first lines of its tables.

    `confused` are (target, generated, times), `worst` are (row, input, target, generated, edits). `rate` is what the error rate
    is called, and `short` its abbreviation.
    """

    paths: tuple[str, ...]
    rows: int
    exact: int
    error_rate: float | None
    rate: str
    short: str
    substitutions: int
    insertions: int
    deletions: int
    confused: tuple[tuple[str, str, int], ...] = ()
    worst: tuple[tuple[int, str, str, str, int], ...] = ()


SCORE_COLUMNS = ("row", "text", "log_probability", "symbols")
"""Columns of a file of scores."""
SYMBOL_COLUMNS = ("symbol_texts", "symbol_log_probabilities")
"""Further columns: the symbols of each sequence, and log p of each; numbers with spaces between them in CSV."""
CANDIDATES_COLUMN = "candidates"
"""A column of JSON Lines: for each step what the sequence has, and the likeliest symbols (`runs.quality.errors.StepChoice`)."""
AGAINST_COLUMNS = ("log_probability_against", "difference")
"""The log-likelihood under another model, and how much more likely the sequence is under this one."""
AGAINST_PROBLEM = "against_problem"
"""Why the other model cannot score a sequence; the column is there if there is such a row."""


class Scored(Tagged, frozen=True, kw_only=True, tag="scored"):
    """The file written, and the sums over its `rows`: `symbols` that count, end symbols too, and their log-likelihood.

    `refused` rows could not be scored; the file says why. `compared` rows were scored under another model too; their
    log-likelihoods under this one and under the other are `compared_log_probability` and `against_log_probability`.
    """

    path: str
    rows: int
    symbols: int
    log_probability: float
    refused: int = 0
    compared: int = 0
    compared_log_probability: float = 0.0
    against_log_probability: float = 0.0

    @property
    def perplexity(self) -> float:
        """exp(-log-likelihood / symbols); NaN without symbols, infinity beyond the greatest float."""
        if not self.symbols:
            return math.nan
        mean = -self.log_probability / self.symbols
        return math.exp(mean) if mean < 700 else math.inf


class Attended(Tagged, frozen=True, kw_only=True, tag="attended"):
    """The file written, its `rows`, and the title and number of heads of each map; `refused` rows could not be read."""

    path: str
    rows: int
    maps: tuple[tuple[str, int], ...] = ()
    refused: int = 0


class Encoded(Tagged, frozen=True, kw_only=True, tag="encoded"):
    """The file written, its `rows` of `width` numbers each, and the outputs that they are of; `refused` rows have no code."""

    path: str
    rows: int
    width: int
    ports: tuple[str, ...]
    refused: int = 0


class Evaluated(Tagged, frozen=True, kw_only=True, tag="evaluated"):
    """Metrics by name over `rows` rows."""

    metrics: dict[str, float | None]
    rows: int


class Inspected(Tagged, frozen=True, kw_only=True, tag="inspected"):
    """What a Keras file holds, and its check sum (SHA-256, hexadecimal).

    `file` is the path of a file that was written for Keras 3, and empty where the file itself is read. `difference` is the
    largest between its predictions and those of Keras 2; None where they were not compared.
    """

    name: str
    inputs: tuple[ArrayDescription, ...]
    outputs: tuple[ArrayDescription, ...]
    layers: tuple[LayerDescription, ...]
    parameters: int
    trainable: int
    sha256: str = ""
    file: str = ""
    difference: float | None = None


class Divided(Tagged, frozen=True, kw_only=True, tag="divided"):
    """The blocks of a divided model, as in a design document, and their links.

    `inputs` says for every input of the model which ports take it (`block.port`), `outputs` which port gives an output.
    `closed` are the blocks that stay closed models, each with the reason as a sentence.
    """

    design: dict[str, Any]
    inputs: dict[str, tuple[str, ...]]
    outputs: dict[str, str]
    closed: dict[str, str] = {}


class WeightsFound(Tagged, frozen=True, kw_only=True, tag="weights_found"):
    """What of a file goes into which layer of a block, and the layers of the file that are not used.

    `part` is the part of the file that was taken, `parts` all that it has ("" for all of a file, `encoder` for a model inside
    it), `fitting` those that fit with other weights than those of `part`, and itself. `sha256` is the check sum of the file.
    If it was asked for, `file` is what was written, with its check sum, and `parameters` how many numbers the block has.
    """

    rows: tuple[WeightRow, ...]
    left_out: tuple[str, ...] = ()
    part: str = ""
    parts: tuple[str, ...] = ()
    fitting: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    sha256: str = ""
    file: str = ""
    file_sha256: str = ""
    parameters: int = 0

    @property
    def fits(self) -> bool:
        """Whether every layer of the block gets weights."""
        return all(row.how for row in self.rows)

    @property
    def differing(self) -> tuple[WeightRow, ...]:
        """The rows whose layer computes something else with the weights than that of the file."""
        return tuple(row for row in self.rows if row.differs)


class PriorOpened(Tagged, frozen=True, kw_only=True, tag="prior_opened"):
    """The design that continues a prior, as a document, the block that has its weights, and its tokens, marks included."""

    design: dict[str, Any]
    block: str
    tokens: int
    parameters: int


class Probed(Tagged, frozen=True, kw_only=True, tag="probed"):
    """The end of a probe, whose measurements were sent before."""


class WeightName(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A variable of the trained model: its block, its path in Keras, and whether the optimizer changes it."""

    block: str
    path: str
    trainable: bool


class Trained(Tagged, frozen=True, kw_only=True, tag="trained"):
    """The training that a certificate compares; its arrays are in the task's `output`.

    `initial` is a check sum of the initial weights. The arrays are `w0`, `w1`, ... the weights, in the order of `weights`;
    `i0`, ... the same before the first step and `s0`, ... after it; `p0`, ... the predictions for every loss, for the first
    rows; and `losses`, the loss of every step.
    """

    weights: tuple[WeightName, ...]
    outputs: tuple[str, ...]
    metrics: dict[str, float | None]
    initial: str
    switched_off: tuple[str, ...] = ()
    data: Literal["real", "random"] = "random"


TaskResult: TypeAlias = (
    Exported
    | ExportedAll
    | Generated
    | Scored
    | Attended
    | Encoded
    | Evaluated
    | ErrorsFound
    | Inspected
    | Divided
    | WeightsFound
    | PriorOpened
    | Probed
    | Trained
)


class TaskFailed(Tagged, frozen=True, kw_only=True, tag="failed"):
    """The task failed: a sentence, or the problems of an invalid input; `details` is the traceback of a bug."""

    sentence: str
    problems: tuple[Problem, ...] = ()
    details: str = ""
    exit_status: int = 1
