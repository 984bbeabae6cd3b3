"""A pattern that is tried only where it can begin is found exactly where `re.search` finds it."""

import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rlaif.embedded.traits.base import plain
from rlaif.embedded.traits.load import merged
from rlaif.embedded.traits.starts import Finder, beginnings, read

EMBEDDED = Path(__file__).parents[2] / "rlaif" / "embedded"
WORDINGS = sorted((EMBEDDED / "traits" / "wordings").glob("*.yaml"))
PATTERNS = [
    row["words"]
    for row in merged({p.name: p.read_text(encoding="utf-8") for p in WORDINGS}).values()
    if "words" in row
]
FORMS = (
    r"\b(?:we|our|ours?elves)\b",
    r"\b(?:(?:very |really )*good|a{2,3}b|x?yz)",
    r"\bno(?! way)(?:\w+)?\b|\b[abc]at|\b[0-9]+ ?%",
    r"\b(?:(?<!my )dear|(?<=, )pal)\b",
    r"^\b(?:so|then),",
    r"\b(?:ok|)\b",
    r"good\b|\bwe",
    r"\b(?i:We)\b",
    r"\b(['a])b\1",
)
WORDS = (
    *("we", "our", "ourselves", "very", "good", "aab", "aaab", "yz", "no", "now", "way", "cat"),
    *(
        "7",
        "%",
        "my",
        "dear",
        ", ",
        "pal",
        "so,",
        "then",
        "\n",
        "é",
        "_we",
        "'b'",
        "aba",
        "a",
        "ok",
    ),
)


@pytest.mark.parametrize("pattern", FORMS)
@given(words=st.lists(st.sampled_from(WORDS)), between=st.sampled_from(("", " ")))
def test_a_finder_finds_what_a_search_finds(pattern: str, words: list[str], between: str) -> None:
    text = between.join(words)
    finder, found = Finder(pattern), bool(re.search(pattern, text, re.MULTILINE))
    assert finder(text) is found
    read(text)
    assert finder(text) is found


def test_the_traits_patterns_are_found_in_replies_where_a_search_finds_them() -> None:
    lines = (EMBEDDED / "replies.jsonl").read_text(encoding="utf-8").splitlines()
    replies = [json.loads(line)["reply"] for line in lines]
    finders = [Finder(pattern) for pattern in PATTERNS]
    for reply in map(plain, replies[::12]):
        read(reply)
        found = [bool(re.search(pattern, reply, re.MULTILINE)) for pattern in PATTERNS]
        assert [finder(reply) for finder in finders] == found


def test_a_finder_made_after_a_text_was_read_looks_at_all_of_it() -> None:
    text = "we did"
    read(text)
    assert Finder(r"\bdid\b")(text)


def test_most_patterns_of_words_are_tried_only_where_they_can_begin() -> None:
    assert sum(bool(beginnings(pattern)) for pattern in PATTERNS) > 0.8 * len(PATTERNS)


def test_beginnings_end_where_the_letters_are_no_longer_certain() -> None:
    assert beginnings(r"\b(?:we(?:'re)?|ours)\b") == {"we", "we'r", "ours"}
    assert beginnings(r"\bx+y") == {"x"}
    assert beginnings(r"\b(?:very )?big\w+") == {"very", "big"}
    assert beginnings(r"\b\w+ing") == frozenset()
    assert beginnings(r"\ba|b") == frozenset()
