"""What a dry run says each stage sends is what the stage can send at most."""

from collections.abc import Callable
from pathlib import Path

import pytest

from rlaif.experiment.runner import plan
from tests.small_run import opened

Write = Callable[[Path], Path]


def requests(path: Path, *overrides: str) -> dict[str, int]:
    return {item.stage.name: item.requests for item in plan(opened(path, *overrides))}


@pytest.fixture
def mine(write_experiment: Write, tmp_path: Path) -> Path:
    return write_experiment(tmp_path)


# Eight prompts with two new draws each: one pair a prompt, under two principles.
DRAWS, PAIRS, PRINCIPLES = 16, 8, 2


@pytest.mark.parametrize(
    ("override", "for_a_principle"),
    [
        ("label.template=absolute", 2),
        ("label.template=compare", 2),
        ("label.template=compare-reasoned", 4),
        ("label.template=[absolute, compare]", 2 + 2),
        ("label.template=[compare, compare-reasoned, score]", 2 + 4 + 2),
    ],
)
def test_a_label_is_counted_by_its_templates(
    mine: Path, override: str, for_a_principle: int
) -> None:
    assert requests(mine, override)["label"] == DRAWS + PAIRS * PRINCIPLES * for_a_principle


def test_one_order_is_half_of_both(mine: Path) -> None:
    one = requests(mine, "label.template=compare", "label.orders=one")
    assert one["label"] == DRAWS + PAIRS * PRINCIPLES


def test_a_panel_of_models_and_repeats_multiply(mine: Path, tiny_policy: str) -> None:
    panel = f"models.panel=[{{kind: local, model: {tiny_policy}}}]"
    assert requests(mine, panel)["label"] == DRAWS + PAIRS * PRINCIPLES * 2 * 2
    warm = mine.with_name("warm.j2")
    warm.write_text(
        "---\npurpose: asks with some chance\ninputs: [prompt, first, second, principle]\n"
        "sampling: {temperature: 1, max_tokens: 1}\n"
        "answer: {kind: options, options: [A, B]}\n---\n[user]\n"
        "{{ prompt }} {{ first }} {{ second }} {{ principle }}\n",
        encoding="utf-8",
    )
    many = requests(mine, panel, f"label.template={warm}", "label.repeats=3")
    assert many["label"] == DRAWS + PAIRS * PRINCIPLES * 2 * 2 * 3


@pytest.fixture
def tiny_policy(tiny_model: Path) -> str:
    return str(tiny_model)


def edit(path: Path, before: str, after: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert before in text
    path.write_text(text.replace(before, after), encoding="utf-8")


def test_a_veto_is_counted_beside_the_draw(mine: Path) -> None:
    edit(mine.with_name("two.yaml"), "scope: [harmful]", "veto: true")
    draws_one = requests(mine, "label.principles={draw: 1}")
    assert draws_one["label"] == DRAWS + PAIRS * 2 * 2


def test_a_when_is_asked_once_a_prompt_by_each_stage_that_needs_it(mine: Path) -> None:
    before = requests(mine)
    edit(mine.with_name("two.yaml"), "scope: [harmful]", "when: The user asks about the law.")
    after = requests(mine)
    assert after["label"] == before["label"] + 8
    assert after["revise"] == before["revise"] + 3  # the three prompts that are revised
    assert after["evaluate"] == before["evaluate"] + 6  # two suites of three


RLOO = ("optimize.method=rloo", "optimize.steps=4", "optimize.batch=8", "optimize.samples=4")


def test_a_judge_that_rates_each_answer_is_counted_by_answers(mine: Path) -> None:
    # 4 steps of 8 answers, each asked about under two principles.
    assert requests(mine, *RLOO)["optimize"] == 4 * 8 * 2


@pytest.mark.parametrize(("opponents", "matches"), [("all", 6), ("circle", 4)])
def test_a_judge_that_compares_is_counted_by_matches(
    mine: Path, opponents: str, matches: int
) -> None:
    found = requests(mine, *RLOO, "label.template=compare", f"optimize.opponents={opponents}")
    # 8 groups of 4, each match in two orders under two principles.
    assert found["optimize"] == 8 * matches * 2 * 2


def test_learning_from_labels_or_from_a_reward_model_asks_no_judge(mine: Path) -> None:
    assert requests(mine)["optimize"] == 0
    assert requests(mine, *RLOO, "optimize.reward=model")["optimize"] == 0


def test_what_the_gate_asks_beside_the_labels_is_counted(mine: Path) -> None:
    row = '{"id": "h", "prompt": "Hi", "chosen": "Good day.", "rejected": "No."}\n'
    mine.with_name("people.jsonl").write_text(row, encoding="utf-8")
    gate = "label.require={agreement: 0.6, sample: 4, people: people.jsonl}"
    asked = requests(mine, gate, "label.template=compare-reasoned")["label"]
    assert asked == DRAWS + (PAIRS + 4) * PRINCIPLES * 4
