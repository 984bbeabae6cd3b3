import json
import os
import signal
from types import SimpleNamespace

import pytest

from rlaif.errors import BackendError, BudgetError, OutageError, StageError
from rlaif.records import Prompt
from rlaif.training.config import OptimizeConfig
from rlaif.training.methods import Monitor
from rlaif.training.optimize import patience
from rlaif.training.optimize.by_reward import train_by_reward
from rlaif.training.optimize.looks import Looks, Watched
from rlaif.training.optimize.patience import NONE, Patience

PROMPTS = [Prompt.of(f"question {number}") for number in range(4)]
CONFIG = {
    "method": "reinforce",
    "batch": 16,
    "samples": 4,
    "steps": 6,
    "beta": 0.0,
    "max_new_tokens": 6,
    "learning_rate": 2e-2,
    "schedule": "constant",
    "lora": None,
}


def count_of_e(_, texts) -> list[float | None]:
    return [float(text.count("e")) for text in texts]


def dislikes_e(_, now, start) -> list[float | None]:
    assert len(now) == len(start)
    return [1 - text.count("e") / 6 for text in now]


def trained(model, out, monitor, watched=None, **more):
    config = OptimizeConfig.model_validate({**CONFIG, "monitor": monitor, **more})
    seen: list[tuple[int, dict[str, float]]] = []
    done = train_by_reward(
        PROMPTS,
        count_of_e,
        config,
        model,
        out,
        watched=watched,
        progress=lambda step, _, told: seen.append((step, told)),
    )
    return done, seen


def weights(done) -> bytes:
    return (done.path / "model.safetensors").read_bytes()


@pytest.mark.slow
def test_looking_changes_nothing_of_what_is_learned(tiny_model, tmp_path) -> None:
    plain, _ = trained(tiny_model, tmp_path / "plain", None)
    looked, seen = trained(
        tiny_model,
        tmp_path / "looked",
        {"every": 3},
        Watched(PROMPTS[:3], PROMPTS, dislikes_e, tmp_path / "samples.jsonl"),
    )
    assert weights(plain) == weights(looked)
    assert plain.metrics["steps"] == looked.metrics["steps"] == 6
    assert plain.metrics["reward_last"] == looked.metrics["reward_last"]
    assert [step for step, told in seen if "judge" in told] == [0, 3, 6]
    lines = (tmp_path / "samples.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    assert [row["step"] for row in rows] == [0] * 3 + [3] * 3 + [6] * 3
    assert rows[0].keys() == {"step", "id", "text", "judge"}
    assert looked.notes == ()


@pytest.mark.slow
def test_a_reward_that_is_gamed_stops_the_run_with_the_best_policy_that_was_seen(
    tiny_model, tmp_path
) -> None:
    done, seen = trained(
        tiny_model,
        tmp_path / "gamed",
        {"every": 4, "stop": {"judge_drop": 0.3}},
        Watched(PROMPTS, (), dislikes_e),
        steps=60,
    )
    judged = {step: told["judge"] for step, told in seen if "judge" in told}
    [why] = done.notes
    assert max(judged) < 60
    assert why.startswith(f"stopped after step {max(judged)}: the judge likes it")
    best = max(list(judged)[1:], key=lambda step: judged[step])
    assert f"the policy of step {best} is kept" in why
    # What is written is what a run would have been at the best look.
    early, _ = trained(tiny_model, tmp_path / "early", None, steps=best)
    assert weights(early) == weights(done)


@pytest.mark.slow
def test_a_run_that_goes_on_knows_what_was_seen_before(tiny_model, tmp_path) -> None:
    watched = Watched(PROMPTS, (), dislikes_e)
    config = OptimizeConfig.model_validate({**CONFIG, "monitor": {"every": 2}})

    def interrupt(step: int, _: int, told: dict[str, float]) -> None:
        if step == 3 and "loss" in told:
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        train_by_reward(
            PROMPTS,
            count_of_e,
            config,
            tiny_model,
            tmp_path / "cut",
            watched=watched,
            progress=interrupt,
        )
    cut, after = trained(tiny_model, tmp_path / "cut", {"every": 2}, watched)
    whole, seen = trained(tiny_model, tmp_path / "whole", {"every": 2}, watched)
    assert weights(cut) == weights(whole)
    looks = [
        {step: told["judge"] for step, told in told_of if "judge" in told}
        for told_of in (seen, after)
    ]
    assert looks[0] == looks[1]
    assert list(looks[0]) == [0, 2, 4, 6]


@pytest.mark.slow
def test_a_look_that_the_judge_fails_at_is_made_when_the_run_goes_on(tiny_model, tmp_path) -> None:
    # A draw serves two updates, so that the look after the third is in the middle of one.
    how = {"method": "ppo", "ppo": {"updates": 2}, "batch": 8}
    looks = iter(range(9))

    def fails(prompts, now, start) -> list[float | None]:
        if next(looks) == 1:
            raise BudgetError("no more of it")
        return dislikes_e(prompts, now, start)

    def run(name: str, judge):
        samples = tmp_path / f"{name}.jsonl"
        watched = Watched(PROMPTS, (), judge, samples)
        done, seen = trained(tiny_model, tmp_path / name, {"every": 3}, watched, **how)
        told = [(step, sorted(told.items())) for step, told in seen if "judge" in told]
        return weights(done), done.metrics["steps"], told, samples.read_text("utf-8")

    with pytest.raises(BudgetError, match="no more of it"):
        run("cut", fails)
    with (tmp_path / "cut.jsonl").open("a", encoding="utf-8") as file:
        file.write('{"step": 3, "id": "of a look that no checkpoint knows"}\n{"st')
    assert run("cut", dislikes_e) == run("whole", dislikes_e)


def test_a_policy_that_is_spoiled_at_the_first_look_is_not_written() -> None:
    looks = Looks(SimpleNamespace(), Monitor(), Watched(PROMPTS), None)
    looks.why = "stopped after step 2: its answers are 9.0 nats from the start, more than 5"
    with pytest.raises(StageError, match=r"more than 5; no look before it has a policy"):
        looks.on_train_end(None, SimpleNamespace(best_model_checkpoint=None), None)


def test_a_judge_that_is_away_at_a_look_is_waited_for(monkeypatch) -> None:
    waited: list[float] = []
    monkeypatch.setattr(patience.time, "sleep", waited.append)
    tries = iter([BackendError("gone"), None])

    def judge(*_):
        if error := next(tries):
            raise error
        return [0.5]

    trainer = SimpleNamespace(
        args=SimpleNamespace(process_index=0), scorer=SimpleNamespace(patience=Patience(9.0))
    )
    looks = Looks(trainer, Monitor(), Watched(PROMPTS[:1], (), judge), None)
    assert looks._judged(["text"]) == [0.5]
    assert waited == [1.0]
    trainer.scorer.patience, tries = NONE, iter([BackendError("gone")])
    with pytest.raises(OutageError, match="gone; what is learned so far is kept"):
        looks._judged(["text"])


@pytest.mark.slow
def test_a_run_that_was_killed_after_it_was_stopped_goes_back_and_not_on(
    tiny_model, tmp_path, unanswered
) -> None:
    del unanswered
    judged = iter([0.5, 0.9, 0.1])
    config = OptimizeConfig.model_validate(
        {**CONFIG, "monitor": {"every": 2, "stop": {"judge_drop": 0.3}}}
    )

    def likes(_, now, __) -> list[float | None]:
        return [next(judged)] * 1 + [None] * (len(now) - 1)

    def kill(step: int, _: int, told: dict[str, float]) -> None:
        if step == 4 and "judge" in told:
            os.kill(os.getpid(), signal.SIGTERM)

    watched, out = Watched(PROMPTS, (), likes), tmp_path / "out"
    with pytest.raises(KeyboardInterrupt):
        train_by_reward(
            PROMPTS, count_of_e, config, tiny_model, out, watched=watched, progress=kill
        )
    done = train_by_reward(PROMPTS, count_of_e, config, tiny_model, out, watched=watched)
    [why] = done.notes
    assert "stopped after step 4" in why
    assert "the policy of step 2 is kept" in why
    early, _ = trained(tiny_model, tmp_path / "early", None, steps=2)
    assert weights(early) == weights(done)


@pytest.mark.parametrize(
    ("stop", "figures", "steps", "why"),
    [
        ({"judge_drop": 0.1}, {"variety": 1.0, "judge": 0.55}, {}, "likes it 0.25 less"),
        ({"judge_drop": 0.3}, {"variety": 1.0, "judge": 0.55}, {}, ""),
        ({"kl": 20}, {"variety": 1.0}, {"kl/answer": 25.0}, "25.0 nats from the start"),
        ({"kl": 20}, {"variety": 1.0}, {"kl/answer": 5.0}, ""),
        ({"distinct": 0.3}, {"variety": 0.2}, {}, "0.20 of its word pairs are distinct"),
        ({"benign_help_drop": 0.1}, {"variety": 1.0, "benign_help": 0.5}, {}, "with 0.40 less"),
        ({}, {"variety": 0.0, "judge": 0.0, "benign_help": 0.0}, {"kl/answer": 99.0}, ""),
    ],
)
def test_each_rule_stops_what_breaks_it(stop, figures, steps, why) -> None:
    monitor = Monitor.model_validate({"stop": stop})
    looks = Looks(SimpleNamespace(), monitor, Watched(PROMPTS), None)
    start = {"variety": 1.0, "judge": 0.5, "benign_help": 0.9}
    looks._seen = [start, {"variety": 1.0, "judge": 0.8}, figures]
    found = looks._broken(figures, steps)
    assert (why in found) if why else (found == "")
