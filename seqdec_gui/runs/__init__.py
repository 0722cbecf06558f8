"""Runs seen from outside: their folders, events, commands, processes and devices. No Keras, no Qt."""
