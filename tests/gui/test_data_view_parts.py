"""What the Data tab is made of: remedies, edits and pictures."""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np
import pytest
from PyQt5.QtCore import QPoint
from pytestqt.qtbot import QtBot

from seqdec_gui import resource_files
from seqdec_gui.data.dataset import try_fit
from seqdec_gui.data.remedies import advice, remedies
from seqdec_gui.domain import data_edits as edits
from seqdec_gui.domain import document
from seqdec_gui.domain.bindings import Binding, BitsCodec, CategoryCodec, DataSource, IdsCodec, TextCodec
from seqdec_gui.domain.dataflow import data_ports
from seqdec_gui.domain.design import Block, Design, Link, Port
from seqdec_gui.domain.kinds.inputs import FloatSequence, Vector
from seqdec_gui.domain.kinds.loss import Loss
from seqdec_gui.domain.kinds.recurrent_decoder import RecurrentDecoder
from seqdec_gui.domain.kinds.recurrent_encoder import RecurrentEncoder
from seqdec_gui.gui.pages.data.recent_data import recent_data, remember_data
from seqdec_gui.gui.widgets.array_pictures import IdsPicture, MatrixPicture, NumbersPicture, square_side


@pytest.fixture
def archetype() -> Design:
    return document.load(resource_files.path("templates/latent-to-sequence.seqdec"))


def offered(design: Design, folder: Path, arrays: dict[str, np.ndarray], *bindings: Binding) -> dict[str, Design]:
    """The remedies for all problems of these bindings: words and design."""
    np.savez(folder / "rows.npz", **arrays)
    design = design.with_data(DataSource("rows.npz", bindings=bindings))
    trial = try_fit(design.data, data_ports(design), folder)
    found = {}
    for problem in trial.problems:
        for at in trial.bound:
            if problem.where == at.port.port or problem.where == f"{at.port.taught}.targets":
                found.update({remedy.text: remedy.design for remedy in remedies(design, at, problem)})
    return found


# -- remedies: every one is tried again, and the problem is gone
def test_digits_on_a_vector_port_are_offered_as_bits_then_the_width(archetype: Design, tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    arrays = {"fp": np.array(["".join(row) for row in random.choice(["0", "1"], (40, 16))])}
    found = offered(archetype, tmp_path, arrays, Binding("latent", "fp"))
    bits = found["Read the digits as a vector of bits"]
    again = offered(bits, tmp_path, arrays, *bits.data.bindings)
    assert list(again) == ["Set width = 16"]
    assert offered(again["Set width = 16"], tmp_path, arrays, *bits.data.bindings) == {}


def test_a_few_fingerprints_that_could_be_labels_are_offered_as_bits(archetype: Design, tmp_path: Path) -> None:
    np.savez(tmp_path / "rows.npz", fp=np.array(["0101", "1100", "0011"] * 10))
    design = archetype.with_data(DataSource("rows.npz", bindings=(Binding("latent", "fp"),)))
    trial = try_fit(design.data, data_ports(design), tmp_path)
    (hint,) = advice(design, trial.bound[0], trial.fits[0])
    assert hint.remedy.text == "Read the digits as a vector of bits"
    assert isinstance(hint.remedy.design.data.bindings[0].codec, BitsCodec)


def test_text_that_is_too_long_lengthens_the_input(archetype: Design, tmp_path: Path) -> None:
    arrays = {"text": np.array(["ab" * 20, "b"] * 10)}
    found = offered(archetype, tmp_path, arrays, Binding("model_2.inputs", "text"))
    assert list(found) == ["Set length = 41", "Cut longer rows", "Leave such rows out"]
    again = offered(found["Set length = 41"], tmp_path, arrays, Binding("model_2.inputs", "text"))
    assert again == {}


def test_ids_beyond_the_symbols_widen_input_and_output(archetype: Design, tmp_path: Path) -> None:
    arrays = {"ids": np.random.default_rng(0).integers(0, 50, (20, 34))}
    arrays["ids"][0, 0] = 49
    found = offered(archetype, tmp_path, arrays, Binding("model_2.inputs", "ids", IdsCodec()))
    assert list(found) == ["Set symbols = 50 and output_units = 50"]
    assert offered(*found.values(), tmp_path, arrays, Binding("model_2.inputs", "ids", IdsCodec())) == {}


def test_an_id_that_looks_like_padding_is_taken_for_it_on_request(archetype: Design, tmp_path: Path) -> None:
    ids = np.random.default_rng(0).integers(1, 22, (20, 34))
    ids[np.arange(34) >= np.arange(10, 30)[:, None]] = 0
    found = offered(archetype, tmp_path, {"ids": ids}, Binding("model_2.inputs", "ids"))
    assert list(found) == ["Take id 0 for padding"]
    (design,) = found.values()
    assert design.data.bindings == (Binding("model_2.inputs", "ids", IdsCodec(0)),)
    assert offered(design, tmp_path, {"ids": ids}, *design.data.bindings) == {}


def test_a_vector_of_another_width_sets_the_width(archetype: Design, tmp_path: Path) -> None:
    arrays = {"x": np.random.default_rng(0).normal(size=(20, 5)), "y": np.arange(20.0)}
    assert list(offered(archetype, tmp_path, arrays, Binding("latent.output", "x"))) == ["Set width = 5"]
    assert list(offered(archetype, tmp_path, arrays, Binding("latent.output", "y"))) == ["Set width = 1"]


def test_more_labels_than_places_set_the_width(archetype: Design, tmp_path: Path) -> None:
    narrow = archetype.with_parameters("latent", Vector(width=2))
    arrays = {"label": np.array(["red", "green", "blue", "red"] * 5)}
    found = offered(narrow, tmp_path, arrays, Binding("latent.output", "label", CategoryCodec()))
    assert list(found) == ["Set width = 3"]


def test_a_sequence_of_another_shape_sets_length_and_features(tmp_path: Path) -> None:
    blocks = (Block("series", FloatSequence(length=3, features=1)), Block("encoder", RecurrentEncoder()))
    design = Design(blocks, (Link(Port("series", "output"), Port("encoder", "inputs")),))
    arrays = {"x": np.random.default_rng(0).normal(size=(20, 7, 2))}
    found = offered(design, tmp_path, arrays, Binding("series.output", "x"))
    assert list(found) == ["Set length = 7 and features = 2"]


def test_targets_that_are_too_long_lengthen_a_repeating_decoder(tmp_path: Path) -> None:
    decoder = RecurrentDecoder(mode="repeat_vector", length=4, output_units=9)
    blocks = (Block("code", Vector(width=2)), Block("decoder", decoder), Block("loss", Loss()))
    links = (
        Link(Port("code", "output"), Port("decoder", "code")),
        Link(Port("decoder", "outputs"), Port("loss", "predictions")),
    )
    arrays = {"text": np.array(["abcdefg", "b"] * 10)}
    found = offered(Design(blocks, links), tmp_path, arrays, Binding("loss.targets", "text", TextCodec()))
    assert "Set length = 8" in found


# -- edits
def test_a_column_is_exchanged_in_place_and_keeps_its_codec(archetype: Design) -> None:
    ports = data_ports(archetype)
    latent, decoder = ports[0], ports[1]
    design = edits.with_columns(archetype, ports, decoder, ("smiles",))
    design = edits.with_codec(design, ports, decoder, TextCodec(reverse=True))
    design = edits.with_columns(design, ports, latent, ("a", "b"))
    design = edits.with_columns(design, ports, decoder, ("selfies",))
    assert design.data.bindings == (
        Binding("model_2.inputs", "selfies", TextCodec(reverse=True)),
        Binding("latent.output", ("a", "b")),
    )
    assert edits.with_columns(design, ports, decoder, ()).data.bindings == (Binding("latent.output", ("a", "b")),)
    assert edits.teacher_of(design, ports, ports[2]) == decoder
    assert [edits.object_name(port) for port in ports] == ["latent_output", "model_2_inputs", "loss_targets"]


def test_a_binding_by_another_name_of_the_port_is_found(archetype: Design) -> None:
    ports = data_ports(archetype)
    data = msgspec.structs.replace(archetype.data, bindings=(Binding("decoder_inputs.output", "x"),))
    design = archetype.with_data(data)
    assert edits.binding_of(design, ports, ports[1]) == Binding("decoder_inputs.output", "x")
    assert edits.with_columns(design, ports, ports[1], ("y",)).data.bindings == (Binding("decoder_inputs.output", "y"),)


def test_recent_files_are_kept_the_last_one_first(tmp_path: Path) -> None:
    paths = [tmp_path / f"{number}.csv" for number in range(12)]
    for path in paths:
        path.write_text("a\n1\n", encoding="utf-8")
        remember_data(path)
    remember_data(paths[5])
    paths[11].unlink()
    assert [path.stem for path in recent_data()][:3] == ["5", "10", "9"]
    assert len(recent_data()) <= 10


# -- pictures
def test_an_image_of_many_symbols_loses_no_one(qtbot: QtBot) -> None:
    values = np.zeros((4, 2000), np.float32)
    for step, symbol in enumerate((3, 500, 1500, 1999)):
        values[step, symbol] = 1.0
    picture = MatrixPicture(values)
    qtbot.addWidget(picture)
    picture.resize(300, picture.heightForWidth(300))
    image = picture.grab().toImage()
    shown = {image.pixelColor(x, y).name() for x in range(image.width()) for y in range(image.height())}
    assert picture.height() < 320
    painted = [
        x
        for x in range(image.width())
        if any(image.pixelColor(x, y).blue() > 200 > image.pixelColor(x, y).red() for y in range(image.height()))
    ]
    assert len(shown) > 1
    assert {(x - 1) // 18 for x in painted} == {0, 1, 2, 3}


def test_the_value_under_the_mouse_is_named(qtbot: QtBot) -> None:
    picture = MatrixPicture(np.eye(3, dtype=np.float32), ("a", "b", "c"), ("A", "B", "C"))
    qtbot.addWidget(picture)
    picture.resize(200, picture.heightForWidth(200))
    wide, high, left, _ = picture._geometry(200)
    assert picture.words_at(QPoint(int(left + 1.5 * wide), int(1.5 * high))) == "step 2, 1 (B): 1"
    assert picture.words_at(QPoint(199, 1)) == ""


@pytest.mark.parametrize("width", [60, 300, 2000])
def test_pictures_find_room_for_everything(qtbot: QtBot, width: int) -> None:
    for picture in (
        MatrixPicture(np.zeros((33, 44), np.float32)),
        MatrixPicture(np.zeros((400, 3), np.float32)),
        IdsPicture(np.arange(50), tuple("abc")),
        IdsPicture(np.arange(600), ()),
        NumbersPicture(np.arange(1000.0)),
    ):
        qtbot.addWidget(picture)
        picture.resize(width, picture.heightForWidth(width))
        assert not picture.grab().isNull()
        assert 0 < picture.height() < 30_000


def test_only_squares_are_images() -> None:
    assert [square_side(width) for width in (64, 784, 16, 11, 9, 65)] == [8, 28, 4, 0, 0, 0]
