"""Supervised fine-tuning: imitate answers, with the loss on the answer alone."""

import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import trl
from datasets import Dataset

from rlaif.records import Prompt, Revision
from rlaif.training.checkpoints import keeping
from rlaif.training.common import Silent, Watch, adapter, arguments, need_rows, repeatable
from rlaif.training.config import Progress, SFTConfig, Trained
from rlaif.training.dataset import sft_rows, sft_tokens
from rlaif.training.folder import checked, load_tokenizer, reading, tokens_read, told_of_length
from rlaif.training.session import carry_through, digest_of, working


class SFTTrainer(Silent, trl.SFTTrainer):  # type: ignore[misc]
    """TRL's trainer, fed with rows that are tokenised already."""

    def create_model_card(self, *_: Any, **__: Any) -> None:
        """Write none beside a checkpoint."""


def train_sft(  # noqa: PLR0913 (what to learn, how, from and to where)
    rows: Iterable[Revision | tuple[Prompt, str]],
    config: SFTConfig,
    model: Path,
    out: Path,
    *,
    seed: int = 0,
    progress: Progress | None = None,
    is_apart: bool = False,
) -> Trained:
    """Teach a model to answer as the rows do; write it, whole, to `out`.

    With `is_apart` what is written is the adapter alone, for use beside the model.

    Raises:
        StageError: when there is nothing to train on, or the loss stops being a number.
        MissingModelError: for a model that is not there, or not complete.
    """
    started = time.monotonic()
    with repeatable(seed):
        tokenizer = load_tokenizer(model)
        most = tokens_read(model, config.max_length)
        tokens, long = sft_tokens(tokenizer, sft_rows(rows), most)
        left_out = {"too long": long}
        need_rows(len(tokens), left_out, "answers")
        watch = Watch(progress)
        with working(out, config, model, seed, digest_of(tokens)) as work:
            more = {"max_length": most, **keeping(config)}
            args = arguments(trl.SFTConfig, config, work, seed, **more)
            with reading(model):
                trainer = SFTTrainer(
                    model=checked(model),
                    args=args,
                    train_dataset=Dataset.from_list(tokens),
                    processing_class=tokenizer,
                    peft_config=adapter(config.lora, model, "CAUSAL_LM"),
                )
            carry_through(trainer, tokenizer, watch, out, is_apart=is_apart)
    metrics = {
        **watch.first_and_last(),
        "token_accuracy": watch.mean("mean_token_accuracy"),
        "seconds": time.monotonic() - started,
    }
    notes = told_of_length(model, config.max_length, long)
    return Trained(out, metrics, len(tokens), left_out, notes)
