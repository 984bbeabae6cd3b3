"""Changes of a reply's form, by trait: where no added sentence gives it, or cut one takes it."""

import random
import re
from collections.abc import Callable

from rlaif.embedded.traits.base import sentences, words

Give = Callable[[str, random.Random], str]
Take = Callable[[str], str]

_MARK = re.compile(r"^\s*(?:[-*•]\s+|\d{1,2}[.)]\s+)", re.MULTILINE)
_CONTRACTED = {
    "do not": "don't", "does not": "doesn't", "is not": "isn't", "cannot": "can't",
    "it is": "it's", "I am": "I'm", "I will": "I'll", "you will": "you'll", "I have": "I've",
    "you are": "you're", "that is": "that's", "It is": "It's", "will not": "won't",
    "I would": "I'd", "are not": "aren't", "Do not": "Don't", "You are": "You're",
}  # fmt: skip
_WRITTEN_OUT = {short: full for full, short in _CONTRACTED.items()} | {"let's": "let us"}


def _spoken(reply: str) -> list[str]:
    """Split into sentences, with no bullet or number before any."""
    return [part for part in sentences(_MARK.sub("", reply)) if words(part)]


def _of_words(most: int) -> Take:
    """Keep the first sentences that together have so many words; at least one."""

    def change(reply: str) -> str:
        kept: list[str] = []
        for part in _spoken(reply):
            if kept and len(words(" ".join([*kept, part]))) > most:
                break
            kept.append(part)
        return " ".join(kept)

    return change


def _of_sentences(most: int) -> Take:
    return lambda reply: " ".join(_spoken(reply)[:most])


def _given(take: Take) -> Give:
    return lambda reply, _: take(reply)


def _in_paragraphs(reply: str, rng: random.Random) -> str:
    parts = _spoken(reply)
    if len(parts) < 2:
        return reply
    at = rng.randint(1, len(parts) - 1)
    return f"{' '.join(parts[:at])}\n\n{' '.join(parts[at:])}"


def _on_one_line(reply: str) -> str:
    return " ".join(_MARK.sub("", reply).split())


def _on_lines(reply: str) -> str:
    return "\n".join(_spoken(reply))


def _listed(marks: Callable[[int], str]) -> Give:
    """Set each sentence on a line of its own behind a mark; one sentence makes no list."""

    def change(reply: str, _: random.Random) -> str:
        parts = _spoken(reply)
        lines = [f"{marks(n)} {part}" for n, part in enumerate(parts, start=1)]
        return "\n".join(lines) if len(parts) > 1 else reply

    return change


def _joined(reply: str, rng: random.Random) -> str:
    """Make long sentences of short ones."""
    link = rng.choice((", and ", ", while ", ", so "))
    parts = [part.rstrip(".!") for part in _spoken(reply)]
    parts[1:] = [part if part[:2] in ("I ", "I'") else part[0].lower() + part[1:]
                 for part in parts[1:]]  # fmt: skip
    return f"{link.join(parts)}."


def _shouted(reply: str, rng: random.Random) -> str:
    long = list(re.finditer(r"\b[^\W\d_]{4,}\b", reply))
    if not long:
        return reply
    word = rng.choice(long)
    return reply[: word.start()] + word[0].upper() + reply[word.end() :]


def _calmed(reply: str) -> str:
    return re.sub(r"\b[A-Z]{3,}\b", lambda word: word[0].lower(), reply)


def _capitalised(reply: str) -> str:
    return re.sub(r"(?:^|(?<=[.!?] ))[^\W\d_]", lambda letter: letter[0].upper(), reply)


def _unfinished(reply: str) -> str:
    return re.sub(r"[.!?…]+[\"'”’)*_`]*\s*$", "", reply)


def _replaced(table: dict[str, str]) -> Take:
    pattern = re.compile(rf"\b(?:{'|'.join(map(re.escape, table))})\b")
    return lambda reply: pattern.sub(lambda found: table[found[0]], reply)


def _one_question(reply: str) -> str:
    parts = sentences(reply)
    asked = [number for number, part in enumerate(parts) if part.endswith("?")]
    return " ".join(part for number, part in enumerate(parts) if number not in asked[1:])


GIVE: dict[str, Give] = {
    "brief": _given(_of_words(30)),
    "under-fifteen-words": _given(_of_words(14)),
    "under-fifty-words": _given(_of_words(49)),
    "one-sentence": _given(_of_sentences(1)),
    "two-sentences": _given(_of_sentences(2)),
    "long-sentences": _joined,
    "several-paragraphs": _in_paragraphs,
    "one-line": _given(_on_one_line),
    "bullets": _listed(lambda _: "-"),
    "numbered": _listed(lambda number: f"{number}."),
    "list": _listed(lambda _: "*"),
    "capitals": _shouted,
    "all-lower-case": _given(str.lower),
    "stops-properly": _given(lambda reply: f"{reply.rstrip(' ,;:')}."),
    "ends-exclaiming": _given(lambda reply: f"{_unfinished(reply)}!"),
    "contractions": _given(_replaced(_CONTRACTED)),
}
"""Give a reply the trait; the reply itself, or one that has it not, where that cannot be done."""

TAKE: dict[str, Take] = {
    "over-eighty-words": _of_words(80),
    "three-sentences-or-more": _of_sentences(2),
    "five-sentences-or-more": _of_sentences(4),
    "short-sentences": lambda reply: _joined(reply, random.Random(len(reply))),
    "several-paragraphs": _on_one_line,
    "one-line": _on_lines,
    "bullets": _on_one_line,
    "numbered": _on_one_line,
    "list": _on_one_line,
    "bold": lambda reply: re.sub(r"\*\*|^#+ ", "", reply, flags=re.MULTILINE),
    "heading": lambda reply: re.sub(r"^#+ +", "", reply, flags=re.MULTILINE),
    "code": lambda reply: reply.replace("`", ""),
    "capitals": _calmed,
    "all-lower-case": _capitalised,
    "stops-properly": _unfinished,
    "ends-exclaiming": lambda reply: f"{_unfinished(reply)}.",
    "asks-twice": _one_question,
    "contractions": _replaced(_WRITTEN_OUT),
}
"""Take the trait from a reply, on the same terms."""
