"""The engine on JAX. This module stays empty: `start` is imported long before `engine`, and without Keras."""
