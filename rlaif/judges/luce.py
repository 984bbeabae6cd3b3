"""What an answer about K replies says of each pair of them (Luce 1959, Plackett 1975)."""

from collections.abc import Sequence
from typing import NamedTuple

from rlaif.answers.answer import Answer, Read

Pair = tuple[float, dict[str, float]]


class Heard(NamedTuple):
    """One answer, mapped from the letters of its display back to the replies."""

    merits: dict[str, float]
    """Each reply's share of the probability, or minus its place in a written ranking."""
    mass: float | None

    @classmethod
    def of(cls, got: Read, answer: Answer, display: Sequence[str]) -> "Heard":
        """Map an answer about the letters of `answer` to the replies that were shown as them."""
        shown = dict(zip(answer.options, display, strict=True))
        if answer.kind == "ranking":
            places = {shown[letter]: -float(place) for place, letter in enumerate(got.order)}
            return cls(places, None)
        return cls({shown[letter]: share for letter, share in got.probabilities.items()}, got.mass)


def pair(heard: Sequence[Heard], answer: Answer, first: str, second: str) -> Pair | None:
    """Give p(first is better) and the figures behind it; None where there is nothing to go by.

    From `best`: shares averaged over the displays are worths, p = w₁ / (w₁ + w₂). From written
    rankings: the certainty where `first` is ahead, 1 − certainty where it is not, averaged.
    """
    ahead = [one.merits[first] > one.merits[second] for one in heard]
    behind = [one.merits[first] < one.merits[second] for one in heard]
    evidence = {"displays": float(len(heard)), "flipped": float(any(ahead) and any(behind))}
    if answer.kind == "ranking":
        share = sum(ahead) / len(heard)
        evidence["ahead"] = round(share, 6)
        p = share * answer.certainty + (1 - share) * (1 - answer.certainty)
    else:
        worths = [sum(one.merits[text] for one in heard) / len(heard) for text in (first, second)]
        evidence |= {"worth_first": round(worths[0], 6), "worth_second": round(worths[1], 6)}
        masses = [one.mass for one in heard if one.mass is not None]
        evidence |= {"mass": round(min(masses), 6)} if masses else {}
        if sum(worths) == 0:
            return None
        p = worths[0] / sum(worths)
    return (1 - p if answer.asks == "worse" else p), evidence
