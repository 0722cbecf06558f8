"""What a design is and what it means: pure data and pure functions, without Qt, Keras or data files."""
