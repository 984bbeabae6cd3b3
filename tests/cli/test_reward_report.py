"""`rlaif reward report` on a model's folder, on scored pairs, on a run, and on what is neither."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from rlaif.cli.main import main
from rlaif.evaluation.reward.report import RewardReport
from rlaif.evaluation.reward.scored import Scored
from rlaif.experiment.reward_scores import ReplyReward
from rlaif.storage import read_records, write_records
from rlaif.training.config import LoRA, RewardConfig
from rlaif.training.reward import train_reward_model
from tests.evaluation.reward.made import scored
from tests.training.conftest import preferring_yes

Told = Callable[..., str]


@pytest.fixture(scope="module")
def trained(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a reward model that learned to prefer yes, and all of its labels."""
    folder = tmp_path_factory.mktemp("rm")
    rows = [preferring_yes(number) for number in range(30)]
    write_records(folder / "labels.jsonl", rows)
    config = RewardConfig(learning_rate=1e-2, epochs=5, lora=LoRA(r=4))
    train_reward_model(rows, config, tiny_model, folder / "rm")
    return folder


@pytest.fixture
def told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Told:
    """Run a command that must fail; give the one line that it says."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str) -> str:
        assert main(["reward", "report", *arguments]) == 2
        errors = capsys.readouterr().err
        assert len(errors.splitlines()) == 1, errors
        return errors.strip()

    return run


def test_a_model_is_measured_by_the_prompts_that_it_never_saw(
    trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    asked = ["reward", "report", str(trained / "rm"), str(trained / "labels.jsonl")]
    assert main([*asked, "-o", str(out), "--train", "10"]) == 0
    printed = capsys.readouterr().out
    assert "rm: held-out accuracy" in printed
    assert "6 held-out pairs of 6 prompts, none of them trained on" in printed
    assert f"kept in {out / 'report.html'}" in printed
    found = RewardReport.model_validate_json((out / "report.json").read_bytes())
    assert (found.counts.held_out, found.counts.train) == (6, 10)
    assert found.accuracy is not None
    assert found.accuracy.share.value == 1.0
    assert found.is_split_known


def test_a_report_made_again_scores_nothing_again(
    trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    asked = ["reward", "report", str(trained / "rm"), str(trained / "labels.jsonl"), "-o", str(out)]
    assert main(asked) == 0
    kept = list(read_records(out / "rewards.jsonl", ReplyReward))
    assert len(kept) == 60
    # Stopped in the middle: what was scored by then is kept.
    write_records(out / "rewards.jsonl", kept[:20])
    assert main(asked) == 0
    again = list(read_records(out / "rewards.jsonl", ReplyReward))
    assert again[:20] == kept[:20]
    assert [row.reply for row in again] == [row.reply for row in kept]
    before = (out / "report.json").read_bytes()

    def refuse(*_: object) -> None:
        raise AssertionError("everything is scored already")

    monkeypatch.setattr("rlaif.training.reward.RewardModel.__call__", refuse)
    assert main(asked) == 0
    assert (out / "report.json").read_bytes() == before


def test_scored_pairs_are_read_as_they_lie(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "scores.jsonl"
    write_records(path, [scored(n, 1.0 if n < 8 else -1.0) for n in range(10)])
    assert main(["reward", "report", str(path)]) == 0
    assert "0.490 to 0.943" in capsys.readouterr().out
    assert (tmp_path / "scores.report/report.html").is_file()
    assert (tmp_path / "scores.report/report.json").is_file()


def test_what_score_writes_is_reported_beside_the_pairs_that_were_scored(
    trained: Path, told: Told, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model, labels, out = str(trained / "rm"), str(trained / "labels.jsonl"), tmp_path / "s.jsonl"
    assert main(["reward", "score", model, labels, "-o", str(out)]) == 0
    assert main(["reward", "report", str(out), labels]) == 0
    assert "30 held-out pairs of 30 prompts, taken as never trained on" in capsys.readouterr().out
    found = RewardReport.model_validate_json((tmp_path / "s.report/report.json").read_bytes())
    assert main(["reward", "report", model, labels, "-o", str(tmp_path / "direct")]) == 0
    scores = read_records(tmp_path / "direct/scores.jsonl", Scored)
    right = sum(row.chosen > row.rejected for row in scores)  # six held out, the others trained on
    assert found.accuracy is not None
    assert found.accuracy.share.value == pytest.approx(right / 30)
    capsys.readouterr()
    assert "name the labelled pairs that were scored too" in told(str(out))
    lines = out.read_text(encoding="utf-8").splitlines()
    out.write_text("".join(f"{line}\n" for line in lines[1:]), encoding="utf-8")
    assert "s.jsonl: no score of the chosen reply of pair pair-0 in" in told(str(out), labels)


def test_people_may_be_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [scored(n, 1.0) for n in range(4)]
    write_records(tmp_path / "scores.jsonl", rows)
    people = [
        {
            "prompt": row.preference.prompt.text,
            "chosen": row.preference.chosen.text,
            "rejected": row.preference.rejected.text,
        }
        for row in rows[:3]
    ]
    text = "".join(json.dumps(row) + "\n" for row in people)
    (tmp_path / "people.jsonl").write_text(text, encoding="utf-8")
    asked = ["reward", "report", str(tmp_path / "scores.jsonl")]
    assert main([*asked, "--with", str(tmp_path / "people.jsonl")]) == 0
    printed = capsys.readouterr().out
    assert "Beside people, on the same pairs" in printed
    assert "3 pairs of 3 prompts" in printed


def test_a_run_that_trained_one_shows_it(again: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = again.parent / "runs/tiny"
    page = (run / "reward/report.html").read_text(encoding="utf-8")
    assert "tiny’s reward model" in page or "tiny&#39;s reward model" in page
    assert main(["report", str(run)]) == 0
    text = (run / "report.html").read_text(encoding="utf-8")
    assert '<h2 id="reward">The reward model</h2>' in text
    assert "ECE of σ(Δr)" in text
    assert main(["reward", "report", str(run)]) == 0
    assert f"kept in {run / 'reward/report.html'}" in capsys.readouterr().out


def test_no_such_model_is_one_line(told: Told) -> None:
    assert told("nothing", "labels.jsonl") == (
        "nothing: no such model folder; run the stage that makes it"
    )


def test_a_model_without_rows_says_what_to_name(told: Told, trained: Path) -> None:
    assert "name the labelled pairs too" in told(str(trained / "rm"))


def test_rows_beside_a_file_that_has_its_own_are_refused(told: Told, tmp_path: Path) -> None:
    write_records(tmp_path / "scores.jsonl", [scored(0, 1.0)])
    assert told("scores.jsonl", "labels.jsonl") == (
        "scores.jsonl: a file of scored pairs has its rows; name no others"
    )


def test_a_bad_line_is_named(told: Told, tmp_path: Path) -> None:
    good = scored(0, 1.0).model_dump_json()
    (tmp_path / "scores.jsonl").write_text(f'{good}\n{{"chosen": 1}}\n', encoding="utf-8")
    assert told("scores.jsonl").startswith("scores.jsonl:2: no Scored: preference: ")
    bad = json.loads(good) | {"chosen": float("nan")}
    (tmp_path / "scores.jsonl").write_text(json.dumps(bad) + "\n", encoding="utf-8")
    assert told("scores.jsonl").startswith("scores.jsonl:1: no Scored: ")


def test_an_empty_file_is_one_line(told: Told, tmp_path: Path) -> None:
    (tmp_path / "scores.jsonl").write_text("", encoding="utf-8")
    assert told("scores.jsonl") == "scores.jsonl: the file has no rows"


def test_a_prompt_on_both_sides_is_one_line(told: Told, tmp_path: Path) -> None:
    rows = [scored(0, 1.0), scored(1, 1.0, prompt="Question 0?", split="train")]
    write_records(tmp_path / "scores.jsonl", rows)
    assert told("scores.jsonl").startswith("scores.jsonl: rows pair0-judge (held-out) and pair1")


def test_all_rows_trained_on_is_one_line(told: Told, trained: Path, tmp_path: Path) -> None:
    lines = (trained / "labels.jsonl").read_text(encoding="utf-8").splitlines()
    from rlaif.records import Preference  # noqa: PLC0415
    from rlaif.training.split import digest, trained_on  # noqa: PLC0415

    known = trained_on(trained / "rm")
    assert known
    seen = [one for one in lines if digest(Preference.model_validate_json(one).prompt) in known]
    (tmp_path / "seen.jsonl").write_text("".join(f"{line}\n" for line in seen), encoding="utf-8")
    line = told(str(trained / "rm"), "seen.jsonl", "-o", "out")
    assert "no held-out pair to measure by" in line


def test_a_policy_is_no_reward_model(told: Told, tiny_model: Path, trained: Path) -> None:
    assert "gives no single score" in told(str(tiny_model), str(trained / "labels.jsonl"))
