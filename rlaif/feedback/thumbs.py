"""Product feedback: thumbs up and down on single replies, with who, when and which model.

They train KTO as they are, one reply a row; paired within a prompt, they train a reward model.
"""

import math
import random
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import combinations
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import ValidationError

from rlaif.errors import InputError
from rlaif.feedback.importers.make import PEOPLE, messages_of, of_messages, prompt_of, reply_of
from rlaif.feedback.importers.rows import read_rows
from rlaif.records import Preference, Prompt, Record, Response, fingerprint_of

_REPLY = ("completion", "response", "reply", "answer")
_THUMB = ("thumb", "label", "rating", "feedback", "vote")
_WHO = ("by", "user", "user_id", "rater")
_WHEN = ("at", "time", "timestamp", "created_at")
_UP = {"true", "1", "1.0", "up", "thumbs_up", "like", "good", "positive", "👍", "+1"}
_DOWN = {
    "false",
    "0",
    "0.0",
    "-1",
    "-1.0",
    "down",
    "thumbs_down",
    "dislike",
    "bad",
    "negative",
    "👎",
}


class Thumb(Record):
    """One person's thumb on one reply."""

    id: str
    prompt: Prompt
    response: Response
    """Its author is the model that was in use."""
    good: bool
    by: str = PEOPLE
    at: str | None = None
    """When, ISO 8601 in UTC."""


class Tidied(NamedTuple):
    """Thumbs with each person's word on each reply counted once."""

    thumbs: list[Thumb]
    left_out: dict[str, int]


def is_thumb(row: Mapping[str, Any]) -> bool:
    """Say whether a row is a thumb on one reply: TRL's unpaired columns, or a product's own."""
    has_reply = "messages" in row or any(name in row for name in _REPLY)
    return has_reply and any(name in row for name in _THUMB) and "chosen" not in row


def read_thumbs(path: Path) -> list[Thumb]:
    """Read thumbs: `prompt`, `completion`, `label`, and `by`, `at` and `model` where known.

    Raises:
        InputError: for a row that is none, with file and line.
    """
    thumbs: list[Thumb] = []
    for line, row in read_rows(path):
        try:
            thumbs.append(_thumb(row))
        except ValidationError as error:
            raise InputError.at(path, line, error.errors()[0]["msg"]) from None
        except (KeyError, TypeError, ValueError, OverflowError, OSError) as error:
            raise InputError.at(path, line, _told(error)) from None
    return thumbs


def tidy(thumbs: Sequence[Thumb], *, cap: int | None = None, seed: int = 0) -> Tidied:
    """Count each person's last word on each reply once, and of nobody more than `cap` thumbs.

    Args:
        thumbs: in the order in which they were given, where they do not say when.
        cap: the most thumbs of one person; which are kept is drawn by their name. Those that name
            nobody are not capped, since they are of many.
        seed: of the draw.
    """
    left_out: Counter[str] = Counter()
    last: dict[str, Thumb] = {}
    for number, thumb in enumerate(sorted(thumbs, key=lambda thumb: thumb.at or "")):
        who = thumb.by if thumb.by != PEOPLE else f"{PEOPLE} {number}"
        key = fingerprint_of([who, thumb.prompt.text, thumb.response.text])
        if key in last:
            is_same = last[key].good == thumb.good
            left_out["given again" if is_same else "taken back later"] += 1
            del last[key]
        last[key] = thumb
    kept = list(last.values())
    if cap is not None:
        kept = _capped(kept, cap, seed)
        left_out[f"beyond {cap} of one person"] += len(last) - len(kept)
    return Tidied(kept, {why: count for why, count in left_out.items() if count})


def check_both(thumbs: Sequence[Thumb], place: Path | str) -> None:
    """Refuse thumbs that all point one way: they tell nothing from nothing.

    Raises:
        InputError: where all are up, or all down, or there are none.
    """
    ups = sum(thumb.good for thumb in thumbs)
    if 0 < ups < len(thumbs):
        return
    which = f"all {len(thumbs):,} are {'up' if ups else 'down'}" if thumbs else "there are none"
    raise InputError(f"{place}: thumbs of both kinds are needed to learn from, and {which}")


def pairs_of(thumbs: Iterable[Thumb]) -> list[Preference]:
    """Pair the replies to one prompt by their thumbs.

    A reply's share of thumbs up is s = (up + 1) / (all + 2), and of two replies the first is the
    better one with p = s₁(1 − s₂) / (s₁(1 − s₂) + s₂(1 − s₁)): one thumb up against one down is
    0.8, many are nearer to 1. Equal shares are no pair.
    """
    by_prompt: dict[str, dict[str, list[Thumb]]] = defaultdict(lambda: defaultdict(list))
    for thumb in thumbs:
        by_prompt[thumb.prompt.text][thumb.response.text].append(thumb)
    return [
        label
        for replies in by_prompt.values()
        for one, other in combinations(replies.values(), 2)
        if (label := _pair(one, other)) is not None
    ]


def unpaired(thumbs: Iterable[Thumb]) -> Iterator[dict[str, Any]]:
    """Give TRL's conversational unpaired rows, which KTO trains on, with who, when and which model.

    `read_thumbs` reads them again.
    """
    for thumb in thumbs:
        said = {"role": "assistant", "content": thumb.response.text}
        row = {
            "id": thumb.id,
            "prompt": [turn.model_dump() for turn in thumb.prompt.messages],
            "completion": [said],
            "label": thumb.good,
            "by": thumb.by,
            "at": thumb.at,
            "model": thumb.response.author,
        }
        yield {name: value for name, value in row.items() if value is not None}


def _pair(one: Sequence[Thumb], other: Sequence[Thumb]) -> Preference | None:
    better, worse = sorted((one, other), key=_share, reverse=True)
    high, low = _share(better), _share(worse)
    if math.isclose(high, low):
        return None
    p = high * (1 - low) / (high * (1 - low) + low * (1 - high))
    prompt = better[0].prompt
    key = [prompt.text, better[0].response.text, worse[0].response.text]
    people = sorted({thumb.by for thumb in (*better, *worse)})
    return Preference(
        id=f"t-{fingerprint_of(key)[:12]}",
        prompt=prompt,
        chosen=better[0].response,
        rejected=worse[0].response.model_copy(update={"prompt_id": prompt.id}),
        p_chosen=p,
        source="thumbs",
        by=people[0] if len(people) == 1 else f"{len(people)} people",
        group=prompt.id,
    )


def _share(thumbs: Sequence[Thumb]) -> float:
    return (sum(thumb.good for thumb in thumbs) + 1) / (len(thumbs) + 2)


def _capped(thumbs: Sequence[Thumb], cap: int, seed: int) -> list[Thumb]:
    of_whom: dict[str, list[int]] = defaultdict(list)
    for place, thumb in enumerate(thumbs):
        of_whom[thumb.by].append(place)
    kept: set[int] = set()
    for who, places in of_whom.items():
        if who == PEOPLE or len(places) <= cap:
            kept.update(places)
        else:
            kept.update(random.Random(f"{seed}:{who}").sample(places, cap))
    return [thumb for place, thumb in enumerate(thumbs) if place in kept]


def _thumb(row: Mapping[str, Any]) -> Thumb:
    prompt, text = _parts(row)
    name = str(row["id"]) if "id" in row else f"t-{fingerprint_of(row)[:12]}"
    author = _first(row, ("model", "author"))
    reply = reply_of(text, prompt, f"{name}/reply", None if author is None else str(author))
    if not reply.text.strip():
        raise ValueError("the reply is empty")
    who = _first(row, _WHO)
    return Thumb(
        id=name,
        prompt=prompt,
        response=reply,
        good=_good(_first(row, _THUMB)),
        by=PEOPLE if who is None else str(who),
        at=_at(_first(row, _WHEN)),
    )


def _parts(row: Mapping[str, Any]) -> tuple[Prompt, Any]:
    if "messages" in row:
        messages = messages_of(row["messages"])
        if len(messages) < 2 or messages[-1].role != "assistant":
            raise ValueError("messages: the last must be the assistant's, after the user's")
        return of_messages(messages[:-1]), messages[-1].content
    if "prompt" not in row:
        raise ValueError("a thumb without a `prompt`")
    return prompt_of(row["prompt"]), _first(row, _REPLY)


def _first(row: Mapping[str, Any], names: Sequence[str]) -> Any:
    return next((row[name] for name in names if row.get(name) is not None), None)


def _good(value: Any) -> bool:
    said = str(value).strip().lower()
    if said in _UP or said in _DOWN:
        return said in _UP
    raise ValueError(f"{value!r} is no thumb; expected up or down, true or false, 1 or 0")


def _at(value: Any) -> str | None:
    if value is None:
        return None
    if isinstance(value, int | float) and not isinstance(value, bool):
        # Thousands of seconds, as browsers count, are after the year 5000 as seconds.
        seconds = value / 1000 if value > 1e11 else value
        return datetime.fromtimestamp(seconds, UTC).isoformat()
    try:
        when = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    except ValueError:
        raise ValueError(f"{value!r} is no time; write it as 2026-01-31T12:00:00Z") from None
    return (when if when.tzinfo else when.replace(tzinfo=UTC)).astimezone(UTC).isoformat()


def _told(error: Exception) -> str:
    return f"no field {error}" if isinstance(error, KeyError) else str(error)
