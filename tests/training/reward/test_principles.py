"""A model that reads a principle scores by any; its folder says what it was made of."""

import json
from pathlib import Path

import pytest
import yaml

from rlaif.constitution.principle import Constitution, Principle
from rlaif.errors import InputError
from rlaif.records import Preference, Prompt, Verdict
from rlaif.training.config import LoRA, RewardConfig, Trained
from rlaif.training.folder import load_tokenizer
from rlaif.training.reward import Beside, RewardModel, train_reward_model
from rlaif.training.reward.groups import make_groups
from rlaif.training.reward.layout import Layout
from rlaif.training.reward.rows import read_rows
from tests.training.conftest import preferring_yes

RULES = Constitution(
    name="two",
    principles=(
        Principle(id="yes", text="The response says yes."),
        Principle(id="no", text="The response says no."),
    ),
)
SHOWN = [(Prompt.of("Hi"), "Yes! No."), (Prompt.of("Bye"), "No. Yes!")]


def judged(number: int) -> Preference:
    """One principle prefers yes, the other no."""
    verdicts = [
        Verdict(p_first=p, judge="j", principle=name) for name, p in (("yes", 0.95), ("no", 0.05))
    ]
    label = preferring_yes(number)
    stamps = {"constitution": RULES.fingerprint, "contract": "c1", "despite": ("agreement",)}
    return label.model_copy(update={"verdicts": tuple(verdicts), **stamps})


@pytest.fixture(scope="module")
def trained(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    config = RewardConfig(
        steps=2,
        lora=LoRA(r=4),
        by_principle=True,
        share_prompts=True,
        zero="demonstrations",
    )
    labels = [*(judged(number) for number in range(10)), preferring_yes(99)]
    out = tmp_path_factory.mktemp("principles") / "rm"
    return train_reward_model(labels, config, tiny_model, out, beside=Beside(RULES, SHOWN))


def test_a_principle_is_read_before_the_conversation_and_scores_by_itself(
    trained: Trained,
) -> None:
    reward = RewardModel(trained.path)
    words = RULES.principles[0].text
    text = reward._tokenizer.decode(reward.tokens(Prompt.of("unseen"), "Yes!", words))
    assert f"user\nPrinciple: {words}\n\nunseen<|im_end|>" in text
    asked = ([Prompt.of("unseen")] * 2, ["Yes!", "No."])
    by_yes, by_no = reward.under("yes")(*asked), reward.under("no")(*asked)
    assert by_yes != by_no
    assert reward.under(words)(*asked) == by_yes
    mean = [(a + b) / 2 for a, b in zip(by_yes, by_no, strict=True)]
    assert reward(*asked) == pytest.approx(mean)


def test_each_verdict_is_a_pair_of_its_own_with_its_side(tiny_model: Path, tmp_path: Path) -> None:
    layout = Layout(principles={each.id: each.text for each in RULES.principles})
    labels = [judged(1), preferring_yes(2)]
    rows = read_rows(labels, load_tokenizer(tiny_model), layout, tmp_path / "answers.arrow")
    assert [(pair.principle, round(pair.p, 2)) for pair in rows.pairs] == [
        ("yes", 0.95),
        ("no", 0.05),
    ]
    assert len(rows.answers) == 4
    assert rows.left_out["no verdict by principle"] == 1
    groups = make_groups(rows.pairs, RewardConfig(kwise=True), 0, rows.prompts)
    assert len(groups.rows) == 2


def test_each_principle_has_its_own_figures(trained: Trained) -> None:
    metrics = trained.metrics
    assert metrics["n_held_out/yes"] == metrics["n_held_out/no"] == 2
    assert metrics["accuracy"] == (metrics["accuracy/yes"] + metrics["accuracy/no"]) / 2


def test_demonstrations_score_zero_in_the_mean(trained: Trained) -> None:
    prompts, texts = zip(*SHOWN, strict=True)
    assert sum(RewardModel(trained.path)(prompts, texts)) == pytest.approx(0, abs=0.02)
    assert json.loads((trained.path / "reward.json").read_text("utf-8"))["zero"] != 0


@pytest.mark.parametrize("name", ["yess", "nothing"])
def test_a_principle_it_does_not_know_is_one_line(trained: Trained, name: str) -> None:
    with pytest.raises(InputError, match=f"{name}: no principle of this model"):
        RewardModel(trained.path).under(name)


def test_a_model_of_principles_needs_their_words(tiny_model: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="name the constitution"):
        train_reward_model([], RewardConfig(by_principle=True), tiny_model, tmp_path / "rm")


def test_the_card_says_what_a_stranger_must_know(trained: Trained, tiny_model: Path) -> None:
    card = (trained.path / "README.md").read_text(encoding="utf-8")
    head = yaml.safe_load(card.split("---\n")[1])
    assert head["license"] == "unknown"
    assert head["pipeline_tag"] == "text-classification"
    for said in (
        RULES.fingerprint,
        "The response says yes.",
        "| judge test | 10 |",
        "`c1`",
        "fell short of: agreement",
        "| held out, conversations | 2 |",
        "| left out: no verdict by principle | 1 |",
    ):
        assert said in card
    assert " to " in next(line for line in card.splitlines() if line.startswith("| accuracy |"))
    assert str(tiny_model.parent) not in card
