"""Reads models of Keras 2: their configuration is rewritten for Keras 3, and the model built from it is given their weights."""
