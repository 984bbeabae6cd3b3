"""What a model's tokens cost, from a table that people edit; what is not in it has no price."""

import re
from pathlib import Path

from pydantic import Field

from rlaif.records import Record, Usage
from rlaif.resources import shipped
from rlaif.yamlfile import load

FILE = "prices.yaml"
_DATED = re.compile(r"-\d{4}-\d{2}-\d{2}$")


class Price(Record):
    """US dollars for a million tokens."""

    read: float = Field(ge=0)
    written: float = Field(ge=0)

    def of(self, usage: Usage) -> float:
        """Give what some tokens cost, in US dollars.

        >>> Price(read=0.25, written=2.0).of(Usage(read=1_000_000, written=100_000))
        0.45
        """
        return (self.read * usage.read + self.written * usage.written) / 1e6


FREE = Price(read=0, written=0)
"""What a model on this machine costs."""


class _Table(Record):
    checked: str | int = ""
    """When these were looked up."""
    models: dict[str, Price]


def price_of(model: str) -> Price | None:
    """Look up a served model's price: the folder's own prices.yaml first; None where it is unknown.

    Raises:
        InputError: for a table that cannot be read.
    """
    known: dict[str, Price] = {}
    for path in (shipped(FILE), Path(FILE)):
        if path.is_file():
            known |= load(path, _Table).models
    return known.get(model) or known.get(_DATED.sub("", model))
