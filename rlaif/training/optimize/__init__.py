"""Policy optimizers, one file for each family of methods."""
