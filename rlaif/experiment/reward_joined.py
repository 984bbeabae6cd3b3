"""A report from scores that lie in a file: whole pairs, or what `rlaif reward score` wrote."""

import json
from collections.abc import Sequence
from pathlib import Path

from pydantic import Field, FiniteFloat

from rlaif.errors import InputError
from rlaif.evaluation.reward.report import RewardReport
from rlaif.evaluation.reward.scored import Scored
from rlaif.experiment.reward_report import report_on_scores, write
from rlaif.experiment.reward_scores import ReplyReward, joined, labels_at
from rlaif.feedback.people import read_ratings
from rlaif.records import Preference, Record, Response
from rlaif.storage import read_records
from rlaif.yamlfile import read_lines


class ReplyScore(Record):
    """A line of `rlaif reward score`: one reply's score."""

    id: str
    """A pair's id and the side, `ID/chosen`; or a reply's own id."""
    score: FiniteFloat | None
    by_principle: dict[str, FiniteFloat | None] = Field(default_factory=dict)


def report_on_file(
    scores: Path, rows: Path | None, people: Path | None, out: Path | None
) -> tuple[RewardReport, Path]:
    """Report on scored pairs, or on replies' scores beside the labelled pairs they are of.

    Raises:
        InputError: for rows that are missing or too many, or as the two do.
    """
    fields = _first(scores)
    if rows is None:
        if "score" in fields:
            raise InputError(
                f"{scores}: scores of single replies; name the labelled pairs that were scored "
                f"too: `rlaif reward report {scores} pairs.jsonl`"
            )
        return report_on_scores(scores, people, out)
    if "preference" in fields:
        raise InputError(f"{scores}: a file of scored pairs has its rows; name no others")
    return report_on_replies(scores, rows, people, out)


def _first(path: Path) -> dict[str, object]:
    line = next((line for line in read_lines(path) if line.strip()), "{}")
    try:
        value = json.loads(line)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def report_on_replies(
    scores: Path, rows: Path, people: Path | None, out: Path | None
) -> tuple[RewardReport, Path]:
    """Report on a file of replies' scores and the labelled pairs they are of.

    Nothing says which pairs trained the model, so all are taken as held out.

    Raises:
        InputError: for a line that is no score, a pair without its two, or no pair at all.
    """
    by_id = {row.id: row for row in read_records(scores, ReplyScore)}
    scored = [_scored(label, by_id, (scores, rows)) for label in labels_at(rows)]
    rated = read_ratings(people) if people else ()
    folder = out or scores.with_name(f"{scores.stem}.report")
    return write(scored, scores.stem, rated, folder, source=str(scores), is_split_known=False)


def _scored(label: Preference, by_id: dict[str, ReplyScore], files: Sequence[Path]) -> Scored:
    sides = ((label.chosen, "chosen"), (label.rejected, "rejected"))
    one, other = (_reward(label, side, by_id, files) for side in sides)
    return joined(label, "held-out", one, other)


def _reward(
    label: Preference,
    side: tuple[Response, str],
    by_id: dict[str, ReplyScore],
    files: Sequence[Path],
) -> ReplyReward:
    response, name = side
    row = by_id.get(f"{label.id}/{name}") or by_id.get(response.id)
    if row is None:
        scores, rows = files
        raise InputError(
            f"{scores}: no score of the {name} reply of pair {label.id} in {rows}; "
            f"`rlaif reward score MODEL {rows} -o {scores}` scores them all"
        )
    return ReplyReward(
        model=str(files[0]), reply=row.id, reward=row.score, by_principle=row.by_principle
    )
