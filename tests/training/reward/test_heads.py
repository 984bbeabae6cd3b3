"""Several heads are an ensemble in one model: they learn apart, and their folder keeps them all."""

from importlib.util import find_spec
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoModelForSequenceClassification

from rlaif.errors import MissingModelError
from rlaif.training.config import LoRA, RewardConfig, Trained
from rlaif.training.reward import RewardModel, train_reward_model
from rlaif.training.reward.groups import make_groups
from rlaif.training.reward.heads import FILE, draws_of
from rlaif.training.reward.layout import Layout, reward_tokenizer
from rlaif.training.reward.losses import luce_loss
from rlaif.training.reward.member import Job, make_trainer
from rlaif.training.reward.rows import read_rows
from tests.training.conftest import preferring_yes

CONFIG = RewardConfig(
    learning_rate=1e-2, steps=6, batch=4, lora=LoRA(r=4), held_out=0, heads=3, combine="lower",
    spread=0.5,
)  # fmt: skip
LABELS = [preferring_yes(number) for number in range(12)]
ASKED = ([LABELS[0].prompt] * 2, ["Yes!", "No."])


@pytest.fixture(scope="module")
def trained(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    out = tmp_path_factory.mktemp("heads") / "rm"
    return train_reward_model(LABELS, CONFIG, tiny_model, out)


def told(done: Trained, how: str, spread: float = 1.0) -> torch.Tensor:
    layout = Layout.read(done.path)
    assert layout
    layout.model_copy(update={"combine": how, "spread": spread}).write(done.path)
    scores = torch.tensor(RewardModel(done.path)(*ASKED))
    layout.write(done.path)
    return scores


def test_the_reward_of_several_heads_is_their_mean_least_or_deviations_below(
    trained: Trained,
) -> None:
    model = AutoModelForSequenceClassification.from_pretrained(trained.path, dtype=torch.float32)
    reward = RewardModel(trained.path)
    heads = load_file(trained.path / FILE)["score"]
    assert heads.shape == (3, model.config.hidden_size)
    rows = [torch.tensor([reward.tokens(*asked)]) for asked in zip(*ASKED, strict=True)]
    with torch.no_grad():
        ends = torch.stack([model.model(ids).last_hidden_state[0, -1] for ids in rows])
    by_head = ends @ heads.T
    assert by_head.std(1).min() > 1e-3, "the heads are not one"
    for how, expected in (
        ("mean", by_head.mean(1)),
        ("min", by_head.min(1).values),
        ("lower", by_head.mean(1) - 0.5 * by_head.std(1, correction=0)),
    ):
        assert told(trained, how, 0.5).tolist() == pytest.approx(expected.tolist(), abs=1e-3)
    assert reward(*ASKED) == told(trained, "lower", 0.5).tolist()


def test_other_tools_read_the_mean_of_the_heads_as_the_folders_one_score(trained: Trained) -> None:
    model, loading = AutoModelForSequenceClassification.from_pretrained(
        trained.path, output_loading_info=True, dtype=torch.float32
    )
    assert not loading["missing_keys"]
    assert not loading["unexpected_keys"]
    assert model.config.num_labels == len(model.score.weight) == 1
    reward = RewardModel(trained.path)
    rows = [torch.tensor([reward.tokens(*asked)]) for asked in zip(*ASKED, strict=True)]
    scores = [model(ids).logits.item() for ids in rows]
    assert scores == pytest.approx(told(trained, "mean").tolist(), abs=0.02)


def test_each_head_learns_what_is_preferred(trained: Trained) -> None:
    yes, no = told(trained, "min").tolist()
    assert yes > no
    assert trained.metrics["accuracy_train"] > 0.5


def test_a_head_learns_from_its_own_draw_of_the_prompts(tiny_model: Path, tmp_path: Path) -> None:
    tokenizer = reward_tokenizer(tiny_model)
    rows = read_rows(LABELS, tokenizer, Layout(), tmp_path / "answers.arrow")
    groups = make_groups(rows.pairs, CONFIG, 0, rows.prompts)
    assert groups.rows["draws"] == [draws_of(f"0:{prompt}", 3) for prompt in rows.prompts]
    job = Job(rows, groups, tokenizer, CONFIG, tiny_model, tmp_path)
    trainer = make_trainer(job, tmp_path / "c", 0)
    at = next(n for n, draws in enumerate(groups.rows["draws"]) if sorted(draws) == [0, 0, 2])
    batch = trainer.data_collator([groups.rows[at]])
    trainer.compute_loss(trainer.model, batch).backward()
    trained = (p for name, p in trainer.model.named_parameters() if "score" in name)
    [gradient] = [p.grad for p in trained if p.requires_grad]
    seen = [bool(row.abs().sum()) for row in gradient]
    assert seen == [draw > 0 for draw in groups.rows["draws"][at]]


@pytest.mark.skipif(find_spec("bitsandbytes") is None, reason="needs bitsandbytes")
def test_heads_stand_on_a_base_of_few_bits_too(tiny_model: Path, tmp_path: Path) -> None:
    config = CONFIG.model_copy(update={"lora": LoRA(r=4, bits=4)})
    done = train_reward_model(LABELS, config, tiny_model, tmp_path / "rm")
    assert load_file(done.path / FILE)["score"].shape[0] == 3
    yes, no = RewardModel(done.path)(*ASKED)
    assert yes > no


def test_a_ranking_counts_as_often_as_it_was_drawn() -> None:
    scores, rankings = torch.tensor([1.0, 0.0, 2.0]), torch.tensor([[0, 1], [1, 2]])
    apart = [luce_loss(scores, rankings[:1]), luce_loss(scores, rankings[1:])]
    drawn = luce_loss(scores, rankings, torch.tensor([0.0, 2.0]))
    assert drawn.item() == pytest.approx(apart[1].item())
    assert luce_loss(scores, rankings).item() == pytest.approx(sum(apart).item() / 2)


def test_heads_that_are_not_there_are_one_line(trained: Trained, tmp_path: Path) -> None:
    heads = trained.path / FILE
    aside = heads.rename(tmp_path / FILE.name)
    with pytest.raises(MissingModelError, match=r"score\.safetensors: not there, and .* 3 heads"):
        RewardModel(trained.path)
    aside.rename(heads)
