"""Published replies of a real judge, read again: LLMBar's recordings of GPT-4 (Zeng et al. 2024).

The data is read where it lies, through `RLAIF_DATA`, and skipped where it is not.
"""

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rlaif.backends.recorded import RecordedBackend
from rlaif.cli.main import main
from rlaif.constitution.principle import Constitution
from rlaif.feedback.importers import read_pairs
from rlaif.judges.base import Case
from rlaif.judges.orders import BothOrders
from rlaif.judges.pairwise import PairwiseJudge
from rlaif.records import Comparison, Verdict
from rlaif.templates import Template

TEMPLATE = """---
purpose: ask which of two outputs follows an instruction, as these recordings were asked
inputs: [prompt, first, second, principle]
answer: {kind: options, options: ["Output (a)", "Output (b)"], pick: last}
---
[user]
{{ principle }}

{{ prompt | fenced("instruction") }}

{{ first | fenced("output-a") }}

{{ second | fenced("output-b") }}
"""
RULES = "name: follows\nprinciples:\n  follows: The output follows the instruction.\n"
ORDERS = {"swap = False": False, "swap = True": True}
DATA = Path(os.environ.get("RLAIF_DATA", "/nowhere")) / "llmbar" / "Dataset" / "LLMBar"
FILES = sorted(DATA.glob("**/evaluators/GPT-4/Vanilla/result.json"))
FILES += sorted(DATA.glob("**/evaluators/GPT-4/CoT/result.json"))
needs_data = pytest.mark.skipif(not FILES, reason="RLAIF_DATA has no LLMBar")


def answers(row: dict[str, Any]) -> Iterator[tuple[bool, str, str | None]]:
    """Give each recorded reply: whether the outputs were swapped, its text, the winner read."""
    for result in row["results"]:
        for name, is_swapped in ORDERS.items():
            said = result.get(name)
            if isinstance(said, dict):
                yield is_swapped, said["completion"][0], said["winner"]


class Recorded:
    """One file of recordings as pairs, a recording of every question, and what was read."""

    def __init__(self, source: Path, folder: Path) -> None:
        rows = json.loads(source.read_text(encoding="utf-8"))
        self.pairs, self.replies = folder / "pairs.jsonl", folder / "replies.jsonl"
        self.template, self.rules = folder / "llmbar.j2", folder / "follows.yaml"
        self.template.write_text(TEMPLATE, encoding="utf-8")
        self.rules.write_text(RULES, encoding="utf-8")
        self.winners: dict[str, dict[bool, str | None]] = {}
        self.labels: dict[str, int] = {}
        pairs, recordings = [], []
        template, principle = Template.load(self.template), Constitution.load(self.rules)
        for number, row in enumerate(rows):
            name = f"row-{number}"
            outputs = [row["output_1"], row["output_2"]]
            better, worse = outputs if row["label"] == 1 else outputs[::-1]
            pairs.append({"id": name, "prompt": row["input"], "chosen": better, "rejected": worse})
            self.labels[name] = row["label"]
            for is_swapped, text, winner in answers(row):
                self.winners.setdefault(name, {})[is_swapped] = winner
                shown = outputs[::-1] if is_swapped else outputs
                values = {
                    "prompt": row["input"],
                    "first": shown[0],
                    "second": shown[1],
                    "principle": principle["follows"].text,
                }
                asked = [m.model_dump() for m in template.render("", values).messages]
                recordings.append({"messages": asked, "text": text})
        write(self.pairs, pairs)
        write(self.replies, recordings)

    def comparisons(self) -> Iterator[Comparison]:
        """Give each pair with LLMBar's own first output first."""
        for comparison in read_pairs(self.pairs):
            better_first = self.labels[comparison.id] == 1
            has_better_first = comparison.first.id.endswith("chosen")
            yield comparison if better_first == has_better_first else comparison.swapped()


def write(path: Path, rows: list[dict[str, Any]]) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


@needs_data
@pytest.mark.parametrize("path", FILES, ids=lambda p: f"{p.parts[-5]}-{p.parts[-2]}")
def test_our_reading_of_every_reply_is_the_recorded_winner(path: Path, tmp_path: Path) -> None:
    recorded = Recorded(path, tmp_path)
    judge = PairwiseJudge(RecordedBackend(recorded.replies), Template.load(recorded.template))
    principle = Constitution.load(recorded.rules)["follows"]
    read = 0
    for comparison in recorded.comparisons():
        for is_swapped, winner in recorded.winners[comparison.id].items():
            asked = comparison.swapped() if is_swapped else comparison
            [(_, verdict)] = judge.decide([Case(asked, principle)])
            assert isinstance(verdict, Verdict)
            says_first = verdict.p_first == 1.0
            assert ("1" if says_first is not is_swapped else "2") == winner
            read += 1
    assert read == 2 * len(recorded.labels) > 80


@needs_data
@pytest.mark.parametrize("judge", ["GPT-4", "ChatGPT", "LLaMA2", "PaLM2"])
def test_agreement_is_the_one_that_follows_from_the_recorded_winners(
    judge: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = DATA / "Natural" / "evaluators" / judge / "Vanilla" / "result.json"
    recorded = Recorded(path, tmp_path)
    right = tied = silent = 0
    for name, said in recorded.winners.items():
        if None in said.values():
            silent += 1
        elif said[False] != said[True]:
            tied += 1
        else:
            right += said[False] == str(recorded.labels[name])
    monkeypatch.chdir(tmp_path)
    asked = ["label", "pairs.jsonl", "-o", "out", "--judge", "recorded:replies.jsonl"]
    asked += ["--template", "llmbar.j2", "--constitution", "follows.yaml", "--draw", "0"]
    assert main(asked) == 0
    capsys.readouterr()
    assert main(["judge", "agree", "out", "--with", "pairs.jsonl"]) == 0
    shown = capsys.readouterr().out
    line = next(line for line in shown.splitlines() if line.startswith("recorded"))
    decided = len(recorded.winners) - tied - silent
    share, pairs, undecided = re.split(r"  +", line.strip())[1::3][0], *line.split()[-2:]
    assert (int(pairs), int(undecided)) == (decided, tied)
    assert float(share) == pytest.approx(right / decided, abs=6e-4)


@needs_data
def test_both_orders_that_disagree_are_a_tie_and_keep_what_each_said(tmp_path: Path) -> None:
    recorded = Recorded(next(p for p in FILES if "Natural" in p.parts), tmp_path)
    judge = BothOrders(
        PairwiseJudge(RecordedBackend(recorded.replies), Template.load(recorded.template))
    )
    principle = Constitution.load(recorded.rules)["follows"]
    cases = [Case(comparison, principle) for comparison in recorded.comparisons()]
    for case, verdict in judge.decide(cases):
        said = recorded.winners[case.comparison.id]
        assert isinstance(verdict, Verdict)
        assert verdict.p_first == (float(said[False] == "1") + float(said[True] == "1")) / 2
        assert verdict.evidence["flipped"] == float(said[False] != said[True])
