from pathlib import Path

import pytest

from seqdec_gui.domain.dataflow import data_ports
from seqdec_gui.domain.document import load
from seqdec_gui.domain.edit import set_value
from seqdec_gui.domain.problems import errors
from seqdec_gui.resource_files import path
from seqdec_gui.runs.batches import batch_problems, row_problems
from seqdec_gui.runs.readiness import readiness, stamps, try_data
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
    ("rows", "count", "hint"),
    [(64, 1, None), (63, 1, "Set it to 63 or less"), (63, 2, "Set it to 62 or less"), (1, 2, "Give at least 2 rows")],
)
def test_the_rows_must_fill_a_batch(roman, rows, count, hint):
    training = set_value(roman, "training.batch_size", "64").training
    problems = row_problems(training, DeviceChoice("cpu", count=count), rows)
    assert [problem.hint.partition(",")[0].rstrip(".") for problem in problems] == ([] if hint is None else [hint])


@pytest.mark.parametrize(
    ("name", "words"), [(".", "is a folder"), ("a.xls", "is a .xls file"), ("a", "a file without an ending")]
)
def test_what_can_be_no_data_is_refused_before_a_run_is_made(roman, tmp_path, name, words):
    if name != ".":
        (tmp_path / name).write_text("")
    (problem,) = errors(readiness(set_value(roman, "data.file", name), tmp_path, DeviceChoice("cpu")))
    assert words in problem.text
    assert ".parquet" in problem.text


def test_the_data_of_an_example_fits_and_its_file_is_known_again(roman):
    trial, before = try_data(roman.data, data_ports(roman), path("examples"))
    assert errors(trial.problems) == ()
    assert before == stamps(roman.data, path("examples"))
    assert [Path(stamp.path).name for stamp in before] == ["roman.csv"]


def test_a_file_that_is_written_again_or_comes_or_goes_has_another_stamp(roman, tmp_path):
    design = set_value(roman, "data.file", "rows.csv")
    seen = {stamps(design.data, tmp_path)}
    for text in ("a\n1\n", "a\n12\n"):
        (tmp_path / "rows.csv").write_text(text)
        seen.add(stamps(design.data, tmp_path))
    assert len(seen) == 3
    (tmp_path / "rows.csv").unlink()
    assert stamps(design.data, tmp_path) in seen
    assert stamps(design.data, tmp_path / "nowhere") not in seen


def test_a_column_that_is_not_in_the_file_is_found_where_it_is_bound(roman, tmp_path):
    (tmp_path / "rows.csv").write_text("a,b\n1,x\n")
    trial, _ = try_data(set_value(roman, "data.file", "rows.csv").data, data_ports(roman), tmp_path)
    assert {problem.code for problem in errors(trial.problems)} == {"unknown_column"}


def test_a_file_in_the_home_folder_is_found_as_a_run_finds_it(roman, home):
    (home / "roman.csv").write_bytes(path("examples/data/roman.csv").read_bytes())
    design = set_value(roman, "data.file", "~/roman.csv")
    trial, before = try_data(design.data, data_ports(roman), path("examples"))
    assert errors(trial.problems) == ()
    assert before[0].path == str(home / "roman.csv")
