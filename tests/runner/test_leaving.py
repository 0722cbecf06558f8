"""The end of a child's process."""

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
