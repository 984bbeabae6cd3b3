"""From models and prompt files to one judge: orders, repeats and a panel, one around the other."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from pydantic import Field, field_validator

from rlaif.backends.base import Backend
from rlaif.backends.connect import adapter_folder
from rlaif.backends.spec import LocalModel, OpenAIModel, RecordedModel
from rlaif.constitution.principle import Constitution, Principle
from rlaif.errors import InputError, TemplateError
from rlaif.judges.absolute import Calibration
from rlaif.judges.base import Judge
from rlaif.judges.build import calibration_in, judge_from, kind_of, requests_for_each
from rlaif.judges.orders import Orders
from rlaif.judges.panel import Panel, Rule
from rlaif.judges.principles import Choice
from rlaif.judges.propositions import statements
from rlaif.judges.repeats import Repeats, Reseeded, need_draws
from rlaif.judges.scope import AskedConditions
from rlaif.records import Record
from rlaif.templates import Template
from rlaif.yamlfile import load


class Judging(Record):
    """How a judge is asked."""

    template: str | tuple[str, ...] = "absolute"
    """The prompt file that asks the judge: `absolute` asks about each reply, `compare` of both.
    Several make a panel of them."""
    orders: Orders = "both"
    """`both` shows each pair in both orders and averages, and abstains where one is missing; `any`
    keeps the one that came; `one` asks in one order. It matters where replies are compared."""
    repeats: int = Field(default=1, ge=1)
    """Ask everything so many times and average; for templates with a temperature above 0."""
    panel: Rule = "mean"
    """How several models or templates become one answer: `mean`, `median` or `vote`."""
    when: str = "when"
    """The prompt file that asks whether a principle's `when` is true of a prompt."""

    @field_validator("template", mode="after")
    @classmethod
    def _each_stands_once(cls, template: str | tuple[str, ...]) -> str | tuple[str, ...]:
        names = (template,) if isinstance(template, str) else template
        if not names:
            raise ValueError("names no prompt file; one is needed, such as `absolute`")
        if len(set(names)) < len(names):
            raise ValueError("a prompt file stands twice; ask it more often with `repeats`")
        return template

    @property
    def templates(self) -> tuple[str, ...]:
        """The prompt files, one or more."""
        return (self.template,) if isinstance(self.template, str) else self.template


class Member(NamedTuple):
    """A model that judges, and what turns its answers into probabilities."""

    backend: Backend
    calibration: Calibration | None = None


def judge_of(
    members: Sequence[Member], config: Judging, constitution: Constitution | None = None
) -> Judge:
    """Make the judge that a config describes: every model asked by every template.

    Args:
        members: the models.
        config: how they are asked.
        constitution: where the worked comparisons of a prompt file with `examples` come from.

    Raises:
        InputError: for a model that stands twice.
        TemplateError: for a prompt file that judges nothing, or cannot be repeated.
    """
    judges: dict[str, Judge] = {}
    for member in members:
        for template in config.templates:
            name = _name(member, template, len(members), len(config.templates))
            if name in judges:
                raise InputError(f"{name} stands twice in the panel; name each judge once")
            judges[name] = _one(member, template, config, constitution)
    return Panel(judges, config.panel) if len(judges) > 1 else next(iter(judges.values()))


def _name(member: Member, template: str, models: int, templates: int) -> str:
    if templates == 1:
        return member.backend.name
    return Path(template).stem if models == 1 else f"{member.backend.name} {Path(template).stem}"


def _one(
    member: Member, template: str, config: Judging, constitution: Constitution | None
) -> Judge:
    _need_draws(template, config.repeats)
    backend = member.backend
    if config.repeats > 1:
        backend = Reseeded(backend, config.repeats)
    judge = judge_from(
        backend,
        template,
        orders=config.orders,
        calibration=member.calibration,
        constitution=constitution,
    )
    return Repeats(judge, config.repeats) if config.repeats > 1 else judge


def _need_draws(name: str, times: int) -> None:
    template = Template.load(name)
    if kind_of(template) == "rank" and times > 1:
        raise TemplateError(
            f"{template.name}: a ranking is asked for in several orders already; set `repeats: 1`"
        )
    need_draws(template, times)


def conditions_of(
    constitution: Constitution, backend: Backend, config: Judging
) -> AskedConditions | None:
    """Make who answers the constitution's `when`; None where it has none.

    Raises:
        TemplateError: for a prompt file that does not ask it.
    """
    if not any(principle.when for principle in constitution.principles):
        return None
    return AskedConditions(backend, Template.load(config.when))


def check_judging(config: Judging, constitution: Constitution) -> None:
    """Make sure, before any model is loaded, that the prompt files ask what is wanted of them.

    Raises:
        TemplateError: for one that does not.
    """
    for name in config.templates:
        _need_draws(name, config.repeats)
    if any(principle.when for principle in constitution.principles):
        AskedConditions.check(Template.load(config.when))


def calibration_of(spec: LocalModel | OpenAIModel | RecordedModel) -> Calibration | None:
    """Read the calibration that a model names, or that its adapter brings.

    Raises:
        InputError: for a file that is no calibration.
    """
    if spec.calibration is not None:
        return load(Path(spec.calibration), Calibration)
    return calibration_in(adapter_folder(spec))


def requests_for_comparison(
    config: Judging, models: int, principles: Sequence[Principle], how: Choice
) -> int:
    """Count the requests that one comparison takes at most."""
    costs = {
        principle.id: sum(_requests(name, config, principle) for name in config.templates)
        for principle in principles
    }
    asked = list(costs.values())
    if how != "all":
        vetoes = [costs[p.id] for p in principles if p.veto]
        others = sorted((costs[p.id] for p in principles if not p.veto), reverse=True)
        asked = vetoes + others[: how.draw]
    return sum(asked) * models * config.repeats


def _requests(name: str, config: Judging, principle: Principle) -> int:
    each = requests_for_each(name, config.orders)
    return each * len(statements(principle)) if _is_of_one_reply(name) else each


def _is_of_one_reply(name: str) -> bool:
    return kind_of(Template.load(name)) in ("absolute", "score")


def conditions_to_ask(constitution: Constitution) -> int:
    """Count what is asked of each prompt."""
    return len({principle.when for principle in constitution.principles if principle.when})


def rates_alone(config: Judging, models: int) -> bool:
    """Say whether the judge can tell of one reply alone, as a reward that needs no opponents."""
    if models > 1 or config.repeats > 1 or len(config.templates) > 1:
        return False
    return _is_of_one_reply(config.templates[0])
