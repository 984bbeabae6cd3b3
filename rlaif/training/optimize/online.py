"""Online DPO: sample answers, have them judged, and learn from the best against the worst.

On TRL's sampling trainer, so that all it can do is here too: rewards of any kind, judges that begin
early, other engines. A pair is a row of its own, which no shuffle or split can take apart. A group
that ties, or of which fewer than two answers have a score, counts for nothing, and is counted
(Guo et al. 2024, arXiv 2402.04792).
"""

from typing import Any

import torch
from trl.models.utils import disable_gradient_checkpointing
from trl.trainer.utils import use_adapter

from rlaif.backends.sharing import may_share
from rlaif.training.common import soft_loss
from rlaif.training.config import OptimizeConfig
from rlaif.training.optimize.losses import less_sure, noise_undone
from rlaif.training.optimize.pairs import CLOSE, CLOSE_IN_HALF, pack, read_answers, sums_of
from rlaif.training.optimize.rollouts import GRPOTrainer

Pairs = dict[str, torch.Tensor]

_SIDES = ("chosen", "rejected")


class OnlineDPOTrainer(GRPOTrainer):
    """Learns from pairs of what it has just sampled."""

    how = OptimizeConfig()
    """What the loss is told."""
    beta: float
    _entropy: torch.Tensor
    """Of all tokens of the answers that were read last, together."""
    _packs: bool | None = None
    """Whether both answers of a pair are read in one row; None before it is known."""

    def _calculate_rewards(self, *given: Any) -> torch.Tensor:
        found: torch.Tensor = super()._calculate_rewards(*given)
        count = len(given[1])
        first = self.accelerator.process_index * count
        # One column: parts are mixed before TRL sees them. NaN is an abstention.
        self._rewards = found[first : first + count, 0].clone()
        return found

    def _generate_and_score_completions(self, inputs: list[dict[str, Any]]) -> Any:
        # The reference reads no more than the pairs, below: TRL's would read every answer.
        beta, self.beta = self.beta, 0.0
        try:
            batch = super()._generate_and_score_completions(inputs)
        finally:
            self.beta = beta
        samples = self.num_generations if self.model.training else self.num_generations_eval
        best, worst, kept = best_and_worst(self._rewards.view(-1, samples))
        pairs = {"prompt_ids": batch["prompt_ids"], "prompt_mask": batch["prompt_mask"]}
        pairs = {name: values[best] for name, values in pairs.items()}
        for side, rows in zip(_SIDES, (best, worst), strict=True):
            pairs[f"{side}_ids"] = batch["completion_ids"][rows]
            pairs[f"{side}_mask"] = batch["completion_mask"][rows]
        everyones = self.accelerator.gather(kept)
        # A mean over the pairs that are left, however many were dropped.
        pairs["weight"] = kept * (everyones.numel() / everyones.sum().clamp(min=1))
        self._note(pairs=everyones.mean())
        with torch.no_grad():
            for side, sums in zip(_SIDES, self._reference(pairs), strict=True):
                pairs[f"ref_{side}"] = sums
        return pairs

    def _reference(self, pairs: Pairs) -> tuple[torch.Tensor, torch.Tensor]:
        with disable_gradient_checkpointing(self.model, self.args.gradient_checkpointing_kwargs):
            if self.ref_model is not None:
                return self._sums(self.ref_model, pairs)
            model = self.accelerator.unwrap_model(self.model)
            with use_adapter(model, adapter_name=None):
                return self._sums(self.model, pairs)

    def _sums(self, model: Any, pairs: Pairs) -> tuple[torch.Tensor, torch.Tensor]:
        """Give the log-probability of each chosen and each rejected answer, (pairs,) each."""
        if self._packs is None:
            self._packs = self._may_pack(pairs)
        # An answer whose every token is masked out has no place in a shared row.
        lengths = [pairs[f"{side}_mask"].sum(1).min() for side in _SIDES]
        reads = self._together if self._packs and min(lengths) > 0 else self._apart
        return reads(model, pairs)

    def _apart(self, model: Any, pairs: Pairs) -> tuple[torch.Tensor, torch.Tensor]:
        """Read a row for each answer."""
        ids, mask = (
            torch.cat(
                [
                    torch.cat([pairs[f"prompt_{what}"], pairs[f"{side}_{what}"]], dim=1)
                    for side in _SIDES
                ]
            )
            for what in ("ids", "mask")
        )
        tokens = pairs["chosen_ids"].size(1)
        size = self.args.per_device_train_batch_size
        moves = model is not self.ref_model
        logps, entropies, _ = self._get_per_token_logps_and_entropies(
            model, ids, mask, tokens, batch_size=size, compute_entropy=moves
        )
        if moves:
            self._entropy = (entropies.detach() * mask[:, -tokens:]).sum()
        chosen, rejected = (logps * mask[:, -tokens:]).sum(1).chunk(2)
        return chosen, rejected

    def _together(self, model: Any, pairs: Pairs) -> tuple[torch.Tensor, torch.Tensor]:
        """Read both answers in one row, the prompt once."""
        sums, self._entropy = [], torch.zeros((), device=self.accelerator.device)
        at_once = self.args.per_device_train_batch_size // 2
        for part in torch.arange(len(pairs["weight"])).split(at_once):
            batch = pack(_rows_of(pairs, part.tolist()), self._tokenizer.pad_token_id)
            batch = {name: values.to(self.accelerator.device) for name, values in batch.items()}
            with self.accelerator.autocast():
                said = read_answers(model, batch, self._config)
            sums.append(sums_of(said.log_probs, batch))
            # A reference's head gives none.
            self._entropy += 0.0 if said.entropy is None else said.entropy.detach().sum()
        chosen, rejected = (torch.cat(side) for side in zip(*sums, strict=True))
        return chosen, rejected

    @property
    def _config(self) -> Any:
        return self.accelerator.unwrap_model(self.model).config

    def _may_pack(self, pairs: Pairs) -> bool:
        """Read the first pairs both ways: a model may do otherwise than its config says."""
        is_in_parts = self.is_fsdp_enabled or self.is_deepspeed_enabled
        if is_in_parts or not may_share(self._config):
            return False
        few = {name: values[:4] for name, values in pairs.items()}
        with torch.no_grad():
            both = [torch.stack(read(self.model, few)) for read in (self._apart, self._together)]
        tokens = torch.stack([few[f"{side}_mask"].sum(1) for side in _SIDES]).clamp(min=1)
        halves = self.args.bf16 or self.args.fp16 or self.model.dtype != torch.float32
        # A gap that is no number is none that is small.
        gaps = (both[0] - both[1]).abs() / tokens
        return bool((gaps < (CLOSE_IN_HALF if halves else CLOSE)).all())

    def _compute_loss(self, model: Any, inputs: dict[str, Any]) -> torch.Tensor:
        chosen, rejected = (
            sums - inputs[f"ref_{side}"]
            for side, sums in zip(_SIDES, self._sums(model, inputs), strict=True)
        )
        change = noise_undone if self.how.smoothing == "robust" else less_sure
        p = change(torch.ones_like(chosen), self.how.label_smoothing)
        tokens = sum(inputs[f"{side}_mask"].sum() for side in _SIDES)
        self._note(
            kl=(chosen + rejected).sum() / tokens,
            entropy=self._entropy / tokens,
            accuracy=(chosen > rejected).float(),
            logratio_chosen=chosen,
            logratio_rejected=rejected,
        )
        loss = soft_loss(self.beta * (chosen - rejected), p, inputs["weight"])
        return loss / (self.current_gradient_accumulation_steps if self.model.training else 1)

    def _note(self, **figures: torch.Tensor) -> None:
        """Log figures' means over processes."""
        metrics = self._metrics["train" if self.model.training else "eval"]
        values = torch.stack([values.detach().float().mean() for values in figures.values()])
        for name, value in zip(figures, self.accelerator.reduce(values, "mean"), strict=True):
            metrics[name].append(value.item())


def _rows_of(pairs: Pairs, rows: list[int]) -> list[dict[str, list[int]]]:
    names = ("prompt", *_SIDES)
    return [
        {
            f"{of}_ids": pairs[f"{of}_ids"][row][pairs[f"{of}_mask"][row].bool()].tolist()
            for of in names
        }
        for row in rows
    ]


def best_and_worst(rewards: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Choose a pair of each group of answers.

    Args:
        rewards: (groups, answers); NaN where there is no score.

    Returns:
        The rows of the best and of the worst answers in the flat order, (groups,) each, and 1 where
        one is better than the other, else 0.
    """
    best_score, best = rewards.nan_to_num(nan=-torch.inf).max(dim=1)
    worst_score, worst = rewards.nan_to_num(nan=torch.inf).min(dim=1)
    starts = torch.arange(len(rewards), device=rewards.device) * rewards.size(1)
    kept = (best_score > worst_score) & best_score.isfinite() & worst_score.isfinite()
    return starts + best, starts + worst, kept.float()
