"""Best-of-n as a policy that is asked like any other."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from rlaif.backends.scripted import ScriptedBackend
from rlaif.experiment.best_of import BestOf
from rlaif.experiment.requests import evaluate_requests, optimize_requests
from rlaif.experiment.runner import run_stages
from rlaif.records import Completion, Failure, Message, Request, Sampling
from tests.small_run import opened


def a_request(number: int = 0) -> Request:
    return Request(
        id=f"r{number}",
        messages=(Message(role="user", content="How?"),),
        sampling=Sampling(temperature=1.0, seed=number),
    )


def by_length(_, texts) -> list[float | None]:
    return [float(len(text)) for text in texts]


def numbered(request: Request) -> str:
    return "e" * (int(request.id.split()[-1]) + 1)


def test_each_request_is_answered_once_with_its_best_draw() -> None:
    backend = BestOf(ScriptedBackend(numbered), by_length, 3)
    answered = list(backend.stream(a_request(number) for number in range(20)))
    assert sorted(request.id for request, _ in answered) == sorted(f"r{n}" for n in range(20))
    assert all(isinstance(said, Completion) and said.text == "eee" for _, said in answered)
    assert answered[0][0] == a_request(int(answered[0][0].id[1:]))
    assert backend.name.startswith("best of 3 of ")


def test_draws_of_a_request_differ_in_their_seeds_alone() -> None:
    listener = ScriptedBackend(numbered)
    list(BestOf(listener, by_length, 3).stream([a_request()]))
    seeds = {request.sampling.seed for request in listener.seen}
    assert len(seeds) == 3
    assert {request.messages for request in listener.seen} == {a_request().messages}


def test_draws_without_a_score_are_a_failure_and_no_answer() -> None:
    backend = BestOf(ScriptedBackend(numbered), lambda _, texts: [None] * len(texts), 3)
    [(_, said)] = backend.stream([a_request()])
    assert isinstance(said, Failure)
    assert "scored none of 3 answers" in said.detail


FUNCTION = (
    "optimize.samples=3",
    "optimize.rewards=[{function: 'tests.experiment.test_best_of:by_length'}]",
)
_OTHERS = ("respond", "revise", "sft", "label", "reward")


def alone(path: Path) -> Path:
    """Leave of an experiment its optimize and evaluate."""
    lines = path.read_text("utf-8").splitlines(keepends=True)
    kept = "".join(each for each in lines if not each.startswith(_OTHERS))
    path.write_text(kept.replace("method: dpo", "method: rejection"), "utf-8")
    return path


@pytest.mark.slow
@pytest.mark.parametrize("method", ["best-of-n", "rejection"])
def test_a_run_compares_it_with_its_base(
    write_experiment: Callable[[Path], Path], tmp_path: Path, method: str
) -> None:
    changed = (
        *FUNCTION,
        f"optimize.method={method}",
        "optimize.max_new_tokens=8",
        "evaluate.suites=[harmful]",
    )
    run = opened(alone(write_experiment(tmp_path)), *changed)
    assert all(done for _, done in run_stages(run))
    kept = [json.loads(line) for line in (run.folder / "optimize/replies.jsonl").open("r")]
    assert 0 < len(kept) <= 8
    assert all(row["score"] > row["mean"] for row in kept)
    assert (run.folder / "optimize/model").is_dir() is (method == "rejection")
    found = json.loads((run.folder / "evaluate/evaluation.json").read_text("utf-8"))
    policies = {reply["policy"] for reply in found["replies"]}
    assert policies == {"base", "best of 3" if method == "best-of-n" else "after rejection"}


def test_a_plan_counts_the_draws_and_their_judging(
    write_experiment: Callable[[Path], Path], tmp_path: Path
) -> None:
    path = alone(write_experiment(tmp_path))
    plain = opened(path, *FUNCTION, "optimize.method=rejection")
    assert optimize_requests(plain) == 8 * 3
    best = opened(path, *FUNCTION, "optimize.method=best-of-n")
    assert evaluate_requests(best, 5) == evaluate_requests(plain, 5) + 5 * 2
