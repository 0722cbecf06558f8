"""The Runs page: every run of the open design, its result, and what can be done with it."""
