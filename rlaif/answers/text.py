"""What a written answer says: pure functions on text, which never raise.

They look for a verdict that is stated ("B is better", "Answer: B", "B" on a line of its own).
A word that merely occurs is no verdict: "B lacks detail" names B and speaks for A.
"""

import re
from collections.abc import Sequence
from typing import Literal

Asks = Literal["better", "worse"]

_THINKING = re.compile(r"<(think|thinking|thought)>.*?(?:</\1>|\Z)", re.DOTALL | re.IGNORECASE)
_END_OF_THINKING = re.compile(r"\A.*</(?:think|thinking|thought)>", re.DOTALL | re.IGNORECASE)
_REFUSES = re.compile(
    r"\bI(?:['’]m| am| would|['’]d)?\s+(?:sorry\b|afraid\b|unable to\b|not able to\b|rather not\b"
    r"|can(?:not|['’]t| not)\b|won['’]t\b|will not\b|must decline\b|decline\b|refuse\b)",
    re.IGNORECASE,
)
_NOT_SAID = re.compile(
    r"\b(?:if|whether|why|unless|not|neither|nor|never|cannot|\w+n['’]t)\b", re.I
)
_FOR_THE_OTHER = re.compile(r"\b(?:worse|less)\b", re.IGNORECASE)
_CLAUSE = re.compile(r"[.,;:!?\n]")
_FAR = 80  # characters before a statement that can take it back ("I doubt whether …")

_LEAD = r"(?i:\b(?:reply|response|output|option|assistant|candidate)\s+)?[\s\"'*`(\[]{0,8}"
_CLOSE = r"[\"'*`)\]]*"
_ENDS = rf"(?={_CLOSE}\s*(?:[.,;:!?\n]|\Z)|{_CLOSE}\s+(?i:over|because|since|as|than|is)\b)"
_BETTER = {
    "better": r"(?:better|best|preferable|preferred|superior|stronger|the winner)",
    "worse": r"(?:worse|worst|weaker|weakest|inferior)",
}
_ONE = (
    r"(?: (?:reply|response|output|option|one)"
    r"(?: (?:for|to) (?:the|this) (?:given )?(?:instruction|prompt|question|request))?)?"
)
_KEY = {
    "better": r"(?:answer|verdict|choice|winner|preference|choose|chose|pick|prefer|select"
    rf"|(?:better|best){_ONE})",
    "worse": r"(?:answer|verdict|choice|choose|chose|pick|select"
    rf"|(?:worse|worst){_ONE})",
}


def spoken(text: str) -> str:
    """Give what a reasoning model says after it has thought.

    Some servers leave the opening mark out, since it stands in the prompt.

    >>> spoken("<think>A? no, B.</think> B"), spoken("A? no, B.</think> B")
    ('B', 'B')
    >>> spoken("<think>I ran out of")
    ''
    """
    return _END_OF_THINKING.sub("", _THINKING.sub(" ", text)).strip()


def refuses(text: str) -> bool:
    """Say whether a judge declines to judge.

    >>> refuses("I'd rather not compare these."), refuses("The reply says it cannot help.")
    (True, False)
    """
    return _REFUSES.search(text) is not None


def stated(text: str, options: Sequence[str], asks: Asks = "better") -> list[str]:
    """List the options that a text states as its verdict, in the order in which it does.

    >>> stated("B is better. A does not answer.", ["A", "B"])
    ['B']
    >>> stated("It is not clear whether A is better.", ["A", "B"])
    []
    """
    option = _any_of(options)
    patterns = (
        rf"{_LEAD}{option}{_CLOSE}\s+(?i:(?:is|was|would be|seems|appears)(?: to be)?"
        rf"(?: \w+){{0,3}}? {_BETTER[asks]})\b",
        rf"\b(?i:{_KEY[asks]})(?i:\s+is|\s+would be)?\s*[:=]?\s{{0,4}}{_LEAD}{option}{_ENDS}",
        rf"^[ \t\"'*`(\[#>-]*{option}[\"'*`)\] \t]*[.!]?[ \t]*$",
        rf":[ \t]*{_LEAD}{option}{_CLOSE}[.!]?[ \t]*$",
    )
    places = {
        match.start("option"): _as_written(match["option"], options)
        for pattern in patterns
        for match in re.finditer(pattern, text, re.MULTILINE)
        if _is_meant(text, match) and not (asks == "better" and _FOR_THE_OTHER.search(match[0]))
    }
    return [places[place] for place in sorted(places)]


def named(text: str, options: Sequence[str]) -> set[str]:
    """Collect the options that a text names, whatever it says of them."""
    return {_as_written(m["option"], options) for m in re.finditer(_any_of(options), text)}


def opens_or_closes_with(text: str, option: str) -> bool:
    """Say whether a text begins with an option as its answer, or ends in one.

    >>> opens_or_closes_with("Yes, it does.", "Yes"), opens_or_closes_with("So it's B.", "B")
    (True, True)
    >>> opens_or_closes_with("B lacks detail.", "B")
    False
    """
    one = _any_of([option])
    patterns = (
        rf"\A\W{{0,8}}{_LEAD}{one}{_ENDS}",
        rf"(?:\b(?i:is|it['’]s|be|say)|[:=→])\s{{0,4}}{_LEAD}{one}{_CLOSE}[.!]?\s*\Z",
    )
    found = [match for pattern in patterns if (match := re.search(pattern, text))]
    return any(_is_meant(text, match) for match in found)


def numbers(text: str, low: int, high: int) -> list[float]:
    """List the scores that a text gives: those stated as one, else every number it holds.

    The scale itself is no score: "7/10", "7 out of 10", "on a scale of 1 to 10".

    >>> numbers("8/10. It makes 3 errors.", 1, 10), numbers("On a scale of 1 to 10: 7", 1, 10)
    ([8.0], [7.0])
    """
    number = r"(?<![\w.,-])(?P<number>-?\d{1,6}(?:\.\d{1,6})?)(?![\w%]|[.,]\d|\s{0,2}[-–]\s{0,2}\d)"
    calm = re.sub(rf"\b{low}\s{{0,2}}(?:to|-|–|and|through)\s{{0,2}}{high}\b", " ", text)
    patterns = (
        rf"{number}\s{{0,2}}(?:/|out of)\s{{0,2}}{high}\b",
        rf"(?i:\b(?:score|rating|rate|grade)\b)[^\d\n-]{{0,20}}{number}",
        rf"^[^\w\n]*{number}[^\w\n]*$",
    )
    found = {
        match.start("number"): float(match["number"])
        for pattern in patterns
        for match in re.finditer(pattern, calm, re.MULTILINE)
    }
    if found:
        return [found[place] for place in sorted(found)]
    return [float(match["number"]) for match in re.finditer(number, calm)]


def rankings(text: str) -> list[tuple[str, ...]]:
    """List the rankings of letters that a text writes, whichever letters they are.

    >>> rankings("First thoughts. Ranking: **B** > A > C")
    [('B', 'A', 'C')]
    """
    one = r"(?i:\b(?:reply|response)\s)?[\"'*`(\[]{0,4}(?<!\w)[A-Z](?!\w)[\"'*`)\]]{0,4}"
    chains = re.finditer(rf"{one}(?:\s{{0,4}}[>≻]\s{{0,4}}{one})+", text)
    return [tuple(re.findall(r"(?<!\w)[A-Z](?!\w)", chain[0])) for chain in chains]


def _any_of(options: Sequence[str]) -> str:
    """Match any of the options as a word; a single letter only as it is written.

    In other cases "a" would be the article.
    """
    longest_first = sorted(options, key=len, reverse=True)
    each = [re.escape(o) if len(o) == 1 else f"(?i:{re.escape(o)})" for o in longest_first]
    return rf"(?<!\w)(?P<option>{'|'.join(each) or '(?!)'})(?!\w)"


def _as_written(found: str, options: Sequence[str]) -> str:
    return next(o for o in options if re.fullmatch(re.escape(o), found, re.IGNORECASE))


def _is_meant(text: str, match: re.Match[str]) -> bool:
    """Leave out what is denied, doubted or asked."""
    before = text[max(0, match.start() - _FAR) : match.start()]
    said = text[match.start() : match.start("option")] + text[match.end("option") : match.end()]
    return not _NOT_SAID.search(_CLAUSE.split(before)[-1]) and not _NOT_SAID.search(said)
