"""Before all is labelled, a sample is: kept, paid once, and in the way of a judge that fails."""

import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest

from rlaif.cli.main import main
from rlaif.constitution.principle import Constitution, Example, Principle
from rlaif.errors import GateError, InputError
from rlaif.evaluation.audit.gate import Gate
from rlaif.experiment.alone import label_alone
from rlaif.experiment.folder import Folder
from rlaif.experiment.outcomes import read_preferences
from rlaif.experiment.progress import Quiet
from rlaif.feedback.label import LabelConfig, Require
from rlaif.judges.base import Case, Judge, Outcome
from rlaif.judges.orders import BothOrders
from rlaif.records import Abstention, Comparison, Manifest, Verdict
from tests.evaluation.pairs import compare

RULES = Constitution(
    name="rules",
    principles=(
        Principle(
            id="calm",
            text="The response is calm.",
            examples=(
                Example(prompt="Well?", better="A calm reply.", worse="B loud reply!"),
                Example(prompt="So?", better="Z calm reply.", worse="Y loud reply!"),
            ),
        ),
    ),
)
PAIRS = [compare(number) for number in range(20)]


class Counting:
    """Prefers the reply that is first in the alphabet, and counts what it is asked."""

    name = contract = "counting"

    def __init__(self, abstains: Callable[[Comparison], bool] = lambda _: False) -> None:
        self.asked: list[str] = []
        self._abstains = abstains

    def decide(self, cases: Iterable[Case]) -> Iterator[tuple[Case, Outcome]]:
        for case in cases:
            pair = case.comparison
            self.asked.append(pair.id)
            if self._abstains(pair):
                yield case, Abstention(kind="refused", subject=pair.id, by=self.name)
            else:
                p = 0.9 if pair.first.text < pair.second.text else 0.1
                yield case, Verdict(p_first=p, judge=self.name, principle=case.principle.id)


class FirstSlot(Counting):
    """Prefers whatever is shown first."""

    def decide(self, cases: Iterable[Case]) -> Iterator[tuple[Case, Outcome]]:
        for case in cases:
            said = Verdict(p_first=0.9, judge=self.name, principle=case.principle.id)
            yield case, said


def labelled(
    folder: Path, judge: Judge, *, is_anyway: bool = False, **require: float | str
) -> dict[str, tuple[str, ...]]:
    """Label the pairs behind a gate; give each label's stamp."""
    config = LabelConfig(require=Require.model_validate({"sample": 5, **require}))
    label_alone(
        PAIRS, RULES, lambda: judge, config, Folder(folder, Quiet()), seed=0, is_anyway=is_anyway
    )
    return {row.id: row.despite for row in read_preferences(folder)}


def gate_in(folder: Path) -> Gate:
    return Gate.model_validate_json((folder / "gate.json").read_text(encoding="utf-8"))


def people_file(folder: Path, right: int, pairs: int = 4) -> Path:
    """Let people prefer the first in the alphabet in so many pairs, and the other in the rest."""
    path = folder / "people.jsonl"
    rows = [
        {"id": f"h{n}", "prompt": f"P{n}", "first": "a", "second": "b",
         "choice": "first" if n < right else "second"}
        for n in range(pairs)
    ]  # fmt: skip
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def test_a_judge_that_passes_labels_the_rest_and_asks_nothing_twice(tmp_path: Path) -> None:
    judge = Counting()
    stamps = labelled(tmp_path, judge, abstained=0.1)
    assert set(stamps) == {pair.id for pair in PAIRS}
    assert set(stamps.values()) == {()}
    assert sorted(judge.asked) == sorted(pair.id for pair in PAIRS)
    assert gate_in(tmp_path).short == ()


def test_one_that_falls_short_stops_after_the_sample_which_is_kept(tmp_path: Path) -> None:
    judge = Counting()
    people = people_file(tmp_path, right=1)
    with pytest.raises(GateError) as stopped:
        labelled(tmp_path, judge, agreement=0.7, people=str(people))
    told = str(stopped.value)
    assert "agreement  ≥ 0.7   0.25 ✗" in told
    assert "4 of 4 pairs of people.jsonl" in told
    assert "reword the principles" in told
    assert "--anyway" in told
    assert len([name for name in judge.asked if name.startswith("pair")]) == 5
    kept = (tmp_path / "preferences.jsonl").read_text(encoding="utf-8")
    assert len(kept.splitlines()) == 5


def test_asking_again_asks_for_no_label_of_the_sample_again(tmp_path: Path) -> None:
    people = str(people_file(tmp_path, right=1))
    with pytest.raises(GateError):
        labelled(tmp_path, Counting(), agreement=0.7, people=people)
    again = Counting()
    with pytest.raises(GateError):
        labelled(tmp_path, again, agreement=0.7, people=people)
    assert all(name.startswith("h") for name in again.asked)


def test_anyway_labels_all_and_stamps_the_sample_too(tmp_path: Path) -> None:
    people = str(people_file(tmp_path, right=1))
    with pytest.raises(GateError):
        labelled(tmp_path, Counting(), agreement=0.7, people=people)
    stamps = labelled(tmp_path, Counting(), agreement=0.7, people=people, is_anyway=True)
    assert len(stamps) == 20
    assert set(stamps.values()) == {("agreement 0.25 < 0.7",)}


def test_what_is_asked_less_of_a_judge_later_takes_the_stamp_away(tmp_path: Path) -> None:
    people = str(people_file(tmp_path, right=1))
    labelled(tmp_path, Counting(), agreement=0.7, people=people, is_anyway=True)
    stamps = labelled(tmp_path, Counting(), agreement=0.2, people=people)
    assert set(stamps.values()) == {()}


def test_the_sample_is_drawn_by_the_seed_and_is_no_habitual_beginning(tmp_path: Path) -> None:
    drawn = []
    for name in ("one", "other"):
        with pytest.raises(GateError):
            labelled(tmp_path / name, Counting(lambda _: True), abstained=0.1)
        rows = (tmp_path / name / "abstentions.jsonl").read_text(encoding="utf-8").splitlines()
        drawn.append([json.loads(row)["subject"] for row in rows])
    assert drawn[0] == drawn[1]
    assert len(drawn[0]) == 5
    assert drawn[0] != [pair.id for pair in PAIRS[:5]]


def test_a_judge_that_goes_by_the_slot_is_stopped(tmp_path: Path) -> None:
    with pytest.raises(GateError, match=r"(?s)same_slot  ≤ 0.3   1.00 ✗ .*template: absolute"):
        labelled(tmp_path, BothOrders(FirstSlot()), same_slot=0.3)


def test_one_order_cannot_tell_and_does_not_pass(tmp_path: Path) -> None:
    with pytest.raises(GateError, match="orders: both"):
        labelled(tmp_path, Counting(), same_slot=0.3)


def test_pairs_that_need_no_judge_are_no_abstentions(tmp_path: Path) -> None:
    same = [compare(n, texts=("one text", "one text")) for n in range(100, 103)]
    config = LabelConfig(require=Require(abstained=0.0, sample=50))
    folder = Folder(tmp_path, Quiet())
    label_alone([*PAIRS, *same], RULES, Counting, config, folder, seed=0)
    [row] = gate_in(tmp_path).rows
    assert (row.is_met, row.on) == (True, "20 comparisons of the sample")


def test_without_people_the_constitutions_own_examples_are_asked(tmp_path: Path) -> None:
    judge = Counting()
    with pytest.raises(GateError, match="2 of 2 examples of the constitution"):
        labelled(tmp_path, judge, agreement=0.7)
    # Of the two examples' better replies, one is first in the alphabet.
    [row] = gate_in(tmp_path).rows
    assert row.measured is not None
    assert row.measured.value == 0.5


def test_agreement_with_nothing_to_agree_with_is_told_before_anything_is_asked(
    tmp_path: Path,
) -> None:
    bare = RULES.model_copy(
        update={"principles": (Principle(id="calm", text="The response is calm."),)}
    )
    config = LabelConfig(require=Require(agreement=0.7))
    with pytest.raises(InputError, match="rules: agreement is required, and no principle has"):
        label_alone(PAIRS, bare, Counting, config, Folder(tmp_path, Quiet()), seed=0)
    assert not list(tmp_path.iterdir())


@pytest.fixture
def gated(write_experiment: Callable[[Path], Path], tmp_path: Path) -> Path:
    """The small experiment, with a requirement that any judge meets in one of two pairs."""
    path = write_experiment(tmp_path)
    lines = path.read_text(encoding="utf-8").splitlines()
    text = "\n".join(line for line in lines if not line.startswith(("revise", "sft", "optimize")))
    text = text.replace("samples: 2, principles", "principles")
    require = "principles: all, require: {agreement: 0.7, sample: 3, people: people.jsonl}"
    path.write_text(text.replace("principles: all", require), encoding="utf-8")
    row = {"prompt": "Hi", "first": "Good day.", "second": "Go away."}
    rows = [{**row, "id": choice, "choice": choice} for choice in ("first", "second")]
    lines = "".join(json.dumps(row) + "\n" for row in rows)
    (tmp_path / "people.jsonl").write_text(lines, encoding="utf-8")
    return path


@pytest.mark.slow
def test_a_run_stops_at_the_gate_and_goes_on_anyway_with_stamps_up_to_training(
    gated: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    asked = ["run", str(gated), "--until", "reward"]
    assert main(asked) == 2
    told = capsys.readouterr().err
    assert "agreement  ≥ 0.7   0.50 ✗" in told
    assert "Traceback" not in told
    label = tmp_path / "runs/tiny/label"
    assert len((label / "preferences.jsonl").read_text(encoding="utf-8").splitlines()) <= 3
    assert not (label / "manifest.json").exists()
    assert not (tmp_path / "runs/tiny/reward").exists()

    assert main([*asked, "--anyway"]) == 0
    stamp = ("agreement 0.50 < 0.7",)
    assert {row.despite for row in read_preferences(label)} == {stamp}
    for stage in ("label", "reward"):
        path = tmp_path / "runs/tiny" / stage / "manifest.json"
        assert Manifest.model_validate_json(path.read_text("utf-8")).despite == stamp
    page = (tmp_path / "runs/tiny/report.html").read_text(encoding="utf-8")
    assert "Labelled despite: agreement 0.50 &lt; 0.7." in page
    capsys.readouterr()


def test_an_unknown_requirement_is_refused_with_the_nearest_name(
    gated: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = gated.read_text(encoding="utf-8")
    gated.write_text(text.replace("{agreement: 0.7", "{agrement: 0.7"), encoding="utf-8")
    assert main(["run", str(gated)]) == 2
    told = capsys.readouterr().err
    assert "label.require.agrement: no such field; did you mean 'agreement'?" in told


def test_a_missing_file_of_people_is_told_before_anything_runs(
    gated: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    gated.with_name("people.jsonl").unlink()
    assert main(["run", str(gated), "--dry-run"]) == 2
    assert "people.jsonl" in capsys.readouterr().err


def test_a_plan_counts_what_the_gate_asks(gated: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", str(gated), "--dry-run", "--runs", str(gated.parent / "r")]) == 0
    line, *_ = (row for row in capsys.readouterr().out.splitlines() if row.startswith("label"))
    # As without a gate, and three of people's pairs at most, under two principles, two replies.
    assert f"≤ {8 * 2 * 2 + 3 * 2 * 2}" in line
