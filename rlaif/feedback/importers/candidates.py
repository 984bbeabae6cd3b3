"""K replies to one prompt, and their C(K, 2) pairs: what ranked lists and scores are made of."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from typing import Any

from rlaif.feedback.importers.make import human, name_of, prompt_of, reply_of
from rlaif.records import Preference, Prompt, Response, Verdict

LISTS = ("responses", "completions", "answers")
_PROMPTS = ("prompt", "instruction", "question")
_TEXTS = ("response", "answer", "completion", "text", "output")
_AUTHORS = ("model", "author", "model_name")


def list_of(row: Mapping[str, Any]) -> list[Any] | None:
    """Give a row's replies, under whichever name they stand."""
    found = next((row[name] for name in LISTS if isinstance(row.get(name), list)), None)
    return found if isinstance(found, list) else None


def figures_of(row: Mapping[str, Any], names: Sequence[str]) -> list[float] | None:
    """Give each reply's figure: from a list beside the replies, or from a field of each reply.

    Raises:
        ValueError: where there are not as many figures as replies, or one is no number.
    """
    replies = list_of(row) or []
    beside = next((row[name] for name in names if isinstance(row.get(name), list)), None)
    if beside is None:
        inside = [_first(reply, names) for reply in replies]
        if all(figure is None for figure in inside):
            return None
        beside = inside
    if len(beside) != len(replies):
        raise ValueError(f"{len(replies)} replies and {len(beside)} figures for them")
    return [_number(figure, place) for place, figure in enumerate(beside, start=1)]


def all_pairs(row: Mapping[str, Any], better: Sequence[float]) -> Iterator[Preference]:
    """Give all pairs of a row's replies, the better one chosen; equal ones are a tie.

    Args:
        row: with a prompt and replies.
        better: a figure for each reply, the higher the better; kept beside each pair's verdict.
    """
    prompt, name = _prompt(row), name_of(row)
    replies = [_reply(r, prompt, f"{name}/{n}") for n, r in enumerate(list_of(row) or [])]
    if len(replies) < 2:
        raise ValueError(f"a comparison needs 2 replies or more; found {len(replies)}")
    for one, other in combinations(range(len(replies)), 2):
        first, second = sorted((one, other), key=lambda place: -better[place])
        p = 0.5 if better[one] == better[other] else 1.0
        evidence = {"score_first": better[first], "score_second": better[second]}
        verdict = Verdict(p_first=p, judge="given", read="label", evidence=evidence)
        yield human(
            f"{name}/{one}-{other}",
            prompt,
            replies[first],
            replies[second],
            p=p,
            group=name,
            verdicts=(verdict,),
        )


def _prompt(row: Mapping[str, Any]) -> Prompt:
    for name in _PROMPTS:
        if name in row:
            return prompt_of(row[name])
    raise ValueError(f"replies without a prompt; name it {', '.join(_PROMPTS)}")


def _reply(value: Any, prompt: Prompt, name: str) -> Response:
    if isinstance(value, dict):
        author = _first(value, _AUTHORS)
        return reply_of(
            _first(value, _TEXTS), prompt, name, None if author is None else str(author)
        )
    return reply_of(value, prompt, name)


def _first(reply: Any, names: Sequence[str]) -> Any:
    fields = reply if isinstance(reply, dict) else {}
    return next((fields[name] for name in names if fields.get(name) is not None), None)


def _number(value: Any, place: int) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise ValueError(f"reply {place} has no number: {value!r}") from None
    if number != number or number in (float("inf"), float("-inf")):
        raise ValueError(f"reply {place}: {value!r} is no finite number")
    return number
