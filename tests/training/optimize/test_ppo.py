import itertools

import pytest
import torch

from rlaif.records import Prompt
from rlaif.training.common import repeatable
from rlaif.training.config import LoRA, OptimizeConfig
from rlaif.training.folder import load_tokenizer
from rlaif.training.optimize.by_reward import Job, make_trainer
from rlaif.training.optimize.gae import advantages_of, token_rewards
from rlaif.training.optimize.ppo import value_errors
from rlaif.training.optimize.scorer import Scorer

PROMPTS = [Prompt.of(f"question {number}") for number in range(4)]
CONFIG = OptimizeConfig(
    method="ppo", batch=8, samples=1, beta=0.2, lora=None, max_new_tokens=6, steps=1,
    precision="float32",
)  # fmt: skip


def a_trainer(tiny_model, folder, **changes):
    config = OptimizeConfig.model_validate({**CONFIG.model_dump(), **changes})
    tokenizer = load_tokenizer(tiny_model)

    def reward(_, texts):
        return [None if number == 3 else float(number) for number in range(len(texts))]

    with repeatable(0):
        job = Job(PROMPTS, Scorer(PROMPTS, reward), tokenizer, config, tiny_model)
        trainer = make_trainer(job, folder, 0)
        trainer.current_gradient_accumulation_steps = 1
        trainer.model.train()
    return trainer


def drawn(trainer):
    rows = [trainer.train_dataset[number % 4] for number in range(8)]
    with repeatable(1):
        return trainer._generate_and_score_completions(rows)


def test_the_advantages_are_those_of_the_kl_the_scores_and_the_critic(tiny_model, tmp_path) -> None:
    trainer = a_trainer(tiny_model, tmp_path, ppo={"whiten": False, "smoothing": 0.9})
    with torch.no_grad():
        torch.nn.init.normal_(trainer.head.weight)
        for weight in trainer.model.model.parameters():
            weight.add_(0.02)
    batch = drawn(trainer)
    mask = batch["completion_mask"] * (torch.arange(8) != 3)[:, None]
    kl = batch["old_per_token_logps"] - batch["ref_per_token_logps"]
    assert (kl * mask).abs().max() > 1e-3
    rewards = token_rewards(torch.arange(8.0), kl, mask, 0.2)
    expected, returns = advantages_of(rewards, batch["values"], mask, 1.0, 0.9)
    assert torch.allclose(batch["advantages"], expected, atol=1e-5)
    assert torch.allclose(batch["returns"], returns, atol=1e-5)
    assert batch["advantages"][3].abs().max() == 0


def test_a_value_may_not_be_rewarded_for_moving_far() -> None:
    values, before = torch.tensor([[1.0]]), torch.tensor([[0.0]])
    # At 1, the value is right; it may only be taken to be at 0.2.
    assert value_errors(values, before, torch.tensor([[1.0]]), 0.2).item() == pytest.approx(0.32)
    assert value_errors(values, before, torch.tensor([[1.0]]), None).item() == 0.0
    assert value_errors(values, before, torch.tensor([[0.0]]), 0.2).item() == pytest.approx(0.5)


def test_the_critic_learns_and_an_abstention_teaches_it_nothing(tiny_model, tmp_path) -> None:
    trainer = a_trainer(tiny_model, tmp_path, ppo={"whiten": False})
    batch = drawn(trainer)
    batch["advantages"] = torch.zeros_like(batch["advantages"])
    loss = trainer._compute_loss(trainer.model, batch)
    errors = (batch["returns"] ** 2 / 2 * batch["counted"]).sum() / batch["completion_mask"].sum()
    assert loss.item() == pytest.approx(0.1 * errors.item(), rel=1e-4)
    assert batch["counted"][3].sum() == 0
    loss.backward()
    assert trainer.head.weight.grad.abs().max() > 0


def test_the_critic_has_a_learning_rate_of_its_own(tiny_model, tmp_path) -> None:
    for lora in (None, LoRA(r=2)):
        trainer = a_trainer(
            tiny_model, tmp_path, lora=lora, learning_rate=1e-3, critic={"learning_rate": 5e-3}
        )
        trainer.create_optimizer()
        rates = {
            id(weight): group["lr"]
            for group in trainer.optimizer.param_groups
            for weight in group["params"]
        }
        trained = [w for w in trainer.model.parameters() if w.requires_grad]
        assert len(rates) == len(trained)
        assert {rates[id(w)] for w in trainer.head.parameters()} == {5e-3}
        assert sorted(rates.values()).count(5e-3) == 2


def test_clipping_stops_what_has_moved_far_enough(tiny_model, tmp_path) -> None:
    trainer = a_trainer(tiny_model, tmp_path, critic={"weight": 0.0}, beta=0.0)
    batch = drawn(trainer)
    batch["advantages"] = batch["completion_mask"].float()
    # As if every token had been a third less likely when it was drawn.
    batch["old_per_token_logps"] = batch["old_per_token_logps"] - 0.4
    loss = trainer._compute_loss(trainer.model, batch)
    assert loss.item() == pytest.approx(-1.2, rel=1e-4)
    loss.backward()
    assert max(w.grad.abs().max() for w in trainer.model.model.parameters()) < 1e-6


@pytest.mark.parametrize("smoothing", [1.0, 0.95])
def test_without_its_critic_what_it_learns_from_is_noisier(smoothing: float) -> None:
    """On two tokens of three words each, so that every answer and its chance is known."""
    draw = torch.Generator().manual_seed(0)
    first = torch.randn(3, generator=draw, requires_grad=True)
    then = torch.randn(3, 3, generator=draw, requires_grad=True)
    answers = torch.tensor(list(itertools.product(range(3), repeat=2)))
    rewards = torch.tensor([5.0, 1.0, 0.0, 2.0, 7.0, 1.0, 0.0, 3.0, 4.0]) + 3
    logps = torch.stack(
        [first.log_softmax(0)[answers[:, 0]], then.log_softmax(1)[answers[:, 0], answers[:, 1]]], 1
    )
    chance = logps.sum(1).exp().detach()
    # What a critic that has learned says before each token.
    after = (then.softmax(1) * rewards.view(3, 3)).sum(1).detach()
    start = (first.softmax(0) * after).sum().detach()
    known = torch.stack([start.expand(9), after[answers[:, 0]]], 1)
    mask = torch.ones(9, 2)
    earned = token_rewards(rewards, torch.zeros(9, 2), mask, 0.0)
    found = []
    for values in (known, torch.zeros(9, 2)):
        advantages, _ = advantages_of(earned, values, mask, 1.0, smoothing)
        each = torch.stack([
            torch.cat([
                grad.flatten()
                for grad in torch.autograd.grad(
                    (advantages[n] * logps[n]).sum(), [first, then], retain_graph=True
                )
            ])
            for n in range(9)
        ])  # fmt: skip
        mean = (chance[:, None] * each).sum(0)
        found.append((mean, (chance[:, None] * (each - mean) ** 2).sum().item()))
    assert found[0][1] < 0.3 * found[1][1]
    if smoothing == 1.0:
        assert torch.allclose(found[0][0], found[1][0], atol=1e-5)
