"""Make one judge of several that lie on one training's way: the mean of their weights.

A long training goes on getting better at what it is taught and gets surer, and worse, at what it is
not; the mean with what it was earlier keeps most of the first and gets back much of the second, at
no cost when it judges. Wortsman et al. 2022, "Robust fine-tuning of zero-shot models" (arXiv
2109.01903), section 3, do so with a fine-tuned model and what it started from.
"""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from rlaif.errors import InputError
from rlaif.storage import write_atomically
from rlaif.training.judge import SETTINGS, settings

_WEIGHTS, _CONFIG = "adapter_model.safetensors", "adapter_config.json"


def mean_adapter(shares: Mapping[Path, float], out: Path) -> Path:
    """Write the mean of adapters to `out`, each with its share; the shares are made to sum to one.

    LoRA's two factors are averaged each by itself, which is close to averaging what they add to
    the model where the adapters come from one training, and only there. The adapters are kept in
    `<out>.work`, so that an examination shows them beside their mean.

    Raises:
        InputError: for a share that is not above 0, an adapter that cannot be read, or adapters
            of different shapes.
    """
    if wrong := [share for share in shares.values() if not share > 0]:
        raise InputError(f"{wrong[0]:g}: expected a share above 0")
    whole = sum(shares.values())
    parts = {path: _read(path) for path in shares}
    first = next(iter(parts))
    for path, weights in parts.items():
        if _shapes(weights) != _shapes(parts[first]):
            raise InputError(f"{path}: not of one shape with {first}; name stages of one training")
    mean = {
        name: sum(
            (parts[path][name].float() * (share / whole) for path, share in shares.items()),
            torch.zeros_like(weight, dtype=torch.float32),
        ).to(weight.dtype)
        for name, weight in parts[first].items()
    }
    out.mkdir(parents=True, exist_ok=True)
    for path in shares:
        kept = out.with_name(f"{out.name}.work") / _name(path)
        kept.mkdir(parents=True, exist_ok=True)
        for file in (_WEIGHTS, _CONFIG):
            shutil.copyfile(path / file, kept / file)
    save_file(mean, out / _WEIGHTS, metadata={"format": "pt"})
    shutil.copyfile(first / _CONFIG, out / _CONFIG)
    runs = next((found for path in shares if (found := settings(path))), [])
    told = {_name(path): round(share / whole, 4) for path, share in shares.items()}
    write_atomically(out / SETTINGS, json.dumps([*runs, {"mean": told}], indent=2))
    return out


def _name(path: Path) -> str:
    """Name a stage: a training's work folder has `at-10%` and others; else it is the end."""
    return path.name if path.name.startswith("at-") else "at-100%"


def _read(path: Path) -> dict[str, torch.Tensor]:
    try:
        weights: dict[str, torch.Tensor] = load_file(path / _WEIGHTS)
    except (OSError, SafetensorError) as error:
        raise InputError(f"{path}: expected an adapter's folder ({error})") from None
    return weights


def _shapes(weights: Mapping[str, torch.Tensor]) -> dict[str, torch.Size]:
    return {name: weight.shape for name, weight in weights.items()}
