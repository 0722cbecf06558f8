"""The child of a short job in which TensorFlow believes that only so many bytes (argv) fit on a device."""

import sys

from seqdec_gui.runner import probe, task
from seqdec_gui.runner.engines import tensorflow

tensorflow.RESIDENT_BYTES = int(sys.argv[1])
probe.RESIDENT_SUBSET_BYTES = int(sys.argv[1]) // 2
task.main()
