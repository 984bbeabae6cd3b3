"""Policies side by side: the same prompts, the same draws, traits by code, wins by a referee."""

from collections.abc import Callable, Iterator, Mapping, Sequence

from rlaif.backends.base import Backend
from rlaif.constitution.principle import Constitution
from rlaif.errors import InputError, StageError
from rlaif.evaluation.config import LENGTH, EvaluateConfig, Measure
from rlaif.evaluation.intervals import Interval, bootstrap, wilson
from rlaif.evaluation.measures import (
    Item,
    is_in_scope,
    kind_of_reply,
    length_of,
    measures_for,
    traits_of,
)
from rlaif.evaluation.results import Cell, Evaluation, Reply, Row
from rlaif.evaluation.wins import Judged, pairs_to_judge, win_rate
from rlaif.feedback.respond import RespondConfig, request_for
from rlaif.judges.base import Judge
from rlaif.judges.scope import Conditions
from rlaif.records import Abstention, Failure, Prompt

_DEFAULTS = EvaluateConfig()

Progress = Callable[[int, int, str], None]
"""Is told how much is done, of how much, and what is being done."""


class _Steps:
    """Counts replies and judged pairs together, so that one bar shows the whole evaluation."""

    def __init__(self, total: int, progress: Progress | None) -> None:
        self._done, self._total, self._progress = 0, total, progress

    def step(self, note: str) -> None:
        self._done += 1
        if self._progress:
            self._progress(self._done, self._total, note)


def evaluate(  # noqa: PLR0913 (who is compared, on what, by whom, how)
    policies: Mapping[str, Backend],
    suites: Mapping[str, Sequence[Prompt]],
    judge: Judge | None,
    constitution: Constitution,
    config: EvaluateConfig = _DEFAULTS,
    *,
    conditions: Conditions | None = None,
    is_independent: bool | None = False,
    seed: int = 0,
    progress: Progress | None = None,
) -> Evaluation:
    """Put policies side by side; the first is the base that the others are compared with.

    Every draw is seeded by its prompt and number, so that all policies face the same one. A draw
    without a reply is an abstention and in no rate.

    Args:
        policies: backends by the name that the table shows.
        suites: prompts by the suite's name.
        judge: the referee; without one there are no win rates.
        constitution: what the referee judges by.
        config: how replies are drawn, and which traits are counted.
        conditions: who says whether a principle's `when` is true of a prompt; needed where the
            constitution has one.
        is_independent: whether the referee is another than the judge that labelled; None where
            that is not known.
        seed: what every draw starts from, together with the prompt's own id.
        progress: is told of each reply and each judged pair.
    """
    kept = {name: tuple(prompts[: config.limit]) for name, prompts in suites.items()}
    items = _items(kept, config)
    base = _first_of(policies)
    measures = measures_for(config.measures, items)
    traits = tuple(dict.fromkeys(m.trait for m in measures.values() if m.trait != LENGTH))
    referee = judge if config.win_rate else None
    asked = pairs_to_judge(items, config.judged) if referee else []
    steps = _Steps(len(policies) * len(items) + (len(policies) - 1) * len(asked), progress)

    replies: dict[str, dict[str, Reply]] = {}
    abstentions: list[Abstention] = []
    for name, backend in policies.items():
        replies[name] = {}
        for item, text in _draw(backend, items, config, seed):
            steps.step(f"{name} replies")
            if isinstance(text, Failure):
                detail = f"{name}: {text.detail}"
                abstentions.append(
                    Abstention(kind=text.kind, subject=item.key, by=backend.name, detail=detail)
                )
            else:
                replies[name][item.key] = _reply(name, item, text, traits)
        _refuse_silence(name, replies[name], abstentions)

    wins = []
    for name in policies:
        if referee and name != base:
            judged = Judged(referee, constitution, seed, conditions)
            found = judged.compare(asked, replies[base], replies[name], steps.step)
            replies[name].update({reply.key: reply for reply in found.replies})
            wins.append(win_rate(name, found, config.rounds, seed))
    return Evaluation(
        base=base,
        policies=tuple(policies),
        models={name: backend.name for name, backend in policies.items()},
        config=config,
        seed=seed,
        suites=kept,
        rows=tuple(
            _row(name, measure, items, replies, config.rounds) for name, measure in measures.items()
        ),
        wins=tuple(wins),
        replies=tuple(
            replies[name][item.key]
            for name in policies
            for item in items
            if item.key in replies[name]
        ),
        abstentions=tuple(abstentions),
        constitution=constitution.fingerprint,
        referee=referee.name if referee else None,
        referee_independent=is_independent if referee else False,
    )


def _items(suites: Mapping[str, Sequence[Prompt]], config: EvaluateConfig) -> list[Item]:
    for name, prompts in suites.items():
        if not prompts:
            raise InputError(f"evaluate.suites: the suite {name!r} has no prompts")
    items = [
        Item(name, prompt, sample)
        for name, prompts in suites.items()
        for prompt in prompts
        for sample in range(config.samples)
    ]
    if not items:
        raise InputError("evaluate.suites: there is nothing to evaluate on; name a suite")
    return items


def _first_of(policies: Mapping[str, Backend]) -> str:
    for name in policies:
        return name
    raise InputError("evaluate: there is no policy to evaluate")


def _draw(
    backend: Backend, items: Sequence[Item], config: EvaluateConfig, seed: int
) -> Iterator[tuple[Item, str | Failure]]:
    how = RespondConfig(
        temperature=config.temperature, top_p=config.top_p, max_tokens=config.max_tokens
    )
    by_key = {item.key: item for item in items}
    requests = (
        request_for(item.prompt, how, f"{seed}:{item.prompt.id}:{item.sample}").model_copy(
            update={"id": item.key}
        )
        for item in items
    )
    for request, said in backend.stream(requests):
        yield by_key[request.id], said if isinstance(said, Failure) else said.text.strip()


def _reply(policy: str, item: Item, text: str, traits: Sequence[str]) -> Reply:
    return Reply(
        policy=policy,
        suite=item.suite,
        prompt_id=item.prompt.id,
        sample=item.sample,
        text=text,
        kind=kind_of_reply(text, item.prompt),
        words=length_of(text),
        traits=traits_of(text, item.prompt, traits),
    )


def _refuse_silence(
    name: str, replies: Mapping[str, Reply], abstentions: Sequence[Abstention]
) -> None:
    if not replies:
        why = f": {abstentions[-1].detail}" if abstentions else ""
        raise StageError(f"evaluate: the policy {name!r} answered no prompt{why}")


def _row(
    name: str,
    measure: Measure,
    items: Sequence[Item],
    replies: Mapping[str, Mapping[str, Reply]],
    rounds: int,
) -> Row:
    inside = [item.key for item in items if is_in_scope(measure, item)]
    base = next(iter(replies.values()))
    cells = []
    for policy, own in replies.items():
        counted = [own[key] for key in inside if key in own]
        if not counted:
            continue
        cells.append(
            Cell(
                policy=policy,
                figure=_figure(measure, counted, rounds),
                replies=len(counted),
                prompts=len({reply.prompt_id for reply in counted}),
                moved=None if own is base else _moved(measure, inside, base, own, rounds),
            )
        )
    return Row(name=name, measure=measure, cells=tuple(cells))


def _value(measure: Measure, reply: Reply) -> float:
    return float(reply.words if measure.trait == LENGTH else measure.trait in reply.traits)


def _figure(measure: Measure, replies: Sequence[Reply], rounds: int) -> Interval:
    values = [_value(measure, reply) for reply in replies]
    prompts = [_cluster(reply) for reply in replies]
    if measure.trait == LENGTH:
        return bootstrap(values, prompts, rounds=rounds)
    # Several draws of one prompt may all be alike, so prompts are counted and not draws.
    return wilson(sum(values) / len(values), len(set(prompts)))


def _moved(
    measure: Measure,
    inside: Sequence[str],
    base: Mapping[str, Reply],
    own: Mapping[str, Reply],
    rounds: int,
) -> Interval | None:
    both = [(base[key], own[key]) for key in inside if key in base and key in own]
    if not both:
        return None
    differences = [_value(measure, after) - _value(measure, before) for before, after in both]
    prompts = [_cluster(before) for before, _ in both]
    if measure.trait != LENGTH and len(set(differences)) == 1:
        return _never_varied(differences[0], len(set(prompts)))
    return bootstrap(differences, prompts, rounds=rounds)


def _never_varied(difference: float, prompts: int) -> Interval:
    """Give the interval where every pair differs alike, of which a bootstrap would be certain.

    As many prompts may still differ from it as could go unseen in this many.
    """
    unseen = wilson(0.0, prompts).high
    low, high = max(difference - unseen, -1.0), min(difference + unseen, 1.0)
    return Interval(value=difference, low=low, high=high)


def _cluster(reply: Reply) -> str:
    # A prompt that stands in two suites is still one prompt.
    return reply.prompt_id
