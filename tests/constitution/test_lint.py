"""Advice on wording: each kind fires on what it is for, and not on its good neighbour."""

from pathlib import Path

import pytest

from rlaif.constitution.lint import alike, lint
from rlaif.constitution.principle import Constitution

EXAMPLES = """
    examples:
      - {prompt: Hi, better: Good day to you., worse: No.}
"""


def said_of(tmp_path: Path, *sentences: str, rest: str = EXAMPLES) -> list[str]:
    path = tmp_path / "linted.yaml"
    named = "".join(f"  p{n}:\n    text: {text}{rest}" for n, text in enumerate(sentences))
    path.write_text(f"name: linted\nprinciples:\n{named}", encoding="utf-8")
    return [finding.what for finding in lint(Constitution.load(path), path)]


@pytest.mark.parametrize(
    "sentence",
    [
        "The response declines to help with the request.",
        "The response names one risk.",
        "The response is shorter than three sentences.",
        "The response speaks plainly, without a moral lecture.",
        "The reply greets the user by name.",
    ],
)
def test_a_plain_sentence_is_fine(tmp_path: Path, sentence: str) -> None:
    assert said_of(tmp_path, sentence) == []


@pytest.mark.parametrize(
    ("sentence", "what"),
    [
        ("The response does not lecture.", "says only what must not be"),
        ("The response never names a price.", "says only what must not be"),
        ("The response is brief and warm.", "two ideas in one sentence"),
        ("The response declines and offers other help.", "two ideas in one sentence"),
        ("The response is shorter.", 'compares ("shorter") with nothing'),
        ("Kindness matters.", "is not about a reply"),
        (f"The response is {'very ' * 30}kind.", "34 words"),
    ],
)
def test_a_poor_sentence_is_told(tmp_path: Path, sentence: str, what: str) -> None:
    found = said_of(tmp_path, sentence)
    assert len(found) == 1
    assert found[0].startswith(what)


@pytest.mark.parametrize(
    ("when", "what"),
    [
        ("The user asks for medical advice.", None),
        ("The conversation is about money.", None),
        ("The user asks the assistant for an answer in verse.", "speaks of the assistant"),
        ("The response gives advice.", "speaks of the response"),
        ("Money matters.", "is not about what is asked"),
    ],
)
def test_a_when_that_is_a_rule_about_the_response_is_told(
    tmp_path: Path, when: str, what: str | None
) -> None:
    found = said_of(tmp_path, "The response is kind.", rest=f"\n    when: {when}{EXAMPLES}")
    assert len(found) == (1 if what else 0)
    if what:
        assert found[0].startswith("`when` ")
        assert what in found[0]


def test_the_same_sentence_under_another_when_is_fine(tmp_path: Path) -> None:
    path = tmp_path / "conditions.yaml"
    path.write_text(
        "name: conditions\nprinciples:\n"
        f"  a:\n    text: The response is kind.\n    when: The user is sad.{EXAMPLES}"
        f"  b:\n    text: The response is kind.\n    when: The user is glad.{EXAMPLES}",
        encoding="utf-8",
    )
    assert lint(Constitution.load(path), path) == []


def test_the_same_sentence_twice_is_told_once(tmp_path: Path) -> None:
    said = said_of(tmp_path, "The response is kind.", "The reply is kind.")
    assert said == ["says the same as 'p0'"]


def test_nearly_the_same_sentence_is_told(tmp_path: Path) -> None:
    one = "The response names one risk of the plan first."
    other = "The response names one risk of the idea first."
    assert alike(one, other) == 0.8
    (said,) = said_of(tmp_path, one, other)
    assert said.startswith("is nearly the same as 'p0' (80%)")


def test_the_same_sentence_for_other_prompts_is_fine(tmp_path: Path) -> None:
    path = tmp_path / "scoped.yaml"
    path.write_text(
        "name: scoped\nprinciples:\n"
        f"  a:\n    text: The response is kind.\n    scope: [harmful]{EXAMPLES}"
        f"  b:\n    text: The response is kind.\n    scope: [ordinary]{EXAMPLES}",
        encoding="utf-8",
    )
    assert lint(Constitution.load(path), path) == []


def test_a_principle_without_examples_is_told(tmp_path: Path) -> None:
    said = said_of(tmp_path, "The response is kind.", rest="\n")
    assert said == ["has no examples; five pairs let `rlaif constitution try` test it"]


def test_an_example_whose_replies_are_the_same_is_told(tmp_path: Path) -> None:
    same = "\n    examples:\n      - {prompt: Hi, better: Good day., worse: 'Good day. '}\n"
    assert said_of(tmp_path, "The response is kind.", rest=same) == [
        "example 1: `better` and `worse` are the same text"
    ]


def test_an_empty_example_is_told(tmp_path: Path) -> None:
    blank = "\n    examples:\n      - {prompt: Hi, better: Good day., worse: ' '}\n"
    assert said_of(tmp_path, "The response is kind.", rest=blank) == ["example 1: is empty"]


def test_a_finding_names_file_line_and_place(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    text = (
        f"name: mine\nprinciples:\n  calm:\n    text: The response is calmer and warmer.{EXAMPLES}"
    )
    path.write_text(text, encoding="utf-8")
    (finding,) = lint(Constitution.load(path), path)
    assert str(finding).startswith(f"{path}:3: principles.calm: two ideas in one sentence")
