"""The judge that ships: small, from nowhere in particular, calibrated, and able to judge."""

import json
import re
from pathlib import Path
from typing import NamedTuple

import pytest

from rlaif.cli.main import main
from rlaif.constitution.principle import Constitution
from rlaif.embedded.find import HUB_NAME, judge_adapter
from rlaif.evaluation.principles import try_out
from rlaif.experiment.config import load_experiment
from rlaif.experiment.judge_marks import GATES, PEOPLE
from rlaif.experiment.judge_page import Card
from rlaif.judges.build import calibration_in
from rlaif.judges.named import named_judge
from rlaif.resources import find
from rlaif.training.judge_exam import PARTS

_LINE = r"(.+?)  +(\d\.\d{3}) \((\d\.\d{3}) to (\d\.\d{3}), .*\) +[≥≤] \d\.\d\d  (ok|short)$"


class Told(NamedTuple):
    """A mark as `rlaif embedded evaluate` prints it."""

    value: float
    low: float
    high: float
    verdict: str


@pytest.fixture(scope="module")
def folder() -> Path:
    return judge_adapter()


@pytest.fixture(scope="module")
def card(folder: Path) -> Card:
    data = json.loads((folder / "card.json").read_text(encoding="utf-8"))
    assert data.pop("base") == HUB_NAME
    assert data.pop("training")
    return Card.model_validate(data)


def test_it_is_small_and_names_its_base_as_others_know_it(folder: Path) -> None:
    assert sum(path.stat().st_size for path in folder.iterdir()) < 12 * 2**20
    config = json.loads((folder / "adapter_config.json").read_text(encoding="utf-8"))
    assert config["base_model_name_or_path"] == HUB_NAME
    assert not any("/" in str(value) for key, value in config.items() if "path" not in key)


def test_its_card_has_every_figure_and_says_what_is_short(folder: Path, card: Card) -> None:
    names = {
        name.replace(": ", ", does: ", 1) if is_of_statements(name) else name for name in GATES
    }
    assert {mark.name for mark in card.marks} >= names | {PEOPLE}
    text = (folder / "README.md").read_text(encoding="utf-8")
    for mark in card.marks:
        assert f"| {mark.name} | {mark.value:.3f} | {mark.low:.3f} to {mark.high:.3f} |" in text
    short = text.split("Short of its gate:")[1].split("Weakest")[0]
    for mark in card.marks:
        assert (f"- {mark.name}: " in short) is mark.is_short
    for source in ("HH-RLHF", "rule-based", "moderation", "Model Spec", "DICES", "Apache-2.0"):
        assert source in text


def is_of_statements(name: str) -> bool:
    return name.partition(": ")[0] in PARTS


def test_its_calibration_is_the_one_on_the_card(folder: Path, card: Card) -> None:
    assert calibration_in(folder) == card.calibration


@pytest.mark.slow
def test_every_principle_of_the_demo_is_one_that_it_can_be_trusted_on() -> None:
    demo = load_experiment(find("experiments", "embedded"))
    found = try_out(Constitution.load(demo.constitution), named_judge("embedded"))
    assert {one.principle: one.standing for one in found} == {
        "declines-harm": "trusted",
        "answers-when-harmless": "trusted",
        "offers-something": "trusted",
    }, "\n".join(map(str, found))


@pytest.mark.slow
def test_an_examination_prints_each_mark_and_finds_about_what_the_card_says(
    card: Card, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("RLAIF_DATA", raising=False)
    code = main(["embedded", "evaluate", "--quick"])
    found = {}
    for line in capsys.readouterr().out.splitlines():
        told = re.match(_LINE, line)
        if told:
            value, low, high = map(float, told.group(2, 3, 4))
            found[told[1]] = Told(value, low, high, told[5])
    of_people = {PEOPLE, "rule-based rewards: mean AUC"}
    assert set(found) == {mark.name for mark in card.marks} - of_people
    assert code == int(any(told.verdict == "short" for told in found.values()))
    known = {mark.name: mark.value for mark in card.marks}
    means = [n for n in found if n.startswith(("known", "new")) and n.endswith("AUC")]
    assert len(means) == 4
    # A tenth of the card's questions: each mean rests on some forty of them, and its own interval
    # has to hold what the card says; all four together are near it.
    for name in means:
        assert found[name].low <= known[name] <= found[name].high, name
    gap = sum(found[name].value - known[name] for name in means) / 4
    assert gap == pytest.approx(0, abs=0.08)
