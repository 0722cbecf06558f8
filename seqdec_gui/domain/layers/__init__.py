"""Keras layers as data: `layer` says what one is, `rules` what it makes of its input, `specs` all else, one row a class."""
