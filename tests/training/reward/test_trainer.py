"""Groups give the loss and the gradients of TRL's own trainer on the same pairs."""

import itertools
from pathlib import Path

import pytest
import torch
import trl
from datasets import Dataset

from rlaif.records import Preference
from rlaif.training.common import Silent, arguments, repeatable
from rlaif.training.config import RewardConfig
from rlaif.training.folder import load_tokenizer
from rlaif.training.reward.groups import make_groups
from rlaif.training.reward.layout import Layout
from rlaif.training.reward.member import Job, make_trainer
from rlaif.training.reward.rows import Rows, read_rows
from tests.training.conftest import preferring_yes

CLOSE = 2e-6
CONFIG = RewardConfig(lora=None, precision="float32", batch=24, centring=0.01)


class Theirs(Silent, trl.RewardTrainer):
    pass


@pytest.fixture
def rows(tiny_model: Path, tmp_path: Path) -> Rows:
    labels = [label for number in range(3) for label in four_answers(number)]
    tokenizer = load_tokenizer(tiny_model)
    return read_rows(labels, tokenizer, Layout(), tmp_path / "answers.arrow")


def four_answers(number: int, p: float = 1.0) -> list[Preference]:
    """All six pairs of a prompt's four answers, the better ones first."""
    pair = preferring_yes(number, p=p)
    texts = ["Yes! Yes!", "Yes.", "Hm", "No."]
    answers = [pair.chosen.model_copy(update={"text": text}) for text in texts]
    return [
        pair.model_copy(
            update={"id": f"{number}/{at}", "chosen": one, "rejected": other, "margin": 0.5 * at}
        )
        for at, (one, other) in enumerate(itertools.combinations(answers, 2))
    ]


def step(trainer, batch) -> tuple[float, list[torch.Tensor]]:
    trainer.model.train()
    loss = trainer.compute_loss(trainer.model, batch)
    loss.backward()
    return loss.item(), [weight.grad for weight in trainer.model.parameters()]


def ours(rows: Rows, model: Path, folder: Path, **changes):
    config = CONFIG.model_copy(update=changes)
    groups = make_groups(rows.pairs, config, 0, rows.prompts)
    with repeatable(0):
        job = Job(rows, groups, load_tokenizer(model), config, model, folder)
        trainer = make_trainer(job, folder, 0)
    if config.share_prompts:
        assert trainer.share_prompts()
    return trainer, trainer.data_collator(list(groups.rows))


@pytest.mark.parametrize(
    "changes",
    [{}, {"share_prompts": True}, {"kwise": True}, {"kwise": True, "share_prompts": True}],
    ids=["pairs", "pairs sharing prompts", "kwise", "kwise sharing prompts"],
)
def test_the_loss_and_its_gradients_are_trls_own(rows, tiny_model, tmp_path, changes) -> None:
    tokenizer = load_tokenizer(tiny_model)
    ids = rows.answers["ids"]
    pairs = [
        {"chosen_ids": ids[one.first], "rejected_ids": ids[one.second], "margin": one.margin}
        for one in rows.pairs
    ]
    with repeatable(0):
        theirs = Theirs(
            model=str(tiny_model),
            args=arguments(
                trl.RewardConfig, CONFIG, tmp_path, 0, center_rewards_coefficient=CONFIG.centring
            ),
            train_dataset=Dataset.from_list(pairs),
            processing_class=tokenizer,
        )
    expected, slopes = step(theirs, theirs.data_collator(pairs))
    loss, found = step(*ours(rows, tiny_model, tmp_path, **changes))
    assert loss == pytest.approx(expected, abs=CLOSE)
    for one, other in zip(found, slopes, strict=True):
        assert torch.allclose(one, other, atol=CLOSE)


def test_each_answer_stands_in_a_batch_once(rows, tiny_model, tmp_path) -> None:
    _, batch = ours(rows, tiny_model, tmp_path)
    assert len(batch["input_ids"]) == 12
    assert len(batch["first"]) == 18
    _, packed = ours(rows, tiny_model, tmp_path, share_prompts=True)
    assert len(packed["input_ids"]) == 3


def test_luce_sees_rankings_and_learns_from_them(rows, tiny_model, tmp_path) -> None:
    trainer, batch = ours(rows, tiny_model, tmp_path, kwise=True, loss="luce")
    assert batch["rankings"].tolist() == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 10, 11]]
    scores = trainer._scores(trainer.model, batch)[0].view(3, 4)
    by_hand = sum(
        -(row[k] - torch.logsumexp(row[k:], 0)) for row in scores for k in range(4)
    ) / len(scores)
    assert trainer.compute_loss(trainer.model, batch).item() == pytest.approx(
        by_hand.item(), abs=CLOSE
    )


def test_a_model_that_reads_a_mask_otherwise_is_given_rows_apart(
    rows, tiny_model, tmp_path, monkeypatch
) -> None:
    groups = make_groups(rows.pairs, CONFIG, 0, rows.prompts)
    tokenizer = load_tokenizer(tiny_model)
    with repeatable(0):
        job = Job(rows, groups, tokenizer, CONFIG, tiny_model, tmp_path)
        trainer = make_trainer(job, tmp_path, 0)
    # What an architecture that ignores positions would do.
    plain = trainer.model.model.forward
    monkeypatch.setattr(
        trainer.model.model,
        "forward",
        lambda *args, **how: plain(*args, **{**how, "position_ids": None}),
    )
    assert not trainer.share_prompts()
    assert not trainer.data_collator.packs
