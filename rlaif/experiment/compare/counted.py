"""A reward that anybody can check: what a random policy of single characters can learn."""

from collections.abc import Sequence

from rlaif.records import Prompt


def count_of_e(_: Sequence[Prompt], texts: Sequence[str]) -> list[float | None]:
    """Count the letter e in each text.

    >>> count_of_e([], ["eel", "oyster", "fish"])
    [2.0, 1.0, 0.0]
    """
    return [float(text.count("e")) for text in texts]
