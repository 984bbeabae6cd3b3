"""TRL's reward trainer over groups of answers, each answer encoded once."""

from collections.abc import Sequence
from typing import Any

import torch
import trl
from transformers.modeling_outputs import SequenceClassifierOutput

from rlaif.training.common import Silent
from rlaif.training.packing import add_packed_forward, can_pack, mask_of
from rlaif.training.reward.collator import COLUMNS, PAIRS, Batch
from rlaif.training.reward.losses import Pairs, centring, luce_loss, pairs_loss

_CLOSE, _CLOSE_IN_HALF = 1e-4, 0.02
"""How far a score in a packed row may be from its own row's, by rounding, beside the largest."""


class GroupTrainer(Silent, trl.RewardTrainer):  # type: ignore[misc]
    """Scores every answer of a batch once, and holds the scores to the batch's labels."""

    _signature_columns: Any

    def _prepare_dataset(self, dataset: Any, *_: Any) -> Any:
        return dataset

    def _set_signature_columns_if_needed(self) -> None:
        self._signature_columns = list(COLUMNS)

    def create_model_card(self, *_: Any, **__: Any) -> None:
        """Write none beside a checkpoint; the finished model has one."""

    def share_prompts(self) -> bool:
        """Read packed rows from now on, if the model gives the scores of rows of their own.

        A few groups are read both ways: a model may do otherwise than its config says.
        """
        model = self.accelerator.unwrap_model(self.model)
        bare = model.get_base_model() if hasattr(model, "get_base_model") else model
        if not can_pack(bare):
            return False
        add_packed_forward(bare)
        groups = [
            self.train_dataset[row]
            for row in range(min(len(self.train_dataset), self.args.train_batch_size))
        ]
        apart, packed = (self._tried(groups, packs=packs) for packs in (False, True))
        halves = self.args.bf16 or self.args.fp16 or bare.dtype != torch.float32
        close = (_CLOSE_IN_HALF if halves else _CLOSE) * max(1.0, apart.abs().max().item())
        # A gap that is no number is none that is small.
        agrees = bool(((apart - packed).abs() < close).all())
        self.data_collator.packs = agrees
        return agrees

    def _tried(self, groups: Sequence[dict[str, Any]], *, packs: bool) -> torch.Tensor:
        self.data_collator.packs = packs
        batch = self._prepare_inputs(self.data_collator(groups))
        was_training = self.model.training
        self.model.eval()
        with torch.no_grad(), self.accelerator.autocast():
            scores: torch.Tensor = self._scores(self.model, batch)[0]
        self.model.train(was_training)
        return scores

    def _scores(self, model: Any, batch: Batch) -> tuple[torch.Tensor, SequenceClassifierOutput]:
        """Score each answer of a batch by each head, (answers, heads), in float32."""
        if "sees" in batch:
            config = self.accelerator.unwrap_model(model).config
            how = {
                "attention_mask": mask_of(config, batch["sees"]),
                "position_ids": batch["position_ids"],
                "ends": batch["ends"],
            }
        else:
            how = {"attention_mask": batch["attention_mask"]}
        outputs = model(input_ids=batch["input_ids"], **how, use_cache=False)
        return outputs.logits.float(), outputs

    def compute_loss(
        self,
        model: Any,
        inputs: dict[str, Any],
        return_outputs: bool = False,  # noqa: FBT001, FBT002 - as the base class has it
        **_: Any,
    ) -> Any:
        """Score the answers, and hold them to the labels."""
        scores, outputs = self._scores(model, inputs)
        loss = loss_of(scores, inputs, self.args.center_rewards_coefficient)
        self._note(scores.detach().mean(1), inputs)
        return (loss, outputs) if return_outputs else loss

    def _note(self, scores: torch.Tensor, inputs: Batch) -> None:
        values = {"accuracy": right_of(scores, inputs), "reward": scores}
        metrics = self._metrics["train" if self.model.training else "eval"]
        for name, each in values.items():
            # Every process must take part, also one whose batch holds nothing but ties.
            mean = self.accelerator.gather(each.mean()).nanmean()
            if mean.isfinite():
                metrics[name].append(mean.item())


def loss_of(scores: torch.Tensor, labels: Batch, centre: float | None) -> torch.Tensor:
    """Hold scores, (answers, heads), to labels: the mean over heads of each one's loss."""
    heads = enumerate(scores.unbind(1))
    return torch.stack([_head_loss(own, labels, head, centre) for head, own in heads]).mean()


def _head_loss(
    scores: torch.Tensor, labels: Batch, head: int, centre: float | None
) -> torch.Tensor:
    """Hold one head's scores, (answers,), to the labels that it is to see."""
    drawn = labels["draws"][:, head] if "draws" in labels else None
    if "rankings" in labels:
        return luce_loss(scores, labels["rankings"], drawn)
    pairs = _pairs_in(labels)
    if drawn is not None:
        pairs = pairs._replace(weight=pairs.weight * drawn)
    loss = pairs_loss(scores, pairs)
    return loss if centre is None else loss + centre * centring(scores, pairs)


def right_of(scores: torch.Tensor, labels: Batch) -> torch.Tensor:
    """Say of each label that names a side whether the scores, (answers,), do too."""
    if "rankings" in labels:
        return _in_order(scores, labels["rankings"])
    return _right(scores, _pairs_in(labels))


def _pairs_in(labels: Batch) -> Pairs:
    return Pairs(*(labels[name] for name in PAIRS))


def _right(scores: torch.Tensor, pairs: Pairs) -> torch.Tensor:
    """Say of each pair that is no tie whether the better answer scores higher."""
    lead = (scores[pairs.first] - scores[pairs.second])[pairs.p != 0.5]
    return ((lead > 0) == (pairs.p[pairs.p != 0.5] > 0.5)).float()


def _in_order(scores: torch.Tensor, rankings: torch.Tensor) -> torch.Tensor:
    """Say of each two neighbours in a ranking whether the better one scores higher."""
    ranked = scores[rankings.clamp(min=0)]
    return (ranked[:, :-1] > ranked[:, 1:])[rankings[:, 1:] >= 0].float()
