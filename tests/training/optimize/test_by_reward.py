import json
import shutil
from concurrent.futures import Future
from pathlib import Path
from statistics import mean
from types import SimpleNamespace

import pytest

from rlaif.errors import InputError, StageError
from rlaif.records import Prompt
from rlaif.training.config import OptimizeConfig, Probe, RewardConfig
from rlaif.training.dataset import messages_of
from rlaif.training.folder import load_tokenizer
from rlaif.training.optimize.by_reward import need_whole_groups, train_by_reward
from rlaif.training.optimize.mixed import Mixed, Part
from rlaif.training.optimize.rollouts import RLOOTrainer
from rlaif.training.optimize.scorer import Scorer
from rlaif.training.reward import RewardModel, train_reward_model
from rlaif.training.rewards import RewardPart
from tests.training.conftest import preferring_yes

PROMPTS = [Prompt.of(f"question {number}") for number in range(4)]
CONFIG = OptimizeConfig(
    method="rloo",
    steps=40,
    batch=32,
    samples=4,
    beta=0.0,
    learning_rate=1e-2,
    lora=None,
    max_new_tokens=8,
)


def count_of_e(_, texts) -> list[float | None]:
    return [float(text.count("e")) for text in texts]


def test_a_reward_that_can_be_counted_rises(tiny_model, tmp_path) -> None:
    trained = train_by_reward(PROMPTS, count_of_e, CONFIG, tiny_model, tmp_path / "rloo")
    assert trained.metrics["reward_first"] < 1
    assert trained.metrics["reward_last"] > 4
    assert (trained.path / "model.safetensors").is_file()


def test_the_reward_reads_the_prompt_that_was_answered(tiny_model, tmp_path) -> None:
    asked: list[tuple[Prompt, str]] = []

    def reward(prompts, texts) -> list[float | None]:
        asked.extend(zip(prompts, texts, strict=True))
        return [0.0] * len(texts)

    config = CONFIG.model_copy(update={"steps": 1, "batch": 8})
    trained = train_by_reward(PROMPTS, reward, config, tiny_model, tmp_path / "rloo")
    assert [prompt in PROMPTS for prompt, _ in asked] == [True] * 8
    assert all(asked[i][0] == asked[i - i % 4][0] for i in range(8))
    assert trained.metrics["answers"] == 8


def test_an_abstention_stays_none_and_is_counted() -> None:
    scorer = Scorer(PROMPTS, lambda *_: [None, 1.0])
    answers = [[{"role": "assistant", "content": "a"}]] * 2
    assert scorer(completions=answers, row=[0, 1], prompts=[], trainer_state=None) == [None, 1.0]
    assert (scorer.asked, scorer.abstained) == (2, 1)


def test_abstentions_reach_the_counts_of_the_run(tiny_model, tmp_path) -> None:
    def half(_, texts) -> list[float | None]:
        return [None if index % 2 else 1.0 for index in range(len(texts))]

    config = CONFIG.model_copy(update={"steps": 1, "batch": 8})
    trained = train_by_reward(PROMPTS, half, config, tiny_model, tmp_path / "rloo")
    assert trained.left_out["reward abstained"] == 4


def test_a_reward_that_never_answers_stops_the_run_and_keeps_nothing(tiny_model, tmp_path) -> None:
    config = CONFIG.model_copy(update={"steps": 1, "batch": 8})
    with pytest.raises(StageError, match="scored none of"):
        train_by_reward(
            PROMPTS, lambda _, texts: [None] * len(texts), config, tiny_model, tmp_path / "r"
        )
    assert not list(tmp_path.iterdir())


def test_few_prompts_are_asked_again_rather_than_not_at_all(tiny_model, tmp_path) -> None:
    config = CONFIG.model_copy(update={"steps": 1, "batch": 32})
    trained = train_by_reward(PROMPTS[:1], count_of_e, config, tiny_model, tmp_path / "rloo")
    assert trained.metrics["answers"] == 32


def test_prompts_that_leave_no_room_for_an_answer_are_counted(tiny_model, tmp_path) -> None:
    config = CONFIG.model_copy(update={"steps": 1, "batch": 8, "max_length": 70})
    prompts = [*PROMPTS, Prompt.of("x" * 200)]
    trained = train_by_reward(prompts, count_of_e, config, tiny_model, tmp_path / "rloo")
    assert (trained.rows, trained.left_out["too long"]) == (4, 1)


def test_the_same_seed_gives_the_same_weights_to_the_bit(tiny_model, tmp_path) -> None:
    config = CONFIG.model_copy(update={"steps": 2, "batch": 8, "beta": 0.05})
    files = []
    for name in ("a", "b"):
        out = train_by_reward(PROMPTS, count_of_e, config, tiny_model, tmp_path / name, seed=5).path
        files.append((out / "model.safetensors").read_bytes())
    assert files[0] == files[1]


def test_an_option_of_another_trainer_is_refused(tiny_model, tmp_path) -> None:
    config = CONFIG.model_copy(update={"extra": {"loss_type": "dapo"}})
    with pytest.raises(InputError, match="loss_type: RLOOConfig"):
        train_by_reward(PROMPTS, count_of_e, config, tiny_model, tmp_path / "rloo")


def test_a_reward_that_can_be_begun_works_while_the_policy_reads_its_answers(
    tiny_model, tmp_path, monkeypatch
) -> None:
    told: list[str] = []
    reads = RLOOTrainer._get_per_token_logps_and_entropies

    def reading(*arguments, **named):
        told.append("read")
        return reads(*arguments, **named)

    class Waiting:
        def start(self, prompts, texts) -> Future:
            told.append("started")
            begun: Future = Future()
            begun.result = lambda: (told.append("needed"), count_of_e(prompts, texts))[1]
            return begun

        def __call__(self, *_):
            raise AssertionError("asked twice")

    monkeypatch.setattr(RLOOTrainer, "_get_per_token_logps_and_entropies", reading)
    config = CONFIG.model_copy(update={"steps": 1, "batch": 8})
    trained = train_by_reward(PROMPTS, Waiting(), config, tiny_model, tmp_path / "rloo")
    assert trained.metrics["answers"] == 8
    assert told[: told.index("needed") + 1] == ["started", "read", "needed"]


def test_every_part_of_a_reward_is_logged_and_normalised_by_itself(tiny_model, tmp_path) -> None:
    parts = [
        Part(count_of_e, RewardPart(judge="run", name="e")),
        Part(lambda _, texts: [len(t) * 100.0 for t in texts], RewardPart(judge="run", name="l")),
    ]
    logs: list[dict[str, float]] = []
    config = CONFIG.model_copy(
        update={"method": "grpo", "normalise": "each", "steps": 1, "batch": 8}
    )
    train_by_reward(
        PROMPTS,
        Mixed(parts),
        config,
        tiny_model,
        tmp_path / "grpo",
        progress=lambda *seen: logs.append(seen[2]),
    )
    assert {"reward/e", "reward/l", "rewards/e/mean", "abstained", "seconds/reward"} <= set(logs[0])
    assert logs[0]["reward/l"] == pytest.approx(logs[0]["rewards/l/mean"])


def test_a_group_that_two_processes_would_share_is_refused() -> None:
    # Two processes of 2 answers each hold a group of 4 together, and TRL takes that.
    args = SimpleNamespace(per_device_train_batch_size=2, steps_per_generation=1, num_generations=4)
    with pytest.raises(InputError, match="4 answers a prompt do not divide the 2"):
        need_whole_groups(args)


def test_an_answer_that_leaves_no_room_for_a_prompt_is_told_in_one_line(
    tiny_model, tmp_path
) -> None:
    config = CONFIG.model_copy(update={"max_new_tokens": 4000, "max_length": 8000})
    with pytest.raises(InputError, match="leave no room for a prompt in 2048"):
        train_by_reward(PROMPTS, count_of_e, config, tiny_model, tmp_path / "rloo")


@pytest.fixture
def other_words(tiny_model: Path, tmp_path: Path) -> Path:
    """A model whose tokenizer numbers the same characters the other way round."""
    folder = tmp_path / "other"
    shutil.copytree(tiny_model, folder)
    written = json.loads((folder / "tokenizer.json").read_text("utf-8"))
    words = sorted(written["model"]["vocab"].items(), key=lambda each: each[1])
    numbers = [number for _, number in reversed(words)]
    written["model"]["vocab"] = {
        word: number for (word, _), number in zip(words, numbers, strict=True)
    }
    (folder / "tokenizer.json").write_text(json.dumps(written), encoding="utf-8")
    return folder


def test_a_reward_model_of_another_tokenizer_reads_the_text_by_its_own(
    tiny_model, other_words, tmp_path
) -> None:
    pairs = [preferring_yes(number) for number in range(8)]
    config = RewardConfig(probe=Probe(), held_out=0.0)
    model = RewardModel(train_reward_model(pairs, config, other_words, tmp_path / "rm").path)
    seen: list[tuple[Prompt, str]] = []

    def remember(prompts, texts) -> list[float | None]:
        seen.extend(zip(prompts, texts, strict=True))
        return [0.0] * len(texts)

    steps: list[dict[str, float]] = []
    reward = Mixed([Part(model, RewardPart(model="rm")), Part(remember, RewardPart(judge="run"))])
    train_by_reward(
        PROMPTS,
        reward,
        CONFIG.model_copy(update={"steps": 1, "batch": 8}),
        tiny_model,
        tmp_path / "rloo",
        progress=lambda *told: steps.append(told[2]),
    )
    [(prompt, text), *_] = seen
    asked = [{"role": "assistant", "content": text}]
    read = [
        load_tokenizer(path).apply_chat_template([*messages_of(prompt), *asked], tokenize=False)
        for path in (tiny_model, other_words)
    ]
    assert read[0] == read[1]
    own, others = (load_tokenizer(path)(read[0])["input_ids"] for path in (tiny_model, other_words))
    assert model.tokens(prompt, text) == others != own
    scores = model(*zip(*seen, strict=True))
    assert steps[0]["reward"] == pytest.approx(mean(scores), abs=1e-5)
