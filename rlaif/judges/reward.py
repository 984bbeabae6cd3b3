"""A judge as a reward: how far each reply holds to a constitution, as bounded log-odds."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from rlaif.backends.base import Backend
from rlaif.constitution.principle import Constitution, Principle
from rlaif.errors import TemplateError
from rlaif.judges.absolute import Calibration, statements
from rlaif.judges.asking import Answers, gather, read
from rlaif.judges.principles import weighted
from rlaif.records import Prompt, Request
from rlaif.templates import Template, Unread


class _Reply(NamedTuple):
    place: int
    prompt: Prompt
    text: str
    principles: tuple[Principle, ...]


class JudgeReward:
    """Score each reply by itself: the weighted mean of calibrated, clipped log-odds.

    Log-odds and not probabilities: where every probability is near 0 or 1, the differences within
    a group would vanish beside the KL penalty. A reply that no principle judges, or that one of
    its principles abstained on, has no reward (None), which never trains.
    """

    def __init__(
        self,
        backend: Backend,
        template: Template,
        constitution: Constitution,
        *,
        calibration: Calibration | None = None,
        clip: float = 5.0,
    ) -> None:
        """Score with a backend by a template that takes `prompt`, `reply` and `principle`."""
        if {"prompt", "reply", "principle"} != set(template.inputs):
            raise TemplateError(f"{template.name}: a reward needs a prompt file that takes `reply`")
        self._backend = backend
        self._template = template
        self._constitution = constitution
        self._calibration = calibration or Calibration()
        self._clip = clip
        self.__name__ = "judge"  # what trainers call the reward in their logs

    def __call__(self, prompts: Sequence[Prompt], texts: Sequence[str]) -> list[float | None]:
        """Score replies, one for each prompt; None is an abstention."""
        scores: list[float | None] = [None] * len(texts)
        replies = [
            _Reply(place, prompt, text, self._in_scope(prompt))
            for place, (prompt, text) in enumerate(zip(prompts, texts, strict=True))
        ]
        for reply, answers in gather(
            self._backend, (r for r in replies if r.principles), self._ask
        ):
            scores[reply.place] = self._score(reply, answers)
        return scores

    def _in_scope(self, prompt: Prompt) -> tuple[Principle, ...]:
        return tuple(p for p in self._constitution.principles if p.applies_to(prompt.tags))

    def _ask(self, reply: _Reply) -> Mapping[str, Request]:
        return {
            f"{principle.id} {number}": self._template.render(
                "", {"prompt": reply.prompt.text, "reply": reply.text, "principle": asked.text}
            )
            for principle in reply.principles
            for number, asked in enumerate(statements(principle))
        }

    def _score(self, reply: _Reply, answers: Answers) -> float | None:
        scored: list[tuple[float, float]] = []
        for principle in reply.principles:
            total = 0.0
            for number, asked in enumerate(statements(principle)):
                got = read(self._template.answer, answers[f"{principle.id} {number}"])
                if isinstance(got, Unread):
                    return None
                share = got.probabilities[self._template.answer.options[0]]
                total += asked.weight * self._calibration.logit(share)
            scored.append((principle.weight, min(max(total, -self._clip), self._clip)))
        return weighted(scored)
