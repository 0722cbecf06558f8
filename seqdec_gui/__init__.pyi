"""Design stacked Keras models by connecting submodel blocks, train them on several devices, export them."""

from seqdec_gui.runner.api import attention as attention
from seqdec_gui.runner.api import encode as encode
from seqdec_gui.runner.api import evaluate as evaluate
from seqdec_gui.runner.api import generate as generate
from seqdec_gui.runner.api import open_run as open_run
from seqdec_gui.runner.api import score as score
from seqdec_gui.runner.bundle import load_bundle as load_bundle

__version__: str
