"""One config makes one judge, and says beforehand how often it asks."""

import json

import pytest
from pydantic import ValidationError

from rlaif.backends.scripted import ScriptedBackend
from rlaif.backends.spec import LocalModel, OpenAIModel
from rlaif.constitution.principle import Constitution, Principle, Proposition
from rlaif.errors import InputError, TemplateError
from rlaif.judges.absolute import AbsoluteJudge, Calibration
from rlaif.judges.base import Case
from rlaif.judges.compose import (
    Judging,
    Member,
    calibration_of,
    check_judging,
    conditions_of,
    conditions_to_ask,
    judge_of,
    rates_alone,
    requests_for_comparison,
)
from rlaif.judges.orders import BothOrders
from rlaif.judges.panel import Panel
from rlaif.judges.principles import Draw
from rlaif.judges.repeats import Repeats
from tests.judges.fakes import compare

WARM = """---
purpose: ask which reply is better, with some chance
inputs: [prompt, first, second, principle]
sampling: {temperature: 1, max_tokens: 1}
answer: {kind: options, options: [A, B]}
---
[user]
{{ prompt | fenced("p") }} {{ first | fenced("a") }} {{ second | fenced("b") }} {{ principle }}
"""
PLAIN = Principle(id="plain", text="It is plain.")
VETO = Principle(id="safe", text="It is safe.", veto=True)
RULES = Principle(
    id="rules",
    text="It declines.",
    propositions=tuple(Proposition(text=f"It does {n}.") for n in range(3)),
)


def member(name="judge", say="A"):
    return Member(ScriptedBackend(lambda _: say, name=name))


@pytest.fixture
def warm(tmp_path):
    path = tmp_path / "warm.j2"
    path.write_text(WARM, encoding="utf-8")
    return str(path)


def test_one_model_and_one_template_is_a_judge_without_a_panel():
    assert isinstance(judge_of([member()], Judging()), AbsoluteJudge)
    assert isinstance(judge_of([member()], Judging(template="compare")), BothOrders)


def test_several_models_or_templates_are_a_panel_under_their_names():
    templates = Judging(template=("absolute", "compare"), panel="median")
    panel = judge_of([member()], templates)
    assert isinstance(panel, Panel)
    assert panel.name == "median of absolute, compare"
    models = judge_of([member("one"), member("other")], Judging())
    assert models.name == "mean of one, other"
    both = judge_of([member("one"), member("other")], templates)
    assert both.name == "median of one absolute, one compare, other absolute, other compare"


def test_repeats_are_inside_the_panel_and_around_both_orders(warm):
    judge = judge_of([member()], Judging(template=warm, repeats=3))
    assert isinstance(judge, Repeats)
    backend = ScriptedBackend(lambda _: "A")
    list(judge_of([Member(backend)], Judging(template=warm, repeats=3)).decide(
        [Case(compare(), PLAIN)]
    ))  # fmt: skip
    assert len(backend.seen) == 2 * 3
    assert len({(r.messages, r.sampling.seed) for r in backend.seen}) == 6


def test_a_greedy_template_is_not_repeated():
    with pytest.raises(TemplateError, match=r"compare: asked at temperature 0, so 2 repeats"):
        judge_of([member()], Judging(template="compare", repeats=2))


def test_a_model_that_stands_twice_is_refused():
    with pytest.raises(InputError, match="one stands twice in the panel"):
        judge_of([member("one"), member("one")], Judging())


@pytest.mark.parametrize(
    ("template", "what"),
    [([], "names no prompt file"), (["absolute", "absolute"], "stands twice")],
)
def test_a_list_of_templates_names_each_once_and_one_at_least(template, what):
    with pytest.raises(ValidationError, match=what):
        Judging.model_validate({"template": template})


def test_a_members_calibration_is_its_own():
    hot = Member(ScriptedBackend(lambda _: "Yes", name="hot"), Calibration(temperature=2.0))
    contracts = {judge_of([m], Judging()).contract for m in (hot, hot._replace(calibration=None))}
    assert len(contracts) == 2


def test_a_named_calibration_is_read_and_a_broken_one_is_told(tmp_path):
    file = tmp_path / "mine.json"
    file.write_text(json.dumps({"pair_temperature": 3.0}), encoding="utf-8")
    spec = OpenAIModel(model="m", calibration=str(file))
    assert calibration_of(spec) == Calibration(pair_temperature=3.0)
    assert calibration_of(OpenAIModel(model="m")) is None
    assert calibration_of(LocalModel(model="embedded", calibration=str(file))) is not None
    file.write_text(json.dumps({"pair_temperature": 0}), encoding="utf-8")
    with pytest.raises(InputError, match=r"mine.json:1: pair_temperature"):
        calibration_of(spec)


def test_only_a_constitution_with_a_when_has_its_prompts_asked():
    plain = Constitution(name="c", principles=(PLAIN,))
    asks = PLAIN.model_copy(update={"when": "The user asks about law."})
    backend = ScriptedBackend(lambda _: "Yes")
    assert conditions_of(plain, backend, Judging()) is None
    assert conditions_of(Constitution(name="c", principles=(asks,)), backend, Judging())
    assert conditions_to_ask(plain) == 0
    twice = Constitution(
        name="c", principles=(asks, asks.model_copy(update={"id": "other"}), PLAIN.model_copy(
            update={"id": "p"}))
    )  # fmt: skip
    assert conditions_to_ask(twice) == 1


def test_a_prompt_file_that_cannot_ask_a_when_is_told_before_any_model_is_loaded():
    rules = Constitution(
        name="c", principles=(PLAIN.model_copy(update={"when": "The user asks about law."}),)
    )
    check_judging(Judging(), rules)
    with pytest.raises(TemplateError, match="compare: to ask a principle's `when`"):
        check_judging(Judging(when="compare"), rules)


@pytest.mark.parametrize(
    ("config", "models", "expected"),
    [
        (Judging(), 1, 2 + 2 + 2 * 3),
        (Judging(template="compare"), 1, 3 * 2),
        (Judging(template="compare", orders="one"), 1, 3),
        (Judging(template=("absolute", "compare")), 2, 2 * (10 + 6)),
        (Judging(template="compare", repeats=5), 1, 5 * 6),
    ],
)
def test_requests_are_counted_by_orders_templates_propositions_models_and_repeats(
    config, models, expected
):
    principles = [PLAIN, VETO, RULES]
    assert requests_for_comparison(config, models, principles, "all") == expected


def test_a_draw_counts_the_vetoes_and_the_dearest_of_the_others():
    principles = [PLAIN, VETO, RULES]
    assert requests_for_comparison(Judging(), 1, principles, Draw(draw=1)) == 2 + 6
    assert requests_for_comparison(Judging(), 1, principles, Draw(draw=9)) == 2 + 6 + 2


def test_the_count_is_what_is_asked():
    backend = ScriptedBackend(lambda _: "A or Yes")
    config = Judging(template=("absolute", "compare"))
    list(judge_of([Member(backend)], config).decide([Case(compare(), RULES)]))
    assert len(backend.seen) == requests_for_comparison(config, 1, [RULES], "all") == 6 + 2


def test_one_model_with_one_template_of_one_reply_rates_it_alone():
    assert rates_alone(Judging(), 1)
    assert not rates_alone(Judging(), 2)
    assert not rates_alone(Judging(template="compare"), 1)
    assert not rates_alone(Judging(template=("absolute", "compare")), 1)
