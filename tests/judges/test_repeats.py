"""The same judge asked several times: other draws, one answer, and the spread of them."""

from itertools import cycle

import pytest

from rlaif.backends.base import seeded
from rlaif.backends.cached import Cached
from rlaif.backends.scripted import ScriptedBackend
from rlaif.errors import TemplateError
from rlaif.judges.base import Case
from rlaif.judges.build import judge_from
from rlaif.judges.repeats import Repeats, Reseeded, need_draws
from rlaif.records import Abstention, Message, Request
from rlaif.store import CompletionStore
from rlaif.templates import Template
from tests.judges.fakes import Says, compare

WARM = Template.load("compare").model_copy(
    update={"sampling": Template.load("compare").sampling.model_copy(update={"temperature": 1.0})}
)


def says_in_turn(*said):
    turns = cycle(said)
    return Says(lambda _: next(turns))


def decide(judge, principle):
    [(_, outcome)] = judge.decide([Case(compare(), principle)])
    return outcome


def test_the_distributions_are_averaged_and_their_spread_is_kept(principle):
    verdict = decide(Repeats(says_in_turn(0.9, 0.5, 0.7), 3), principle)
    assert verdict.p_first == pytest.approx(0.7)
    assert verdict.evidence["spread"] == pytest.approx(0.4)
    assert [verdict.evidence[f"repeat {n}/p_first"] for n in (1, 2, 3)] == [0.9, 0.5, 0.7]
    assert verdict.judge == "says"


def test_a_repeat_that_abstains_leaves_the_others(principle):
    verdict = decide(Repeats(says_in_turn(0.9, "unreadable", 0.7), 3), principle)
    assert verdict.p_first == pytest.approx(0.8)
    assert verdict.evidence["repeat 2/unreadable"] == 1.0


def test_all_repeats_abstaining_is_an_abstention(principle):
    outcome = decide(Repeats(says_in_turn("refused"), 4), principle)
    assert isinstance(outcome, Abstention)
    assert outcome.kind == "refused"


def test_repeats_that_come_in_another_order_are_kept_by_their_numbers(principle):
    judge = Says(lambda case: int(case.comparison.id) / 10, window=6, seed=1)
    cases = [Case(compare(str(number)), principle) for number in range(5)]
    found = list(Repeats(judge, 3).decide(cases))
    assert sorted(id(case) for case, _ in found) == sorted(map(id, cases))
    for case, verdict in found:
        assert verdict.p_first == pytest.approx(int(case.comparison.id) / 10)


def test_more_repeats_are_another_contract():
    judge = Says(lambda _: 0.5)
    assert Repeats(judge, 2).contract != Repeats(judge, 3).contract != judge.contract


def asked(text):
    return Request(id=text, messages=(Message(role="user", content=text),))


def test_each_time_is_asked_with_a_seed_of_its_own_and_the_first_as_it_stands():
    backend = ScriptedBackend(lambda _: "A")
    list(Reseeded(backend, 3).stream([asked("x"), asked("y"), asked("x"), asked("x")]))
    seeds = [request.sampling.seed for request in backend.seen]
    assert seeds[:2] == [0, 0]
    assert len({*seeds}) == 3
    again = ScriptedBackend(lambda _: "A")
    list(Reseeded(again, 3).stream([asked("x"), asked("x"), asked("x")]))
    assert [request.sampling.seed for request in again.seen] == [seeds[0], *seeds[2:]]


def test_another_question_has_other_seeds():
    backend = ScriptedBackend(lambda _: "A")
    list(Reseeded(backend, 2).stream([asked("x"), asked("x"), asked("y"), asked("y")]))
    seeds = [request.sampling.seed for request in backend.seen]
    assert seeds[1] != seeds[3]


def test_a_repeated_judge_asks_anew_what_the_store_has_once(principle, tmp_path):
    backend = ScriptedBackend(lambda _: "A")
    store = CompletionStore(tmp_path / "store.sqlite")
    judge = judge_from(Cached(backend, store), "compare", orders="one")
    list(judge.decide([Case(compare(), principle)]))
    repeated = Repeats(judge_from(Reseeded(Cached(backend, store), 3), "compare", orders="one"), 3)
    list(repeated.decide([Case(compare(), principle)]))
    assert len(backend.seen) == 3  # the first draw was in the store


def test_a_greedy_judge_is_not_repeated():
    with pytest.raises(TemplateError, match="compare: asked at temperature 0, so 3 repeats"):
        need_draws(Template.load("compare"), 3)
    need_draws(Template.load("compare"), 1)
    need_draws(WARM, 3)


def test_a_seed_is_never_the_same_for_two_repeats_of_many():
    request = asked("x")
    seeds = {seeded(request, f"{request.fingerprint}:{n}").sampling.seed for n in range(1, 64)}
    assert len(seeds) == 63
