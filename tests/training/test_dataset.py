from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from transformers import AutoTokenizer

from rlaif.errors import InputError, MissingModelError
from rlaif.records import Critique, Message, Preference, Prompt, Response, Revision
from rlaif.training.dataset import (
    answer_ids,
    conversation_ids,
    dpo_tokens,
    end_of_turn,
    messages_of,
    preference_rows,
    prompt_ids,
    sft_rows,
    sft_tokens,
    split_by_prompt,
    with_even_weights,
)


@pytest.fixture(scope="module")
def tokenizer(tiny_model: Path) -> object:
    return AutoTokenizer.from_pretrained(tiny_model)


def test_training_reads_the_prompt_that_sampling_reads(tokenizer, prompt) -> None:
    sampled = tokenizer.apply_chat_template(
        messages_of(prompt), add_generation_prompt=True, tokenize=True, return_dict=True
    )["input_ids"]
    [row], _ = sft_tokens(tokenizer, sft_rows([(prompt, "Eight minutes.")]), 999)
    assert row["input_ids"][: len(sampled)] == sampled


def test_a_default_system_prompt_stands_in_training_as_in_sampling(tokenizer, prompt) -> None:
    greeted = AutoTokenizer.from_pretrained(tokenizer.name_or_path)
    greeted.chat_template = (
        "{% if messages[0].role != 'system' %}<|im_start|>system\nBe kind.<|im_end|>\n{% endif %}"
        + tokenizer.chat_template
    )
    [row], _ = dpo_tokens(greeted, [a_row(prompt)], 999)
    assert greeted.decode(row["prompt_ids"]).startswith("<|im_start|>system\nBe kind.")
    assert row["prompt_ids"] == prompt_ids(greeted, messages_of(prompt))


def a_row(prompt: Prompt) -> dict[str, object]:
    answers = {side: [{"role": "assistant", "content": side}] for side in ("chosen", "rejected")}
    return {"prompt": messages_of(prompt), **answers, "p_chosen": 0.8, "weight": 2.0}


def test_the_loss_is_on_the_answer_and_the_end_of_its_turn_alone(tokenizer, prompt) -> None:
    [row], _ = sft_tokens(tokenizer, sft_rows([(prompt, "Eight minutes.")]), 999)
    before = len(prompt_ids(tokenizer, messages_of(prompt)))
    assert row["labels"][:before] == [-100] * before
    assert row["labels"][before:] == row["input_ids"][before:]
    assert tokenizer.decode(row["input_ids"][before:]) == "Eight minutes.<|im_end|>"


def test_the_end_of_a_turn_is_the_templates_own(tokenizer) -> None:
    assert end_of_turn(tokenizer) == "<|im_end|>"
    other = AutoTokenizer.from_pretrained(tokenizer.name_or_path)
    other.chat_template = "{% for m in messages %}{{ m.content }}<end_of_turn>\n{% endfor %}"
    assert end_of_turn(other) == "<end_of_turn>"


def test_a_model_without_a_chat_template_is_named(tokenizer, prompt) -> None:
    bare = AutoTokenizer.from_pretrained(tokenizer.name_or_path)
    bare.chat_template = None
    with pytest.raises(MissingModelError, match="no chat template"):
        prompt_ids(bare, messages_of(prompt))


def test_a_reward_model_reads_the_whole_conversation_of_the_template(tokenizer, prompt) -> None:
    [ids] = conversation_ids(tokenizer, [messages_of(prompt)], ["Eight."])
    assert tokenizer.decode(ids).endswith("assistant\nEight.<|im_end|>\n")


def test_rows_keep_the_labels_probability_and_weight(preferences) -> None:
    row = preference_rows([preferences[0].model_copy(update={"p_chosen": 0.75, "weight": 3.0})])[0]
    assert (row["p_chosen"], row["weight"]) == (0.75, 3.0)
    assert row["chosen"] == [{"role": "assistant", "content": "Yes!"}]


def test_rows_say_what_their_judge_fell_short_of(preferences) -> None:
    stamp = ("agreement 0.55 < 0.7",)
    rows = preference_rows([preferences[0], preferences[0].model_copy(update={"despite": stamp})])
    assert [row["despite"] for row in rows] == [[], ["agreement 0.55 < 0.7"]]


def test_equal_texts_are_refused_by_their_rows_name(preferences) -> None:
    same = preferences[0].model_copy(update={"rejected": preferences[0].chosen})
    with pytest.raises(InputError, match="pair-0: chosen and rejected are the same text"):
        preference_rows([same])


def test_an_answer_of_nothing_is_refused_by_its_rows_name(prompt) -> None:
    with pytest.raises(InputError, match="egg: the answer to imitate is empty"):
        sft_rows([(prompt, " \n")])


def test_a_revision_teaches_what_it_ends_in(prompt) -> None:
    before, after = (
        Response(id=text, prompt_id=prompt.id, text=text, author="m") for text in ("old", "new")
    )
    critique = Critique(principle="kind", text="unkind", author="m")
    revision = Revision(
        id="r", prompt=prompt, before=before, critiques=(critique,), after=after, p_better=0.9
    )
    assert sft_rows([revision])[0]["completion"][0]["content"] == "new"


def test_pairs_that_are_too_long_are_left_out_and_counted(tokenizer, preferences) -> None:
    long = preferences[0].chosen.model_copy(update={"text": "x" * 500})
    rows = preference_rows([*preferences, preferences[0].model_copy(update={"chosen": long})])
    kept, left_out = dpo_tokens(tokenizer, rows, 200)
    assert (len(kept), left_out) == (len(preferences), 1)


def test_answers_that_are_too_long_are_left_out_and_counted(tokenizer, prompt) -> None:
    kept, left_out = sft_tokens(tokenizer, sft_rows([(prompt, "x" * 500), (prompt, "y")]), 200)
    assert (len(kept), left_out) == (1, 1)


def test_an_answers_tokens_do_not_depend_on_the_prompt(tokenizer) -> None:
    assert answer_ids(tokenizer, "Yes", "<|im_end|>")[-1] == tokenizer.eos_token_id


def test_weights_compare_rows_and_leave_the_step_alone() -> None:
    assert [row["weight"] for row in with_even_weights([{"weight": 4.0}, {"weight": 12.0}])] == [
        0.5,
        1.5,
    ]


@given(
    turns=st.lists(st.integers(0, 9), min_size=1, max_size=40),
    share=st.floats(0, 0.9),
    seed=st.integers(0, 99),
)
def test_no_prompt_is_on_both_sides_of_a_split(turns, share, seed) -> None:
    rows = [a_preference(turn, number) for number, turn in enumerate(turns)]
    train, held_out = split_by_prompt(rows, share, seed)
    assert not {row.prompt.text for row in train} & {row.prompt.text for row in held_out}
    assert sorted(row.id for row in train + held_out) == sorted(row.id for row in rows)
    assert split_by_prompt(rows, share, seed) == (train, held_out)


def a_preference(turn: int, number: int) -> Preference:
    # Two ids for one question, as happens where sources are mixed.
    prompt = Prompt(id=f"p{number}", messages=(Message(role="user", content=f"q{turn}"),))
    answer = {"prompt_id": prompt.id, "author": "m"}
    return Preference(
        id=f"r{number}",
        prompt=prompt,
        chosen=Response(id="a", text="a", **answer),
        rejected=Response(id="b", text="b", **answer),
        p_chosen=1.0,
        source="human",
        by="me",
    )


def test_a_split_holds_out_the_share_that_was_asked_for() -> None:
    rows = [a_preference(number, number) for number in range(50)]
    train, held_out = split_by_prompt(rows, 0.2, seed=3)
    assert (len(train), len(held_out)) == (40, 10)
    assert split_by_prompt(rows, 0.2, seed=4)[1] != held_out
