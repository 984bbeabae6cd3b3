"""Scored pairs whose figures are known by hand."""

from rlaif.evaluation.reward.scored import Scored, Split
from rlaif.records import Preference, Prompt, Response, Source, Verdict


def scored(
    number: int,
    margin: float | None,
    p: float = 1.0,
    *,
    words: tuple[int, int] = (4, 4),
    prompt: str | None = None,
    tags: tuple[str, ...] = (),
    source: Source = "judge",
    by: str = "judge",
    principles: dict[str, float] | None = None,
    split: Split = "held-out",
) -> Scored:
    """Make a pair: its Δr, its label's p, and how many words its two replies have."""
    asked = Prompt.of(prompt or f"Question {number}?", tags=tags)
    chosen, rejected = (
        Response(
            id=f"{number}/{side}",
            prompt_id=asked.id,
            text=" ".join([side, *["word"] * (count - 1)]),
            author="policy",
        )
        for side, count in zip((f"yes{number}", f"no{number}"), words, strict=True)
    )
    label = Preference(
        id=f"pair{number}-{by}",
        prompt=asked,
        chosen=chosen,
        rejected=rejected,
        p_chosen=p,
        source=source,
        by=by,
        verdicts=tuple(
            Verdict(p_first=first, judge=by, principle=name)
            for name, first in (principles or {}).items()
        ),
    )
    return Scored(
        preference=label,
        chosen=None if margin is None else margin,
        rejected=0.0,
        split=split,
    )
