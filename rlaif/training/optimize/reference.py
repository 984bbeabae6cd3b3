"""What a reference policy says of each row, read once before the first update.

The reference is the starting policy itself, while an adapter still changes nothing, or a model of
its own. Each rank reads its share of the rows, and tells the others.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from accelerate.utils import gather_object
from transformers import AutoModelForCausalLM
from trl.models import prepare_deepspeed

from rlaif.errors import InputError
from rlaif.training.folder import checked, load_tokenizer, reading

Rows = list[dict[str, Any]]
Read = Callable[[Any, Rows], Sequence[torch.Tensor]]
"""Reads figures of rows with a model: each figure (rows,)."""


def load_reference(reference: str | None, tokenizer: Any, dtype: str) -> Any:
    """Load the model to stay near; None stands for the starting policy.

    Raises:
        MissingModelError: for a folder that is not there, or not complete.
        InputError: for a model of other tokens.
    """
    if reference is None:
        return None
    folder = Path(reference)
    if load_tokenizer(folder).get_vocab() != tokenizer.get_vocab():
        raise InputError(
            f"reference: {reference} reads other tokens than the policy, so that their "
            "probabilities cannot be compared; name a model of the policy's own family"
        )
    with reading(folder):
        return AutoModelForCausalLM.from_pretrained(checked(folder), dtype=dtype)


def add_reference(
    trainer: Any, dataset: Any, batches: Sequence[Sequence[int]], columns: Sequence[str], read: Read
) -> Any:
    """Add a column for each figure that `read` gives; `batches` are row numbers read at once."""
    model, was_training = _model_of(trainer), trainer.model.training
    rank, ranks = trainer.accelerator.process_index, trainer.accelerator.num_processes
    found: list[tuple[int, list[float]]] = []
    trainer.model.eval()
    with torch.no_grad(), trainer.accelerator.autocast():
        # Ranks that hold parts of a model read together, so all read equally often.
        for turn in range(-(-len(batches) // ranks)):
            rows = batches[(turn * ranks + rank) % len(batches)]
            figures = torch.stack(list(read(model, [dataset[row] for row in rows]))).T
            found.extend(zip(rows, figures.tolist(), strict=True))
    trainer.model.train(was_training)
    by_row = dict(gather_object(found))
    for place, column in enumerate(columns):
        values = [by_row[row][place] for row in range(len(dataset))]
        dataset = dataset.add_column(column, values)
    # It has said all that it is asked for.
    trainer.ref_model = None
    return dataset


def _model_of(trainer: Any) -> Any:
    """Give what reads: the reference, or the policy before it has moved."""
    if trainer.ref_model is not None:
        return trainer.ref_model
    if trainer.is_deepspeed_enabled:
        return prepare_deepspeed(trainer.model, trainer.accelerator)
    return trainer.model
