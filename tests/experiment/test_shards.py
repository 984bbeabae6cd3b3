"""A shard is labelled once, whoever labels it and however often it is begun."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rlaif.backends.spec import LocalModel, OpenAIModel
from rlaif.budget import Budget
from rlaif.constitution.principle import Constitution, Principle
from rlaif.errors import BackendError, BudgetError, InputError
from rlaif.experiment.folder import Folder
from rlaif.experiment.progress import Quiet
from rlaif.experiment.shards import Job, cut, finish, forget, label_shard, shares, trial
from rlaif.feedback.importers import read_people
from rlaif.feedback.label import LabelConfig
from rlaif.records import Comparison, Prompt, Response, canonical_json
from tests.backends.fake_server import Body, FakeServer, Reply, refused, said, serve

RULES = Constitution(name="rules", principles=(Principle(id="kind", text="It is kind."),))


def comparison(number: int) -> Comparison:
    prompt = Prompt.of(f"Question {number}?", id=f"p{number}")
    first, second = (
        Response(id=f"r{number}{slot}", prompt_id=prompt.id, text=f"{slot} {number}.", author="a")
        for slot in "AB"
    )
    return Comparison(id=f"c{number:03}", prompt=prompt, first=first, second=second)


def judged(body: Body, _: int) -> Reply:
    p = hashlib.sha256(canonical_json(body["messages"]).encode()).digest()[0] / 256
    return said("A" if p > 0.5 else "B", {"A": -1.0 + p, "B": -p})


@pytest.fixture
def server() -> Iterator[FakeServer]:
    with serve(judged) as server:
        yield server


def job(out: Path, server: FakeServer, **fields: Any) -> Job:
    spec = OpenAIModel(model="m", base_url=server.base_url, in_flight=4, attempts=1)
    return Job(out, RULES, (spec,), LabelConfig(template="compare"), **fields)


def asked(server: FakeServer) -> Counter[str]:
    return Counter(canonical_json(body["messages"]) for body in server.seen)


def test_a_finished_shard_is_a_file_that_holds_each_label_once_and_is_not_asked_again(
    tmp_path: Path, server: FakeServer
) -> None:
    work = job(tmp_path / "out", server)
    rows = [comparison(number) for number in range(6)]
    first = label_shard(work, 3, rows)
    assert first.counts == {"preferences": 6}
    assert first.tokens.read == 12 * 7
    part = tmp_path / "out" / "part-00003.parquet"
    assert sorted(label.id for label in read_people(part)) == [row.id for row in rows]
    assert label_shard(work, 3, rows) == first
    assert set(asked(server).values()) == {1}
    assert len(asked(server)) == 12


def test_a_shard_that_was_stopped_goes_on_without_paying_again(tmp_path: Path) -> None:
    rows = [comparison(number) for number in range(20)]
    count = 0

    def breaks(body: Body, before: int) -> Reply:
        nonlocal count
        count += 1
        return refused(401, "the key was revoked") if count == 15 else judged(body, before)

    with serve(breaks) as server:
        work = job(tmp_path / "out", server)
        with pytest.raises(BackendError):
            label_shard(work, 0, rows)
        assert not (tmp_path / "out" / "part-00000.parquet").exists()
        assert label_shard(work, 0, rows).counts == {"preferences": 20}
        # The one that was refused, and it alone, was asked twice.
        assert sorted(asked(server).values())[-2:] == [1, 2]


def test_the_manifest_adds_up_to_the_input(tmp_path: Path, server: FakeServer) -> None:
    work = job(tmp_path, server)
    rows = [comparison(number) for number in range(5)]
    same = rows[4].model_copy(update={"second": rows[4].first})
    shards = [label_shard(work, number, part) for number, part in cut([*rows[:4], same], 2)]
    manifest = finish(work, "c", shards[::-1])
    assert manifest.counts == {"preferences": 4, "same": 1}
    assert [shard.file for shard in manifest.shards] == [f"part-0000{n}.parquet" for n in range(3)]
    kept = json.loads((tmp_path / "manifest.json").read_text(encoding="utf-8"))
    assert kept == manifest.model_dump(mode="json")
    assert server.base_url not in json.dumps(kept)
    rows_in = [
        pyarrow.parquet.read_table(tmp_path / one["file"]).num_rows for one in kept["shards"]
    ]
    assert rows_in == [2, 2, 0]


def test_what_is_forgotten_is_labelled_anew_for_nothing(tmp_path: Path, server: FakeServer) -> None:
    work = job(tmp_path, server)
    rows = [comparison(number) for number in range(3)]
    before = label_shard(work, 0, rows)
    sent = len(server.seen)
    forget(tmp_path)
    assert work.finished(0) is None
    assert label_shard(work, 0, rows).counts == before.counts
    assert len(server.seen) == sent


def test_a_kill_while_it_forgets_leaves_nothing_under_the_new_contract(tmp_path: Path) -> None:
    with Folder(tmp_path, Quiet()) as folder:
        folder.open("old")

    def killed() -> None:
        raise KeyboardInterrupt

    with Folder(tmp_path, Quiet()) as folder, pytest.raises(KeyboardInterrupt):
        folder.open("new", anew=True, forget=killed)
    with Folder(tmp_path, Quiet()) as folder, pytest.raises(InputError, match="or add --anew"):
        folder.open("new")


def test_what_was_spent_on_what_is_forgotten_counts_on(tmp_path: Path, server: FakeServer) -> None:
    rows = [comparison(number) for number in range(4)]
    with pytest.raises(BudgetError):
        label_shard(job(tmp_path, server), 0, rows, Budget(requests=3))
    forget(tmp_path)
    with pytest.raises(BudgetError):
        label_shard(job(tmp_path, server), 0, rows, Budget(requests=5))
    assert len(server.seen) == 5


def test_another_setting_is_another_contract(tmp_path: Path, server: FakeServer) -> None:
    rows = [comparison(number) for number in range(3)]
    first = job(tmp_path, server)
    contracts = {
        first.contract(rows, 2),
        first.contract(rows, 3),
        first.contract(rows[:2], 2),
        job(tmp_path, server, seed=1).contract(rows, 2),
        job(tmp_path, server, tags=("harmful",)).contract(rows, 2),
    }
    assert len(contracts) == 5
    assert job(tmp_path / "elsewhere", server).contract(rows, 2) in contracts


def test_a_share_that_is_spent_stops_its_shard(tmp_path: Path, server: FakeServer) -> None:
    rows = [comparison(number) for number in range(4)]
    with pytest.raises(BudgetError):
        label_shard(job(tmp_path, server), 0, rows, Budget(requests=3))
    assert len(server.seen) == 3


@given(
    st.lists(st.integers(1, 50), min_size=1, max_size=20),
    st.integers(1, 10_000),
    st.floats(0.01, 100),
)
def test_shares_are_together_the_whole(sizes: list[int], requests: int, usd: float) -> None:
    if requests < sum(sizes):
        requests = sum(sizes)
    found = shares(Budget(requests=requests, usd=usd), sizes)
    assert sum(share.requests or 0 for share in found) == requests
    assert sum(share.usd or 0 for share in found) == pytest.approx(usd)
    assert all(share.tokens is None for share in found)


def test_a_budget_that_leaves_a_shard_nothing_is_refused() -> None:
    with pytest.raises(InputError, match=r"shared out among 4 shards"):
        shares(Budget(requests=3), [1, 1, 1, 1])


def test_before_its_shards_a_judge_is_tried_or_it_is_told_that_it_is_not(
    tmp_path: Path, server: FakeServer, tiny_model: Path
) -> None:
    paid = job(tmp_path, server)
    [told] = trial(paid)
    assert ": not tried on the constitution's examples" in told
    assert server.seen == []
    here = Job(tmp_path, RULES, (LocalModel(model=str(tiny_model)),), LabelConfig())
    assert trial(here) == ["whether the judge can be trusted on kind takes 5 examples each"]
    gone = Job(tmp_path, RULES, (LocalModel(model=str(tmp_path / "gone")),), LabelConfig())
    assert trial(gone) == []
