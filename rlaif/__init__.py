"""Constitutional AI and RLAIF: write principles, judge by them, train on the labels."""

__version__ = "0.1.0"
