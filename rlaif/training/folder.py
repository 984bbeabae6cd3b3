"""Model folders: check one before it is read, write one whole or not at all."""

import contextlib
import errno
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from peft import get_peft_model_state_dict
from safetensors import SafetensorError
from transformers import AutoConfig, AutoTokenizer

from rlaif.errors import InputError, MissingModelError
from rlaif.ranks import is_first
from rlaif.storage import storing
from rlaif.training.quantised import in_full, is_quantised
from rlaif.training.team import together
from rlaif.training.whole_weights import gather_in_place

_PLACES_BEHIND_PADDING = ("roberta", "xlm-roberta", "xlm-roberta-xl", "camembert", "data2vec-text")
"""Models that number their places from behind the padding token's, and have so many fewer."""
_WEIGHTS = ("*.safetensors", "pytorch_model*.bin")


def checked(model: Path) -> str:
    """Give the model's name for loading, once its folder is known to be complete.

    A path that is no folder is taken for a name on the Hugging Face hub, if it looks like one.

    Raises:
        MissingModelError: for a folder that is not there, or that lacks a part.
    """
    if not model.is_dir():
        if model.is_absolute() or len(model.parts) != 2:
            raise MissingModelError(f"{model}: no such model folder; run the stage that makes it")
        return str(model)
    for part, patterns in (("config.json", ("config.json",)), ("weights", _WEIGHTS)):
        if not any(any(model.glob(pattern)) for pattern in patterns):
            raise MissingModelError(
                f"{model}: the model folder has no {part}; delete it and run its stage again"
            )
    if not any(model.glob("tokenizer*")):
        raise MissingModelError(f"{model}: the model folder has no tokenizer; copy it there")
    return str(model)


def load_tokenizer(model: Path) -> Any:
    """Read a model's tokenizer; one that cannot pad pads with its end token.

    Raises:
        MissingModelError: for a model that is not there, not complete, or of no known kind.
    """
    name = checked(model)
    with _known(model):
        AutoConfig.from_pretrained(name)
        tokenizer = AutoTokenizer.from_pretrained(name)
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    return tokenizer


def tokens_read(model: Path, most: int) -> int:
    """Give how many tokens a row may have: `most`, or fewer where the model reads no more."""
    with _known(model):
        config = AutoConfig.from_pretrained(checked(model)).get_text_config()
    places = getattr(config, "max_position_embeddings", None) or most
    if config.model_type in _PLACES_BEHIND_PADDING:
        places -= config.pad_token_id + 1
    return int(min(most, places))


def told_of_length(model: Path, most: int, long: int) -> tuple[str, ...]:
    """Say why rows were left out that `max_length` would have let in, where that is so."""
    read = tokens_read(model, most)
    if read == most or not long:
        return ()
    return (f"max_length: {model} reads {read} tokens at most, so that longer rows were left out",)


@contextlib.contextmanager
def _known(model: Path) -> Iterator[None]:
    """Turn a config that cannot be read, or is of no known kind, into one line."""
    try:
        yield
    except (OSError, ValueError, KeyError) as error:
        raise MissingModelError(_unreadable(model, error)) from error


@contextlib.contextmanager
def reading(model: Path) -> Iterator[None]:
    """Turn weights that are damaged or cannot be fetched, and packages that lack, into one line.

    Raises:
        MissingModelError: for weights.
        InputError: for what an option of TRL's needs and is not there, such as `use_vllm`'s
            package or server.
    """
    try:
        yield
    except (OSError, SafetensorError) as error:
        if "vLLM server" in str(error):
            raise InputError(f"extra: {str(error).strip().splitlines()[0]}") from error
        raise MissingModelError(_unreadable(model, error)) from error
    except (ImportError, RuntimeError) as error:
        if isinstance(error, RuntimeError) and "to be installed" not in str(error):
            raise
        raise InputError(f"extra: {str(error).strip().splitlines()[0]}") from error


def _unreadable(model: Path, error: Exception) -> str:
    what = (str(error).strip() or type(error).__name__).splitlines()[0]
    return f"{model}: the model cannot be read ({what}); run the stage that makes it again"


@contextlib.contextmanager
def whole_folder(out: Path) -> Iterator[Path]:
    """Give a folder beside `out` to write to, which becomes `out` if nothing goes wrong.

    Of several processes the first one's; the others wait for it, and what they write is dropped.
    """
    if not is_first():
        with tempfile.TemporaryDirectory(prefix="rlaif-") as dropped:
            yield Path(dropped)
        together()
        return
    with storing(out):
        out.parent.mkdir(parents=True, exist_ok=True)
        half = Path(tempfile.mkdtemp(dir=out.parent, prefix=f".{out.name}."))
        try:
            yield half
            half.chmod(0o755)
            for file in half.rglob("*"):
                file.chmod(0o755 if file.is_dir() else 0o644)
            if out.exists():
                shutil.rmtree(out)
            half.rename(out)
        finally:
            shutil.rmtree(half, ignore_errors=True)
    together()


def merged(model: Any) -> Any:
    """Give a model in float32 with its adapter, if it has one, merged into its weights."""
    # Merged in float32 and rounded once: a small adapter would drown in bfloat16's steps.
    with torch.no_grad():
        if is_quantised(model):
            return in_full(model)
        whole = model.to(torch.float32)
        return whole.merge_and_unload() if hasattr(whole, "merge_and_unload") else whole


def save(model: Any, tokenizer: Any, folder: Path) -> None:
    """Write an ordinary bfloat16 Hugging Face folder, an adapter merged into its base.

    Every process takes part, since each may hold a part of the weights; the first one writes.
    """
    gather_in_place(model)
    if not is_first():
        return
    with torch.no_grad():
        whole = merged(model).to(torch.bfloat16)
    whole.config.dtype = torch.bfloat16
    whole.config.use_cache = True
    try:
        whole.save_pretrained(folder)
        tokenizer.save_pretrained(folder)
    except Exception as error:
        if "No space left" in str(error):
            raise OSError(errno.ENOSPC, str(error)) from error
        raise


def save_adapter(model: Any, folder: Path) -> None:
    """Write a model's adapter alone, in bfloat16, for use beside its base."""
    gather_in_place(model)
    if is_first():
        weights = get_peft_model_state_dict(model)
        model.save_pretrained(
            folder, state_dict={name: each.to(torch.bfloat16) for name, each in weights.items()}
        )
