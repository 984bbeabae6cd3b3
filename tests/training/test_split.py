import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rlaif.errors import MissingModelError
from rlaif.records import Prompt
from rlaif.training.config import LoRA, RewardConfig
from rlaif.training.dataset import split_by_prompt
from rlaif.training.reward import train_reward_model
from rlaif.training.split import digest, note_split, trained_on
from tests.training.conftest import preferring_yes


def test_a_model_says_which_conversations_trained_it_and_keeps_no_text(
    tiny_model: Path, tmp_path: Path
) -> None:
    rows = [preferring_yes(number) for number in range(24)]
    config = RewardConfig(steps=1, lora=LoRA(r=2))
    out = train_reward_model(rows, config, tiny_model, tmp_path / "rm", seed=3).path
    train, held_out = split_by_prompt(rows, config.held_out, 3)
    known = trained_on(out)
    assert known == {digest(row.prompt) for row in train}
    assert not known & {digest(row.prompt) for row in held_out}
    assert "question" not in (out / "split.json").read_text(encoding="utf-8")


@given(st.lists(st.integers(0, 8), max_size=40), st.floats(0, 0.9), st.integers(0, 5))
def test_no_conversation_is_in_both_splits(numbers: list[int], share: float, seed: int) -> None:
    rows = [
        preferring_yes(number).model_copy(
            # One question under several ids is one question.
            update={"prompt": Prompt.of(f"question {number}", id=f"id-{place}")}
        )
        for place, number in enumerate(numbers)
    ]
    train, held_out = split_by_prompt(rows, share, seed)
    assert not {digest(r.prompt) for r in train} & {digest(r.prompt) for r in held_out}
    assert len(train) + len(held_out) == len(rows)


def test_a_folder_that_does_not_say_is_not_known(tmp_path: Path) -> None:
    assert trained_on(tmp_path) is None
    note_split(tmp_path, [])
    assert trained_on(tmp_path) == frozenset()


@pytest.mark.parametrize("text", ["", "{", "[]", '{"train": 3}'])
def test_a_damaged_file_is_one_line(text: str, tmp_path: Path) -> None:
    (tmp_path / "split.json").write_text(text, encoding="utf-8")
    with pytest.raises(MissingModelError, match=r"split\.json: damaged; delete it"):
        trained_on(tmp_path)


def test_the_same_split_is_written_the_same(tmp_path: Path) -> None:
    rows = [digest(preferring_yes(number).prompt) for number in range(5)]
    note_split(tmp_path, rows)
    first = (tmp_path / "split.json").read_bytes()
    note_split(tmp_path, [*reversed(rows), rows[0]])
    assert (tmp_path / "split.json").read_bytes() == first
    assert len(json.loads(first)["train"]) == 5
