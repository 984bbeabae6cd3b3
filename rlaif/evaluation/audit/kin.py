"""Whether a judge prefers replies of its own family of models."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

from rlaif.evaluation.audit.lengths import Rate, log_ratio, rate
from rlaif.evaluation.intervals import Draws, Interval, ratio
from rlaif.records import Choice, Preference, Record, Response

FAMILIES: dict[str, tuple[str, ...]] = {
    "claude": ("claude",),
    "command": ("command", "aya", "c4ai"),
    "deepseek": ("deepseek",),
    "gemini": ("gemini", "gemma", "palm", "bard"),
    "glm": ("glm", "chatglm"),
    "gpt": ("gpt", "chatgpt", "davinci", "o1", "o3", "o4"),
    "grok": ("grok",),
    "kimi": ("kimi", "moonshot"),
    "llama": ("llama", "alpaca", "vicuna", "guanaco", "tulu"),
    "mistral": ("mistral", "mixtral", "ministral", "magistral", "zephyr"),
    "olmo": ("olmo",),
    "phi": ("phi",),
    "qwen": ("qwen", "qwq"),
    "smollm": ("smollm", "smollm2", "smollm3", "embedded"),
    "yi": ("yi",),
}
"""Each family, and the words in a model's name that tell it."""


class Kin(Record):
    """The judge's choice where one reply is of its own family and the other is not."""

    families: tuple[str, ...]
    """The judge's family; several for a panel of judges."""
    unknown: tuple[str, ...]
    """Authors whose family the name does not tell."""
    both_own: int
    """Pairs whose two replies are both of the judge's family: nothing to prefer."""
    own: Rate | None
    """How often it chose its own family's reply, raw and where both are equally long."""
    beside_people: int
    """Of those pairs, the ones that people decided too."""
    people: Interval | None
    """How often people chose that reply, on the pairs that both decided."""
    beyond_people: Interval | None
    """How much oftener than people the judge chose it, on those pairs."""


def family_of(name: str, told: Mapping[str, str]) -> str | None:
    """Tell a model's family by what its name holds, from the left; a person's word goes first.

    >>> family_of("meta-llama/Llama-3.1-8B-Instruct", {}), family_of("DeepSeek-R1-Qwen", {})
    ('llama', 'deepseek')
    >>> family_of("judge-7", {"judge-7": "qwen"}), family_of("someone", {})
    ('qwen', None)
    """
    if name in told:
        return told[name]
    for word in re.findall(r"[a-z]+\d?|\d+", name.casefold()):
        for family, marks in FAMILIES.items():
            if word in marks or word.rstrip("0123456789") in marks:
                return family
    return None


def kin(
    preferences: Sequence[Preference],
    people: Mapping[str, Choice],
    told: Mapping[str, str],
    *,
    rounds: int = 2000,
) -> Kin | None:
    """Hold a judge's choices of its own family's replies against people's.

    Args:
        preferences: the labels; ties say nothing.
        people: what people say of a pair, by its id, the chosen reply of the label as the first.
        told: families by model name, where the name alone does not tell.
        rounds: of the bootstrap, clustered by prompt.
    """
    judges = list(dict.fromkeys(preference.by for preference in preferences))
    # A panel's name holds its members' names.
    parts = [part for judge in judges for part in (judge, *re.split(r"[\s,]+", judge))]
    mine = {family for part in parts if (family := family_of(part, told))}
    if not mine:
        return None
    sides = [(_is_own(p.chosen, mine, told), _is_own(p.rejected, mine, told)) for p in preferences]
    rows = [
        (preference, bool(chosen))
        for preference, (chosen, rejected) in zip(preferences, sides, strict=True)
        if chosen is not None and rejected is not None and chosen != rejected
        if preference.p_chosen > 0.5
    ]
    authors = Counter(r.author for p in preferences for r in (p.chosen, p.rejected))
    decided = [(p, is_own) for p, is_own in rows if people.get(p.id, "tie") != "tie"]
    theirs, beyond = _beyond(decided, people, rounds) if decided else (None, None)
    return Kin(
        families=tuple(sorted(mine)),
        unknown=tuple(author for author in authors if family_of(author, told) is None),
        both_own=sum(chosen is True and rejected is True for chosen, rejected in sides),
        own=_own(rows, rounds) if rows else None,
        beside_people=len(decided),
        people=theirs,
        beyond_people=beyond,
    )


def _is_own(reply: Response, mine: set[str], told: Mapping[str, str]) -> bool | None:
    family = family_of(reply.author, told)
    return None if family is None else family in mine


def _own(rows: Sequence[tuple[Preference, bool]], rounds: int) -> Rate:
    return rate(
        "its own family's reply",
        [is_own for _, is_own in rows],
        [log_ratio(p.chosen, p.rejected) * (1 if is_own else -1) for p, is_own in rows],
        [preference.prompt.id for preference, _ in rows],
        rounds=rounds,
    )


def _beyond(
    rows: Sequence[tuple[Preference, bool]], people: Mapping[str, Choice], rounds: int
) -> tuple[Interval | None, Interval | None]:
    draws = Draws([preference.prompt.id for preference, _ in rows], rounds=rounds)
    judge = np.array([own for _, own in rows], dtype=float)
    # People chose the judge's kin where they chose the label's chosen reply and it is kin, or
    # the other reply and that one is.
    theirs = np.array([(people[p.id] == "first") == own for p, own in rows], dtype=float)
    one = np.ones(len(rows))
    return (
        draws.interval(np.stack([theirs, one], axis=1), ratio),
        draws.interval(np.stack([judge - theirs, one], axis=1), ratio),
    )
