"""Make one judge of several that lie on one training's way: the mean of their weights.

A long training goes on getting better at what it is taught, and gets surer, and worse, at what it
is not; the mean with what it was earlier costs nothing when it judges. Wortsman et al. 2022,
"Robust fine-tuning of zero-shot models" (arXiv 2109.01903), section 3, do so with a fine-tuned
model and what it started from.
"""

import json
import math
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from rlaif.errors import InputError
from rlaif.storage import write_atomically
from rlaif.training.folder import whole_folder
from rlaif.training.judge import SETTINGS, settings

MEAN = "mean"
"""The entry of `training.json` that says of which stages, and with what shares, a mean is made."""
_WEIGHTS, _CONFIG = "adapter_model.safetensors", "adapter_config.json"
_SHAPE = ("r", "lora_alpha", "target_modules", "layers_to_transform", "use_rslora")


class _Stage(NamedTuple):
    path: Path
    name: str
    share: float
    """Of the whole, which is 1."""
    config: dict[str, Any]
    weights: dict[str, torch.Tensor]


def mean_adapter(shares: Sequence[tuple[Path, float]], out: Path) -> Path:
    """Write the mean of adapters to `out`, each with its share of the sum of shares.

    LoRA's two factors are averaged each by itself, which is close to averaging what they add to
    the model where the adapters come from one training, and only there. A calibration is not made:
    `rlaif embedded evaluate OUT --write` does that. The stages are kept in `<out>.work`, so that an
    examination shows them beside their mean.

    Raises:
        InputError: for a share that is not above 0, two stages of one name, an adapter that cannot
            be read, adapters of different shapes, or an `out` that is there.
        StorageError: when there is no room.
    """
    work = out.with_name(f"{out.name}.work")
    for path in (out, work):
        if path.exists():
            raise InputError(f"{path}: is there already; name another folder")
    whole = sum(share for _, share in shares)
    stages = [_read(path, share, whole) for path, share in shares]
    first = stages[0]
    for number, stage in enumerate(stages):
        if stage.name in {each.name for each in stages[:number]}:
            raise InputError(f"{stage.path}: a second {stage.name}; name stages of one training")
        if _shape(stage) != _shape(first):
            raise InputError(f"{stage.path}: not of one shape with {first.path}")
    with whole_folder(work) as folder:
        for stage in stages:
            _write(folder / stage.name, stage.weights, stage.config)
    # Of all stages the end alone says how it was trained, and names its base as others know it.
    end = next((stage for stage in stages if settings(stage.path)), first)
    told = {stage.name: round(stage.share, 4) for stage in stages}
    with whole_folder(out) as folder:
        _write(folder, _mean(stages), end.config)
        write_atomically(
            folder / SETTINGS, json.dumps([*settings(end.path), {MEAN: told}], indent=2)
        )
    return out


def _mean(stages: Sequence[_Stage]) -> dict[str, torch.Tensor]:
    return {
        name: torch.stack([s.weights[name].float() * s.share for s in stages])
        .sum(0)
        .to(weight.dtype)
        for name, weight in stages[0].weights.items()
    }


def _read(path: Path, share: float, whole: float) -> _Stage:
    if not (share > 0 and math.isfinite(share)):
        raise InputError(f"{path}={share:g}: expected a share above 0")
    try:
        weights: dict[str, torch.Tensor] = load_file(path / _WEIGHTS)
        config = json.loads((path / _CONFIG).read_text(encoding="utf-8"))
    except (OSError, SafetensorError, ValueError) as error:
        raise InputError(
            f"{path}: expected an adapter's folder, or FOLDER=SHARE ({error})"
        ) from None
    # A training's work folder has `at-10%` and others; what is not from there is the end.
    name = path.name if re.fullmatch(r"at-\d+%", path.name) else "at-100%"
    return _Stage(path, name, share / whole, config, weights)


def _shape(stage: _Stage) -> tuple[Any, ...]:
    shapes = {name: weight.shape for name, weight in stage.weights.items()}
    said = [stage.config.get(key) for key in _SHAPE]
    return shapes, [sorted(each) if isinstance(each, list) else each for each in said]


def _write(folder: Path, weights: dict[str, torch.Tensor], config: dict[str, Any]) -> None:
    folder.mkdir(exist_ok=True)
    write_atomically(folder / _CONFIG, json.dumps(config, indent=2, sort_keys=True) + "\n")
    save_file(weights, folder / _WEIGHTS, metadata={"format": "pt"})
