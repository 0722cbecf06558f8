"""One module per family of block kinds: hyperparameters, ports, and the layers they stand for."""
