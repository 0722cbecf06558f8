"""The Sweep page: searching for the best parameters of the open design."""
