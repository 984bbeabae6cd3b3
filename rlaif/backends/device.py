"""Where this process computes, where a launcher has started several."""

import os

import torch

from rlaif.ranks import ranks


def own_device() -> torch.device:
    """Give this process's own accelerator; the CPU where there is none.

    A model may be loaded before a trainer has given each process its accelerator, and would then
    lie on the first one, as every process's would. So it is taken here: the one that the trainer
    takes too, and without waiting for other processes, which may have nothing to load.
    """
    if not torch.accelerator.is_available():
        return torch.device("cpu")
    local = os.environ.get("LOCAL_RANK")
    if ranks() > 1 and local is not None:
        torch.accelerator.set_device_index(int(local) % torch.accelerator.device_count())
    device = torch.accelerator.current_accelerator()
    assert device is not None
    return device
