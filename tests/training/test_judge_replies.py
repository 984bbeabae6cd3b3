"""The replies that a judge learns from: each prompt in turn, kept, never drawn twice."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from rlaif.backends.base import Answered
from rlaif.records import Completion, Failure, Request
from rlaif.training.judge_data import KINDS, prompts, read_replies
from rlaif.training.judge_replies import SYSTEMS, draw_replies


class Counting:
    """Answers every request, but for one that it fails and one that it leaves empty."""

    name = "counting"

    def __init__(self) -> None:
        self.asked: list[Request] = []

    def stream(self, requests: Iterable[Request]) -> Iterator[Answered]:
        for number, request in enumerate(requests):
            self.asked.append(request)
            if number == 1:
                yield request, Failure(kind="backend", detail="gone")
            else:
                yield request, Completion(text=" " if number == 2 else "A reply. ", model="m")


def test_a_failed_and_an_empty_reply_are_left_out(tmp_path: Path) -> None:
    drawn = list(draw_replies(Counting(), tmp_path / "r.jsonl", 10))
    assert len(drawn) == 8
    assert {reply.reply for reply in drawn} == {"A reply."}


def test_what_the_file_has_is_not_drawn_again(tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl"
    list(draw_replies(Counting(), path, 10))
    later = Counting()
    list(draw_replies(later, path, 20))
    assert len(later.asked) == 12  # ten new ones, and the two that gave nothing


def test_no_prompt_meets_a_system_prompt_twice(tmp_path: Path) -> None:
    backend = Counting()
    list(draw_replies(backend, tmp_path / "r.jsonl", 900))
    asked = [(r.messages[0].content, r.messages[1].content) for r in backend.asked]
    assert len(set(asked)) == len(asked)
    assert {system for system, _ in asked} == set(SYSTEMS)


def test_each_request_has_a_seed_of_its_own(tmp_path: Path) -> None:
    backend = Counting()
    list(draw_replies(backend, tmp_path / "r.jsonl", 50))
    assert len({request.sampling.seed for request in backend.asked}) == 50


def test_replies_to_prompts_kept_aside_can_be_drawn_alone(tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl"
    list(draw_replies(Counting(), path, 60, kept=True))
    aside = {line for kind in KINDS for line in prompts(kind, kept=True)}
    assert {exchange.prompt for exchange in read_replies(path, kept=True)} <= aside
    assert read_replies(path, kept=False) == []
