"""Recorded replies, read again by the judges that would have asked for them."""

import re
import tempfile
from collections.abc import Iterable, Iterator
from importlib.resources import files
from pathlib import Path
from typing import Literal, NamedTuple

from rlaif.backends.recorded import RecordedBackend
from rlaif.constitution.principle import Principle
from rlaif.evaluation.recorded.llmbar import Recording, Round, Row
from rlaif.judges.base import Case, Judge, Outcome
from rlaif.judges.pairwise import PairwiseJudge, shown
from rlaif.judges.score import ScoreJudge
from rlaif.records import Choice, Verdict, canonical_json
from rlaif.templates import Template

Why = Literal[
    "", "both", "neither", "other words", "tie", "no score", "off the scale", "unexplained"
]
WHY: dict[Why, str] = {
    "both": "states both outputs; the recorded reading takes (a) wherever its pattern stands, "
    "ours what is stated last",
    "neither": "names an output and prefers none; recorded as the one named, ours abstains",
    "other words": "states its verdict in other words than the recorded pattern",
    "tie": "two equal scores; recorded as the output shown second, ours is a tie",
    "no score": "a score is missing; recorded as the output shown first, ours abstains",
    "off the scale": "a score off the scale; recorded as it stands, ours abstains",
    "unexplained": "not explained",
}
"""Why two readings of one reply differ."""

_FOLLOWS = Principle(id="follows", text="The output follows the instruction.")
_SHOWN = ("first", "second")
# How LLMBar's own configuration reads replies: the first option whose pattern stands anywhere.
_PATTERNS = (
    (r"(?:^|\n) ?Output \(a\)", r"(?:^|\n) ?Output \(b\)"),
    (r"Output \(a\) is better.", r"Output \(b\) is better."),
)


class Again(NamedTuple):
    """One recorded reply, or two scores, and both readings of it."""

    row: Row
    round: int
    is_last: bool
    """Whether it is the round that counts."""
    is_swapped: bool
    outcome: Outcome
    """Our reading, in the pair's own order."""
    recorded: Choice | None
    why: Why
    """Why the two differ; empty where they do not."""

    @property
    def choice(self) -> Choice | None:
        """Give our reading as a choice; None for an abstention."""
        return self.outcome.choice if isinstance(self.outcome, Verdict) else None


def read_again(recording: Recording) -> list[Again]:
    """Read every reply of a recording again, each in the order in which it was given."""
    depth = max((len(row.rounds) for row in recording.rows), default=0)
    return [again for number in range(depth) for again in _round_again(recording, number)]


def _round_again(recording: Recording, number: int) -> Iterator[Again]:
    rows = [row for row in recording.rows if len(row.rounds) > number]
    for scored in (False, True):
        some = [row for row in rows if (row.rounds[number].scores is not None) is scored]
        if not some:
            continue
        template = _template("rating" if scored else "outputs")
        judge = _judge(recording, some, number, template)
        cases = {
            id(case): (case, row, is_swapped)
            for row in some
            for is_swapped in (False, True)
            for case in [_case(row, is_swapped=is_swapped)]
        }
        for case, outcome in judge.decide(case for case, _, _ in cases.values()):
            _, row, is_swapped = cases[id(case)]
            own = outcome.swapped() if is_swapped and isinstance(outcome, Verdict) else outcome
            said = row.rounds[number]
            recorded, is_last = said.winners[is_swapped], number == len(row.rounds) - 1
            why = _why(said, own, recorded, is_swapped=is_swapped)
            yield Again(row, number, is_last, is_swapped, own, recorded, why)


def _judge(recording: Recording, rows: Iterable[Row], number: int, template: Template) -> Judge:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "replies.jsonl"
        told = (row for each in rows for row in _recorded(each, number, template))
        file.write_text("".join(f"{line}\n" for line in dict.fromkeys(told)), encoding="utf-8")
        backend = RecordedBackend(file, name=recording.judge)
    is_scored = template.answer.kind == "score"
    return ScoreJudge(backend, template) if is_scored else PairwiseJudge(backend, template)


def _recorded(row: Row, number: int, template: Template) -> Iterator[str]:
    """Give a round's replies, each as what it would have been an answer to."""
    said = row.rounds[number]
    if said.scores is not None:
        for response, text in zip(
            (row.comparison.first, row.comparison.second), said.scores, strict=True
        ):
            values = {"prompt": row.comparison.prompt.text, "reply": response.text}
            asked = template.render("", {**values, "principle": _FOLLOWS.text})
            yield canonical_json(
                {"messages": [m.model_dump() for m in asked.messages], "text": text}
            )
    for is_swapped, text in said.replies.items():
        values = shown(_case(row, is_swapped=is_swapped), template, ())
        asked = template.render("", values)
        yield canonical_json({"messages": [m.model_dump() for m in asked.messages], "text": text})


def _case(row: Row, *, is_swapped: bool) -> Case:
    case = Case(row.comparison, _FOLLOWS)
    return case.swapped() if is_swapped else case


def _template(name: str) -> Template:
    path = files(__package__).joinpath(f"{name}.j2")
    return Template.parse(path.read_text(encoding="utf-8"), f"{name}.j2")


def _why(said: Round, outcome: Outcome, recorded: Choice | None, *, is_swapped: bool) -> Why:
    ours = outcome.choice if isinstance(outcome, Verdict) else None
    if ours == recorded:
        return ""
    slots = _SHOWN[::-1] if is_swapped else _SHOWN
    if said.scores is not None:
        return _why_scored(outcome, recorded, slots)
    # In which of the two ways a strategy's replies were read is told by what was read.
    text = said.replies[is_swapped].strip()
    read = {_by_pattern(text, patterns, slots) for patterns in _PATTERNS}
    if recorded not in read:
        return "unexplained"
    if ours is None:
        return "neither"
    return "other words" if recorded is None else "both"


def _why_scored(outcome: Outcome, recorded: Choice | None, slots: tuple[str, ...]) -> Why:
    if isinstance(outcome, Verdict):
        return "tie" if outcome.choice == "tie" and recorded == slots[1] else "unexplained"
    if outcome.kind == "outside":
        return "off the scale"
    return "no score" if recorded == slots[0] else "unexplained"


def _by_pattern(text: str, patterns: tuple[str, str], slots: tuple[str, ...]) -> str | None:
    for pattern, slot in zip(patterns, slots, strict=True):
        if re.search(pattern, text):
            return slot
    return None
