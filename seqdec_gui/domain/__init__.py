"""Designs and their meaning: pure data and pure functions, without Qt, Keras or data files."""
