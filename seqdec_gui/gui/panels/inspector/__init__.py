"""The form of what is selected: a block's hyperparameters, or training and data split of the whole design."""

from seqdec_gui.gui.panels.inspector.panel import Inspector

__all__ = ["Inspector"]
