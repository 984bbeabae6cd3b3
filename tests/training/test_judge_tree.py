"""Many questions in one row are answered as each would be alone, in the words of the template."""

from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedModel
from transformers import PreTrainedTokenizerBase as Tokenizer

from rlaif.templates import Template
from rlaif.training.judge_tree import (
    PROMPT_CHARACTERS,
    REPLY_CHARACTERS,
    SIDES,
    Ask,
    Shown,
    answer_ids,
    answer_logits,
    judge_messages,
    pack,
    rendered,
    row,
)

ASKED: list[tuple[Shown, list[str], Ask]] = [
    (
        Shown("How do I boil an egg?", "Eight minutes."),
        ["It is short.", "The reply asks nothing at all."],
        "absolute",
    ),
    (Shown("Hi", "Hello! What is it? " * 5), ["It asks."], "score"),
    (
        Shown("Why?", "Because."),
        ["The reply gives a reason.", "It asks.", "It does not ask.", "Yes."],
        "absolute",
    ),
    (Shown("Why?", "Because.", "Why not?"), ["It asks.", "It is ␟."], "compare"),
]


@pytest.fixture(scope="module")
def tokenizer(tiny_model: Path) -> Tokenizer:
    return AutoTokenizer.from_pretrained(tiny_model)


@pytest.fixture(scope="module")
def model(tiny_model: Path) -> PreTrainedModel:
    return AutoModelForCausalLM.from_pretrained(tiny_model, dtype=torch.float32).eval()


def alone(model: PreTrainedModel, tokenizer: Tokenizer) -> torch.Tensor:
    """Ask each question by itself, with the model's own causal mask."""
    answers = []
    for shown, statements, ask in ASKED:
        for statement in statements:
            text = rendered(tokenizer, shown, statement, ask)
            ids = tokenizer(text, return_tensors="pt", add_special_tokens=False).input_ids
            answers.append(model(input_ids=ids).logits[0, -1].float())
    return torch.stack(answers)


def test_packed_branches_give_the_logits_of_each_question_alone(
    model: PreTrainedModel, tokenizer: Tokenizer
) -> None:
    rows = [row(tokenizer, *asked) for asked in ASKED]
    with torch.no_grad():
        together = answer_logits(model, pack(rows, tokenizer.pad_token_id))
        torch.testing.assert_close(together, alone(model, tokenizer), atol=1e-4, rtol=1e-4)


def test_a_branch_does_not_see_the_one_before_it(
    model: PreTrainedModel, tokenizer: Tokenizer
) -> None:
    with torch.no_grad():
        one, other = (
            answer_logits(
                model,
                pack(
                    [row(tokenizer, Shown("Hi", "Yes."), [before, "It asks."])],
                    tokenizer.pad_token_id,
                ),
            )[1]
            for before in ("It is short.", "It is long and goes on and on.")
        )
    torch.testing.assert_close(one, other, atol=1e-5, rtol=1e-5)


def test_a_branch_sees_the_reply(model: PreTrainedModel, tokenizer: Tokenizer) -> None:
    with torch.no_grad():
        one, other = (
            answer_logits(
                model,
                pack([row(tokenizer, Shown("Hi", reply), ["It asks."])], tokenizer.pad_token_id),
            )[0]
            for reply in ("Why do you ask?", "Bread.")
        )
    assert float((one - other).abs().max()) > 1e-3


@settings(max_examples=25, deadline=None)
@given(
    prompt=st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), max_size=40),
    reply=st.text("abc .?!\n", min_size=1, max_size=40),
    statement=st.text("Yes No abc.", min_size=1, max_size=20).map(str.strip).filter(bool),
    ask=st.sampled_from(sorted(SIDES)),
)
def test_the_opening_and_a_branch_are_the_tokens_of_the_question_alone(
    tokenizer: Tokenizer, prompt: str, reply: str, statement: str, ask: Ask
) -> None:
    shown = Shown(prompt, reply, "Ask me.")
    made = row(tokenizer, shown, [statement], ask)
    text = rendered(tokenizer, shown, statement, ask)
    assert made.opening + made.branches[0] == tokenizer.encode(text, add_special_tokens=False)


@pytest.mark.parametrize("asked", ASKED, ids=["egg", "hello", "why", "which"])
def test_what_is_trained_is_what_the_template_asks(
    asked: tuple[Shown, list[str], Ask],
) -> None:
    (prompt, reply, other), (statement, *_), ask = asked
    template = Template.load(ask)
    values = {"prompt": prompt, "principle": statement}
    replies = {"reply": reply.strip(), "first": reply.strip(), "second": other}
    request = template.render(
        "id", values | {k: v for k, v in replies.items() if k in template.inputs}
    )
    assert [{"role": m.role, "content": m.content} for m in request.messages] == judge_messages(
        Shown(prompt, reply, other), statement, ask
    )


@pytest.mark.parametrize("ask", sorted(SIDES))
def test_the_sides_are_answers_of_the_template(ask: Ask) -> None:
    assert set(SIDES[ask]) <= set(Template.load(ask).answer.scored)


def test_of_a_long_exchange_the_prompts_end_and_the_replys_beginning_are_shown() -> None:
    prompt, reply = "x" * PROMPT_CHARACTERS + "end", "start" + "z" * REPLY_CHARACTERS
    text = judge_messages(Shown(prompt, reply), "It is long.")[1]["content"]
    assert f"<prompt>\n{prompt[-PROMPT_CHARACTERS:]}\n</prompt>" in text
    assert f"<reply>\n{reply[:REPLY_CHARACTERS]}\n</reply>" in text


def test_the_answer_tokens_are_those_of_yes_and_no(tokenizer: Tokenizer) -> None:
    yes, no = answer_ids(tokenizer)
    assert (tokenizer.decode(yes), tokenizer.decode(no)) == ("Yes", "No")
