"""Data files to arrays: columns, codecs, splits, lazy batches. NumPy, h5py and Arrow; no Keras, no Qt."""
