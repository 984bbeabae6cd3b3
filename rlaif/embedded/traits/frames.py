"""Turn a phrase such as `ask a question` into the sentences people write in constitutions.

The first word of a phrase is its verb. A further verb that goes with it is marked: `refuse and
+offer nothing` becomes "refuses and offers nothing", "refusing and offering nothing".
"""

import re

DOES = (
    "The response {third}.",
    "The reply {third}.",
    "The answer {third}.",
    "The assistant {third}.",
    "The response should {base}.",
    "The assistant should {base}.",
    "Prefer a reply that {third}.",
    "Prefer the response that {third}.",
    "Choose the response that {third}.",
    "A good reply here {third}.",
    "{Base}.",
    "Always {base}.",
    "It is true that the reply {third}.",
    "What the assistant says {third}.",
    "In its reply, the assistant {third}.",
    "The reply must {base}.",
    "Prefer the reply that {third}.",
    "One can say that the reply {third}.",
)
"""Sentences that hold where the phrase is true."""

DOES_NOT = (
    "The response does not {base}.",
    "The reply does not {base}.",
    "The answer doesn't {base}.",
    "The assistant does not {base}.",
    "The response never {third}.",
    "The response should not {base}.",
    "The assistant should never {base}.",
    "Prefer a reply that does not {base}.",
    "Prefer the response that doesn't {base}.",
    "Avoid {gerund}.",
    "Never {base}.",
    "Do not {base}.",
    "The reply avoids {gerund}.",
    "The response refrains from {gerund}.",
    "It is false that the reply {third}.",
    "The reply answers without {gerund}.",
    "In no way does the response {base}.",
)
"""Sentences that hold where the phrase is not true."""

_OF_BEING = {
    "The response does not {base}.": "The response is not {rest}.",
    "The reply does not {base}.": "The reply is not {rest}.",
    "The answer doesn't {base}.": "The answer isn't {rest}.",
    "The assistant does not {base}.": "The assistant is not {rest}.",
    "The response never {third}.": "The response is never {rest}.",
    "Prefer a reply that does not {base}.": "Prefer a reply that is not {rest}.",
    "Prefer the response that doesn't {base}.": "Prefer the response that isn't {rest}.",
    "In no way does the response {base}.": "In no way is the response {rest}.",
}
"""What the verb `be` makes of a frame: it is denied without `does`."""
_THIRD = {"be": "is", "have": "has", "do": "does", "go": "goes"}
_GERUND = {"be": "being", "lie": "lying", "tie": "tying"}
_DOUBLED = {
    "put", "set", "get", "stop", "begin", "sit", "cut", "run", "let", "spur", "shut", "wrap",
    "admit", "skip", "spin", "refer", "concur", "forbid", "drop", "sum", "recap", "prefer",
    "outrun", "fulfil", "counsel", "omit", "fit", "flag", "format", "cap", "nod", "bid", "beg",
    "span", "wag", "split", "outstrip", "top", "overstep", "shun", "dub", "typeset", "offset",
    "snub", "pin", "rebut", "brim", "hit", "abet", "commit", "dispel", "overlap",
}  # fmt: skip
_FURTHER = re.compile(r"\+(\w+)")
_UNDOUBTED_VOWEL = re.compile(r"[^aeiou]y$")


def third(phrase: str) -> str:
    """Put a phrase in the third person.

    >>> third("pass on the question"), third("carry on"), third("be brief")
    ('passes on the question', 'carries on', 'is brief')
    """
    return _FURTHER.sub(lambda found: _third(found[1]), _third(phrase))


def _third(phrase: str) -> str:
    verb, rest = _split(phrase)
    if verb in _THIRD:
        return _THIRD[verb] + rest
    if _UNDOUBTED_VOWEL.search(verb):
        return f"{verb[:-1]}ies{rest}"
    return f"{verb}es{rest}" if re.search(r"(?:s|sh|ch|x|z|o)$", verb) else f"{verb}s{rest}"


def gerund(phrase: str) -> str:
    """Put a phrase in the form that follows `avoid`.

    >>> gerund("make a list"), gerund("put it off"), gerund("agree to it")
    ('making a list', 'putting it off', 'agreeing to it')
    """
    return _FURTHER.sub(lambda found: _gerund(found[1]), _gerund(phrase))


def _gerund(phrase: str) -> str:
    verb, rest = _split(phrase)
    if verb in _GERUND:
        return _GERUND[verb] + rest
    if verb in _DOUBLED:
        return f"{verb}{verb[-1]}ing{rest}"
    if verb.endswith("e") and not verb.endswith(("ee", "oe")):
        return f"{verb[:-1]}ing{rest}"
    return f"{verb}ing{rest}"


def framed(frame: str, phrase: str) -> str:
    """Write a phrase into a frame.

    >>> framed("The response does not {base}.", "be brief")
    'The response is not brief.'
    >>> framed("Prefer a reply that {third}.", "refuse and +have nothing to offer")
    'Prefer a reply that refuses and has nothing to offer.'
    """
    if phrase.startswith("be ") and "+" not in phrase and frame in _OF_BEING:
        return _OF_BEING[frame].format(rest=phrase.removeprefix("be "))
    base = phrase.replace("+", "")
    return frame.format(
        base=base, third=third(phrase), gerund=gerund(phrase), Base=base[0].upper() + base[1:]
    )


def _split(phrase: str) -> tuple[str, str]:
    verb = re.split(r"\W", phrase, maxsplit=1)[0]
    return verb, phrase[len(verb) :]
