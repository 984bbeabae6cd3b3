"""A run's reward model learns from the judge's labels and those of others, each with its weight."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from rlaif.errors import InputError
from rlaif.experiment.context import Context
from rlaif.experiment.stages import STAGES, stage_key
from rlaif.experiment.work.reward import labels_of
from rlaif.feedback.sound import Aside
from rlaif.records import Abstention, Preference, Prompt, Response
from rlaif.storage import write_records
from tests.small_run import opened

PEOPLE = {"id": "x", "prompt": "P", "chosen": "good", "rejected": "bad"}


@pytest.fixture
def run(write_experiment: Callable[[Path], Path], tmp_path: Path) -> Context:
    mine = write_experiment(tmp_path)
    people(mine.parent, PEOPLE)
    run = opened(mine, "reward.also=[people.jsonl]", "reward.sources={judge: 0.5, human: 4}")
    prompt = Prompt.of("Q")
    a, b = (Response(id=t, prompt_id=prompt.id, text=t, author="m") for t in "ab")
    judged = Preference(
        id="j", prompt=prompt, chosen=a, rejected=b, p_chosen=0.8, source="judge", by="judge"
    )
    write_records(run.folder / "label" / "preferences.jsonl", [judged])
    return run


def people(folder: Path, *rows: dict[str, str]) -> None:
    text = "".join(f"{json.dumps(row)}\n" for row in rows)
    (folder / "people.jsonl").write_text(text, encoding="utf-8")


def labels(
    run: Context, monkeypatch: pytest.MonkeyPatch, aside: Aside | None = None
) -> list[Preference]:
    monkeypatch.setattr(run, "finished", lambda name: run.folder / name)
    assert run.experiment.reward is not None
    return labels_of(run, run.experiment.reward, aside or Aside())


def test_each_source_has_its_weight(run: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    found = labels(run, monkeypatch)
    assert [(label.source, label.weight) for label in found] == [("judge", 0.5), ("human", 4.0)]


def test_other_labels_make_the_stage_stale(run: Context, tmp_path: Path) -> None:
    before = stage_key(run, STAGES["reward"])
    people(tmp_path, {**PEOPLE, "chosen": "better"})
    assert stage_key(run, STAGES["reward"]) != before


def test_a_faulty_row_among_them_is_named_and_left_out(
    run: Context, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    people(tmp_path, PEOPLE, {**PEOPLE, "id": "y", "chosen": "bad"})
    aside = Aside()
    found = labels(run, monkeypatch, aside)
    assert [label.id for label in found if label.source == "human"] == ["x"]
    [told] = aside.lines()
    assert "people.jsonl:2: left out: pair y" in told


def test_a_judge_that_abstained_on_all_is_told_with_the_counts(
    run: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    run.also = []
    folder = run.folder / "label"
    write_records(folder / "preferences.jsonl", [])
    silent = [Abstention(kind="refused", subject=name, by="judge") for name in "ab"]
    write_records(folder / "abstentions.jsonl", silent)
    with pytest.raises(InputError, match="the judge abstained on all 2 pairs: 2 refused"):
        labels(run, monkeypatch)
