"""A person's examples: read from JSONL or YAML, parted by prompt, asked each once an epoch."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rlaif.errors import InputError
from rlaif.training.judge_own import OwnExample, own_documents, parted, read_own


def example(prompt: str, reply: str, *, answer: bool, principle: str = "It is kind.") -> OwnExample:
    return OwnExample(principle=principle, prompt=prompt, reply=reply, answer=answer)


TEN = [
    example(f"P{n % 6}", f"R{n}", answer=n % 2 == 0, principle=f"The response is {n % 3}.")
    for n in range(10)
]


def test_jsonl_and_yaml_say_the_same(tmp_path: Path) -> None:
    rows = [one.model_dump() for one in TEN]
    lines, listed = tmp_path / "own.jsonl", tmp_path / "own.yaml"
    lines.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    # Words stand for yes and no, too.
    words = [{**row, "answer": "yes" if row["answer"] else "no"} for row in rows]
    text = "examples:\n" + "".join(f"  - {json.dumps(row)}\n" for row in words)
    listed.write_text(text, encoding="utf-8")
    assert read_own(lines) == read_own(listed) == TEN


ROW = '{"principle": "It is kind.", "prompt": "P", "reply": "R", "answer": true}\n'


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (ROW + '{"principle": "x"}\n', "own.jsonl:2: no OwnExample: prompt: Field required"),
        (ROW.replace("true", '"perhaps"'), "own.jsonl:1: no OwnExample: answer: "),
        (ROW.replace("principle", "statement"), "own.jsonl:1: no OwnExample: principle: "),
        ("\n", "own.jsonl: no example in it"),
        (ROW, "own.jsonl: every answer is yes; a judge learns from examples of both"),
        (ROW + ROW.replace("true", "false"), "own.jsonl: 1 prompts; 5 are needed"),
    ],
)
def test_a_file_that_cannot_be_used_is_one_line(tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "own.jsonl"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError) as refused:
        read_own(path)
    assert told in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_mistake_in_yaml_names_its_line(tmp_path: Path) -> None:
    path = tmp_path / "own.yaml"
    path.write_text("examples:\n  - principle: It is kind.\n    answr: yes\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"own.yaml:3: examples.0.answr: .*did you mean 'answer'"):
        read_own(path)


@given(st.lists(st.sampled_from("abcdefghijklm"), min_size=5, max_size=60))
def test_no_prompt_is_on_both_sides_and_a_fifth_is_kept(prompts: list[str]) -> None:
    examples = [example(p, f"R{n}", answer=n % 2 == 0) for n, p in enumerate(prompts)]
    learned, kept = parted(examples)
    assert sorted(map(repr, [*learned, *kept])) == sorted(map(repr, examples))
    sides = [{one.prompt for one in side} for side in (learned, kept)]
    assert not sides[0] & sides[1]
    assert len(sides[1]) == max(1, round(0.2 * len(set(prompts))))
    assert parted(examples[::-1])[1] == kept[::-1]


def test_each_example_is_asked_once_an_epoch_and_one_replys_together() -> None:
    other = TEN[0].model_copy(update={"principle": "The response is short.", "answer": False})
    made = own_documents([*TEN, other], 3, seed=0)
    assert len(made) == 3 * len(TEN)
    asked = [
        (d.exchange.prompt, d.exchange.reply, q.text, bool(q.answer))
        for d in made
        for q in d.questions
    ]
    wanted = [(e.prompt, e.reply, e.principle, e.answer) for e in [*TEN, other]]
    assert sorted(asked) == sorted(wanted * 3)
    assert own_documents([*TEN, other], 3, seed=0) == made
    assert own_documents([*TEN, other], 3, seed=1) != made
