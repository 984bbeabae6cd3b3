"""TRL's rows: preference pairs with messages, and single replies for KTO."""

from collections.abc import Iterable, Iterator
from typing import Any

from rlaif.records import Preference, Prompt, Response

Row = dict[str, Any]


def preference_row(label: Preference) -> Row:
    """Give TRL's conversational preference columns, and beside them what else is known.

    Trainers leave columns that they do not know; the importer reads them again.
    """
    row = {
        "id": label.id,
        "prompt": _messages(label.prompt),
        "chosen": [_said(label.chosen)],
        "rejected": [_said(label.rejected)],
        "p_chosen": label.p_chosen,
        "weight": label.weight,
        "source": label.source,
        "by": label.by,
        "group": label.group,
        "tags": list(label.prompt.tags),
        "chosen_author": label.chosen.author,
        "rejected_author": label.rejected.author,
    }
    return {name: value for name, value in row.items() if value is not None}


def unpaired_rows(labels: Iterable[Preference]) -> Iterator[Row]:
    """Give TRL's unpaired columns: the chosen reply is good, the rejected one is not.

    A tie says neither of either, and is left out. A reply of many pairs stands once, by what most
    of its pairs say; where they are divided it is left out.
    """
    votes: dict[tuple[str, str], list[bool]] = {}
    known: dict[tuple[str, str], tuple[Prompt, Response]] = {}
    for label in labels:
        if label.p_chosen == 0.5:
            continue
        for reply, good in ((label.chosen, True), (label.rejected, False)):
            key = (label.prompt.text, reply.text)
            votes.setdefault(key, []).append(good)
            known.setdefault(key, (label.prompt, reply))
    for key, said in votes.items():
        prompt, reply = known[key]
        if 2 * sum(said) != len(said):
            good = 2 * sum(said) > len(said)
            completion = [_said(reply)]
            row = {"id": reply.id, "prompt": _messages(prompt), "completion": completion}
            yield {**row, "label": good, "model": reply.author}


def _messages(prompt: Prompt) -> list[dict[str, str]]:
    return [{"role": turn.role, "content": turn.content} for turn in prompt.messages]


def _said(reply: Response) -> dict[str, str]:
    return {"role": "assistant", "content": reply.text}
