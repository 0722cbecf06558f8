"""Files that Keras or HDF5 would open: none runs code, reads other files, or claims more memory than it holds."""

from __future__ import annotations

import json
import py_compile
import sys
import zipfile
from collections.abc import Callable
from importlib.util import cache_from_source
from pathlib import Path
from types import ModuleType
from typing import Any

import h5py
import numpy as np
import pytest

from seqdec_gui.domain.design import Block
from seqdec_gui.domain.kinds.keras_model import KerasModel
from seqdec_gui.domain.problems import InvalidInput, SeqdecError
from seqdec_gui.domain.source import SourceError
from seqdec_gui.runner import checkpoints
from seqdec_gui.runner.keras_safety import fail_if_unsafe
from seqdec_gui.runner.program import load_build
from seqdec_gui.runner.script_files import find_keras_file
from seqdec_gui.runs.checkpoint_file import HEAD_BYTES, head
from tests.runner import designs

DENSE = {"class_name": "Functional", "config": {"layers": [{"class_name": "Dense", "config": {"name": "lambda"}}]}}


def hdf5(path: Path, fill: Callable[[h5py.File], None] = lambda file: None, config: Any = DENSE) -> Path:
    with h5py.File(path, "w") as file:
        file.attrs["model_config"] = json.dumps(config)
        file["weights/dense/kernel"] = np.ones((3, 2), np.float32)
        fill(file)
    return path


def archive(path: Path, weights: Path | None = None, config: Any = DENSE, extra: str = "") -> Path:
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("config.json", json.dumps(config))
        if weights is not None:
            file.write(weights, "model.weights.h5")
        if extra:
            file.writestr(extra, "x")
    return path


def external_link(file: h5py.File) -> None:
    file["weights/dense/bias"] = h5py.ExternalLink("/etc/secret.h5", "/x")


def external_values(file: h5py.File) -> None:
    file.create_dataset("weights/dense/bias", (4,), "u1", external=[("/etc/hostname", 0, 4)])


def virtual_values(file: h5py.File) -> None:
    layout = h5py.VirtualLayout((4,), "f4")
    layout[:] = h5py.VirtualSource("/etc/secret.h5", "x", (4,))
    file.create_virtual_dataset("weights/dense/bias", layout)


def bomb(file: h5py.File) -> None:
    file.create_dataset("weights/dense/bias", (1 << 40,), "f4")


def compressed_bomb(file: h5py.File) -> None:
    file.create_dataset(
        "weights/dense/bias", (1 << 25,), "f4", chunks=(1 << 20,), compression="gzip", data=np.zeros(1 << 25, "f4")
    )


def circle(file: h5py.File) -> None:
    file["weights/again"] = file["weights"]
    file["weights/soft"] = h5py.SoftLink("/weights")
    file["nowhere"] = h5py.SoftLink("/not/there")


FAULTS: dict[str, tuple[Callable[[h5py.File], None], str]] = {
    "external link": (external_link, "is a link to the file '/etc/secret.h5'"),
    "external values": (external_values, "has its values in another file"),
    "virtual values": (virtual_values, "has its values in another file"),
    "claimed": (bomb, "claims 4,398,046,511,104 bytes, of which 0 are stored"),
    "compressed": (compressed_bomb, "claims 134,217,728 bytes"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_hdf5_file_that_reaches_out_is_refused(name: str, tmp_path: Path) -> None:
    fill, why = FAULTS[name]
    h5 = hdf5(tmp_path / "a.h5", fill)
    for path in (h5, archive(tmp_path / "a.keras", h5)):
        with pytest.raises(InvalidInput) as caught:
            fail_if_unsafe(path)
        assert why in str(caught.value)
        assert path.name in str(caught.value)


def test_ordinary_files_pass(tmp_path: Path) -> None:
    h5 = hdf5(tmp_path / "a.h5", circle)
    fail_if_unsafe(h5)
    fail_if_unsafe(archive(tmp_path / "a.keras", h5))


@pytest.mark.parametrize("name", ["Lambda", "TorchModuleWrapper", "TFSMLayer", "__lambda__"])
def test_code_is_found_however_deep_it_lies(name: str, tmp_path: Path) -> None:
    inner = {
        "class_name": "Sequential",
        "config": {"layers": [{"class_name": "TimeDistributed", "config": {"layer": {"class_name": name}}}]},
    }
    config = {"class_name": "Functional", "config": {"layers": [inner]}}
    for path in (hdf5(tmp_path / "a.h5", config=config), archive(tmp_path / "a.keras", config=config)):
        with pytest.raises(InvalidInput, match="would run code from the file"):
            fail_if_unsafe(path)


@pytest.mark.parametrize("name", ["../../evil", "/etc/evil", "assets/../../evil"])
def test_archive_that_would_be_unpacked_elsewhere_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="outside of its folder"):
        fail_if_unsafe(archive(tmp_path / "a.keras", extra=name))


def test_archive_that_unpacks_to_far_more_than_is_stored_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.keras"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("config.json", json.dumps(DENSE))
        with file.open("model.weights.h5", "w", force_zip64=True) as member:
            for _ in range(80):
                member.write(bytes(1 << 20))

    with pytest.raises(InvalidInput, match=r"'model\.weights\.h5' in it claims 83,886,080 bytes, of which [\d,]+ are stored"):
        fail_if_unsafe(path)


def test_damaged_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.h5"
    path.write_bytes(hdf5(tmp_path / "b.h5").read_bytes()[:600])
    with pytest.raises(InvalidInput, match="damaged, or no Keras file"):
        fail_if_unsafe(path)


def test_training_looks_at_an_imported_file_before_keras_does(tmp_path: Path) -> None:
    from seqdec_gui.runner.script_files import write_script
    from tests.domain.test_hostile_designs import imported

    hdf5(tmp_path / "trained.h5", external_link)
    wanted = imported()
    kind = wanted.block("trained").parameters
    assert isinstance(kind, KerasModel)
    changed = wanted.with_parameters("trained", KerasModel("trained.h5", "", kind.model_inputs, kind.model_outputs))
    with pytest.raises(InvalidInput, match="is a link to the file"):
        write_script(changed, tmp_path / "model.py", [tmp_path])
    assert not (tmp_path / "model.py").exists()


def test_relative_file_is_still_found(tmp_path: Path) -> None:
    kind = KerasModel("sub/a.keras")
    (tmp_path / "sub").mkdir()
    path = archive(tmp_path / "sub" / "a.keras")

    assert find_keras_file(Block("a", kind), kind, "a.keras", [tmp_path]) == path


# -- checkpoints
class Variable:
    name, shape, dtype = "kernel", (3, 2), "float32"

    def assign(self, value: Any) -> None:
        raise AssertionError("nothing of a bad checkpoint is used")


class Layer:
    name = "dense"
    variables = (Variable(),)


class Model:
    layers = (Layer(),)


def checkpoint(path: Path, fill: Callable[[h5py.File], None], sealed: bool = True) -> Path:
    """A checkpoint with the right check sum: whoever can write the file can write the sum."""
    import zlib

    with h5py.File(path, "w", userblock_size=HEAD_BYTES) as file:
        file.attrs["format"] = 1
        file.attrs["progress"] = "{}"
        file.require_group("weights")
        fill(file)
    content = path.read_bytes()[HEAD_BYTES:]
    path.write_bytes(head(zlib.crc32(content)) + content if sealed else content)
    return path


def text_weights(file: h5py.File) -> None:
    file["weights/block/dense/00 kernel"] = np.full((3, 2), b"x")


def linked_weights(file: h5py.File) -> None:
    file["weights/block/dense/00 kernel"] = h5py.ExternalLink("/etc/secret.h5", "/x")


def huge_weights(file: h5py.File) -> None:
    file.create_dataset("weights/block/dense/00 kernel", (1 << 30, 1 << 10), "f4")


def group_for_weights(file: h5py.File) -> None:
    file.create_group("weights/block/dense/00 kernel")


def group_for_layer(file: h5py.File) -> None:
    file["weights/block"] = np.zeros(3)


def odd_format(file: h5py.File) -> None:
    file.attrs["format"] = [1, 2]


def odd_progress(file: h5py.File) -> None:
    file["weights/block/dense/00 kernel"] = np.zeros((2, 3), np.float32)
    file.attrs["progress"] = 7


@pytest.mark.parametrize(
    "fill", [text_weights, linked_weights, huge_weights, group_for_weights, group_for_layer, odd_format, odd_progress]
)
def test_checkpoint_that_is_none_is_refused_before_any_weight_changes(
    fill: Callable[[h5py.File], None], tmp_path: Path
) -> None:
    path = checkpoint(tmp_path / "best.weights.h5", fill)
    models: Any = {"block": Model()}
    for load in (lambda: checkpoints.load_weights(models, path), lambda: checkpoints.load_initial(path, models)):
        with pytest.raises(InvalidInput):
            load()


# -- scripts
@pytest.fixture
def stub_keras(monkeypatch: pytest.MonkeyPatch) -> None:
    keras: Any = ModuleType("keras")
    keras.layers, keras.Model = ModuleType("keras.layers"), object
    monkeypatch.setitem(sys.modules, "keras", keras)
    monkeypatch.setitem(sys.modules, "keras.layers", keras.layers)


def test_compiled_code_beside_a_script_is_never_run(tmp_path: Path, stub_keras: None) -> None:
    """Python itself would take an unchecked `.pyc` for the script's code."""
    script = designs.write_script(designs.stack(), tmp_path)
    evil = tmp_path / "evil.py"
    evil.write_text(f"from pathlib import Path\nPath({str(tmp_path / 'pwned')!r}).touch()\ndef build(): return 'evil'\n")
    compiled = cache_from_source(str(script))
    py_compile.compile(str(evil), compiled, invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH)
    build = load_build(script)

    assert not (tmp_path / "pwned").exists()
    assert build.__code__.co_filename == str(script)  # type: ignore[attr-defined]


def test_script_that_was_not_generated_is_not_run(tmp_path: Path, stub_keras: None) -> None:
    script = designs.write_script(designs.stack(), tmp_path)
    script.write_text(script.read_text() + f"\nopen({str(tmp_path / 'pwned')!r}, 'w')\n")

    with pytest.raises(SourceError):
        load_build(script)
    assert not (tmp_path / "pwned").exists()


def test_missing_script_is_said_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(SeqdecError, match="Expected a Python script"):
        load_build(tmp_path / "model.py")
