"""Training reads records and never asks who labelled them."""
