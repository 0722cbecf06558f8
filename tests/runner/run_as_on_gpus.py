"""The child of a run that starts and trains as on several GPUs: devices start while rows are read and find each other while the
model is made, and loops have fixed lengths. Threads take turns as often as they can.
"""

import sys

from seqdec_gui.runner import __main__ as runner
from seqdec_gui.runner import engines
from seqdec_gui.runs.spec import DeviceChoice, Placement

begin, create = engines.begin, engines.create


def create_as_on_gpus(placement, program, leads=None):
    assert leads is None
    from seqdec_gui.runner.engines.jax.engine import JaxEngine
    from seqdec_gui.runner.engines.jax.steps import initialise_collectives

    build = JaxEngine._build

    def introduced(engine):
        initialise_collectives(engine._mesh)
        build(engine)

    JaxEngine._fixed = property(lambda _: True)
    JaxEngine._build = introduced
    return create(placement, program)


sys.setswitchinterval(1e-6)
engines.begin = lambda _: begin(Placement(DeviceChoice("gpu", gpus=(0,)), "jax"))
engines.create = create_as_on_gpus
sys.exit(runner.main(sys.argv[1:]))
