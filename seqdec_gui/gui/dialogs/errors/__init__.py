"""The dialog of the errors of a trained run."""
