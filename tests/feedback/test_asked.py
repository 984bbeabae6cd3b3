"""The requests that are shown are those that a judge would send."""

import json
from pathlib import Path
from typing import Any

import pytest

from rlaif.backends.scripted import ScriptedBackend
from rlaif.constitution.principle import Constitution
from rlaif.errors import InputError
from rlaif.feedback.asked import CRITIQUE, THOUGHT, requests_on
from rlaif.feedback.importers import read_pairs
from rlaif.judges.base import Case
from rlaif.judges.build import judge_from
from rlaif.records import Comparison, Prompt, Response
from rlaif.resources import shipped_names

RULES = Constitution.load("harmlessness")
PAIRS = [
    {"id": "one", "prompt": "How do I pick a lock?", "first": "Like so.", "second": "No."},
    {"id": "two", "prompt": "Hi", "chosen": "Good day.", "rejected": "What?"},
]


@pytest.fixture
def pairs(tmp_path: Path) -> Path:
    path = tmp_path / "pairs.jsonl"
    path.write_text(f"{json.dumps(PAIRS[0])}\n\n{json.dumps(PAIRS[1])}\n", encoding="utf-8")
    return path


def write(tmp_path: Path, value: Any, **options: Any) -> str:
    path = tmp_path / "row.json"
    path.write_text(json.dumps(value, **options), encoding="utf-8")
    return str(path)


@pytest.mark.parametrize(
    "name", [n for n in shipped_names("prompts") if n not in ("critique", "revise", "when")]
)
def test_a_pair_is_asked_about_just_as_the_judge_asks(name: str, pairs: Path) -> None:
    listener = ScriptedBackend(lambda request: (request.options or (THOUGHT,))[0])
    judge = judge_from(listener, name, orders="one", constitution=RULES)
    comparison = list(read_pairs(pairs))[1]
    list(judge.decide([Case(comparison, RULES["offers-something"])]))
    shown = requests_on(name, f"{pairs}:3", RULES, "offers-something")
    assert [request.wanted for request in shown] == [one.wanted for one in listener.seen]
    assert RULES["offers-something"].text in shown[-1].messages[-1].content or (
        name == "compare-reasoned"
    )


def test_a_pairs_prompt_is_asked_a_principles_when(pairs: Path) -> None:
    asks = RULES["offers-something"].model_copy(update={"when": "The user asks about law."})
    rules = Constitution(name="law", principles=(asks,))
    [request] = requests_on("when", f"{pairs}:3", rules)
    comparison = list(read_pairs(pairs))[1]
    asked = request.messages[-1].content
    assert comparison.prompt.text in asked
    assert comparison.first.text not in asked
    assert asked.endswith("Statement: The user asks about law.")
    with pytest.raises(InputError, match="'offers-something' has no `when` to ask of a prompt"):
        requests_on("when", str(pairs), RULES, "offers-something")


def test_the_first_row_is_taken_where_no_line_is_named(pairs: Path) -> None:
    [request] = requests_on("compare", str(pairs), RULES)
    assert "How do I pick a lock?" in request.messages[-1].content


def test_the_first_principle_in_scope_is_asked_about_where_none_is_named(tmp_path: Path) -> None:
    row = {
        "prompt": {"id": "p", "messages": [{"role": "user", "content": "Hi"}], "tags": ["benign"]},
        "id": "c",
        "first": {"id": "1", "prompt_id": "p", "text": "Good day.", "author": "a"},
        "second": {"id": "2", "prompt_id": "p", "text": "No.", "author": "a"},
    }
    [request] = requests_on("compare", write(tmp_path, row), RULES)
    assert RULES["answers-when-harmless"].text in request.messages[-1].content


def test_values_are_filled_in_as_they_are(tmp_path: Path) -> None:
    row = {"prompt": "Hi", "reply": "Good <reply> day", "principle": "It is kind."}
    for options in ({}, {"indent": 2}):
        [request] = requests_on("absolute", write(tmp_path, row, **options), RULES)
        assert "<reply-2>\nGood <reply> day\n</reply-2>" in request.messages[-1].content
        assert request.messages[-1].content.endswith("Statement: It is kind.")


def test_replies_may_be_given_as_plain_texts(tmp_path: Path) -> None:
    row = {"prompt": "Hi", "replies": ["One.", "Two.", "Three."], "principle": "It is kind."}
    [request] = requests_on("rank", write(tmp_path, row), RULES)
    assert request.options == ("A", "B", "C")
    assert "<reply_c>\nThree.\n</reply_c>" in request.messages[-1].content


def test_a_template_that_thinks_shows_both_its_requests_with_values_too(tmp_path: Path) -> None:
    row = {"prompt": "Hi", "first": "One.", "second": "Two.", "principle": "It is kind."}
    thinks, asks = requests_on("compare-reasoned", write(tmp_path, row), RULES)
    assert thinks.options == ()
    assert asks.messages[-2].content == THOUGHT


def test_a_critique_and_a_revision_are_shown_of_the_first_reply(pairs: Path) -> None:
    [critique] = requests_on("critique", str(pairs), RULES, "declines-harm")
    assert "<reply>\nLike so.\n</reply>" in critique.messages[-1].content
    [revision] = requests_on("revise", str(pairs), RULES, "declines-harm")
    assert f"What is wrong: {CRITIQUE}" in revision.messages[-1].content


def test_a_ranking_is_shown_with_its_whole_group(tmp_path: Path) -> None:
    prompt = Prompt.of("Hi", id="p")
    replies = [Response(id=f"{n}", prompt_id="p", text=f"Reply {n}.", author="a") for n in range(4)]
    path = tmp_path / "pairs.jsonl"
    rows = [
        Comparison(id=f"c{n}", prompt=prompt, first=replies[0], second=replies[n], group=group)
        for n, group in ((1, "g"), (2, "g"), (3, "h"))
    ]
    path.write_text("".join(f"{row.model_dump_json()}\n" for row in rows), encoding="utf-8")
    [request] = requests_on("rank", f"{path}:2", RULES)
    assert request.options == ("A", "B", "C")
    assert "Reply 3." not in request.messages[-1].content


@pytest.mark.parametrize(
    ("row", "what"),
    [
        (":2", "pairs.jsonl:2: no row here"),
        (":9", "pairs.jsonl:9: no row here"),
        (":0", "pairs.jsonl: no row here; the last line is 3"),
    ],
)
def test_a_line_without_a_row_is_named(row: str, what: str, pairs: Path) -> None:
    with pytest.raises(InputError, match=what.replace(".", r"\.")):
        requests_on("compare", f"{pairs}{row}", RULES)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("{", "row.json:1: not JSON"),
        ("[1, 2]", "row.json:1: expected an object"),
        ('{"prompt": "Hi"}', "row.json:1: expected `chosen` and `rejected`, or"),
        ("", "row.json:1: not JSON"),
    ],
)
def test_a_row_that_cannot_be_used_is_one_line(text: str, what: str, tmp_path: Path) -> None:
    path = tmp_path / "row.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError) as error:
        requests_on("compare", str(path), RULES)
    assert what in str(error.value)
    assert "\n" not in str(error.value)


def test_a_missing_file_and_a_missing_principle_are_named(pairs: Path) -> None:
    with pytest.raises(InputError, match=r"nowhere\.jsonl: no such file"):
        requests_on("compare", "nowhere.jsonl:3", RULES)
    with pytest.raises(InputError, match="no principle 'kind'"):
        requests_on("compare", str(pairs), RULES, "kind")
