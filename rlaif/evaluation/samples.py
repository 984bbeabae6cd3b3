"""A trained policy's replies beside its base's: the same prompts, the same draws, row by row."""

import itertools
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from rlaif.embedded.traits.base import words
from rlaif.evaluation.intervals import Interval, wilson
from rlaif.evaluation.measures import kind_of_reply, length_of
from rlaif.evaluation.sheet import NONE, Sheet, whole
from rlaif.records import Abstention, Prompt, Record, Response

SIDES = ("base", "tuned")
Said = Response | Abstention


class Sample(Record):
    """One draw of each policy to one prompt; a draw that came to nothing is an abstention."""

    id: str
    prompt: Prompt
    base: Said
    tuned: Said

    @property
    def is_same(self) -> bool:
        """Say whether both policies wrote the same."""
        texts = [said.text if isinstance(said, Response) else None for said in self.sides()]
        return texts[0] is not None and texts[0] == texts[1]

    def sides(self) -> tuple[Said, Said]:
        """Give the two draws in the order of `SIDES`."""
        return self.base, self.tuned


class Summary(Record):
    """What one policy's replies are like; broken text is broken, and nothing else."""

    policy: str
    replies: int
    abstained: int
    refusals: Interval | None
    degenerate: Interval | None
    words: float
    """The mean number of a reply's words."""
    distinct: float | None
    """The share of pairs of neighbouring words, in all replies together, that differ from each
    other (distinct-2, Li et al. 2016): it falls where a policy says the same to everybody."""


def side_by_side(
    prompts: Sequence[Prompt], base: Iterable[Said], tuned: Iterable[Said]
) -> list[Sample]:
    """Put two policies' outcomes of `respond` together, in the order of the prompts.

    Raises:
        ValueError: for a draw that only one of the two has an outcome of.
    """
    asked = {prompt.id: (place, prompt) for place, prompt in enumerate(prompts)}
    by_name = {_name_of(said): said for said in base}
    samples = []
    for said in tuned:
        name = _name_of(said)
        prompt = asked[name.rpartition("#")[0]][1]
        samples.append(Sample(id=name, prompt=prompt, base=by_name.pop(name), tuned=said))
    if by_name:
        raise ValueError(f"no other side of {', '.join(by_name)}")
    return sorted(samples, key=lambda sample: _place(sample, asked[sample.prompt.id][0]))


def _place(sample: Sample, prompt: int) -> tuple[int, int]:
    return prompt, int(sample.id.rpartition("#")[2])


def _name_of(said: Said) -> str:
    return said.id if isinstance(said, Response) else said.subject


def sum_up(samples: Sequence[Sample]) -> list[Summary]:
    """Sum each side up."""
    return [
        _summary(side, [(sample.prompt, sample.sides()[number]) for sample in samples])
        for number, side in enumerate(SIDES)
    ]


def _summary(policy: str, rows: Sequence[tuple[Prompt, Said]]) -> Summary:
    said = [(prompt, reply.text) for prompt, reply in rows if isinstance(reply, Response)]
    kinds = Counter(kind_of_reply(text, prompt) for prompt, text in said)
    # One observation a prompt: a prompt's draws are not independent.
    prompts = len({prompt.id for prompt, _ in said})
    pairs = [pair for _, text in said for pair in _neighbours(text)]
    return Summary(
        policy=policy,
        replies=len(said),
        abstained=len(rows) - len(said),
        refusals=wilson(kinds["refusal"] / len(said), prompts) if said else None,
        degenerate=wilson(kinds["degenerate"] / len(said), prompts) if said else None,
        words=sum(length_of(text) for _, text in said) / max(len(said), 1),
        distinct=len(set(pairs)) / len(pairs) if pairs else None,
    )


def _neighbours(text: str) -> Iterator[tuple[str, str]]:
    said = [word.lower() for word in words(text)]
    return itertools.pairwise(said)


def sheet(samples: Sequence[Sample], names: tuple[str, str]) -> Sheet:
    """Lay both sides out as one table, a side a row; `names` are the two models'."""
    rows = [
        [
            f"{summary.policy}: {name}",
            f"{summary.replies:,}",
            f"{summary.abstained:,}",
            whole(summary.refusals),
            whole(summary.degenerate),
            f"{summary.words:.1f}",
            f"{summary.distinct:.2f}" if summary.distinct is not None else NONE,
        ]
        for summary, name in zip(sum_up(samples), names, strict=True)
    ]
    same = sum(sample.is_same for sample in samples)
    head = ["", "replies", "abstained", "refuses", "degenerate", "words", "distinct-2"]
    return Sheet("", head, rows, (f"{same:,} of {len(samples):,} replies are the same text",))


def lines_of(sample: Sample) -> list[tuple[str, str]]:
    """Give a draw as named lines, for a person to read."""
    lines = [("prompt", sample.prompt.text)]
    for side, said in zip(SIDES, sample.sides(), strict=True):
        text = said.text if isinstance(said, Response) else f"({said.kind}: {said.detail})"
        lines.append((side, "the same" if side == "tuned" and sample.is_same else text))
    return lines
