import json

import pytest

from rlaif.backends.scripted import ScriptedBackend
from rlaif.errors import InputError, TemplateError
from rlaif.judges.absolute import AbsoluteJudge
from rlaif.judges.base import Case
from rlaif.judges.build import calibration_in, judge_from, kind_of, requests_for_each
from rlaif.judges.orders import BothOrders
from rlaif.judges.pairwise import PairwiseJudge
from rlaif.judges.rank import RankJudge
from rlaif.judges.reasoned import ReasonedJudge
from rlaif.judges.score import ScoreJudge
from rlaif.templates import Template

KINDS = {
    "absolute": AbsoluteJudge,
    "score": ScoreJudge,
    "compare": PairwiseJudge,
    "compare-worse": PairwiseJudge,
    "compare-few-shot": PairwiseJudge,
    "compare-reasoned": ReasonedJudge,
    "rank": RankJudge,
    "rank-written": RankJudge,
}


@pytest.mark.parametrize("name", KINDS)
def test_what_a_prompt_file_declares_says_which_judge_it_makes(name):
    backend = ScriptedBackend(lambda _: "Yes")
    assert type(judge_from(backend, name, orders="one")) is KINDS[name]
    is_shown_pairs = name.startswith("compare")
    assert isinstance(judge_from(backend, name), BothOrders) is is_shown_pairs


def test_the_orders_are_in_the_contract_where_they_matter():
    backend = ScriptedBackend(lambda _: "A")
    for name in KINDS:
        contracts = {judge_from(backend, name, orders=o).contract for o in ("both", "any", "one")}
        assert len(contracts) == (1 if name in ("absolute", "score") else 3), name


def test_any_order_that_came_may_stand_alone_where_that_is_asked_for(comparison, principle):
    def say(request):
        text = request.messages[-1].content
        return "A" if text.index("Eight minutes.") < text.index("Ask a cook.") else "?"

    for orders, p_first in (("both", None), ("any", 1.0)):
        judge = judge_from(ScriptedBackend(say), "compare", orders=orders)
        [(_, outcome)] = list(judge.decide([Case(comparison, principle)]))
        assert getattr(outcome, "p_first", None) == p_first


def test_every_judge_asks_a_silent_model_once_more(comparison, principle):
    for name in KINDS:
        backend = ScriptedBackend(lambda _: "")
        [(_, outcome)] = list(judge_from(backend, name).decide([Case(comparison, principle)]))
        wanted = {"compare-reasoned": "no-reasoning", "rank": "no-logprobs"}
        assert outcome.kind == wanted.get(name, "empty")
        limits = [request.sampling.max_tokens for request in backend.seen]
        assert limits.count(2048) == len(limits) / 2


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("orders", ["both", "one"])
def test_a_case_costs_as_many_requests_as_were_announced(name, orders, comparison, principle):
    backend = ScriptedBackend(lambda _: "B")
    list(judge_from(backend, name, orders=orders).decide([Case(comparison, principle)]))
    assert len(backend.seen) == requests_for_each(name, orders)


TURNS = {
    "one": "{{ prompt }} {{ reply }} {{ principle }}",
    "two": "{{ prompt }} {{ first }} {{ second }} {{ principle }}",
    "many": "{{ prompt }} {{ replies }} {{ principle }}",
}
YES_NO, A_B = '{kind: options, options: ["Yes", "No"]}', "{kind: options, options: [A, B]}"
THIRD = "{kind: options, options: [A, B, C]}"


@pytest.mark.parametrize(
    ("turns", "answer", "what"),
    [
        ("{{ prompt }}", YES_NO, "takes `reply`, `first` and `second`, or `replies`"),
        (TURNS["one"], "{kind: text}", "needs an answer of `{kind: options}` or `{kind: score}`"),
        (TURNS["two"], "{kind: score}", "needs an answer of `{kind: options}`, not score"),
        (TURNS["many"], A_B, "needs an answer of `{kind: best}` or `{kind: ranking}`"),
        ("{{ prompt }} {{ reply }}", YES_NO, "without `principle` it asks the same of all"),
        (TURNS["one"] + "{{ mood }}", YES_NO, "takes 'mood', which no judge gives"),
        (TURNS["two"] + "{{ reply }}", A_B, "takes 'first', which no judge gives"),
        (TURNS["one"], THIRD, "for comparing two replies"),
        (TURNS["one"] + "\n[thinking]\n[user]\nSo?", YES_NO, "for comparing two replies"),
        (TURNS["many"] + "\n[thinking]\n[user]\nSo?", "{kind: best}", "for comparing two"),
        (TURNS["two"], "{kind: options, options: [A, B, C, D]}", "two options, and a third"),
    ],
)
def test_a_prompt_file_that_judges_nothing_is_refused_with_what_it_lacks(turns, answer, what):
    names = ["prompt", "reply", "replies", "first", "second", "principle", "mood"]
    inputs = ", ".join(name for name in names if f"{{{{ {name} }}}}" in turns)
    front = f"---\npurpose: ask\ninputs: [{inputs}]\nanswer: {answer}\n---\n[user]\n"
    with pytest.raises(TemplateError) as error:
        kind_of(Template.parse(front + turns, "mine.j2"))
    assert str(error.value).startswith("mine: ")
    assert what in str(error.value)
    assert "\n" not in str(error.value)


def test_a_prompt_file_for_critiques_is_no_judges():
    with pytest.raises(TemplateError, match="critique"):
        judge_from(ScriptedBackend(lambda _: ""), "critique")


def test_an_adapters_calibration_is_read_and_a_broken_one_is_named(tmp_path):
    assert calibration_in(tmp_path) is None
    file = tmp_path / "calibration.json"
    file.write_text(json.dumps({"bias": 0.5, "temperature": 2.0}))
    assert calibration_in(tmp_path).bias == 0.5
    file.write_text(json.dumps({"bias": 0.5, "temperature": -1}))
    with pytest.raises(InputError, match=r"calibration.json:1: temperature"):
        calibration_in(tmp_path)
