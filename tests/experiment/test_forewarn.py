"""Before labelling, a judge on this machine is tried; one that is paid for is not asked."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from rlaif.backends.spec import LocalModel, OpenAIModel
from rlaif.constitution.principle import Constitution, Example, Principle
from rlaif.experiment.forewarn import forewarn, requests_before
from rlaif.experiment.progress import Quiet
from rlaif.experiment.runner import plan
from rlaif.feedback.label import LabelConfig, Require
from rlaif.judges.base import Case
from tests.judges.fakes import Says
from tests.small_run import opened

HERE, PAID = LocalModel(model="some/model"), OpenAIModel(model="gpt")


class Told(Quiet):
    def __init__(self) -> None:
        self.lines: list[str] = []

    def say(self, text: str) -> None:
        self.lines.append(text)


def pairs(count: int) -> tuple[Example, ...]:
    return tuple(Example(prompt=f"P{n}", better="good", worse="bad") for n in range(count))


RULES = Constitution(
    name="four",
    principles=(
        Principle(id="sound", text="The response is sound.", examples=pairs(5)),
        Principle(id="backwards", text="The response is odd.", examples=pairs(5)),
        Principle(id="young", text="The response is young.", examples=pairs(2)),
        Principle(id="bare", text="The response is bare."),
    ),
)


def say(case: Case) -> float:
    is_better_first = case.comparison.first.text == "good"
    return 0.9 if is_better_first != (case.principle.id == "backwards") else 0.1


def test_what_the_judge_gets_wrong_is_warned_of_and_what_is_not_known_is_told() -> None:
    told, judge = Told(), Says(say)
    assert forewarn(RULES, judge, [HERE], told) == {
        "sound": "trusted (5/5)",
        "backwards": "not trusted (0/5)",
        "young": "too few examples (2/2)",
        "bare": "no examples",
    }
    warning, unknown = told.lines
    assert warning.startswith("warning: backwards: this judge gets 0/5 of its examples right")
    assert unknown == "whether the judge can be trusted on young, bare takes 5 examples each"


def test_a_judge_that_is_right_is_not_talked_about() -> None:
    told = Told()
    sound = RULES.model_copy(update={"principles": RULES.principles[:1]})
    assert forewarn(sound, Says(say), [HERE], told) == {"sound": "trusted (5/5)"}
    assert told.lines == []


@pytest.mark.parametrize("models", [[PAID], [HERE, PAID]])
def test_a_judge_that_is_paid_for_is_not_asked(models: list[LocalModel | OpenAIModel]) -> None:
    told, judge = Told(), Says(say)
    assert set(forewarn(RULES, judge, models, told).values()) == {"not tried"}
    assert judge.asked == []
    (line,) = told.lines
    assert "not tried" in line
    assert "rlaif constitution try" in line


def test_what_the_trial_sends_is_counted_and_once_where_the_gate_asks_the_same() -> None:
    plain = LabelConfig(principles="all")
    # Twelve pairs, in two orders, about two replies: the store answers half.
    assert requests_before(plain, [HERE], RULES) == 12 * 2 * 2
    assert requests_before(plain, [PAID], RULES) == 0
    agreed = plain.model_copy(update={"require": Require(agreement=0.7)})
    assert requests_before(agreed, [HERE], RULES) == 12 * 2 * 2
    assert requests_before(agreed, [PAID], RULES) == 12 * 2 * 2


def test_a_run_keeps_what_the_trial_found_in_its_manifest(finished: Path) -> None:
    text = (finished / "runs/tiny/label/manifest.json").read_text(encoding="utf-8")
    assert json.loads(text)["trust"] == {"declines": "no examples", "answers": "no examples"}


def test_a_dry_run_counts_the_trial(
    write_experiment: Callable[[Path], Path], tmp_path: Path
) -> None:
    path = write_experiment(tmp_path)
    before = labels_asked(path)
    rules = tmp_path / "two.yaml"
    pair = "{prompt: Hi, better: Good day., worse: Go away.}"
    rules.write_text(
        rules.read_text(encoding="utf-8") + f"    examples: [{pair}]\n", encoding="utf-8"
    )
    assert labels_asked(path) == before + 2 * 2


def labels_asked(path: Path) -> int:
    (asked,) = (item.requests for item in plan(opened(path)) if item.stage.name == "label")
    return asked
