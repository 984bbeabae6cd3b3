"""The principle decides: one model, two opposite principles, and every table that shows it."""

from pathlib import Path

import pytest

from rlaif.cli.main import main
from rlaif.evaluation.reward.report import RewardReport
from rlaif.records import Prompt
from rlaif.storage import write_records
from rlaif.training.config import RewardConfig
from rlaif.training.reward import Beside, RewardModel, train_reward_model
from tests.training.reward.test_principles import RULES, judged


@pytest.mark.slow
def test_the_same_reply_scores_by_whichever_principle_is_read_and_the_tables_show_it(
    tiny_model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    labels = [judged(number) for number in range(20)]
    config = RewardConfig(
        steps=150, learning_rate=3e-3, warmup=0.1, lora=None, by_principle=True, held_out=0.3
    )
    model = tmp_path / "rm"
    done = train_reward_model(labels, config, tiny_model, model, beside=Beside(RULES))

    asked = ([Prompt.of("never asked before")] * 2, ["Yes!", "No."])
    yes, no = RewardModel(model).under("yes")(*asked)
    assert yes > no
    yes, no = RewardModel(model).under("no")(*asked)
    assert no > yes

    assert done.metrics["accuracy/yes"] == done.metrics["accuracy/no"] == 1.0
    card = (model / "README.md").read_text(encoding="utf-8")
    for name in ("yes", "no"):
        assert f"| accuracy/{name} | 1.000 (" in card

    write_records(tmp_path / "labels.jsonl", labels)
    out = tmp_path / "report"
    assert (
        main(["reward", "report", str(model), str(tmp_path / "labels.jsonl"), "-o", str(out)]) == 0
    )
    printed = capsys.readouterr().out
    found = RewardReport.model_validate_json((out / "report.json").read_bytes())
    table = {group.accuracy.name: group for group in found.groups if group.by == "principle"}
    for name in ("yes", "no"):
        assert f"principle: {name}, read: its own verdict" in printed
        assert table[name].is_read
        assert table[name].own.share.value == 1.0
