"""Weights that are spread over processes (FSDP2, ZeRO-3), made whole to be written."""

import contextlib
import importlib
from collections.abc import Iterator
from typing import Any

import torch
from torch import nn
from torch.distributed.fsdp import FSDPModule
from torch.distributed.tensor import DTensor

from rlaif.ranks import is_first


def gather_in_place(model: Any) -> None:
    """Give the first process every weight whole, on the CPU; the others let go of theirs.

    One weight at a time, so that no device holds the model. A model that is not spread stays as it
    is. Every process must call it, and train no more with the model.
    """
    if not any(map(_is_spread, model.parameters())):
        return
    whole: dict[int, nn.Parameter] = {}
    for module in model.modules():
        for name, weight in list(module._parameters.items()):
            if weight is not None:
                # Weights that are tied stay tied.
                if id(weight) not in whole:
                    whole[id(weight)] = nn.Parameter(_gathered(weight), requires_grad=False)
                module._parameters[name] = whole[id(weight)]
        if isinstance(module, FSDPModule):
            # It would look for its part of the weights wherever the module is moved or cast.
            module.__class__ = type(module).__bases__[1]


def _is_spread(weight: Any) -> bool:
    return isinstance(weight, DTensor) or hasattr(weight, "ds_id")


def _gathered(weight: Any) -> torch.Tensor:
    with torch.no_grad(), _whole(weight):
        full = weight.full_tensor() if isinstance(weight, DTensor) else weight.data
        return full.detach().cpu().clone() if is_first() else full.new_empty(0, device="cpu")


@contextlib.contextmanager
def _whole(weight: Any) -> Iterator[None]:
    """Hold a weight of ZeRO-3 whole for a moment."""
    if not hasattr(weight, "ds_id"):
        yield
        return
    zero = importlib.import_module("deepspeed").zero
    with zero.GatheredParameters([weight]):
        yield
