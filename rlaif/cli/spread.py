"""`rlaif label --ray`: what every worker needs, made of the command's options."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from rlaif.cli.console import OUT, Shown
from rlaif.errors import InputError

if TYPE_CHECKING:
    from rlaif.backends.spec import ModelSpec
    from rlaif.experiment.shards import Job
    from rlaif.records import Comparison


class Cluster(NamedTuple):
    """Where shards are labelled."""

    address: str
    workers: int | None
    """Shards at a time; None for a processor each."""
    shard: int
    """Comparisons of a shard."""


def models(judges: Sequence[str], calibration: Path | None) -> "tuple[ModelSpec, ...]":
    """Read the judges' names, as they are meant wherever a worker runs."""
    from rlaif.backends.connect import parse_judge

    if calibration is not None and len(judges) > 1:
        raise InputError("a calibration is one judge's own; name one --judge with it")
    named = {"calibration": str(calibration.resolve())} if calibration else {}
    return tuple(parse_judge(name).model_copy(update=named) for name in judges)


def templates(names: Sequence[str]) -> tuple[str, ...]:
    """Name prompt files of one's own by their whole path, which a worker finds too."""
    return tuple(str(Path(name).resolve()) if Path(name).is_file() else name for name in names)


def label_on(
    cluster: Cluster, job: "Job", comparisons: "Sequence[Comparison]", *, anew: bool
) -> None:
    """Label on a cluster, with progress.

    Raises:
        InputError: where Ray is not installed.
    """
    try:
        from rlaif.experiment.sharded import label_sharded
    except ModuleNotFoundError as error:
        if error.name != "ray":
            raise
        raise InputError("--ray needs Ray: pip install 'rlaif-kit[ray]'") from None
    watcher = Shown()
    where = cluster.address, cluster.workers
    try:
        label_sharded(job, comparisons, where, cluster.shard, watcher, anew=anew)
    finally:
        watcher.close()
    OUT.print(f"kept in {job.out}, as {job.out / 'manifest.json'} says", markup=False)
