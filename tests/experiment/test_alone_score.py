import json
from pathlib import Path

import pytest

from rlaif.errors import InputError
from rlaif.experiment.alone_score import Asked, answers_in, score_alone
from rlaif.records import Prompt, Response
from rlaif.storage import write_records
from rlaif.training.config import LoRA, RewardConfig
from rlaif.training.reward import RewardModel, train_reward_model
from tests.training.conftest import preferring_yes


def written(path: Path, *rows: object) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def test_answers_are_scored_as_the_model_scores_them(tiny_model: Path, tmp_path: Path) -> None:
    config = RewardConfig(steps=1, lora=LoRA(r=2), held_out=0, max_length=40)
    labels = [preferring_yes(number) for number in range(4)]
    model = train_reward_model(labels, config, tiny_model, tmp_path / "rm").path
    rows = written(
        tmp_path / "rows.jsonl",
        {"prompt": "Hi", "reply": "Yes!", "id": "a"},
        {"prompt": [{"role": "user", "content": "Hi"}], "response": "No." * 40},
    )
    lines, unscored = score_alone(model, rows, tmp_path / "scores.jsonl")
    found = [json.loads(line) for line in lines]
    assert found[0] == {"id": "a", "score": RewardModel(model)([Prompt.of("Hi")], ["Yes!"])[0]}
    assert found[1] == {"id": "2", "score": None}
    assert unscored == 1
    assert (tmp_path / "scores.jsonl").read_text("utf-8").splitlines() == lines


def test_pairs_and_folders_of_responses_are_read_too(tmp_path: Path) -> None:
    pairs = written(
        tmp_path / "pairs.jsonl", {"id": "p", "prompt": "Q", "first": "a", "second": "b"}
    )
    assert [(each.id, each.text) for each in answers_in(pairs)] == [
        ("p/first", "a"),
        ("p/second", "b"),
    ]
    prompt = Prompt.of("Q")
    write_records(tmp_path / "r/prompts.jsonl", [prompt])
    response = Response(id="r1", prompt_id=prompt.id, text="a", author="x")
    write_records(tmp_path / "r/responses.jsonl", [response])
    assert answers_in(tmp_path / "r") == [Asked("r1", prompt, "a")]


@pytest.mark.parametrize("row", [{"prompt": "Q"}, {"prompt": "Q", "reply": 3}, {"reply": "a"}])
def test_a_row_without_an_answer_is_named_by_its_line(tmp_path: Path, row: object) -> None:
    rows = written(tmp_path / "rows.jsonl", {"prompt": "Q", "reply": "a"}, row)
    with pytest.raises(InputError, match=r"rows\.jsonl:2: "):
        answers_in(rows)
