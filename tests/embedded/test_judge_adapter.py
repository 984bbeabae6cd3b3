"""The judge that ships: small, from nowhere in particular, calibrated, and able to judge."""

import json
from pathlib import Path

import pytest

from rlaif.cli.main import main
from rlaif.constitution.principle import Constitution
from rlaif.embedded.find import HUB_NAME, judge_adapter
from rlaif.evaluation.principles import try_out
from rlaif.experiment.config import load_experiment
from rlaif.experiment.judge_card import GATES, Card
from rlaif.judges.build import calibration_in
from rlaif.judges.named import named_judge
from rlaif.resources import find


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
    assert {(f.part, f.polarity) for f in card.figures} == {
        (part, polarity) for part in GATES for polarity in ("does", "does not")
    }
    text = (folder / "README.md").read_text(encoding="utf-8")
    for figure in card.figures:
        row = f"| {figure.part} | {figure.polarity} | {figure.auc:.2f} | "
        assert row + f"{figure.balanced_accuracy:.2f} |" in text
    short = text.split("Short of its gate:")[1].split("Weakest")[0]
    for gate in card.gates():
        assert (gate.name in short) is gate.is_short
    for source in ("HH-RLHF", "rule-based", "moderation", "Apache-2.0", "MIT"):
        assert source in text


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
def test_an_examination_prints_each_gate_and_finds_about_what_the_card_says(
    card: Card, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("RLAIF_DATA", raising=False)
    code = main(["embedded", "evaluate", "--draw", "60", "--each", "3", "--wordings", "1"])
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    gates = {
        " ".join(line[:-3]): line[-3:] for line in lines if line and line[-1] in ("ok", "short")
    }
    assert set(gates) == {gate.name for gate in card.gates()}
    assert code == int(any(verdict == "short" for *_, verdict in gates.values()))
    known = {gate.name: gate.value for gate in card.gates()}
    for name, (value, _, _) in gates.items():
        # A tenth of the card's questions; of the traits never trained there are ten in all.
        assert float(value) == pytest.approx(known[name], abs=0.2 if "never" in name else 0.1)
