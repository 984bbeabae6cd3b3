"""From responses to comparisons: which two replies of a prompt are put side by side."""

import itertools
import random
from collections.abc import Iterable, Iterator, Sequence

from rlaif.records import Comparison, Message, Prompt, Response


def pair(
    prompts: Iterable[Prompt], responses: Iterable[Response], *, per_prompt: int = 0, seed: int = 0
) -> Iterator[Comparison]:
    """Make comparisons of each prompt's responses: every pair, or a seeded few of them.

    Which of the two is shown first is drawn too, seeded by the pair, so that no slot is favoured.

    Args:
        prompts: the prompts, in the order in which comparisons come out.
        responses: any number for each prompt; those of unknown prompts are left aside.
        per_prompt: how many pairs of each prompt; 0 means every pair.
        seed: what the draws start from.
    """
    by_prompt: dict[str, list[Response]] = {}
    for response in responses:
        by_prompt.setdefault(response.prompt_id, []).append(response)
    for prompt in prompts:
        pairs = list(itertools.combinations(by_prompt.get(prompt.id, []), 2))
        for first, second in _some(pairs, per_prompt, f"{seed}:{prompt.id}"):
            yield _compare(prompt, first, second, seed)


def side_by_side(comparisons: Iterable[Comparison]) -> list[Comparison]:
    """Put comparisons of one conversation one after the other, and of these those that begin alike.

    So a served judge finds in its cache what the questions begin with. Conversations keep the order
    in which they first stood.
    """
    groups: dict[tuple[Message, ...], dict[str, list[Comparison]]] = {}
    for one in comparisons:
        replies = groups.setdefault(one.prompt.messages, {})
        replies.setdefault(one.first.text, []).append(one)
    return [one for replies in groups.values() for same in replies.values() for one in same]


def _some(
    pairs: Sequence[tuple[Response, Response]], count: int, seed: str
) -> Sequence[tuple[Response, Response]]:
    if not count or len(pairs) <= count:
        return pairs
    return random.Random(seed).sample(pairs, count)


def _compare(prompt: Prompt, first: Response, second: Response, seed: int) -> Comparison:
    comparison = Comparison(
        id=f"{first.id}~{second.id}", prompt=prompt, first=first, second=second, group=prompt.id
    )
    is_swapped = random.Random(f"{seed}:{comparison.id}").random() < 0.5
    return comparison.swapped() if is_swapped else comparison
