"""Divides an imported model into its submodels, which become editable blocks where a kind makes exactly the same layers."""
