"""Train a reviser: an adapter with which a small model critiques replies and rewrites them."""

import random
from pathlib import Path

from pydantic import Field

from rlaif.errors import StageError
from rlaif.records import Record
from rlaif.training.config import LoRA, Progress, SFTConfig, Trained
from rlaif.training.judge_data import exchanges, read_replies
from rlaif.training.reviser_data import lessons, rewritings
from rlaif.training.sft import train_sft


class ReviserTraining(Record):
    """How a reviser is trained."""

    rewritings: int = Field(default=3_500, ge=10)
    """Replies that are rewritten; each asks for a critique, too."""
    exchanges: int = Field(default=6_000, ge=10)
    """Replies to choose them from: the base's own, refusals, and edits of both."""
    rank: int = Field(default=8, ge=1)
    """LoRA's rank."""
    layers_from: int = Field(default=6, ge=0)
    """The first layer that is adapted."""
    learning_rate: float = Field(default=6e-4, gt=0)
    seed: int = 0


def train_reviser(
    config: ReviserTraining,
    base: Path,
    replies: Path,
    out: Path,
    *,
    progress: Progress | None = None,
) -> Trained:
    """Train the adapter for `base` and write it to `out`; a run that was stopped goes on.

    Args:
        config: sizes and rates.
        base: any causal model's folder, with a chat template.
        replies: JSONL of the base's own replies (`rlaif.training.judge_replies` makes it).
        out: the adapter's folder.
        progress: is told of each update.

    Raises:
        StageError: when there is nothing to learn from, or the loss is no number.
    """
    rng = random.Random(config.seed)
    pool = exchanges(read_replies(replies, kept=False), config.exchanges, rng, kept=False)
    made = rewritings(pool, config.rewritings, rng)
    if not made:
        raise StageError(f"{replies}: no reply that code can rewrite")
    how = SFTConfig(
        batch=8,
        gradient_accumulation=4,
        learning_rate=config.learning_rate,
        schedule="cosine",
        warmup=0.05,
        max_length=900,
        lora=LoRA(r=config.rank, alpha=2 * config.rank, layers_from=config.layers_from),
    )
    rows = lessons(made, rng)
    return train_sft(rows, how, base, out, seed=config.seed, progress=progress, is_apart=True)
