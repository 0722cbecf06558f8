"""What the tests of the engine on JAX do in a child, which has three virtual CPU devices.

`python -m tests.runner.jax_checks MODULE.FUNCTION FOLDER`: each function asserts; what it prints goes with a failure.
"""

import os

os.environ["KERAS_BACKEND"] = "jax"
os.environ["JAX_PLATFORMS"] = "cpu"

import jax
from keras.src.utils import module_utils

jax.config.update("jax_num_cpu_devices", 3)
jax.devices()  # from here on they are what they are
module_utils.tensorflow._available = False  # its import takes seconds
