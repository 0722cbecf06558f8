"""The Runs page: every run of the open design, what became of it, and what to do with it."""
