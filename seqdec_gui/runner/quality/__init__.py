"""Measures, while a run trains, what its model generates when it is fed its own predictions."""
