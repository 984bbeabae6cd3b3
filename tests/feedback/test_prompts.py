import json
from pathlib import Path

import pytest
from pydantic import ValidationError

from rlaif.errors import InputError
from rlaif.feedback.label import LabelConfig
from rlaif.feedback.prompts import drawn, load_prompts
from rlaif.records import Prompt


def write(folder: Path, *lines: str, name: str = "prompts.jsonl") -> Path:
    path = folder / name
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    "line",
    [
        '{"prompt": "Why is the sky blue?"}',
        '{"text": "Why is the sky blue?", "source": "a column of somebody else"}',
        '{"messages": [{"role": "user", "content": "Why is the sky blue?"}]}',
        '{"prompt": [{"role": "user", "content": "Why is the sky blue?"}]}',
        '"Why is the sky blue?"',
    ],
)
def test_every_form_of_a_prompt_gives_the_same_prompt(tmp_path: Path, line: str) -> None:
    assert load_prompts(write(tmp_path, line)) == [Prompt.of("Why is the sky blue?")]


def test_a_text_file_holds_one_prompt_a_line(tmp_path: Path) -> None:
    path = write(tmp_path, "First?", "", "  Second? ", name="prompts.txt")
    assert [prompt.text for prompt in load_prompts(path)] == ["First?", "Second?"]


def test_our_own_records_come_back_as_they_were(tmp_path: Path) -> None:
    prompt = Prompt.of("First?", id="one", tags=("harmful",))
    assert load_prompts(write(tmp_path, prompt.model_dump_json())) == [prompt]


def test_a_chat_keeps_its_turns(tmp_path: Path) -> None:
    roles = ("user", "assistant", "user")
    turns = [{"role": role, "content": text} for role, text in zip(roles, "abc", strict=True)]
    (prompt,) = load_prompts(write(tmp_path, json.dumps({"messages": turns})))
    assert [message.content for message in prompt.messages] == ["a", "b", "c"]


def test_a_number_is_as_good_an_id_as_a_word(tmp_path: Path) -> None:
    assert load_prompts(write(tmp_path, '{"id": 7, "text": "First?"}'))[0].id == "7"


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (['{"text": "a?"}', '{"prompt": "a?"}'], ":2: id 'p-.*' stands twice, first on line 1"),
        (['{"id":"x","text":"a?"}', '{"id":"y","text":"a?"}'], ":2: the same prompt stands twice"),
        (['{"id":"x","text":"a?"}', '{"id":"x","text":"b?"}'], ":2: id 'x' stands twice"),
        (["", ""], ": the file has no prompts"),
        (["{"], ":1: not JSON"),
        (["[1]"], ":1: expected `prompt`, `text` or `messages`, not list"),
        (['{"question": "a?"}'], ":1: expected `prompt`, `text` or `messages`; found question"),
        (['{"text": "  "}'], ":1: `text` is empty"),
        (['{"text": 3}'], ":1: `text` must be text or messages"),
        (['{"messages": []}'], ":1: .*at least 1 item"),
        (
            ['{"messages": [{"role": "assistant", "content": "b"}]}'],
            ":1: the last message must be the user's",
        ),
        (['{"messages": [{"role": "robot", "content": "b"}]}'], ":1: role"),
    ],
)
def test_a_bad_row_is_named_by_file_and_line(
    tmp_path: Path, lines: list[str], message: str
) -> None:
    with pytest.raises(InputError, match=r"prompts\.jsonl" + message):
        load_prompts(write(tmp_path, *lines))


def test_so_many_prompts_of_each_tag_are_drawn_the_same_ones_for_the_same_seed() -> None:
    prompts = [Prompt.of(f"{tag} {n}?", tags=(tag,)) for tag in ("a", "b", "c") for n in range(9)]
    chosen = drawn(prompts, {"a": 2, "c": 20}, "seed")
    assert [prompt.tags for prompt in chosen] == [("a",)] * 2 + [("c",)] * 9
    assert drawn(prompts, {"a": 2, "c": 20}, "seed") == chosen
    assert drawn(prompts, {"a": 2}, "another") != chosen[:2]
    assert drawn(prompts, 0, "seed") == prompts
    assert len(drawn(prompts, 4, "seed")) == 4


def test_a_prompt_with_two_tags_is_drawn_once() -> None:
    both = Prompt.of("Both?", tags=("a", "b"))
    assert drawn([both], {"a": 1, "b": 1}, "seed") == [both]


@pytest.mark.parametrize("value", ["many", -3, {"harmful": 0}, {"harmful": "all"}, {}, 2.5])
def test_a_share_that_is_none_is_refused_in_one_line(value: object) -> None:
    with pytest.raises(ValidationError) as caught:
        LabelConfig.model_validate({"prompts": value})
    assert len(caught.value.errors()) == 1
    assert "such as {harmful: 40}" in str(caught.value)
