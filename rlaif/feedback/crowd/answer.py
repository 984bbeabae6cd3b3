"""The nouns of a crowd: one person's answer about one item, and everybody's."""

from collections.abc import Mapping
from typing import NamedTuple

from rlaif.errors import InputError


class Answer(NamedTuple):
    """What one person said of one item."""

    item: str
    rater: str
    label: str
    seconds: float | None = None
    """How long it took; None where nobody kept the time."""
    group: str | None = None
    """What the person belongs to, such as an age group."""


class Crowd(NamedTuple):
    """Everybody's answers, and what else is known of the items."""

    answers: tuple[Answer, ...]
    gold: Mapping[str, str]
    """Items whose right answer is known."""
    prompts: Mapping[str, str]
    """Each item's prompt: items of one prompt are drawn together in intervals."""
    unsaid: int = 0
    """Answers left out, since they say nothing, such as "unsure"."""

    def without(self, labels: frozenset[str]) -> "Crowd":
        """Leave answers out that say nothing.

        Raises:
            InputError: for a label that nobody gave, naming those given.
        """
        given = {answer.label for answer in self.answers}
        if labels - given:
            raise InputError(
                f"nobody answered {min(labels - given)!r}; answers are {', '.join(sorted(given))}"
            )
        kept = tuple(answer for answer in self.answers if answer.label not in labels)
        gold = {item: label for item, label in self.gold.items() if label not in labels}
        left_out = self.unsaid + len(self.answers) - len(kept)
        return self._replace(answers=kept, gold=gold, unsaid=left_out)
