"""`python -m seqdec_gui`: the same as the command `seqdec-gui`."""

import sys

from seqdec_gui.cli import main

if __name__ == "__main__":
    sys.exit(main())
