"""Samples per second: the product's own training beside what people write by hand, on the same work in the same hour."""
