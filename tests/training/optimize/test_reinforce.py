"""On a policy of three words and two tokens, whose nine answers can all be looked at."""

import itertools

import pytest
import torch

from rlaif.errors import InputError
from rlaif.records import Prompt
from rlaif.training.common import repeatable
from rlaif.training.config import OptimizeConfig
from rlaif.training.folder import load_tokenizer
from rlaif.training.optimize.by_reward import Job, make_trainer
from rlaif.training.optimize.reinforce import sequence_loss
from rlaif.training.optimize.scorer import Scorer

ANSWERS = torch.tensor(list(itertools.product(range(3), repeat=2)))
REWARDS = torch.tensor([5.0, 1.0, 0.0, 2.0, 7.0, 1.0, 0.0, 3.0, 4.0])
MASK = torch.ones(1, 2)


class Tiny:
    """First a word, then a word that depends on it."""

    def __init__(self, seed: int = 0) -> None:
        draw = torch.Generator().manual_seed(seed)
        self.first = torch.randn(3, generator=draw, dtype=torch.float64, requires_grad=True)
        self.then = torch.randn(3, 3, generator=draw, dtype=torch.float64, requires_grad=True)

    def logps(self, answers):
        """(answers, 2)"""
        one = self.first.log_softmax(0)[answers[:, 0]]
        return torch.stack([one, self.then.log_softmax(1)[answers[:, 0], answers[:, 1]]], 1)

    def gradient(self, loss):
        found = torch.autograd.grad(loss, [self.first, self.then], retain_graph=True)
        return torch.cat([each.flatten() for each in found])


def estimates(policy: Tiny, rewards, baseline=0.0):
    """Each answer's estimate of the gradient, and how likely it is to be drawn."""
    logps = policy.logps(ANSWERS)
    chance = logps.sum(1).exp().detach()
    each = [
        policy.gradient(sequence_loss(logps[i : i + 1], rewards[i : i + 1] - baseline, MASK))
        for i in range(len(ANSWERS))
    ]
    return torch.stack(each), chance


def mean_and_spread(each, chance):
    mean = (chance[:, None] * each).sum(0)
    return mean, (chance[:, None] * (each - mean) ** 2).sum().item()


def test_the_mean_gradient_is_the_exact_gradient_of_the_expected_reward() -> None:
    policy = Tiny()
    expected = (policy.logps(ANSWERS).sum(1).exp() * REWARDS).sum()
    exact = policy.gradient(-expected)
    mean, _ = mean_and_spread(*estimates(policy, REWARDS))
    assert torch.allclose(mean, exact, atol=1e-12)


@pytest.mark.parametrize("seed", range(4))
def test_a_baseline_leaves_the_mean_alone_and_the_spread_smaller(seed: int) -> None:
    policy = Tiny(seed)
    chance = policy.logps(ANSWERS).sum(1).exp().detach()
    plain, wide = mean_and_spread(*estimates(policy, REWARDS + 3))
    # The running mean where it has come to rest, and what a critic has learned of this prompt.
    baseline = (chance * (REWARDS + 3)).sum()
    mean, narrow = mean_and_spread(*estimates(policy, REWARDS + 3, baseline))
    assert torch.allclose(mean, plain, atol=1e-12)
    assert narrow < 0.6 * wide


def test_the_kl_in_the_reward_gives_the_exact_gradient_of_both() -> None:
    policy, start, beta = Tiny(), Tiny(9), 0.3
    logps, before = policy.logps(ANSWERS), start.logps(ANSWERS).detach()
    chance = logps.sum(1).exp()
    gap = logps.sum(1) - before.sum(1)
    exact = policy.gradient(-(chance * REWARDS).sum() + beta * (chance * gap).sum())
    mean, _ = mean_and_spread(*estimates(policy, REWARDS - beta * gap.detach()))
    assert torch.allclose(mean, exact, atol=1e-12)


def test_the_sequences_form_and_the_tokens_are_one_loss() -> None:
    logps = Tiny().logps(ANSWERS)
    mask = torch.ones_like(logps)
    by_sequence = -(REWARDS * logps.sum(1)).mean()
    by_token = sequence_loss(logps, REWARDS[:, None].expand(-1, 2), mask)
    assert sequence_loss(logps, REWARDS, mask).item() == pytest.approx(by_sequence.item())
    assert by_token.item() == pytest.approx(by_sequence.item())


PROMPTS = [Prompt.of(f"question {number}") for number in range(4)]
CONFIG = OptimizeConfig(
    method="reinforce", batch=8, samples=1, beta=0.2, lora=None, max_new_tokens=6, steps=1,
    precision="float32",
)  # fmt: skip


def a_trainer(tiny_model, folder, **changes):
    config = OptimizeConfig.model_validate({**CONFIG.model_dump(), **changes})
    tokenizer = load_tokenizer(tiny_model)

    def reward(_, texts):
        return [None if number == 3 else float(number) for number in range(len(texts))]

    with repeatable(0):
        trainer = make_trainer(
            Job(PROMPTS, Scorer(PROMPTS, reward), tokenizer, config, tiny_model), folder, 0
        )
        trainer.current_gradient_accumulation_steps = 1
        trainer.model.train()
        rows = [trainer.train_dataset[number % 4] for number in range(8)]
        batch = trainer._generate_and_score_completions(rows)
    return trainer, batch


def moved(model) -> None:
    draw = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for weight in model.parameters():
            weight.add_(0.05 * torch.randn(weight.shape, generator=draw))


def by_hand(trainer, batch, expected):
    """−1/n Σ (R − β log π/π_ref − b) Σ log π, on plain logits."""
    ids = torch.cat([batch["prompt_ids"], batch["completion_ids"]], 1)
    seen = torch.cat([batch["prompt_mask"], batch["completion_mask"]], 1)
    logits = trainer.model(input_ids=ids, attention_mask=seen).logits[:, :-1].log_softmax(-1)
    logps = logits.gather(2, ids[:, 1:, None]).squeeze(2)[:, -batch["completion_ids"].size(1) :]
    total = (logps * batch["completion_mask"]).sum(1)
    before = (batch["ref_per_token_logps"] * batch["completion_mask"]).sum(1)
    returns = torch.arange(8.0) - 0.2 * (total.detach() - before)
    weight = (returns - expected) * (torch.arange(8) != 3)
    return -(weight * total).mean()


@pytest.mark.parametrize("baseline", ["none", "mean"])
def test_the_loss_and_its_gradient_are_those_of_an_implementation_by_hand(
    tiny_model, tmp_path, baseline
) -> None:
    trainer, batch = a_trainer(tiny_model, tmp_path, baseline=baseline)
    moved(trainer.model)
    known = [number for number in range(8) if number != 3]
    others = [(sum(known) - (n if n in known else 0)) / 6 for n in range(8)]
    expected = torch.tensor(others) if baseline == "mean" else torch.zeros(8)
    grads, losses = [], []
    for loss in (trainer._compute_loss(trainer.model, batch), by_hand(trainer, batch, expected)):
        trainer.model.zero_grad()
        loss.backward()
        losses.append(loss.item())
        grads.append(torch.cat([w.grad.flatten() for w in trainer.model.parameters()]))
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)
    assert torch.allclose(*grads, atol=1e-4)
    assert grads[0].abs().max() > 0.1


def test_a_learned_baseline_is_what_the_critic_says_before_the_answer(tiny_model, tmp_path) -> None:
    trainer, batch = a_trainer(tiny_model, tmp_path, baseline="learned", beta=0.0)
    with torch.no_grad():
        trainer.head.bias.fill_(2.0)
    loss = trainer._compute_loss(trainer.model, batch)
    scored = torch.arange(8) != 3
    errors = ((2.0 - torch.arange(8.0)) ** 2 * scored).mean()
    assert trainer._metrics["train"]["critic/loss"][-1] == pytest.approx(errors.item(), rel=1e-5)
    assert trainer._metrics["train"]["advantage"][-1] == pytest.approx(
        ((torch.arange(8.0) - 2).abs() * scored).mean().item(), rel=1e-5
    )
    loss.backward()
    assert trainer.head.weight.grad.abs().max() > 0


def test_the_policy_is_read_once_where_it_has_not_moved(tiny_model, tmp_path, monkeypatch) -> None:
    trainer, batch = a_trainer(tiny_model, tmp_path)
    read = []
    inner = type(trainer)._get_per_token_logps_and_entropies

    def counting(self, model, *args, **named):
        read.append("reference" if model is self.ref_model else "policy")
        return inner(self, model, *args, **named)

    monkeypatch.setattr(type(trainer), "_get_per_token_logps_and_entropies", counting)
    rows = [trainer.train_dataset[number % 4] for number in range(8)]
    batch = trainer._generate_and_score_completions(rows)
    trainer._compute_loss(trainer.model, batch)
    assert read == ["reference", "policy"]


def test_the_kl_in_the_loss_pulls_towards_the_start(tiny_model, tmp_path) -> None:
    trainer, batch = a_trainer(tiny_model, tmp_path, kl_in="loss", beta=1.0)
    batch["rewards"] = torch.zeros(8)
    batch["expected"] = torch.zeros(8)
    moved(trainer.model)
    loss = trainer._compute_loss(trainer.model, batch)
    assert loss.item() > 0
    loss.backward()
    optimizer = torch.optim.SGD(trainer.model.parameters(), lr=1e-4)
    optimizer.step()
    assert trainer._compute_loss(trainer.model, batch).item() < loss.item()


def test_answers_that_would_be_learned_from_twice_are_refused(tiny_model, tmp_path) -> None:
    with pytest.raises(InputError, match="learns from each answer once"):
        a_trainer(tiny_model, tmp_path, extra={"num_iterations": 2})
