"""Shards labelled by many machines: Ray Data hands them out, and once more where a worker died."""

import json
import logging
import signal
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import ray
import ray.data
from ray.exceptions import RayError

from rlaif.budget import Budget
from rlaif.errors import BackendError, BudgetError, InputError, RlaifError
from rlaif.experiment.folder import Folder
from rlaif.experiment.progress import Watcher, tally
from rlaif.experiment.shards import Job, Shard, cut, finish, forget, label_shard, shares, trial
from rlaif.records import Comparison

_Row = dict[str, str]


def label_sharded(
    job: Job,
    comparisons: Sequence[Comparison],
    cluster: tuple[str, int | None],
    size: int,
    watcher: Watcher,
    *,
    anew: bool = False,
) -> Counter[str]:
    """Label comparisons in shards of so many, spread over a cluster; give the outcomes by kind.

    `cluster` is Ray's address (`local` starts one on this machine), and how many shards are
    labelled at the same time; None takes as many as it has processors.

    Raises:
        InputError: where no cluster answers at the address, or the folder holds something else.
        BackendError: when a shard cannot be labelled.
        BudgetError: when some shard's share of the budget is spent.
    """
    if job.config.require:
        raise InputError("--require looks at one sample; label some pairs without --ray first")
    shards = list(cut(comparisons, size))
    budgets = shares(job.budget, [len(rows) for _, rows in shards])
    with Folder(job.out, watcher) as folder:
        contract = job.contract(comparisons, size)
        folder.open(contract, anew=anew, forget=lambda: forget(job.out))
        done = [found for number, _ in shards if (found := job.finished(number))]
        numbers = {shard.number for shard in done}
        rows = [
            _row(number, asked, budget)
            for (number, asked), budget in zip(shards, budgets, strict=True)
            if number not in numbers
        ]
        watcher.begin("label", len(comparisons))
        for shard in _labelled(job, rows, cluster, watcher) if rows else ():
            done.append(shard)
            counts = _counts(done)
            watcher.advance(counts.total(), tally("preferences", counts))
        finish(job, contract, done)
    watcher.end(tally("preferences", _counts(done), len(comparisons)))
    return _counts(done)


def _counts(shards: Sequence[Shard]) -> Counter[str]:
    return sum((Counter(shard.counts) for shard in shards), Counter())


def _row(number: int, comparisons: Sequence[Comparison], budget: Budget) -> _Row:
    texts = [comparison.model_dump_json() for comparison in comparisons]
    return {"number": str(number), "asked": json.dumps(texts), "budget": budget.model_dump_json()}


def _labelled(
    job: Job, rows: Sequence[_Row], cluster: tuple[str, int | None], watcher: Watcher
) -> Iterator[Shard]:
    """Give shards as they are finished, after the judge was tried by one of the workers.

    Where one's budget is spent the others go on to the end of theirs; any other error is the end.
    """

    def work(row: _Row) -> _Row:
        return _work(job, row)

    spent = ""
    with _connected(*cluster):
        for line in ray.get(ray.remote(trial).remote(job)):
            watcher.say(line)
        data = ray.data.from_items(list(rows), override_num_blocks=len(rows))
        labelled = data.map(work, num_cpus=1, concurrency=cluster[1])
        try:
            for row in labelled.iter_rows():
                if not row["error"]:
                    yield Shard.model_validate_json(row["shard"])
                elif row["kind"] == BudgetError.__name__:
                    spent = row["error"]
                else:
                    raise BackendError(f"shard {row['number']}: {row['error']}")
        except RayError as error:
            raise BackendError(f"Ray: {_line(error)}; run the same command again") from None
    if spent:
        raise BudgetError(spent)


def _work(job: Job, row: _Row) -> _Row:
    """Label one shard, in a worker's process; what goes wrong goes back as text."""
    number = row["number"]
    asked = [Comparison.model_validate_json(text) for text in json.loads(row["asked"])]
    try:
        budget = Budget.model_validate_json(row["budget"])
        shard = label_shard(job, int(number), asked, budget)
    except RlaifError as error:
        return {"number": number, "shard": "", "error": str(error), "kind": type(error).__name__}
    return {"number": number, "shard": shard.model_dump_json(), "error": "", "kind": ""}


@contextmanager
def _connected(address: str, workers: int | None) -> Iterator[None]:
    """Connect to a cluster, or start one here, and leave it at the end."""
    logging.getLogger("ray.data").setLevel(logging.ERROR)
    ray.data.DataContext.get_current().enable_progress_bars = False
    here = {"num_cpus": workers, "include_dashboard": False} if address == "local" else {}
    try:
        with _own_sigterm():
            ray.init(address, log_to_driver=False, logging_level=logging.ERROR, **here)
    except (ConnectionError, ValueError, RuntimeError) as error:
        raise InputError(
            f"--ray {address}: no cluster answers there ({_line(error)}); `local` starts one here"
        ) from None
    try:
        yield
    finally:
        ray.shutdown()


@contextmanager
def _own_sigterm() -> Iterator[None]:
    """Keep this process's answer to SIGTERM: Ray puts `sys.exit(15)` there, and leaves it."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        if before is not None:  # None: not Python's, and not to be put back by it
            signal.signal(signal.SIGTERM, before)


def _line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0][:200] if lines else type(error).__name__
