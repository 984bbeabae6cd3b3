"""A reward model's report on files: from scores that lie there, and where its parts are written."""

from collections.abc import Sequence
from pathlib import Path

from rlaif.errors import InputError
from rlaif.evaluation.report import write_reward
from rlaif.evaluation.reward.report import RewardReport, reward_report
from rlaif.evaluation.reward.scored import Scored, read_scored
from rlaif.feedback.people import Rated, read_ratings

SCORES = "scores.jsonl"


def report_on_scores(
    scores: Path, people: Path | None, out: Path | None
) -> tuple[RewardReport, Path]:
    """Report on a file of scored pairs; give what was found and the page's path.

    Raises:
        InputError: for a line that is no scored pair, or nothing to measure by.
    """
    rated = read_ratings(people) if people else ()
    folder = out or scores.with_name(f"{scores.stem}.report")
    return write(read_scored(scores), scores.stem, rated, folder, source=str(scores))


def write(
    rows: Sequence[Scored],
    name: str,
    people: Sequence[Rated],
    folder: Path,
    *,
    source: str,
    is_split_known: bool = True,
) -> tuple[RewardReport, Path]:
    """Measure scored pairs and write the page and the JSON; `source` is named in an error."""
    try:
        found = reward_report(rows, name, people=people, is_split_known=is_split_known)
    except InputError as error:
        raise InputError(f"{source}: {error}") from None
    return found, write_reward(found, folder)
