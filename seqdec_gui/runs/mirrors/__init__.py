"""Writes what a run says in the files of other tools, beside the run: a reader that no run waits for."""
