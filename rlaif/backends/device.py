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
    """Load a model whole on this process, though a trainer uses ZeRO-3.

    From such a trainer's beginning until the next trainer's, transformers spreads every model that
    is loaded over the processes, and outside the trainer nothing would gather it again. What is
    changed holds for the whole process; models are loaded in its main thread alone.
    """
    held = deepspeed._hf_deepspeed_config_weak_ref
    config = held() if held is not None else None
    deepspeed.unset_hf_deepspeed_config()
    try:
        yield
    finally:
        if config is not None:
            deepspeed.set_hf_deepspeed_config(config)
