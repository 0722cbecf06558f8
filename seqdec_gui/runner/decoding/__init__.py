"""Sequences from a trained stack: what may be generated, one step of a decoder, and how symbols are chosen."""
