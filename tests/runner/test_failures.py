"""A framework's own words never come first: a plain sentence does, and what it says is the detail."""

from __future__ import annotations

import errno
import subprocess
import sys
import types
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from seqdec_gui.runner.failures import failure, job_sentence, plain_sentence
from seqdec_gui.runs.crash import MEMORY_SENTENCE
from seqdec_gui.runs.tasks import PriorTask


def raised(error: Exception, module: str) -> Exception:
    """The exception as a function of this module raises it."""
    scope = types.ModuleType(module).__dict__
    exec("def compute(error):\n    raise error\n", scope)
    compute: Callable[[Exception], None] = scope["compute"]
    with pytest.raises(type(error)) as caught:
        compute(error)
    return caught.value


@pytest.mark.parametrize(
    ("text", "sizes"),
    [
        (
            "Dimensions must be equal, but are 75 and 127 for '{{node sub}} = Sub' with input shapes: [8,75], [8,127].",
            "75 and 127",
        ),
        ("Incompatible shapes: [8,75,22] vs. [8,127,22] [Op:Sub]", "[8,75,22] and [8,127,22]"),
        ("sub got incompatible shapes for broadcasting: (8, 75), (8, 127).", "(8, 75) and (8, 127)"),
        (
            'Input 0 of layer "Dense_3" is incompatible with the layer: expected axis -1 of input shape to have value 5, but '
            "received input with shape (None, 7)",
            "layer Dense_3: 5 and (None, 7)",
        ),
    ],
)
def test_sizes_that_differ_are_named_before_the_words_of_the_framework(text: str, sizes: str) -> None:
    sentence = plain_sentence(raised(ValueError(text), "tensorflow.python.ops"), "The training failed")
    assert sentence.startswith("The training failed: two sizes that must be equal differ")
    assert sizes in sentence.partition("TensorFlow says")[0]
    assert text[:30] in sentence.partition("TensorFlow says")[2]


def test_other_errors_of_a_framework_are_said_to_be_its_own() -> None:
    event = failure(raised(ValueError("Exception encountered when calling GRU.call().\n\nNo kernel."), "keras.src.layers"))
    assert event.sentence.startswith("The training failed: Keras could not compute the model at layer GRU.")
    assert event.sentence.endswith("It says: ValueError: No kernel. The log tells where.")
    assert "No kernel" in event.details


def test_an_error_of_our_own_is_called_a_bug() -> None:
    sentence = plain_sentence(raised(KeyError("model_2"), "seqdec_gui.runner.loop"), "The job failed")
    assert sentence == "The job failed because of a bug in this program. Python says: KeyError: 'model_2'."


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (OSError(errno.ENOSPC, "No space left on device", "/t/model.py"), "The disk is full: free some space (/t/model.py), then"),
        (OSError(errno.EFBIG, "File too large", "/t/model.py"), "A file cannot be used (/t/model.py): File too large."),
        (PermissionError(errno.EACCES, "Permission denied", "/t"), "A file may not be written or read (/t): change"),
        (OSError(errno.ENOMEM, "Cannot allocate memory"), MEMORY_SENTENCE),
        (KeyError("model_2"), "The job failed because of a bug in this program."),
    ],
)
def test_what_stops_a_job_from_outside_is_not_called_a_bug(error: Exception, said: str) -> None:
    assert job_sentence(error).startswith(said)


def test_a_task_says_why_it_failed_where_its_log_has_no_room(tmp_path: Path) -> None:
    """The log lies in the folder for temporary files, which is full as often as the disk that is written to."""
    task = PriorTask(path=str(tmp_path / "no.prior"), folder=str(tmp_path))
    with Path("/dev/full").open("w") as log:
        done = subprocess.run(
            [sys.executable, "-m", "seqdec_gui.runner.task"], input=msgspec.json.encode(task) + b"\n", stdout=subprocess.PIPE,
            stderr=log, timeout=120, check=False,
        )  # fmt: skip
    answer = msgspec.json.decode(done.stdout.splitlines()[-1])
    assert "is no such file; give the path of a prior" in answer["sentence"]
