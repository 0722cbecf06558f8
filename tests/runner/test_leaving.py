"""The end of a run's process."""

import os
import subprocess
import sys

import seqdec_gui.runner.__main__ as runner

COMPILER = """
import sys, threading

if "seqdec_gui.runner" in sys.orig_argv:
    threading.Thread(target=threading.Event().wait).start()  # as XLA compiles: nobody can interrupt it
    sys.stdout.write("all that was printed; ")
"""


def test_a_compilation_that_goes_on_does_not_keep_the_process(tmp_path):
    (tmp_path / "sitecustomize.py").write_text(COMPILER)
    environment = os.environ | {"PYTHONPATH": f"{tmp_path}:{os.environ.get('PYTHONPATH', '')}"}
    environment.pop("PYTHONUNBUFFERED", None)
    child = subprocess.run(
        [sys.executable, "-m", "seqdec_gui.runner", "--help"],
        env=environment, capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip
    assert child.returncode == 0, child.stderr
    assert child.stdout == "all that was printed; " + runner.USAGE
