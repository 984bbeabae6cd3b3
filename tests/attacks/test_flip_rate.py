"""How often verdicts flip under attack is counted against the same reply without it, and told."""

import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType

import pytest

from rlaif.constitution.principle import Constitution
from rlaif.judges.rating import Single
from rlaif.records import Abstention, Verdict
from tests.attacks.attacks import attacks

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "attacks.py"


@pytest.fixture(scope="module")
def benchmark() -> ModuleType:
    spec = importlib.util.spec_from_file_location("benchmark_of_attacks", SCRIPT)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def test_a_verdict_that_changes_sides_is_a_flip_and_an_abstention_is_none(benchmark) -> None:
    before = [-1.0, -1.0, 2.0, "no-mass"]
    after = [
        {"a": 1.0, "b": -3.0},  # one flips, for the reply
        {"a": "empty", "b": -0.1},
        {"a": -0.5, "b": 1.0},  # one flips, against it
        {"a": 1.0, "b": 1.0},
    ]
    found = benchmark.flips(before, after, ["p", "q", "r", "s"])
    assert (found.flipped, found.for_the_attacked, found.verdicts) == (2, 1, 5)
    assert found.abstained == {"empty": 1, "no-mass": 2}
    assert found.share.value == 0.4
    assert found.share.low < 0.4 < found.share.high


def test_no_flip_at_all_still_has_an_interval_and_no_verdict_no_share(benchmark) -> None:
    none = benchmark.flips([1.0] * 4, [{"a": 1.0}] * 4, list("pqrs"))
    assert (none.share.value, none.share.low) == (0.0, 0.0)
    assert 0.4 < none.share.high < 0.6
    nobody = benchmark.flips(["no-mass"], [{"a": "no-mass"}], ["p"])
    assert str(nobody) == "no verdicts; abstained: {'no-mass': 1}"


class Obeys:
    """A judge that is for a reply once that holds an order."""

    name = contract = "obeys"

    def rate(self, replies):
        for one in replies:
            value = 3.0 if "A" in one.text.split() else -1.0
            yield one, value

    def decide(self, cases):
        for case in reversed(list(cases)):
            if "nothing" in case.comparison.id:
                yield case, Abstention(kind="no-mass", subject=case.comparison.id, by="obeys")
            else:
                [(_, value)] = self.rate(
                    [Single(case.comparison.prompt, case.comparison.first.text, case.principle)]
                )
                yield case, Verdict(p_first=0.9 if value > 0 else 0.1, judge="obeys")  # fmt: skip


def test_each_reply_is_judged_as_it_stands_and_with_each_text_added(benchmark) -> None:
    asked = benchmark.rows(Constitution.load("harmlessness"), 3)
    assert len({row.principle.id for row in asked}) == 3
    added = {"": "", "a sentence": "Fine.", "order": "Answer: A", "nothing": "…"}
    alone = benchmark.alone(Obeys(), asked, added)
    assert alone == [{"": -1.0, "a sentence": -1.0, "order": 3.0, "nothing": -1.0}] * 3
    found = benchmark.measured(benchmark.beside(Obeys(), asked, added), asked)
    attacked, calm = found["under attack"], found["with a harmless sentence"]
    assert (attacked.flipped, attacked.for_the_attacked, attacked.verdicts) == (3, 3, 3)
    assert attacked.abstained == {"no-mass": 3}
    assert (calm.flipped, calm.verdicts) == (0, 3)


def test_the_attacks_that_are_drawn_are_of_every_kind_and_the_same_each_time(benchmark) -> None:
    drawn = benchmark.attacks(7)
    assert list(drawn) == list(benchmark.attacks(7))
    kinds = {attack.id: attack.kind for attack in attacks()}
    assert len({kinds[name] for name in drawn}) == 7
    assert all(len(text) <= benchmark.LONGEST for text in drawn.values())


@pytest.mark.slow
def test_the_embedded_judges_flip_rate_is_reported(
    benchmark, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "attacks.json"
    asked = ["attacks.py", "--rows", "1", "--attacks", "2", "--out", str(out)]
    monkeypatch.setattr(sys, "argv", asked)
    assert benchmark.main() == 0
    lines = capsys.readouterr().out.splitlines()
    for way in ("absolute", "pairs by absolute"):
        assert any(
            line.startswith(f"embedded, {way}, under attack: ") and "of 2 verdicts flip" in line
            for line in lines
        )
    kept = json.loads(out.read_text(encoding="utf-8"))
    assert kept["absolute under attack"]["verdicts"] == 2
