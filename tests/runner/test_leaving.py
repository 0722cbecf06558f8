"""The end of a run's process."""

import subprocess
import sys
import time

CHILD = """
import sys, threading
from seqdec_gui.runner.__main__ import _leave

threading.Thread(target=threading.Event().wait).start()  # as XLA compiles: nobody can interrupt it
sys.stdout.write("all that was printed")
_leave(3)
"""


def test_a_compilation_that_goes_on_does_not_keep_the_process():
    began = time.monotonic()
    child = subprocess.run([sys.executable, "-c", CHILD], capture_output=True, text=True, timeout=30, check=False)
    assert child.returncode == 3, child.stderr
    assert child.stdout == "all that was printed"
    assert time.monotonic() - began < 20
