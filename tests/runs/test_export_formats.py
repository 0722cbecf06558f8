"""The registry of export formats: rows that can be used, names that are refused, and the path that an export writes."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqdec_gui.domain.problems import InvalidInput
from seqdec_gui.runner.export import writer_of
from seqdec_gui.runner.exports.base import Writer
from seqdec_gui.runs import export_formats
from seqdec_gui.runs.export_formats import (
    EXPORT_FORMATS,
    export_format,
    fail_unless_installed,
    file_to_write,
    has_suffix_of,
    holds,
    not_installed,
    with_ending_of,
)


@pytest.mark.parametrize("name", EXPORT_FORMATS)
def test_a_row_has_a_writer_an_opener_and_endings_of_its_own(name: str) -> None:
    row = EXPORT_FORMATS[name]
    writer = writer_of(row)
    assert isinstance(writer, Writer)
    module, _, function = writer.opener.partition(":")
    assert callable(getattr(import_module(module), function))
    assert all(suffix.startswith(".") and suffix == suffix.lower() for suffix in row.suffixes)
    assert row.proposed_ending.endswith(row.suffixes)
    assert [other.name for other in EXPORT_FORMATS.values() if other.proposed_ending == row.proposed_ending] == [name]
    assert row.use
    assert not row.extra or row.needs
    assert not row.instead or row.instead in EXPORT_FORMATS
    assert not row.tried_at_start or type(writer).try_out is not Writer.try_out


@pytest.mark.parametrize("name", ["pickle", "torch", "", "H5"])
def test_a_format_that_this_version_does_not_have_is_refused_with_those_that_it_has(name: str) -> None:
    with pytest.raises(InvalidInput, match=r"is not available; available are h5, keras, keras2-h5, .*, script") as caught:
        export_format(name)
    assert [problem.code for problem in caught.value.problems] == ["no_such_format"]


STEMS = st.text(st.characters(categories=["L", "N"], include_characters="._- "), min_size=1, max_size=8)


FILES = sorted(name for name, row in EXPORT_FORMATS.items() if not row.marker)


@given(st.sampled_from(FILES), STEMS, st.data())
def test_a_name_is_written_with_the_ending_in_lower_case_and_nothing_else_changes(
    name: str, stem: str, data: st.DataObject
) -> None:
    row = EXPORT_FORMATS[name]
    suffix = data.draw(st.sampled_from(row.suffixes))
    given_suffix = "".join(data.draw(st.sampled_from([letter, letter.upper()])) for letter in suffix)
    given_path = Path("/folder") / f"x{stem}{given_suffix}"
    written = file_to_write(given_path, row)
    assert written == Path("/folder") / f"x{stem}{suffix}"
    assert file_to_write(written, row) == written
    assert has_suffix_of(written, row)


def test_a_folder_is_taken_by_the_formats_that_name_a_file_for_it() -> None:
    assert file_to_write(Path("/there"), EXPORT_FORMATS["script"]) == Path("/there/model.py")
    with pytest.raises(InvalidInput, match=r"ends with \.h5 or \.hdf5, got there"):
        file_to_write(Path("/there"), EXPORT_FORMATS["h5"])


def test_a_format_that_is_a_folder_takes_any_name() -> None:
    row = EXPORT_FORMATS["savedmodel"]
    assert file_to_write(Path("/there/mine"), row) == Path("/there/mine")
    assert with_ending_of(Path("/there/mine.onnx"), row) == Path("/there/mine.savedmodel")


@given(st.sampled_from(sorted(EXPORT_FORMATS)), st.sampled_from(sorted(EXPORT_FORMATS)), STEMS)
def test_the_ending_of_another_format_takes_the_place_of_the_whole_ending(first: str, second: str, stem: str) -> None:
    before, after = EXPORT_FORMATS[first], EXPORT_FORMATS[second]
    path = Path("/folder") / f"x{stem}{before.proposed_ending}"
    changed = with_ending_of(path, after)
    assert changed == with_ending_of(changed, after)
    assert with_ending_of(changed, before) == path or any(
        stem.lower().endswith(each.strip(".")) for each in (".keras2", ".bundle")
    )


def test_a_missing_package_is_named_with_the_command_that_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export_formats, "find_spec", lambda name: None)
    for name, words in (("onnx", "seqdec-gui[onnx]"), ("keras2-h5", "seqdec-gui[keras2]"), ("tflite", "seqdec-gui[tflite]")):
        with pytest.raises(InvalidInput, match="Install it with: pip install") as caught:
            fail_unless_installed(EXPORT_FORMATS[name])
        assert words in str(caught.value)
        assert [problem.code for problem in caught.value.problems] == ["format_not_installed"]
    assert not_installed(EXPORT_FORMATS["h5"]) == ""


def test_a_script_holds_all_blocks_or_one_step_and_a_bundle_everything() -> None:
    assert [holds(EXPORT_FORMATS["script"], part) for part in ("full", "encoder", "one-step", "initial-states")] == [
        True,
        False,
        True,
        False,
    ]
    assert [holds(EXPORT_FORMATS["bundle"], part) for part in ("full", "encoder", "one-step")] == [True, False, False]
    assert all(holds(EXPORT_FORMATS["onnx"], part) for part in ("full", "encoder", "one-step", "initial-states"))
