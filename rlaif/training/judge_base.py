"""What any causal model must bring to become a judge."""

from pathlib import Path

from transformers import AutoTokenizer, PreTrainedTokenizerBase

from rlaif.errors import InputError


def tokenizer_of(base: Path) -> PreTrainedTokenizerBase:
    """Load a base's tokenizer, with something to pad with.

    Raises:
        InputError: for a base without a chat template, which cannot be asked anything.
    """
    tokenizer: PreTrainedTokenizerBase = AutoTokenizer.from_pretrained(base)
    if not tokenizer.chat_template:
        raise InputError(f"{base}: has no chat template; use an instruction-tuned model")
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token
    return tokenizer
