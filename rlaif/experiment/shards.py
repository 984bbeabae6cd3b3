"""A labelling cut into shards: each is labelled in a folder of its own, and ends as a Parquet file.

A shard that was killed goes on where it was, by whichever worker takes it next: what it had asked
is in its folder. One that is finished is not looked at again.
"""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from rlaif import __version__
from rlaif.backends.connect import identity
from rlaif.backends.spec import ModelSpec
from rlaif.budget import FILE as SPENT
from rlaif.budget import Budget
from rlaif.constitution.principle import Constitution
from rlaif.errors import InputError, RlaifError
from rlaif.experiment.alone import label_alone
from rlaif.experiment.folder import Folder, Judges
from rlaif.experiment.forewarn import forewarn
from rlaif.experiment.outcomes import SERVERS, read_preferences
from rlaif.experiment.progress import Quiet
from rlaif.feedback.export.write import WRITERS
from rlaif.feedback.label import LabelConfig
from rlaif.records import Comparison, Record, Usage, fingerprint_of
from rlaif.storage import write_atomically
from rlaif.templates import Template

MANIFEST = "manifest.json"
_DONE = "shard.json"


class Shard(Record):
    """What came of one shard."""

    number: int
    file: str
    """Its Parquet file, in the folder of all of them."""
    comparisons: int
    counts: dict[str, int]
    """Outcomes by kind; they add up to the comparisons."""
    tokens: Usage = Usage()
    usd: float | None = None
    """Money spent; None where the price is unknown."""


class ShardManifest(Record):
    """What a folder of shards holds; one without it is unfinished."""

    contract: str
    judges: tuple[str, ...]
    constitution: str
    version: str
    counts: dict[str, int]
    shards: tuple[Shard, ...]


@dataclass(frozen=True)
class Job:
    """What every shard is labelled by."""

    out: Path
    """Where the shards are written; every worker must see it under this name."""
    constitution: Constitution
    judges: tuple[ModelSpec, ...]
    config: LabelConfig
    seed: int = 0
    tags: tuple[str, ...] = ()
    budget: Budget = Budget()
    """Of all shards together."""
    store: Path | None = None
    """Where completions are kept, if not beside each shard; of one machine only."""

    def contract(self, comparisons: Sequence[Comparison], size: int) -> str:
        """Stand for all that could change what stands in the files."""
        wording = [Template.load(name).fingerprint_of_wording for name in self.config.templates]
        asked = fingerprint_of([comparison.model_dump() for comparison in comparisons])
        judges = [identity(spec) for spec in self.judges]
        how = self.config.model_dump(mode="json", exclude={"template"})
        rules = self.constitution.fingerprint_of_rules
        return fingerprint_of([rules, judges, wording, how, self.seed, self.tags, asked, size])

    def part(self, number: int) -> Path:
        """Name a shard's file."""
        return self.out / f"part-{number:05}.parquet"

    def folder(self, number: int) -> Path:
        """Name a shard's folder."""
        return self.out / "shards" / f"{number:05}"

    def finished(self, number: int) -> Shard | None:
        """Read what came of a shard; None where it is not finished, or the server failed at some.

        Its answers are in the store, so that only those are asked again.
        """
        path = self.folder(number) / _DONE
        if not path.is_file() or not self.part(number).is_file():
            return None
        shard = Shard.model_validate_json(path.read_bytes())
        return None if SERVERS & shard.counts.keys() else shard


def cut(comparisons: Sequence[Comparison], size: int) -> Iterator[tuple[int, list[Comparison]]]:
    """Cut comparisons into numbered shards of so many.

    >>> [number for number, _ in cut([], 3)]
    []
    """
    for number, start in enumerate(range(0, len(comparisons), size)):
        yield number, list(comparisons[start : start + size])


def shares(budget: Budget, sizes: Sequence[int]) -> list[Budget]:
    """Give each shard its share of what may be spent; together no more than all of it.

    >>> [share.requests for share in shares(Budget(requests=7), [2, 2, 1])]
    [2, 3, 2]

    Raises:
        InputError: where a share would be nothing.
    """
    found, total, end = [], sum(sizes), 0
    for size in sizes:
        start, end = end, end + size
        share = {
            "usd": budget.usd and budget.usd * size / total,
            "requests": budget.requests and _between(budget.requests, start, end, total),
            "tokens": budget.tokens and _between(budget.tokens, start, end, total),
        }
        if 0 in share.values():
            raise InputError(
                f"--budget is shared out among {len(sizes)} shards, and leaves nothing for some; "
                "raise it, or make larger shards by --shard"
            )
        found.append(Budget.model_validate(share))
    return found


def _between(whole: int, start: int, end: int, total: int) -> int:
    return whole * end // total - whole * start // total


def label_shard(
    job: Job, number: int, comparisons: Sequence[Comparison], budget: Budget = Budget()
) -> Shard:
    """Label a shard, or go on with it, and write its file; gives what came of it.

    Raises:
        RlaifError: where it cannot go on; what is done is kept.
    """
    if done := job.finished(number):
        return done
    path = job.folder(number)
    with Folder(path, Quiet(), store=job.store, budget=budget) as folder:
        judges = Judges(folder, job.judges)
        counts = label_alone(
            list(comparisons),
            job.constitution,
            lambda: judges.judge(job.config, job.constitution),
            job.config,
            folder,
            make_conditions=lambda: judges.conditions(job.config, job.constitution),
            seed=job.seed,
            tags=job.tags,
        )
        part = job.part(number)
        WRITERS["parquet"](read_preferences(path), part, {})
        spent = folder.meter.total
        shard = Shard(
            number=number,
            file=part.name,
            comparisons=len(comparisons),
            counts=dict(counts),
            tokens=Usage(read=spent.read, written=spent.written),
            usd=spent.dollars,
        )
        write_atomically(path / _DONE, shard.model_dump_json() + "\n")
    # It stands in the Parquet file now.
    (path / "preferences.jsonl").unlink()
    return shard


class _Told(Quiet):
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def say(self, text: str) -> None:
        self.lines.append(text)


def trial(job: Job) -> list[str]:
    """Say which principles the judge cannot be trusted on, wherever it can be tried.

    Where it cannot be asked nothing is said: the first shard tells why.
    """
    told = _Told()
    try:
        with Folder(job.folder(0).with_name("trial"), Quiet(), store=job.store) as folder:
            judge = Judges(folder, job.judges).judge(job.config, job.constitution)
            forewarn(job.constitution, judge, job.judges, told)
    except RlaifError:
        return []
    return told.lines


def finish(job: Job, contract: str, shards: Sequence[Shard]) -> ShardManifest:
    """Write the manifest: every shard, and counts that add up to all of the input."""
    manifest = ShardManifest(
        contract=contract,
        judges=tuple(identity(spec) for spec in job.judges),
        constitution=job.constitution.fingerprint,
        version=__version__,
        counts=dict(sum((Counter(shard.counts) for shard in shards), Counter())),
        shards=tuple(sorted(shards, key=lambda shard: shard.number)),
    )
    text = json.dumps(manifest.model_dump(mode="json"), indent=1, ensure_ascii=False)
    write_atomically(job.out / MANIFEST, text + "\n")
    return manifest


def forget(out: Path) -> None:
    """Drop what was labelled, and keep what was answered and what was spent on it."""
    for path in [*out.glob("part-*.parquet"), *out.glob("shards/*/*.json*"), out / MANIFEST]:
        if path.name != SPENT:
            path.unlink(missing_ok=True)
