"""Asks the reward about what the policy sampled, as TRL asks, and counts what came of it."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from accelerate.utils import gather_object

from rlaif.errors import BackendError, BudgetError, OutageError, StageError
from rlaif.records import Prompt
from rlaif.training.optimize.mixed import Mixed, Scored, clipped
from rlaif.training.optimize.patience import NONE, Patience
from rlaif.training.reward import Reward

_ENOUGH = 64
"""Answers without one score, after which a reward is taken to be broken."""
Said = TypeVar("Said")
Log = Callable[[str, float], None]


class Scorer:
    """Asks the reward once about each batch of answers; called, it gives TRL the totals."""

    __name__ = "reward"

    def __init__(
        self,
        prompts: Sequence[Prompt],
        reward: Reward,
        clip: float | None = None,
        patience: Patience = NONE,
    ) -> None:
        """Score answers to these prompts, with patience for a judge that is gone."""
        self._prompts = prompts
        self.patience = patience
        self.mixed = Mixed.of(reward, clip)
        self.asked = self.abstained = 0
        self._silent = 0
        self._last: tuple[list[str], Scored] | None = None

    @property
    def columns(self) -> "list[Column]":
        """Each part as a reward of its own, for trainers that normalise them one by one."""
        return [Column(self, title) for title in self.mixed.parts]

    def start(self, completions: Sequence[Sequence[dict[str, str]]], row: Sequence[int]) -> None:
        """Begin to score, where the reward can be begun."""
        self.mixed.start([self._prompts[index] for index in row], texts_of(completions))

    def __call__(
        self, completions: list[list[dict[str, str]]], row: list[int], **more: Any
    ) -> list[float | None]:
        """Score one text for each prompt; None stays None, which TRL leaves out of the group."""
        return self.scored(completions, row, more.get("log_metric")).totals

    def scored(
        self,
        completions: Sequence[Sequence[dict[str, str]]],
        row: Sequence[int],
        log: Log | None = None,
    ) -> Scored:
        """Score a batch; the parts of one that was just scored are not asked again."""
        texts = texts_of(completions)
        prompts = [self._prompts[index] for index in row]
        found = together(lambda: self._said(prompts, texts))
        self.asked += len(found.totals)
        self.abstained += found.totals.count(None)
        if log:
            _note(found, log)
        if self.asked >= _ENOUGH:
            self.need_scores()
        self._last = texts, found
        return found

    def column(
        self, title: str, completions: list[list[dict[str, str]]], row: list[int], log: Log | None
    ) -> list[float | None]:
        """Give one part's scores, bounded; the first part that is wanted asks them all."""
        last = self._last
        if (
            last is None
            or last[0] != texts_of(completions)
            or title == next(iter(self.mixed.parts))
        ):
            found = self.scored(completions, row, log)
        else:
            found = last[1]
        clip = self.mixed.clip
        return [None if s is None else clipped(s, clip) for s in found.counted[title]]

    def _said(self, prompts: Sequence[Prompt], texts: Sequence[str]) -> Scored:
        """Ask, and stop where a reward that has scored says nothing any more."""
        found = self.patience.ask(lambda: self.mixed.score(prompts, texts))
        known = len(texts) - found.totals.count(None)
        self._silent = 0 if known else self._silent + len(texts)
        if self._silent >= _ENOUGH and self.asked > self.abstained:
            raise OutageError(
                f"the reward scored none of the last {self._silent} answers; look at the judge: "
                "what is learned so far is kept"
            )
        return found

    def need_scores(self) -> None:
        """Stop where every answer so far was left without a score.

        Raises:
            StageError: with the number of answers.
        """
        if self.asked and self.abstained == self.asked:
            raise StageError(
                f"the reward scored none of the first {self.asked} answers, so nothing can be "
                "learned; look at the judge or the reward model first"
            )


def together(ask: Callable[[], Said]) -> Said:
    """Ask on every process; where one of them is to stop, all of them do.

    Raises:
        BudgetError, BackendError: what the first of them was stopped by.
    """
    said, error = None, None
    try:
        said = ask()
    except (BudgetError, BackendError) as stopped:
        error = stopped
    for other in gather_object([error]):
        if other:
            raise other
    return said  # type: ignore[return-value]


class Column:
    """One part of a reward, as TRL asks for it."""

    def __init__(self, scorer: Scorer, title: str) -> None:
        """Give one part of what a scorer asks."""
        self._scorer, self._title = scorer, title
        self.__name__ = title

    def __call__(
        self, completions: list[list[dict[str, str]]], row: list[int], **more: Any
    ) -> list[float | None]:
        """Score one text for each prompt by this part."""
        return self._scorer.column(self._title, completions, row, more.get("log_metric"))


def _note(found: Scored, log: Log) -> None:
    """Log what each part said, and how much was left open."""
    for title, said in found.raw.items():
        known = [score for score in said if score is not None]
        if known and len(found.raw) > 1:
            log(f"reward/{title}", sum(known) / len(known))
    log("abstained", found.totals.count(None) / len(found.totals))
    log("seconds/reward", found.waited)


def texts_of(completions: Sequence[Sequence[dict[str, str]]]) -> list[str]:
    """Give the texts of answers, as TRL decodes them."""
    return [completion[0]["content"] for completion in completions]
