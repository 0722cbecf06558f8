"""The child process of a run: the only place that imports Keras, TensorFlow or JAX."""
