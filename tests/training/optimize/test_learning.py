"""Each method on a reward that can be counted: how many of ten letters are an e."""

import random
import string
from collections.abc import Iterable
from pathlib import Path
from statistics import mean

import pytest

from rlaif.backends.local import LocalBackend
from rlaif.feedback.respond import RespondConfig, respond
from rlaif.records import Preference, Prompt, Response
from rlaif.training.config import OptimizeConfig, SFTConfig
from rlaif.training.optimize import optimize_policy
from rlaif.training.sft import train_sft
from rlaif.training.unpaired import Unpaired

pytestmark = pytest.mark.slow

PROMPTS = [Prompt.of(f"question {number}") for number in range(4)]
COMMON = {
    "batch": 32,
    "samples": 4,
    "learning_rate": 2e-2,
    "schedule": "constant",
    "lora": None,
    "max_new_tokens": 10,
}
BY_LABELS = {
    "dpo": {"steps": 40, "beta": 0.02, "learning_rate": 1e-2},
    "ipo": {"steps": 30, "beta": 0.1, "learning_rate": 5e-3},
    "kto": {"steps": 30, "beta": 0.1, "learning_rate": 1e-2, "batch": 16},
}


def count_of_e(_, texts: Iterable[str]) -> list[float | None]:
    return [float(text.count("e")) for text in texts]


@pytest.mark.parametrize(
    ("method", "how"),
    [
        *((method, {"steps": 50, "beta": 0.0}) for method in ("reinforce", "rloo", "grpo", "ppo")),
        ("online-dpo", {"steps": 60, "beta": 0.1}),
    ],
)
def test_what_draws_as_it_learns_finds_what_is_rewarded(tiny_model, tmp_path, method, how) -> None:
    seen: list[float] = []
    optimize_policy(
        OptimizeConfig.model_validate({**COMMON, "method": method, **how}),
        tiny_model,
        tmp_path / "policy",
        prompts=PROMPTS,
        reward=count_of_e,
        progress=lambda *told: seen.append(told[2]["reward"]),
    )
    assert mean(seen[:3]) < 1
    assert mean(seen[-5:]) >= 9


@pytest.fixture(scope="module")
def start(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A policy that does well now and then: six of ten letters that it was shown are an e."""
    draw = random.Random(0)
    letters = [
        "".join(
            "e" if draw.random() < 0.6 else draw.choice(string.ascii_lowercase) for _ in "0" * 10
        )
        for _ in range(128)
    ]
    rows = [(PROMPTS[number % 4], text) for number, text in enumerate(letters)]
    config = SFTConfig(batch=32, epochs=6, learning_rate=1e-2, lora=None)
    return train_sft(rows, config, tiny_model, tmp_path_factory.mktemp("start") / "model").path


@pytest.fixture(scope="module")
def drawn(start: Path) -> list[Response]:
    """What is learned from is drawn once, and never again."""
    return draws(start, 64)


def draws(model: Path, samples: int, seed: int = 0) -> list[Response]:
    how = RespondConfig(samples=samples, temperature=1.0, top_p=1.0, max_tokens=10)
    said = respond(PROMPTS, LocalBackend(model), how, seed=seed)
    return [each for each in said if isinstance(each, Response)]


def worth(model: Path) -> float:
    return mean(each.text.count("e") for each in draws(model, 16, seed=9))


def pairs_of(drawn: list[Response]) -> list[Preference]:
    """Each draw against the next one; more of what is counted is better."""
    pairs = []
    for one, other in zip(drawn[::2], drawn[1::2], strict=False):
        better, worse = sorted((one, other), key=lambda each: -each.text.count("e"))
        if better.text.count("e") > worse.text.count("e"):
            prompt = next(each for each in PROMPTS if each.id == better.prompt_id)
            pairs.append(
                Preference(
                    id=better.id,
                    prompt=prompt,
                    chosen=better,
                    rejected=worse,
                    p_chosen=1.0,
                    source="judge",
                    by="count",
                )
            )
    return pairs


@pytest.mark.parametrize("method", BY_LABELS)
def test_what_learns_from_draws_made_once_finds_it_from_a_start_that_does_well_now_and_then(
    start, drawn, tmp_path, method
) -> None:
    config = OptimizeConfig.model_validate({**COMMON, "method": method, **BY_LABELS[method]})
    prompts = {prompt.id: prompt for prompt in PROMPTS}
    # Thumbs of somebody strict: nine of ten are good.
    thumbs = [
        Unpaired(each.id, prompts[each.prompt_id], each.text, good=each.text.count("e") >= 9)
        for each in drawn
    ]
    learned = {"unpaired": thumbs} if method == "kto" else {"preferences": pairs_of(drawn)}
    done = optimize_policy(config, start, tmp_path / "policy", **learned)
    assert worth(start) < 6
    assert worth(done.path) >= 9


def test_imitating_the_best_of_64_draws_finds_it_from_there_too(start, tmp_path) -> None:
    how = {"method": "rejection", "samples": 64, "steps": 30, "batch": 4, "learning_rate": 1e-2}
    config = OptimizeConfig.model_validate({**COMMON, **how})
    done = optimize_policy(config, start, tmp_path / "policy", prompts=PROMPTS, reward=count_of_e)
    assert worth(done.path) >= 9
