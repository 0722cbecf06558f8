import pytest

from seqdec_gui.domain.document import load
from seqdec_gui.domain.edit import set_value
from seqdec_gui.domain.problems import errors
from seqdec_gui.resource_files import path
from seqdec_gui.runs.readiness import batch_problems, readiness
from seqdec_gui.runs.spec import DeviceChoice


@pytest.fixture
def roman():
    return load(path("examples/roman.seqdec"))


def test_a_bundled_example_is_ready(roman):
    assert errors(readiness(roman, path("examples"), DeviceChoice("cpu"))) == ()


def test_everything_that_is_missing_is_found_at_once(roman, tmp_path):
    design = set_value(set_value(roman, "training.batch_size", "63"), "data.file", "nowhere.csv")
    design = design.with_data(type(design.data)(file=design.data.file))
    codes = {problem.code for problem in errors(readiness(design, tmp_path, DeviceChoice("cpu", count=2)))}
    assert codes == {"unbound_port", "data_missing", "batch_devices"}


@pytest.mark.parametrize(
    ("batch", "count", "hint"),
    [(64, 2, None), (64, 1, None), (64, 3, "Set it to 63 or 66."), (2, 3, "Set it to 3."), (7, 2, "Set it to 6 or 8.")],
)
def test_a_batch_must_divide_among_the_devices_and_the_nearest_are_named(roman, batch, count, hint):
    training = set_value(roman, "training.batch_size", str(batch)).training
    problems = batch_problems(training, DeviceChoice("cpu", count=count))
    assert [problem.hint for problem in problems] == ([] if hint is None else [hint])


@pytest.mark.parametrize(
    ("name", "words"), [(".", "is a folder"), ("a.xls", "is a .xls file"), ("a", "a file without an ending")]
)
def test_what_can_be_no_data_is_refused_before_a_run_is_made(roman, tmp_path, name, words):
    if name != ".":
        (tmp_path / name).write_text("")
    (problem,) = errors(readiness(set_value(roman, "data.file", name), tmp_path, DeviceChoice("cpu")))
    assert words in problem.text
    assert ".parquet" in problem.text
