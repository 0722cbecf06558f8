"""Priors of REINVENT 4: read and written without PyTorch."""
