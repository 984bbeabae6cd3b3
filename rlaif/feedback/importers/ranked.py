"""K replies of one prompt in their places, as labellers rank them (Ouyang 2022)."""

from collections.abc import Iterator, Mapping
from typing import Any

from rlaif.feedback.importers.candidates import LISTS, all_pairs, figures_of, list_of
from rlaif.records import Preference

_PLACES = ("ranks", "ranking", "rank")
_BEST_FIRST = "ranked"


def fits(row: Mapping[str, Any]) -> bool:
    """Say whether a row has replies in an order, best first, or with the place of each."""
    if isinstance(row.get(_BEST_FIRST), list):
        return True
    replies = list_of(row)
    if replies is None:
        return False
    inside = any(isinstance(reply, dict) and "rank" in reply for reply in replies)
    return inside or any(isinstance(row.get(name), list) for name in _PLACES)


def read(row: Mapping[str, Any]) -> Iterator[Preference]:
    """Give all pairs; place 1 is the best, and two replies in one place are a tie."""
    if _BEST_FIRST in row:
        replies = row[_BEST_FIRST]
        rest = {key: value for key, value in row.items() if key != _BEST_FIRST}
        yield from all_pairs({**rest, LISTS[0]: replies}, [-float(n) for n in range(len(replies))])
        return
    places = figures_of(row, _PLACES) or []
    yield from all_pairs(row, [-place for place in places])
