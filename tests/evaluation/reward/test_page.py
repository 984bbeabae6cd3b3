"""The page: whole, self-contained, and safe whatever the replies hold."""

import json
import re
from pathlib import Path

import pytest

from rlaif.evaluation.report import write_reward
from rlaif.evaluation.reward.report import RewardReport, reward_report
from rlaif.evaluation.reward.scored import Scored
from tests.evaluation.reward.made import scored

HOSTILE = "<script>alert(1)</script> & \"quoted\" 'reply' </pre></details>"


@pytest.fixture(scope="module")
def found() -> RewardReport:
    words = [(4, 9), (9, 4), (3, 30), (12, 5)]
    rows = [
        scored(n, 0.1 * n if n % 3 else -0.1 * n, 0.9, words=words[n % 4], tags=("harmful",),
               principles={"calm": 0.8}, prompt=f"{HOSTILE} {n}")
        for n in range(1, 90)
    ]  # fmt: skip
    rows += [scored(200 + n, 2.0, split="train") for n in range(10)]
    rows += [_human(row) for row in rows[:30]]
    return reward_report(rows, "my <b>rm</b>", rounds=1000)


def _human(row: Scored) -> Scored:
    label = row.preference.model_copy(
        update={"source": "human", "by": "ann", "id": f"{row.preference.id}-ann"}
    )
    return row.model_copy(update={"preference": label})


@pytest.fixture(scope="module")
def page(found: RewardReport, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_reward(found, tmp_path_factory.mktemp("rm"))


def test_the_json_beside_the_page_is_the_report(page: Path, found: RewardReport) -> None:
    path = page.with_name("report.json")
    assert RewardReport.model_validate_json(path.read_bytes()) == found
    assert len(json.loads(path.read_bytes())["hardest"]) == 20


def test_the_page_asks_the_network_for_nothing_and_runs_nothing(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert not re.search(r"(?:src|href)=[\"'](?!#)", text)
    assert "<script" not in text
    assert "<b>rm</b>" not in text


def test_the_page_has_its_pictures_and_the_hardest_pairs_side_by_side(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert text.count("<svg") == 3
    assert text.count('<article class="pair"') == 20
    assert text.count('class="side"') == 40
    for shown in ("ECE of σ(Δr)", "Brier of σ(Δr)", "train–held-out gap", "Beside people", "calm"):
        assert shown in text


def test_every_place_in_the_pictures_is_a_number_inside(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    places = re.findall(r"<circle cx=\"([^\"]+)\" cy=\"([^\"]+)\"", text)
    assert places
    for x, y in places:
        assert 0 <= float(x) <= 320
        assert 0 <= float(y) <= 400


def test_few_rows_make_a_page_without_what_they_cannot_fill(tmp_path: Path) -> None:
    found = reward_report([scored(0, 1.0)], "rm", rounds=1000)
    text = write_reward(found, tmp_path).read_text(encoding="utf-8")
    assert "The longer reply is rewarded more" not in text
    assert "Beside people" not in text
    assert "hardest" not in text.split("</style>")[1].split("JSON")[0]
