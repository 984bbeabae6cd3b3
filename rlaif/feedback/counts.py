"""How many labels of which kind, in words."""

from collections import Counter
from collections.abc import Iterable, Mapping

from rlaif.records import Preference


def by_source(labels: Iterable[Preference]) -> dict[str, int]:
    """Count labels by who made them.

    >>> by_source([])
    {}
    """
    return dict(Counter(label.source for label in labels).most_common())


def told(counts: Mapping[str, int]) -> str:
    """Write counts in words.

    >>> told({"judge": 1200, "human": 3})
    '1,200 judge, 3 human'
    """
    return ", ".join(f"{count:,} {name}" for name, count in counts.items())
