"""Critique, revise, choose: the supervised half of Constitutional AI (Bai 2022, section 3).

Each round draws one principle, has the critic say what goes against it, has the reply rewritten a
few times, and keeps the rewriting that the judge likes best, if it likes any better than before.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from pydantic import Field

from rlaif.backends.base import Backend, seeded
from rlaif.constitution.principle import Constitution, Principle
from rlaif.feedback.prompts import Share
from rlaif.feedback.text import why_unfit
from rlaif.judges.asking import Answers, gather, read
from rlaif.judges.base import Case, Judge, Outcome
from rlaif.judges.principles import draw
from rlaif.judges.scope import Conditions, in_scope
from rlaif.records import (
    Abstention,
    AbstentionKind,
    Comparison,
    Critique,
    Prompt,
    Record,
    Request,
    Response,
    Revision,
    Verdict,
)
from rlaif.templates import Template, Unread


class ReviseConfig(Record):
    """How responses are critiqued and revised."""

    rounds: int = Field(default=1, ge=1)
    """Critique and revision this many times; each round draws a principle."""
    responses: int = Field(default=1, ge=1)
    """How many of a prompt's responses are revised."""
    tags: tuple[str, ...] = ()
    """Revise the responses to prompts with one of these tags; to all where none is named."""
    prompts: Share = 0
    """Of these, revise the responses to so many prompts, drawn by the seed, or to so many with
    each of some tags; 0 takes all."""
    tries: int = Field(default=4, ge=1)
    """Revisions drawn in each round; the judge chooses among them."""
    min_better: float = Field(default=0.5, ge=0.0, le=1.0)
    """A revision is kept where the judge's probability that it is better is above this."""
    max_tokens: int | None = Field(default=None, ge=1)
    """The longest revision, in tokens; what the prompt file says where none is given."""
    critique: bool = True
    """Ask for a critique first; without one the reply is rewritten by the principle alone."""
    critique_template: str = "critique"
    """The prompt file that asks for a critique."""
    template: str = "revise"
    """The prompt file that asks for a revision."""

    def concerns(self, prompt: Prompt) -> bool:
        """Say whether responses to a prompt are revised."""
        return not self.tags or bool(set(self.tags) & set(prompt.tags))


class _Draft:
    """A response on its way through the rounds."""

    def __init__(self, prompt: Prompt, before: Response) -> None:
        self.prompt = prompt
        self.before = before
        self.now = before
        self.in_scope: tuple[Principle, ...] = ()
        self.principle: Principle | None = None
        self.critiques: list[Critique] = []
        self.p_better: float | None = None
        self.problem: tuple[AbstentionKind, str] = ("no-principle", "no principle is in scope")

    def place(self, number: int) -> str:
        """Name this round of this draft, for seeds and ids."""
        return f"{self.before.id}>{number + 1}"


class _Candidate(NamedTuple):
    draft: _Draft
    response: Response


class _Reviser:
    def __init__(self, critic: Backend, judge: Judge | None, seed: int) -> None:
        self.critic = critic
        self.judge = judge
        self.seed = seed


def revise(  # noqa: PLR0913 (two models take part)
    prompts: Iterable[Prompt],
    responses: Iterable[Response],
    constitution: Constitution,
    critic: Backend,
    config: ReviseConfig = ReviseConfig(),
    *,
    judge: Judge | None = None,
    conditions: Conditions | None = None,
    seed: int = 0,
) -> Iterator[Revision | Abstention]:
    """Revise responses; each ends as one revision or one abstention that says why it is left out.

    Args:
        prompts: the prompts that the responses answer.
        responses: what to revise; those beyond `config.responses` of a prompt are left aside.
        constitution: where each round's principle is drawn from, within the prompt's scope.
        critic: the model that critiques and rewrites.
        config: rounds, tries and templates.
        judge: chooses among the tries and leaves out what it does not prefer; without one the
            first try that is fit to use is kept.
        conditions: who says whether a principle's `when` is true of a prompt; needed where the
            constitution has one.
        seed: what every draw starts from, together with the response's own id.
    """
    reviser = _Reviser(critic, judge, seed)
    drafts = _in_scope(_drafts(prompts, responses, config), constitution, conditions)
    for number in range(config.rounds):
        drafts = _round(drafts, reviser, config, number)
    for draft in drafts:
        yield _settle(draft, critic.name)


def _drafts(
    prompts: Iterable[Prompt], responses: Iterable[Response], config: ReviseConfig
) -> Iterator[_Draft]:
    by_id = {prompt.id: prompt for prompt in prompts if config.concerns(prompt)}
    taken: dict[str, int] = {}
    for response in responses:
        count = taken.get(response.prompt_id, 0)
        if response.prompt_id in by_id and count < config.responses:
            taken[response.prompt_id] = count + 1
            yield _Draft(by_id[response.prompt_id], response)


def _in_scope(
    drafts: Iterator[_Draft], constitution: Constitution, conditions: Conditions | None
) -> Iterator[_Draft]:
    for draft, scope in in_scope(drafts, lambda draft: draft.prompt, constitution, conditions):
        draft.in_scope = scope.principles
        yield draft


def _round(
    drafts: Iterator[_Draft], reviser: _Reviser, config: ReviseConfig, number: int
) -> Iterator[_Draft]:
    """Take every draft one round further, lazily; what cannot go further comes through as it is."""
    done: list[_Draft] = []
    stream = _with_principle(drafts, reviser, number, done)
    if config.critique:
        stream = _critiqued(stream, reviser, config, number, done)
    rewritten = _rewritten(stream, reviser, config, number)
    for draft in _chosen(rewritten, reviser, config, done):
        yield draft
        while done:
            yield done.pop()
    yield from done


def _with_principle(
    drafts: Iterator[_Draft], reviser: _Reviser, number: int, done: list[_Draft]
) -> Iterator[_Draft]:
    for draft in drafts:
        place = f"{reviser.seed}:{draft.place(number)}"
        drawn = draw(draft.in_scope, 1, place)
        draft.principle = drawn[0] if drawn else None
        if drawn:
            yield draft
        else:
            done.append(draft)


def _critiqued(
    drafts: Iterator[_Draft],
    reviser: _Reviser,
    config: ReviseConfig,
    number: int,
    done: list[_Draft],
) -> Iterator[_Draft]:
    template = Template.load(config.critique_template)

    def ask(draft: _Draft) -> Mapping[str, Request]:
        request = template.render("", _values(draft, template))
        return {"critique": seeded(request, f"{reviser.seed}:{draft.place(number)}:critique")}

    for draft, answers in gather(reviser.critic, drafts, ask):
        got = read(template.answer, answers["critique"])
        assert draft.principle is not None
        if isinstance(got, Unread):
            draft.problem = ("no-critique", f"{got.kind}: {got.detail}")
            done.append(draft)
            continue
        draft.critiques.append(
            Critique(principle=draft.principle.id, text=got.text, author=reviser.critic.name)
        )
        yield draft


def _rewritten(
    drafts: Iterator[_Draft], reviser: _Reviser, config: ReviseConfig, number: int
) -> Iterator[tuple[_Draft, list[Response]]]:
    """Rewrite each draft several times, and keep the tries that are fit to be used."""
    template = Template.load(config.template)
    if config.max_tokens is not None:
        longer = template.sampling.model_copy(update={"max_tokens": config.max_tokens})
        template = template.model_copy(update={"sampling": longer})

    def ask(draft: _Draft) -> Mapping[str, Request]:
        request = template.render("", _values(draft, template))
        place = f"{reviser.seed}:{draft.place(number)}"
        return {str(n): seeded(request, f"{place}:{n}") for n in range(config.tries)}

    for draft, answers in gather(reviser.critic, drafts, ask):
        yield draft, _fit(draft, answers, template, reviser.critic.name, draft.place(number))


def _fit(
    draft: _Draft, answers: Answers, template: Template, author: str, place: str
) -> list[Response]:
    fit: list[Response] = []
    for slot in sorted(answers, key=int):
        got = read(template.answer, answers[slot])
        unfit = got[:2] if isinstance(got, Unread) else why_unfit(got.text, draft.now.text)
        if unfit:
            draft.problem = unfit
            continue
        assert not isinstance(got, Unread)
        fit.append(
            Response(
                id=f"{place}.{slot}",
                prompt_id=draft.prompt.id,
                text=got.text,
                author=author,
                sampling=template.sampling,
                parent=draft.now.id,
            )
        )
    return fit


def _chosen(
    rewritten: Iterator[tuple[_Draft, list[Response]]],
    reviser: _Reviser,
    config: ReviseConfig,
    done: list[_Draft],
) -> Iterator[_Draft]:
    """Put the judge's favourite in each draft's place, where it likes one better than before."""
    if reviser.judge is None:
        for draft, candidates in rewritten:
            if candidates:
                draft.now = candidates[0]
            yield draft
        return
    waiting: dict[int, tuple[Case, _Candidate]] = {}
    heard: dict[int, tuple[int, list[tuple[Response, Outcome]]]] = {}

    def cases() -> Iterator[Case]:
        for draft, candidates in rewritten:
            if not candidates:
                done.append(draft)
            heard[id(draft)] = (len(candidates), [])
            for candidate in candidates:
                case = _case(draft, candidate)
                waiting[id(case)] = (case, _Candidate(draft, candidate))
                yield case

    for case, outcome in reviser.judge.decide(cases()):
        _, (draft, response) = waiting.pop(id(case))
        count, outcomes = heard[id(draft)]
        outcomes.append((response, outcome))
        if len(outcomes) == count:
            del heard[id(draft)]
            _take_best(draft, outcomes, config.min_better)
            yield draft


def _case(draft: _Draft, candidate: Response) -> Case:
    assert draft.principle is not None
    comparison = Comparison(id=candidate.id, prompt=draft.prompt, first=candidate, second=draft.now)
    return Case(comparison, draft.principle)


def _take_best(draft: _Draft, outcomes: list[tuple[Response, Outcome]], min_better: float) -> None:
    judged = [(said.p_first, answer) for answer, said in outcomes if isinstance(said, Verdict)]
    if not judged:
        said = outcomes[-1][1]
        assert isinstance(said, Abstention)
        draft.problem = (said.kind, f"the judge gave no answer: {said.detail}")
        return
    p_better, best = max(judged, key=lambda pair: pair[0])
    if p_better > min_better:
        draft.now, draft.p_better = best, p_better
    else:
        draft.problem = ("not-better", f"the best of {len(judged)} tries has p = {p_better:.3f}")


def _values(draft: _Draft, template: Template) -> dict[str, object]:
    principle = draft.principle
    assert principle is not None
    critique = draft.critiques[-1].text if draft.critiques else principle.text
    return values_of((draft.prompt, draft.now), principle, critique, template)


def values_of(
    written: tuple[Prompt, Response], principle: Principle, critique: str, template: Template
) -> dict[str, object]:
    """Give the values that a critique's or a revision's prompt file is filled with."""
    prompt, response = written
    is_critique = "critique" not in template.inputs
    wording = principle.critique if is_critique else principle.revision
    return {
        "prompt": prompt.text,
        "reply": response.text,
        "principle": wording or principle.text,
        "critique": critique,
        "examples": principle.examples,
    }


def _settle(draft: _Draft, author: str) -> Revision | Abstention:
    if draft.now is draft.before:
        kind, detail = draft.problem
        return Abstention(
            kind=kind,
            subject=draft.before.id,
            by=author,
            detail=detail,
            principle=draft.principle.id if draft.principle else None,
        )
    return Revision(
        id=draft.now.id,
        prompt=draft.prompt,
        before=draft.before,
        critiques=tuple(draft.critiques),
        after=draft.now,
        p_better=draft.p_better,
    )
