"""Bugs that shipped elsewhere, in how labels are trained on; each is named after what it does."""

from pathlib import Path

from transformers import AutoTokenizer

from rlaif.records import Prompt, Response
from rlaif.training.dataset import dpo_tokens, preference_rows, split_by_prompt
from rlaif.training.optimize.scorer import Scorer
from rlaif.training.reward.layout import Layout
from rlaif.training.reward.rows import read_rows


def test_a_missing_reward_that_is_summed_as_a_zero() -> None:
    scorer = Scorer([Prompt.of("Hi")], lambda *_: [None, -1.0, None])
    answers = [[{"role": "assistant", "content": "a"}]] * 3
    given = scorer(completions=answers, row=[0, 0, 0], prompts=[], trainer_state=None)
    assert given == [None, -1.0, None]
    assert scorer.abstained == 2


def test_pairs_that_are_too_long_and_vanish_without_a_count(
    tiny_model: Path, preferences, tmp_path: Path
) -> None:
    tokenizer = AutoTokenizer.from_pretrained(tiny_model)
    long = preferences[0].rejected.model_copy(update={"text": "x" * 900})
    labels = [*preferences, preferences[1].model_copy(update={"id": "long", "rejected": long})]
    kept, left_out = dpo_tokens(tokenizer, preference_rows(labels), 300)
    assert (len(kept), left_out) == (len(preferences), 1)
    rows = read_rows(labels, tokenizer, Layout(max_length=300), tmp_path / "answers.arrow")
    assert (len(rows.pairs), rows.left_out["too long"]) == (len(preferences), 1)


def test_a_test_split_that_is_mixed_into_the_training_rows(preferences) -> None:
    # The same question under other ids, asked anew: all its rows stay on one side.
    again = [
        one.model_copy(
            update={
                "id": f"again-{one.id}",
                "prompt": Prompt.of(one.prompt.text, id=f"again-{one.prompt.id}"),
                "chosen": Response(id="c", prompt_id="x", text=f"{one.chosen.text} Y", author="t"),
            }
        )
        for one in preferences
    ]
    train, held_out = split_by_prompt([*preferences, *again], 0.25, 3)
    assert len(held_out) == 12
    assert not {row.prompt.text for row in train} & {row.prompt.text for row in held_out}
