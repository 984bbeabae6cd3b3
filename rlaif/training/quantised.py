"""QLoRA: the frozen weights below an adapter in 4 or 8 bits (Dettmers et al. 2023).

A trained model is written in bfloat16 all the same, as it was trained: what the few bits stood for,
with the adapter added.
"""

import importlib.util
from typing import Any

import torch
from peft.tuners.tuners_utils import BaseTunerLayer
from peft.utils import ModulesToSaveWrapper
from peft.utils.integrations import dequantize_module_weight
from torch import nn
from transformers import BitsAndBytesConfig

from rlaif.errors import InputError
from rlaif.training.config import LoRA

_HEADS = ["lm_head", "score"]
"""What gives the answer is read in full."""


def quantisation(lora: LoRA | None, dtype: str) -> dict[str, Any]:
    """Give what a model is loaded with, so that its frozen weights take few bits.

    Raises:
        InputError: where the library that does so is not installed.
    """
    if lora is None or lora.bits is None:
        return {}
    if importlib.util.find_spec("bitsandbytes") is None:
        raise InputError(
            f"lora.bits: {lora.bits} needs bitsandbytes: pip install 'rlaif-kit[qlora]', "
            "or leave bits out"
        )
    few = {"load_in_4bit": True} if lora.bits == 4 else {"load_in_8bit": True}
    how = BitsAndBytesConfig(
        **few,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=dtype,
        llm_int8_skip_modules=_HEADS,
    )
    return {"quantization_config": how}


def is_quantised(model: Any) -> bool:
    """Say whether a model's frozen weights are in few bits."""
    return bool(getattr(model, "is_loaded_in_4bit", False)) or bool(
        getattr(model, "is_loaded_in_8bit", False)
    )


def train_in_full(model: Any) -> None:
    """Hold what is trained beside few bits in float32: TRL's bfloat16 loses small updates."""
    if not is_quantised(model):
        return
    for weight in model.parameters():
        if weight.requires_grad:
            weight.data = weight.data.to(torch.float32)


def in_full(model: Any) -> Any:
    """Give a model in float32 again, with its adapter added to what the few bits stood for."""
    base = model.get_base_model()
    for name, module in list(base.named_modules()):
        if isinstance(module, ModulesToSaveWrapper):
            base.set_submodule(name, module.modules_to_save[module.active_adapters[0]])
        elif isinstance(module, BaseTunerLayer):
            layer = module.get_base_layer()
            added = sum(module.get_delta_weight(each) for each in module.active_adapters)
            base.set_submodule(name, _linear(layer, added))
    for name, module in list(base.named_modules()):
        if _has_few_bits(module):
            base.set_submodule(name, _linear(module, 0.0))
    base.hf_quantizer.remove_quantization_config(base)
    base.is_loaded_in_4bit = base.is_loaded_in_8bit = False
    return base.to(torch.float32)


def _has_few_bits(module: nn.Module) -> bool:
    weight = getattr(module, "weight", None)
    return type(weight).__name__ in ("Params4bit", "Int8Params")


def _linear(layer: Any, added: Any) -> nn.Linear:
    weight = dequantize_module_weight(layer).detach().to(torch.float32) + added
    made = nn.Linear(weight.shape[1], weight.shape[0], bias=layer.bias is not None, device="meta")
    made.weight = nn.Parameter(weight, requires_grad=False)
    if layer.bias is not None:
        made.bias = nn.Parameter(layer.bias.detach().to(torch.float32), requires_grad=False)
    return made
