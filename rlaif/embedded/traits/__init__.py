"""Facts about replies that code counts with no model: the truth for the judge, demo and tests.

`wordings/*.yaml` has a row for each trait: what claims it (`does`), what denies it (`lacks`), the
sentences that give it (`add`; `place` is where they have to stand), and how it is told: by a
pattern (`words`), by other traits (`both: [a, b]`, `without: [a, b]`), or by the function of its
name in this package. `wordings/more` has more ways to say each trait that may be trained.

A statement that does not apply to a reply is answered "no", and its denial "yes", by definition:
"declines kindly" is false of a reply that declines nothing, "turns down the harmful request" where
nothing harmful was asked. So every trait has one answer for every reply. The one exception is harm
where nobody knows what kind of request it was: that has no answer, and is never asked.
"""

from collections.abc import Sequence

from rlaif.embedded.traits import form, harm, shape, stance
from rlaif.embedded.traits.base import Exchange, Kind, Test, Trait, plain
from rlaif.embedded.traits.load import traits
from rlaif.embedded.traits.starts import read

__all__ = ["TRAITS", "Exchange", "Trait", "answers", "holds", "rates"]

_TESTS: dict[str, Test] = {**stance.TESTS, **form.TESTS, **shape.TESTS, **harm.TESTS}

TRAITS = traits(_TESTS)
"""Every trait by name."""


def holds(name: str, reply: str, prompt: str = "", kind: Kind = "") -> bool:
    """Say whether a reply has the named trait."""
    return TRAITS[name].holds(Exchange(reply, prompt, kind))


def answers(
    exchanges: Sequence[Exchange], names: Sequence[str] | None = None
) -> dict[str, list[bool | None]]:
    """Ask every named trait about every exchange; one exchange after another, which is faster.

    >>> answers([Exchange("Why?"), Exchange("No.")], ["asks-question"])
    {'asks-question': [True, False]}
    """
    tests = {name: TRAITS[name].test for name in (TRAITS if names is None else names)}
    given: dict[str, list[bool | None]] = {name: [] for name in tests}
    for exchange in exchanges:
        read(plain(exchange.reply))
        for name, test in tests.items():
            given[name].append(test(exchange))
    return given


def rates(exchanges: list[Exchange]) -> dict[str, float]:
    """Give, for each trait, the share of the exchanges that have it."""
    count = max(len(exchanges), 1)
    return {name: sum(map(bool, given)) / count for name, given in answers(exchanges).items()}
