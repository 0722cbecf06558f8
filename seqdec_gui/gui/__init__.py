"""The window of the program. This is the only package that imports Qt."""
