"""Design stacked Keras models by connecting submodel blocks, train them on several devices, export them."""

__version__ = "0.1.0"
