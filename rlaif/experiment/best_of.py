"""A policy that draws n answers whenever it is asked, and gives the best by a reward."""

import itertools
from collections.abc import Iterable, Iterator

from rlaif.backends.base import Answered, Backend, seeded
from rlaif.judges.asking import Answers, gather
from rlaif.records import Completion, Failure, Prompt, Request
from rlaif.training.reward import Reward

_AT_ONCE = 16
"""Requests whose answers are scored at once."""


class BestOf:
    """A backend as any other, n times as dear."""

    def __init__(self, policy: Backend, reward: Reward, samples: int) -> None:
        """Choose among so many draws of a policy."""
        self._policy, self._reward, self._samples = policy, reward, samples
        self.name = f"best of {samples} of {policy.name}"

    def stream(self, requests: Iterable[Request]) -> Iterator[Answered]:
        """Answer each request with its best draw; one whose draws have no score is a failure."""
        drawn = gather(self._policy, requests, self._draws)
        while batch := list(itertools.islice(drawn, _AT_ONCE)):
            yield from self._best(batch)

    def _draws(self, request: Request) -> dict[str, Request]:
        return {
            str(number): seeded(request, f"{request.id}:{request.sampling.seed}:{number}")
            for number in range(self._samples)
        }

    def _best(self, batch: list[tuple[Request, Answers]]) -> Iterator[Answered]:
        written = [
            (request, said.answer)
            for request, answers in batch
            for said in answers.values()
            if isinstance(said.answer, Completion) and said.answer.text.strip()
        ]
        prompts = [Prompt(id=request.id, messages=request.messages) for request, _ in written]
        texts = [completion.text.strip() for _, completion in written]
        scores = self._reward(prompts, texts) if texts else ()
        best: dict[str, tuple[float, Completion]] = {}
        for (request, completion), score in zip(written, scores, strict=True):
            kept = best.get(request.id)
            if score is not None and (kept is None or score > kept[0]):
                best[request.id] = (score, completion)
        for request, answers in batch:
            if request.id in best:
                yield request, best[request.id][1]
            else:
                yield request, self._none(answers)

    def _none(self, answers: Answers) -> Failure:
        failures = [said.answer for said in answers.values() if isinstance(said.answer, Failure)]
        if len(failures) == len(answers):
            return failures[0]
        detail = f"the reward scored none of {len(answers)} answers"
        return Failure(kind="backend", detail=detail)
