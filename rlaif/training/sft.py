"""Supervised fine-tuning: imitate replies, with the loss on the replies alone."""

import tempfile
from collections.abc import Sequence
from pathlib import Path

from datasets import Dataset
from transformers import set_seed
from trl import SFTConfig as TRLConfig
from trl import SFTTrainer

from rlaif.errors import StageError
from rlaif.records import Prompt
from rlaif.training.common import (
    Progress,
    Trained,
    Watch,
    load_for_training,
    load_tokenizer,
    save_whole,
    trl_arguments,
)
from rlaif.training.config import SFTConfig
from rlaif.training.dataset import conversation_ids, messages_of, short_enough


def train_sft(
    rows: Sequence[tuple[Prompt, str]],
    config: SFTConfig,
    model: Path | str,
    out: Path,
    *,
    seed: int = 0,
    progress: Progress | None = None,
) -> Trained:
    """Fine-tune a model on (prompt, reply) rows and write it to `out` as a whole folder.

    Raises:
        StageError: when there is nothing to train on, or the loss is no number.
        MissingModelError: when the model is not there.
    """
    tokenizer = load_tokenizer(model)
    kept, left_out = short_enough(
        rows, config.max_length, lambda row: len(conversation_ids(tokenizer, *row))
    )
    if not kept:
        raise StageError(f"sft: nothing to train on: {len(rows)} rows, {dict(left_out)}")
    dataset = Dataset.from_list(
        [
            {
                "prompt": messages_of(prompt),
                "completion": [{"role": "assistant", "content": reply}],
            }
            for prompt, reply in kept
        ]
    )
    watch = Watch(progress)
    set_seed(seed)
    with tempfile.TemporaryDirectory() as work:
        arguments = trl_arguments(
            TRLConfig,
            config,
            Path(work),
            seed,
            max_length=config.max_length,
            completion_only_loss=True,
        )
        trainer = SFTTrainer(
            model=load_for_training(model, config.lora),
            args=TRLConfig(**arguments),
            train_dataset=dataset,
            processing_class=tokenizer,
            callbacks=[watch],
        )
        trainer.train()
    path = save_whole(trainer.model, tokenizer, out)
    return Trained(path, watch.metrics(), len(kept), dict(left_out))
