"""A crowd by itself, on plain files: looked at, and pooled."""

import json
from collections.abc import Sequence
from pathlib import Path

from rlaif.evaluation.crowd.findings import CrowdFindings, look_at_crowd
from rlaif.experiment.alone_feedback import refuse_itself
from rlaif.experiment.progress import Watcher
from rlaif.feedback.crowd.answer import Crowd
from rlaif.feedback.crowd.pool import P_FIRST, Method, pooled, pooled_pairs
from rlaif.feedback.people import Rated, Rating, read_ratings
from rlaif.storage import write_atomically, write_records


def crowd_alone(
    path: Path,
    crowd: Crowd,
    methods: Sequence[Method],
    out: Path | None,
    how: tuple[int, int],
    watcher: Watcher,
) -> tuple[CrowdFindings, list[str]]:
    """Look at a crowd and keep its pooled labels; say in lines what was kept.

    `how` is the rounds of the bootstrap and the seed. Pairs become `preferences.jsonl`; other
    items `pooled.jsonl`, each label with its probability.
    """
    rounds, seed = how
    watcher.begin("crowd", None)
    found = look_at_crowd(
        crowd, methods, rounds=rounds, seed=seed, progress=lambda what: watcher.advance(0, what)
    )
    watcher.end(f"{len(crowd.answers):,} answers of {found.raters:,} raters")
    if out is None:
        return found, []
    if {answer.label for answer in crowd.answers} <= P_FIRST.keys():
        return found, [_keep_pairs(path, crowd, methods[0], out, seed)]
    shares = pooled(crowd.answers, methods[0], gold=crowd.gold, seed=seed)
    lines = [json.dumps({"item": item, "shares": row}) for item, row in shares.items()]
    write_atomically(out / "pooled.jsonl", "".join(f"{line}\n" for line in lines))
    return found, [f"{len(lines):,} items pooled by {methods[0]}, kept in {out / 'pooled.jsonl'}"]


def _keep_pairs(path: Path, crowd: Crowd, method: Method, out: Path, seed: int) -> str:
    kept = {(answer.item, answer.rater) for answer in crowd.answers}
    rated = [_only(pair, kept) for pair in read_ratings(path)]
    labels = pooled_pairs([pair for pair in rated if pair.ratings], method, gold=crowd.gold,
                          seed=seed)  # fmt: skip
    file = out / "preferences.jsonl"
    refuse_itself(file, path)
    write_records(file, labels)
    return f"{len(labels):,} pairs pooled by {method}, kept in {file}"


def _only(pair: Rated, kept: set[tuple[str, str]]) -> Rated:
    ratings: list[Rating] = [r for r in pair.ratings if (pair.comparison.id, r.rater) in kept]
    return pair._replace(ratings=tuple(ratings))
