"""A random Llama small enough to train in a second, on any machine, from nothing.

Its words are single characters, so that a reward that counts them can be learned.
"""

from pathlib import Path
from typing import Any

import torch
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

CHATML = (
    "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n"
    "{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


def make_tiny_model(folder: Path, *, seed: int = 0) -> Path:
    """Write a model folder: byte-level characters, plus Yes, No, A and B as tokens of their own."""
    return write_random(folder, tiny_tokenizer(), seed=seed)


def tiny_tokenizer() -> Any:
    """Make a tokenizer of single characters and a few words, with a ChatML template."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    words = ["Yes", "No", "Ġ" + "Yes", "Ġ" + "No"]
    vocabulary = {token: index for index, token in enumerate([*alphabet, *words])}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="a", continuing_subword_prefix=""))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
            pre_tokenizers.Split(Regex("Ġ?(Yes|No)|."), behavior="isolated"),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        eos_token="<|im_end|>",
        pad_token="<|im_end|>",
        additional_special_tokens=["<|im_start|>"],
    )
    fast.chat_template = CHATML
    return fast


def write_random(
    folder: Path, tokenizer: Any, *, hidden: int = 32, layers: int = 2, seed: int = 0
) -> Path:
    """Write a random Llama of this size, and a tokenizer beside it."""
    torch.manual_seed(seed)
    model = LlamaForCausalLM(
        LlamaConfig(
            vocab_size=len(tokenizer),
            hidden_size=hidden,
            intermediate_size=2 * hidden,
            num_hidden_layers=layers,
            num_attention_heads=4,
            num_key_value_heads=2,
            max_position_embeddings=2048,
            tie_word_embeddings=True,
            eos_token_id=tokenizer.eos_token_id,
            pad_token_id=tokenizer.pad_token_id,
            bos_token_id=tokenizer.convert_tokens_to_ids("<|im_start|>"),
        )
    )
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder
