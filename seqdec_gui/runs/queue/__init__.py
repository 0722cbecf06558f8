"""Runs that wait for devices: the queue of a machine, its order, and what starts them."""
