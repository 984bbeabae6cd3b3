"""A part of the embedded model, once as transformers reads it and once as llama.cpp does.

Its first layers alone, so that it is small, and in 32 bits, so that both compute the same.
"""

from pathlib import Path
from typing import Any

import gguf
import numpy as np
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

_LAYERS = 2
_NAMES = {
    "input_layernorm": "attn_norm",
    "post_attention_layernorm": "ffn_norm",
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
}


def write_both(whole: Path, packed: Path, folder: Path) -> Path:
    """Write the part of a model into a folder, and as a GGUF file there; give the file.

    Args:
        whole: the model, as a folder.
        packed: the same as a GGUF file, whose vocabulary and settings are copied.
        folder: where to.
    """
    model = AutoModelForCausalLM.from_pretrained(
        whole, num_hidden_layers=_LAYERS, dtype=torch.float32
    )
    model.save_pretrained(folder)
    AutoTokenizer.from_pretrained(whole).save_pretrained(folder)
    file = folder / "part.gguf"
    writer = gguf.GGUFWriter(file, "llama")
    for name, field in gguf.GGUFReader(packed).fields.items():
        if name.startswith("GGUF.") or name in ("general.architecture", "general.file_type"):
            continue
        value = _LAYERS if name == "llama.block_count" else field.contents()
        writer.add_key_value(name, value, field.types[0], field.types[-1])
    config = model.config
    for name, weights in model.state_dict().items():
        if name != "lm_head.weight" or not config.tie_word_embeddings:
            writer.add_tensor(_named(name), _laid_out(name, weights.numpy(), config))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return file


def _named(name: str) -> str:
    outer = {
        "model.embed_tokens.weight": "token_embd.weight",
        "model.norm.weight": "output_norm.weight",
        "lm_head.weight": "output.weight",
    }
    if name in outer:
        return outer[name]
    number, _, inner = name.removeprefix("model.layers.").partition(".")
    return f"blk.{number}.{_NAMES[inner.removesuffix('.weight')]}.weight"


def _laid_out(name: str, weights: Any, config: Any) -> Any:
    """Put queries and keys in llama.cpp's order: it turns neighbours, transformers halves."""
    heads = {"q_proj": config.num_attention_heads, "k_proj": config.num_key_value_heads}
    count = next((heads[kind] for kind in heads if kind in name), None)
    if count is None:
        return weights
    halves = weights.reshape(count, 2, -1, weights.shape[1])
    return np.ascontiguousarray(halves.swapaxes(1, 2).reshape(weights.shape))
