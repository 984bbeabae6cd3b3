"""Moving a policy by itself, on plain files."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from rlaif.errors import InputError
from rlaif.experiment.alone_training import left_out_notes, local_path
from rlaif.experiment.curve import Curve, arrow
from rlaif.experiment.learned import read_learned
from rlaif.experiment.progress import Watcher
from rlaif.feedback.sound import Aside
from rlaif.training.config import OptimizeConfig
from rlaif.training.optimize import optimize_policy


def optimize_config(lora: int, options: dict[str, Any], bits: int | None = None) -> OptimizeConfig:
    """Make a config of the command's options; `lora` is the adapter's rank, 0 for every weight.

    `bits` are those of the frozen weights below an adapter.

    Raises:
        InputError: for options that do not go together, or out of range.
    """
    said = {name: value for name, value in options.items() if value is not None}
    # A full training takes about a tenth of an adapter's rate.
    said.setdefault("learning_rate", 3e-4 if lora else 3e-5)
    if bits and not lora:
        raise InputError("--bits: only weights below an adapter can be read in few; give --lora 16")
    adapter = {"r": lora, "bits": bits} if lora else None
    try:
        return OptimizeConfig.model_validate({**said, "lora": adapter})
    except ValidationError as error:
        what = error.errors()[0]
        place = "".join(f"{step}: " for step in what["loc"])
        raise InputError(place + what["msg"].removeprefix("Value error, ")) from None


def optimize_alone(
    paths: Sequence[Path],
    model: str,
    out: Path,
    config: OptimizeConfig,
    seed: int,
    watcher: Watcher,
) -> str:
    """Move a policy by files of labels; return one line about it."""
    aside = Aside()
    learned = read_learned(paths, config.method, aside=aside)
    for line in aside.lines():
        watcher.say(line)
    trained = optimize_policy(
        config,
        local_path(model, watcher),
        out,
        preferences=learned.preferences,
        unpaired=learned.unpaired,
        seed=seed,
        progress=Curve(out.with_name(f"{out.name}.curve.jsonl"), watcher, "optimize"),
    )
    what = "answers" if config.method == "kto" else "pairs"
    watcher.end(f"{config.method}, {trained.rows} {what}, {arrow(trained.metrics)}")
    trained = trained._replace(left_out={**aside.counts, **learned.left_out, **trained.left_out})
    for note in (*trained.notes, *left_out_notes(trained)):
        watcher.say(note)
    return f"kept in {trained.path}"
