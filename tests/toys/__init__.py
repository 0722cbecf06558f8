"""A loss, a data format and an export format of somebody else's, added to a copy of the program as CONTRIBUTING.md says."""
