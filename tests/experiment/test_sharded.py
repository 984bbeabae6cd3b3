"""A labelling spread over a cluster is the one made here, also where a worker is killed."""

import os
import signal
import time
from pathlib import Path

import psutil
import pytest

from rlaif.errors import InputError
from rlaif.experiment.progress import Quiet
from rlaif.experiment.shards import Job, label_shard
from rlaif.feedback.importers import read_people
from rlaif.feedback.label import LabelConfig, Require
from rlaif.records import Preference
from tests.backends.fake_server import Body, Reply, serve
from tests.experiment.test_shards import RULES, asked, comparison, job, judged

pytestmark = pytest.mark.slow
sharded = pytest.importorskip("rlaif.experiment.sharded", exc_type=ModuleNotFoundError)

PAIRS, SIZE, IN_FLIGHT = 96, 12, 4


def labels(out: Path) -> list[Preference]:
    return [label for part in sorted(out.glob("part-*.parquet")) for label in read_people(part)]


def working() -> list[psutil.Process]:
    """Find the workers that are labelling."""
    mine = psutil.Process().children(recursive=True)
    return [one for one in mine if "ray::Map(" in " ".join(one.cmdline())]


def test_no_row_is_lost_or_doubled_where_a_worker_is_killed_in_the_middle(tmp_path: Path) -> None:
    rows = [comparison(number) for number in range(PAIRS)]
    killed: list[int] = []
    at_sigterm = signal.getsignal(signal.SIGTERM)

    def kills(body: Body, before: int) -> Reply:
        time.sleep(0.05)
        if len(server.seen) > 60 and not killed:
            killed.append(working()[0].pid)
            os.kill(killed[0], signal.SIGKILL)
        return judged(body, before)

    with serve(kills) as server:
        out = tmp_path / "out"
        counts = sharded.label_sharded(job(out, server), rows, ("local", 2), SIZE, Quiet())
        assert killed
        assert counts == {"preferences": PAIRS}
        assert signal.getsignal(signal.SIGTERM) is at_sigterm, "Ray's own answer was left there"
        found = labels(out)
        assert sorted(label.id for label in found) == [row.id for row in rows]
        again = asked(server).total() - len(asked(server))
        assert len(asked(server)) == 2 * PAIRS
        assert again <= IN_FLIGHT, "only what the killed worker had in flight"
        # The same as one process makes of them.
        whole = tmp_path / "whole"
        label_shard(job(whole, server), 0, rows)
        told = {label.id: (label.chosen.id, label.p_chosen) for label in labels(whole)}
        assert {label.id: (label.chosen.id, label.p_chosen) for label in found} == told


def test_what_cannot_be_spread_is_told_before_a_cluster_is_asked(tmp_path: Path) -> None:
    gated = LabelConfig(template="compare", require=Require(abstained=0.1))
    work = Job(tmp_path, RULES, (), gated)
    with pytest.raises(InputError, match="label some pairs without --ray first"):
        sharded.label_sharded(work, [comparison(0)], ("local", 1), 1, Quiet())
