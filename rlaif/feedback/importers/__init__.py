"""Read pairs as people publish them: our own records, or the columns other tools write.

A file is JSON lines, one JSON value, CSV or Parquet, and a row of it is one of
    a `Comparison` or a `Preference`, as this toolkit writes them
    {"prompt": …, "first": …, "second": …}                    two replies, not yet judged
    {"prompt": …, "first": …, "second": …, "choice": …}       and judged: first, second or tie
    {"chosen": transcript, "rejected": transcript}            HH-RLHF's two whole conversations
    {"prompt": …, "chosen": …, "rejected": …}                 TRL's columns, text or messages
    {"prompt": …, "responses": [a, b, c], "ranks": [2, 1, 3]} K replies in their places
    {"prompt": …, "responses": [a, b, c], "scores": [7, 9, 7]}, or UltraFeedback's `completions`
    {"model_a": …, "model_b": …, "conversation_a": …, "conversation_b": …, "winner": …}  an arena's
    {"comparisons": …, "annotators": …}                       ICAI's annotated pairs, one value
    {"fields": {"prompt": …, "response_a": …, "response_b": …}, "responses": …}  Argilla's records
    {"text_a": …, "text_b": …, "preferred_text": …}           ICAI's own input
and may say `rater` (or `by`), who judged it. Then it needs an `id`, since several raters' rows of
one pair share it. K replies give all their pairs, which share a `group`.
"""

from rlaif.feedback.importers.make import PEOPLE
from rlaif.feedback.importers.pairs import (
    PairRow,
    as_comparison,
    label_of,
    pair_rows,
    question_of,
    read_pair,
    read_pairs,
    read_people,
)

__all__ = [
    "PEOPLE",
    "PairRow",
    "as_comparison",
    "label_of",
    "pair_rows",
    "question_of",
    "read_pair",
    "read_pairs",
    "read_people",
]
