"""The best of n answers by a reward, and imitating them."""

import json
import math

import pytest

from rlaif.backends.local import LocalBackend
from rlaif.backends.scripted import ScriptedBackend
from rlaif.errors import BackendError, OutageError, StageError
from rlaif.records import Prompt
from rlaif.training.config import OptimizeConfig
from rlaif.training.optimize import best as module
from rlaif.training.optimize import patience
from rlaif.training.optimize.best import (
    Draws,
    _as_word,
    _in_order,
    _of_word,
    choose_best,
    choose_together,
    take_best,
    train_rejection,
)

PROMPTS = [Prompt.of(f"question {number}", id=f"p{number}") for number in range(3)]
FOUR = OptimizeConfig(method="best-of-n", samples=4, temperature=1.0, max_new_tokens=10)


def count_of_e(_, texts) -> list[float | None]:
    return [float(text.count("e")) for text in texts]


def numbered() -> ScriptedBackend:
    """Says one e more with each draw of a prompt."""
    return ScriptedBackend(lambda request: "e" * (int(request.id.split()[-1]) + 1))


def test_the_best_by_the_reward_is_kept_with_the_mean_beside_it() -> None:
    chosen = choose_best(Draws(PROMPTS, numbered(), count_of_e, FOUR))
    assert [(prompt.id, text) for prompt, text in chosen.rows] == [
        (f"p{number}", "eeee") for number in range(3)
    ]
    assert {(row.score, row.mean, row.of) for row in chosen.best} == {(4.0, 2.5, 4)}


def test_an_answer_without_a_score_is_never_the_best_and_is_counted() -> None:
    def shy(_, texts) -> list[float | None]:
        return [None if text == "eeee" else float(len(text)) for text in texts]

    chosen = choose_best(Draws(PROMPTS, numbered(), shy, FOUR))
    assert {text for _, text in chosen.rows} == {"eee"}
    assert chosen.left_out == {"draw failed": 0, "reward abstained": 3, "ties": 0}


def test_what_is_scored_at_once_has_the_prompts_order_whenever_draws_come() -> None:
    groups = [(prompt, [prompt.id]) for prompt in PROMPTS]
    given = [prompt.id for prompt, _ in _in_order(reversed(groups), PROMPTS)]
    assert given == ["p0", "p1", "p2"]
    assert len(list(_in_order(groups[1:], PROMPTS))) == 2


def test_other_processes_are_told_what_the_first_has_chosen() -> None:
    chosen = choose_best(Draws(PROMPTS, numbered(), count_of_e, FOUR))
    assert _of_word(_as_word(chosen)) == chosen


def test_of_several_processes_the_first_alone_chooses(monkeypatch) -> None:
    words: list[str] = []
    monkeypatch.setattr(module, "ranks", lambda: 2)
    monkeypatch.setattr(module, "tell", words.append)
    monkeypatch.setattr(module, "told", lambda: words[0])
    first = choose_together(Draws(PROMPTS, numbered(), count_of_e, FOUR))
    monkeypatch.setattr(module, "is_first", lambda: False)

    def never(*_) -> list[float | None]:
        raise AssertionError("asked on another process")

    assert choose_together(Draws(PROMPTS, numbered(), never, FOUR)) == first


def test_answers_that_score_alike_have_no_best() -> None:
    chosen = choose_best(Draws(PROMPTS, numbered(), lambda _, texts: [1.0] * len(texts), FOUR))
    assert (chosen.rows, chosen.left_out["ties"]) == ([], 3)


def test_a_draw_that_failed_leaves_the_others() -> None:
    def fails(request):
        number = int(request.id.split()[-1])
        return "" if number == 3 else "e" * (number + 1)

    chosen = choose_best(Draws(PROMPTS, ScriptedBackend(fails), count_of_e, FOUR))
    assert {text for _, text in chosen.rows} == {"eee"}
    assert chosen.left_out["draw failed"] == 3


def test_best_of_n_writes_what_it_keeps_and_says_what_it_gains_and_costs(tmp_path) -> None:
    trained = take_best(Draws(PROMPTS, numbered(), count_of_e, FOUR), tmp_path / "model")
    rows = [json.loads(line) for line in trained.path.read_text("utf-8").splitlines()]
    assert rows[0] == {"prompt": "question 0", "reply": "eeee", "score": 4.0, "mean": 2.5, "of": 4}
    assert trained.metrics["reward_first"] == 2.5
    assert trained.metrics["reward_last"] == 4.0
    assert trained.metrics["kl_bound"] == pytest.approx(math.log(4) - 3 / 4)
    assert not (tmp_path / "model").exists()


def test_nothing_to_choose_from_is_one_line(tmp_path) -> None:
    with pytest.raises(StageError, match=r"no best answers to train on \(left out: 3 ties\)"):
        take_best(Draws(PROMPTS, numbered(), lambda _, t: [1.0] * len(t), FOUR), tmp_path / "model")


def test_imitating_the_best_raises_the_reward(tiny_model, tmp_path) -> None:
    config = OptimizeConfig(
        method="rejection",
        samples=16,
        epochs=12,
        batch=4,
        learning_rate=2e-2,
        lora=None,
        max_new_tokens=10,
    )
    prompts = [Prompt.of(f"question {number}", id=f"p{number}") for number in range(6)]
    policy = LocalBackend(tiny_model)
    trained = train_rejection(
        Draws(prompts, policy, count_of_e, config), tiny_model, tmp_path / "model"
    )
    assert (trained.path / "model.safetensors").is_file()
    config = config.model_copy(update={"samples": 4})
    after = choose_best(Draws(prompts, LocalBackend(trained.path), count_of_e, config))
    mean = sum(row.mean for row in after.best) / len(after.best)
    assert mean > 2 * trained.metrics["reward_first"]


def test_a_judge_that_goes_away_is_waited_for_and_then_the_run_ends_with_code_3(
    monkeypatch,
) -> None:
    waited: list[float] = []
    monkeypatch.setattr(patience.time, "sleep", waited.append)
    tries = iter([BackendError("gone"), None])

    def comes_back(_, texts) -> list[float | None]:
        if error := next(tries, None):
            raise error
        return count_of_e(_, texts)

    assert len(choose_best(Draws(PROMPTS, numbered(), comes_back, FOUR)).rows) == 3
    assert waited == [1.0]

    def stays_away(*_) -> list[float | None]:
        raise BackendError("gone")

    config = FOUR.model_copy(update={"patience": 0.0})
    with pytest.raises(OutageError) as caught:
        choose_best(Draws(PROMPTS, numbered(), stays_away, config))
    assert caught.value.exit_code == 3
