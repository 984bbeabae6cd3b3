import shutil
from pathlib import Path

import pytest
import torch
from transformers import AutoModelForSequenceClassification

from rlaif.errors import InputError, MissingModelError, StageError
from rlaif.records import Preference, Prompt
from rlaif.training.config import LoRA, RewardConfig, Trained
from rlaif.training.folder import load_tokenizer
from rlaif.training.reward import Beside, RewardModel, score, train_reward_model
from rlaif.training.reward.layout import Layout
from rlaif.training.reward.rows import read_rows
from tests.training.conftest import preferring_yes

CONFIG = RewardConfig(learning_rate=1e-2, epochs=6, lora=LoRA(r=4))


@pytest.fixture(scope="module")
def trained(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    rows = [preferring_yes(number) for number in range(24)]
    out = tmp_path_factory.mktemp("reward") / "model"
    return train_reward_model(rows, CONFIG, tiny_model, out)


def test_what_is_preferred_scores_higher_on_prompts_never_seen(trained) -> None:
    prompts = [Prompt.of(f"unseen {number}") for number in range(8)]
    yes, no = (score(trained.path, prompts, [text] * 8) for text in ("Yes!", "No."))
    assert all(a > b for a, b in zip(yes, no, strict=True))


def test_accuracy_is_measured_on_held_out_prompts_with_an_interval(trained) -> None:
    metrics = trained.metrics
    assert trained.rows + metrics["n_held_out"] == 24
    assert metrics["n_held_out"] == 5
    assert metrics["accuracy_low"] < metrics["accuracy"] <= metrics["accuracy_high"] + 1e-9


def test_the_folder_is_one_that_transformers_loads_whole(trained) -> None:
    model, loading = AutoModelForSequenceClassification.from_pretrained(
        trained.path, output_loading_info=True
    )
    assert not loading["missing_keys"]
    assert not loading["unexpected_keys"]
    assert model.config.num_labels == 1
    assert not list(trained.path.glob("adapter*"))


def test_transformers_own_score_is_ours(trained) -> None:
    ours = RewardModel(trained.path)
    model = AutoModelForSequenceClassification.from_pretrained(trained.path, dtype=torch.float32)
    ids = torch.tensor([ours.tokens(Prompt.of("q"), "Yes!")])
    assert ours([Prompt.of("q")], ["Yes!"])[0] == pytest.approx(model(ids).logits.item(), abs=0.02)


@pytest.mark.parametrize("too_long", ["drop", "truncate"])
def test_scoring_reads_the_text_that_training_read(
    tiny_model, preferences, tmp_path, too_long
) -> None:
    config = RewardConfig(steps=1, max_length=34, too_long=too_long)
    path = train_reward_model(preferences, config, tiny_model, tmp_path / "model").path
    layout = Layout(max_length=34, too_long=too_long)
    rows = read_rows(preferences, load_tokenizer(tiny_model), layout, tmp_path / "answers.arrow")
    assert rows.truncated + rows.left_out["too long"] > 0
    trained_on = [row["ids"] or None for row in rows.answers]
    reward = RewardModel(path)
    sides = [(row.prompt, side.text) for row in preferences for side in (row.chosen, row.rejected)]
    assert [reward.tokens(*side) for side in sides] == trained_on


def test_what_was_truncated_is_counted(tiny_model, preferences, tmp_path) -> None:
    config = RewardConfig(steps=1, max_length=34, too_long="truncate")
    done = train_reward_model(preferences, config, tiny_model, tmp_path / "model")
    assert done.metrics["truncated"] > 0
    assert done.left_out["too long"] == 0


KWISE = RewardConfig(learning_rate=1e-2, epochs=4, lora=LoRA(r=4), kwise=True, batch=4)


@pytest.mark.parametrize(
    "config",
    [KWISE, KWISE.model_copy(update={"loss": "luce", "share_prompts": True})],
    ids=["kwise", "luce"],
)
def test_a_whole_ranking_is_learnt(tiny_model, tmp_path, config) -> None:
    labels = [label for number in range(16) for label in ranked(number)]
    done = train_reward_model(labels, config, tiny_model, tmp_path / "model")
    assert not done.notes
    prompts = [Prompt.of("unseen")] * 3
    best, middle, worst = score(done.path, prompts, ["Yes!", "Hm?", "No."])
    assert best > middle > worst


def ranked(number: int) -> list[Preference]:
    """All pairs of three answers to a prompt, the better ones first."""
    pair = preferring_yes(number)
    middle = pair.rejected.model_copy(update={"text": "Hm?"})
    pairs = [(pair.chosen, middle), (middle, pair.rejected), (pair.chosen, pair.rejected)]
    return [
        pair.model_copy(update={"id": f"{pair.id}/{at}", "chosen": one, "rejected": other})
        for at, (one, other) in enumerate(pairs)
    ]


def test_a_base_without_a_template_is_given_one_that_its_folder_keeps(
    tiny_model, preferences, tmp_path
) -> None:
    base = tmp_path / "base"
    shutil.copytree(tiny_model, base)
    (base / "chat_template.jinja").unlink()
    path = train_reward_model(preferences, RewardConfig(steps=1), base, tmp_path / "model").path
    assert (path / "chat_template.jinja").is_file()
    read = RewardModel(path).tokens(Prompt.of("Hi"), "Yes!")
    assert load_tokenizer(path).decode(read).endswith("User: Hi\n\nAssistant: Yes!\n\n")


def test_a_score_does_not_depend_on_its_neighbours(trained) -> None:
    prompts = [Prompt.of("q" * length) for length in (1, 40, 7)]
    texts = ["Yes!", "No." * 20, "Yes!"]
    together = RewardModel(trained.path, batch=3)(prompts, texts)
    alone = RewardModel(trained.path, batch=1)(prompts, texts)
    assert together == pytest.approx(alone, abs=0.02)


def test_what_is_too_long_to_read_is_an_abstention(trained) -> None:
    reward = RewardModel(trained.path, max_length=100)
    scores = reward([Prompt.of("q"), Prompt.of("q")], ["Yes!", "No." * 100])
    assert scores[0] is not None
    assert scores[1] is None


def test_ties_alone_hold_nothing_to_learn(tiny_model, preferences, tmp_path) -> None:
    ties = [row.model_copy(update={"p_chosen": 0.5}) for row in preferences]
    with pytest.raises(InputError, match="labels are ties"):
        train_reward_model(ties, CONFIG, tiny_model, tmp_path / "ties")


def test_a_policy_is_refused_as_a_reward_model(tiny_model) -> None:
    with pytest.raises(MissingModelError, match="no single score"):
        RewardModel(tiny_model)


def test_no_preferences_are_nothing_to_train_on(tiny_model, tmp_path) -> None:
    with pytest.raises(StageError, match="no preferences to train on"):
        train_reward_model([], CONFIG, tiny_model, tmp_path / "reward")


def test_faulty_labels_alone_are_nothing_to_train_on_with_the_counts(
    tiny_model, preferences, tmp_path
) -> None:
    same = preferences[0].model_copy(update={"rejected": preferences[0].chosen})
    silent = preferences[1].rejected.model_copy(update={"text": ""})
    empty = preferences[1].model_copy(update={"rejected": silent})
    aside = Beside(left_out={"empty": 2, "unreadable": 1})
    with pytest.raises(StageError, match=r"left out: 1 same, 3 empty, 1 unreadable\)"):
        train_reward_model([same, empty], CONFIG, tiny_model, tmp_path / "rm", beside=aside)
    assert not (tmp_path / "rm").exists()


def test_the_same_seed_gives_the_same_weights_to_the_bit(tiny_model, preferences, tmp_path) -> None:
    config = RewardConfig(learning_rate=1e-2, steps=2, held_out=0)
    files = []
    for name in ("a", "b"):
        out = train_reward_model(preferences, config, tiny_model, tmp_path / name, seed=5).path
        files.append((out / "model.safetensors").read_bytes())
    assert files[0] == files[1]
