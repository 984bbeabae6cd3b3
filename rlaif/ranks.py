"""Which process this is, where a launcher such as torchrun has started several for one run.

They train together; everything else is done, printed and written by the first of them.
"""

import os


def ranks() -> int:
    """Count the processes of this run; 1 where no launcher has said otherwise."""
    return int(os.environ.get("WORLD_SIZE", "1")) if "MASTER_ADDR" in os.environ else 1


def rank() -> int:
    """Give this process's number, from 0."""
    return int(os.environ.get("RANK", "0")) if ranks() > 1 else 0


def is_first() -> bool:
    """Say whether this is the process that prints and writes; alone, it is."""
    return rank() == 0
