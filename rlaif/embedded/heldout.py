"""What the judge's training never sees: traits, wordings, a share of prompts and of people."""

import hashlib
import json
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import NamedTuple

from rlaif.embedded.traits import TRAITS
from rlaif.embedded.traits.base import Trait
from rlaif.embedded.traits.frames import DOES, DOES_NOT, framed
from rlaif.embedded.traits.load import Phrases, more_phrases


class HeldOut(NamedTuple):
    """The list as the file has it."""

    traits: frozenset[str]
    wordings: dict[str, dict[str, list[str]]]
    """For each trait, the sentences kept for `does` and for `does not`."""
    prompts: float
    """The share of prompts, by a hash of their text."""
    pairs: float
    """The share of people's pairs, by a hash of their prompt."""


class Wording(NamedTuple):
    """A sentence about a trait: true where the trait holds, or, if not `claims`, where not."""

    text: str
    claims: bool


@cache
def held_out() -> HeldOut:
    """Read the list that was fixed before the first training."""
    text = files("rlaif.embedded").joinpath("heldout.json").read_text(encoding="utf-8")
    row = json.loads(text)
    return HeldOut(frozenset(row["traits"]), row["wordings"], row["prompts"], row["pairs"])


def is_held_out(text: str, share: float, salt: str = "prompt") -> bool:
    """Say whether a text belongs to the kept share; its content alone decides."""
    digest = hashlib.sha256(f"{salt}:{text.strip()}".encode()).digest()
    return int.from_bytes(digest[:4]) / 2**32 < share


def trained_traits() -> list[str]:
    """List the traits that training may ask about."""
    return [name for name in TRAITS if name not in held_out().traits]


def trained_phrases(trait: Trait, *, more: bool = False) -> Phrases:
    """Give the phrases that training may use: all but the last two, and all but the last.

    With `more`, those of `wordings/more` as well.
    """
    does, lacks = trait.does[:-2], trait.lacks[:-1]
    further = more_phrases().get(trait.name, Phrases()) if more else Phrases()
    return Phrases((*does, *further.does), (*lacks, *further.lacks))


@cache
def known_wordings(trait: Trait, *, more: bool = False) -> tuple[Wording, ...]:
    """Write every sentence about a trait that training may use."""
    does, lacks = trained_phrases(trait, more=more)
    return tuple(
        Wording(framed(frame, phrase), claims)
        for frames, phrases, claims in (
            (DOES[:-1], does, True),
            (DOES_NOT[:-1], does, False),
            (DOES[:-1], lacks, False),
        )
        for frame in frames
        for phrase in phrases
    )


def new_wordings(trait: Trait) -> tuple[Wording, ...]:
    """Give the sentences about a trait that are kept for tests."""
    kept = held_out().wordings[trait.name]
    return tuple(
        Wording(text, claims=side == "does") for side in ("does", "does not") for text in kept[side]
    )


def kept_wordings(trait: Trait) -> dict[str, list[str]]:
    """Write the sentences to keep: two that claim the trait, two that deny it."""
    return {
        "does": [
            framed("The response {third}.", trait.does[-1]),
            framed("The reply {third}.", trait.does[-2]),
        ],
        "does not": [
            framed("The response does not {base}.", trait.does[-1]),
            framed("The response {third}.", trait.lacks[-1]),
        ],
    }


def extend(path: Path) -> None:
    """Write into the file what is kept of the traits it has not yet; what it has stays.

    `python -c "from pathlib import Path; from rlaif.embedded.heldout import extend;
    extend(Path('rlaif/embedded/heldout.json'))"` is to be run for each new trait,
    which needs phrases in `wordings/more` besides, where it may be trained.
    """
    row = json.loads(path.read_text(encoding="utf-8"))
    for name, trait in TRAITS.items():
        row["wordings"].setdefault(name, kept_wordings(trait))
    path.write_text(json.dumps(row, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
