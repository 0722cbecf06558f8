"""Two ways to train the same model on N devices; what is above them does not know which one runs."""
