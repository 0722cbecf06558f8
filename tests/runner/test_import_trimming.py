"""How a child's process starts and ends."""

import gc
import os
import subprocess
import sys

import pytest

import seqdec_gui.runner.__main__ as runner
from seqdec_gui.runner.import_trimming import garbage_collection_paused

COMPILER = """
import sys, threading

if "seqdec_gui.runner" in sys.orig_argv:
    threading.Thread(target=threading.Event().wait).start()  # as XLA compiles: nobody can interrupt it
    sys.stdout.write("all that was printed; ")
"""


def child(folder, *arguments, said=""):
    (folder / "sitecustomize.py").write_text(COMPILER)
    environment = os.environ | {"PYTHONPATH": f"{folder}:{os.environ.get('PYTHONPATH', '')}"}
    environment.pop("PYTHONUNBUFFERED", None)
    return subprocess.run(
        [sys.executable, "-m", *arguments],
        env=environment, input=said, capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip


def test_a_compilation_that_goes_on_does_not_keep_a_run(tmp_path):
    ended = child(tmp_path, "seqdec_gui.runner", "--help")
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout == "all that was printed; " + runner.USAGE


def test_garbage_is_looked_for_again_after_a_start_even_one_that_fails():
    assert gc.isenabled()
    with garbage_collection_paused():
        assert not gc.isenabled()
    assert gc.isenabled()
    assert gc.get_freeze_count()
    with pytest.raises(ValueError, match="no start"), garbage_collection_paused():
        raise ValueError("no start")
    assert gc.isenabled()
    gc.unfreeze()


BEGINS = """
import sys

sys.setswitchinterval(1e-6)  # threads take turns as often as they can
from seqdec_gui.runner import engines
from seqdec_gui.runs.spec import DeviceChoice, Placement

engines.begin(Placement(DeviceChoice("gpu", gpus=(0,)), "jax"))
for name in ("numpy", "jax"):
    assert not getattr(sys.modules[name].__spec__, "_initializing", False), f"{name} is being imported by two threads"
import seqdec_gui.data.dataset
import keras
"""


@pytest.mark.slow
def test_jax_is_imported_before_anything_runs_beside_it():
    environment = os.environ | {"KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu"}
    command = [sys.executable, "-c", BEGINS]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert ended.returncode == 0, ended.stderr
