"""How good what a model generates is: measures, alignments of sequences, and errors by symbol, position and length."""
