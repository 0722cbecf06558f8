"""Lists the packages; everything else stands in setup.cfg.

`resources/` is installed as `seqdec_gui.resources` and `docs/` as `seqdec_gui.docs` (package_dir in setup.cfg), which no
`find:` directive can express.
"""

from setuptools import find_packages, setup

setup(packages=[*find_packages(include=["seqdec_gui", "seqdec_gui.*"]), "seqdec_gui.resources", "seqdec_gui.docs"])
