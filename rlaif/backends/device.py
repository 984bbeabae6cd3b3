"""Where this process computes, where a launcher has started several."""

import contextlib
import os
from collections.abc import Iterator

import torch
from transformers.integrations import deepspeed

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


@contextlib.contextmanager
def unspread() -> Iterator[None]:
    """Load what is asked and not trained whole on this process, where a trainer uses ZeRO-3.

    For as long as such a trainer lives, transformers spreads every model that is loaded over the
    processes; outside the trainer nothing would gather it again.
    """
    held = deepspeed._hf_deepspeed_config_weak_ref
    deepspeed._hf_deepspeed_config_weak_ref = None
    try:
        yield
    finally:
        deepspeed._hf_deepspeed_config_weak_ref = held
