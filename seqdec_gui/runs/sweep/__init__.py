"""Sweeps: many runs of one design with other parameters, chosen by Optuna, run by the queue."""
