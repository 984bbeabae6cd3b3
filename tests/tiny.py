"""A random Llama small enough to train in a second: the one that methods are compared on."""

from rlaif.training.tiny import CHATML, make_tiny_model

__all__ = ["CHATML", "make_tiny_model"]
