"""What supervised fine-tuning imitates: revisions, helpful replies, demonstrations of one's own."""

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from rlaif.errors import InputError
from rlaif.feedback.text import why_unfit
from rlaif.records import Prompt, Response, Revision
from rlaif.yamlfile import json_value, read_text

Imitated = tuple[Prompt, str]


def rows_to_imitate(
    prompts: Sequence[Prompt],
    responses: Iterable[Response],
    revisions: Iterable[Revision],
    *,
    keep: Sequence[str] = (),
    demonstrations: Path | None = None,
) -> tuple[list[Imitated], dict[str, int]]:
    """Gather (prompt, reply) rows, and count them by where they come from.

    Args:
        prompts: the training prompts.
        responses: the policy's own; those to prompts tagged with one of `keep` are imitated as
            they are, where they are fit to learn from.
        revisions: each is imitated.
        keep: tags of prompts whose own responses are worth keeping: helpfulness data.
        demonstrations: a JSONL file of `{"prompt", "reply"}`.
    """
    counts: Counter[str] = Counter()
    rows: list[Imitated] = []
    for revision in revisions:
        counts["revisions"] += 1
        rows.append((revision.prompt, revision.after.text))
    by_id = {prompt.id: prompt for prompt in prompts if set(prompt.tags) & set(keep)}
    for response in responses:
        if response.prompt_id in by_id:
            unfit = why_unfit(response.text)
            counts[unfit[0] if unfit else "kept responses"] += 1
            if not unfit:
                rows.append((by_id[response.prompt_id], response.text))
    if demonstrations:
        own = read_demonstrations(demonstrations)
        counts["demonstrations"] += len(own)
        rows.extend(own)
    return rows, dict(counts)


def read_demonstrations(path: Path) -> list[Imitated]:
    """Read `{"prompt": …, "reply": …}` rows.

    Raises:
        InputError: for a row that is none, with file and line.
    """
    rows: list[Imitated] = []
    for number, line in enumerate(read_text(path).split("\n"), start=1):
        if not line.strip():
            continue
        try:
            row = json_value(line, path, number)
            rows.append((Prompt.of(row["prompt"]), str(row["reply"])))
        except (ValueError, KeyError, TypeError):
            raise InputError.at(path, number, 'expected {"prompt": …, "reply": …}') from None
    return rows
