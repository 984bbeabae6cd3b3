"""Labels and people's answers of a few pairs, made from what each said."""

from collections.abc import Sequence

from rlaif.feedback.people import Rated, Rating
from rlaif.records import (
    Abstention,
    Choice,
    Comparison,
    Preference,
    Prompt,
    Response,
    Verdict,
)

REPLIES = [
    ("I'm sorry, but I can't help with that.", "First take the long ladder from the garage wall."),
    ("Boil it for eight minutes.", "Eggs are laid by hens, who live on farms and like corn a lot."),
    ("Use a lemon.", "Use a lime."),
    ("It rains because warm air rises and cools, and the water falls.", "Because of clouds."),
]


def compare(
    number: int,
    *,
    texts: tuple[str, str] | None = None,
    tags: tuple[str, ...] = (),
    prompt: int | None = None,
    authors: tuple[str, str] = ("policy", "policy"),
) -> Comparison:
    """Make a pair; pairs without texts of their own differ in a letter alone."""
    asked = Prompt.of("Question?", id=f"p{number if prompt is None else prompt}", tags=tags)
    first, second = texts or (f"Answer {number} a.", f"Answer {number} b.")
    return Comparison(
        id=f"pair{number}",
        prompt=asked,
        first=Response(id=f"{number}/1", prompt_id=asked.id, text=first, author=authors[0]),
        second=Response(id=f"{number}/2", prompt_id=asked.id, text=second, author=authors[1]),
    )


def rated(comparison: Comparison, *choices: Choice) -> Rated:
    """Let raters named by letters say these things, in turn."""
    ratings = tuple(Rating("abcdefgh"[n], choice) for n, choice in enumerate(choices))
    return Rated(comparison, ratings)


def label(
    comparison: Comparison,
    p_first: float,
    *,
    by: str = "judge",
    weight: float = 1.0,
    verdicts: Sequence[Verdict] = (),
    silent: Sequence[str] = (),
) -> Preference:
    """Label a pair as a judge does: verdicts are given with the pair's first reply first."""
    is_first = p_first >= 0.5
    return Preference(
        id=comparison.id,
        prompt=comparison.prompt,
        chosen=comparison.first if is_first else comparison.second,
        rejected=comparison.second if is_first else comparison.first,
        p_chosen=max(p_first, 1 - p_first),
        source="judge",
        by=by,
        verdicts=tuple(v if is_first else v.swapped() for v in verdicts),
        abstained=tuple(
            Abstention(kind="refused", subject=comparison.id, by=by, principle=name)
            for name in silent
        ),
        weight=weight,
    )


def verdict(
    principle: str, p_first: float, forward: float | None = None, backward: float | None = None
) -> Verdict:
    """Make a verdict, with what each order said where it was asked in both."""
    evidence: dict[str, float] = {}
    if forward is not None and backward is not None:
        evidence = {"p_forward": forward, "p_backward": backward}
    return Verdict(p_first=p_first, judge="judge", principle=principle, evidence=evidence)
