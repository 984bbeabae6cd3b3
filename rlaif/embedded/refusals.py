"""Refusals of our own writing, put together from parts: with and without an offer, kind or not.

The base model hardly ever refuses, so that a judge taught on its replies alone would never see one.
"""

import random

_BEFORE = (
    "I'm sorry, but", "Sorry,", "Thanks for asking, but", "I understand that you're upset, but",
    "That sounds like a hard day, but", "I hear you, but", "Thank you for telling me, but",
    "To be honest,", "I see why you ask, but", "I'm afraid", "Hm,", "Let me be plain:",
    "I appreciate your trust, but", "Hello! I'm glad you wrote, but", "My friend,",
    "I know this matters to you, but",
)  # fmt: skip
_CORES = (
    "I can't help with that", "I can't help you with this", "I won't help with this",
    "I'm not able to help with that", "I cannot assist with this request",
    "I won't give instructions for that", "I'm unable to provide that",
    "that's not something I can help with", "this isn't something I'm willing to help with",
    "I have to decline", "I must say no to this", "I'd rather not help with this one",
    "I will not be part of this", "I can't go along with that", "I won't explain how to do that",
    "I don't feel comfortable helping with that", "I'm going to pass on this one",
    "my answer to this is no", "I will not tell you how to do that", "I refuse to help with this",
    "I can't support this plan", "I won't write that", "I couldn't help with such a thing",
    "I'm not going to advise on this", "I can't be of help here", "I cannot share that",
    "I decline", "I'm not comfortable giving advice on that", "I won't answer that",
    "I can't do that", "I cannot in good conscience help with this",
)  # fmt: skip
_REASONS = (
    "because somebody could get hurt", "since it would harm someone", "because people would suffer",
    "as it could end badly for you and others", "because it isn't safe",
    "since it would cost somebody dearly", "because it could do real damage",
    "since nobody should come to harm", "as it would break somebody's trust",
)  # fmt: skip
_OFFERS = (
    "but I can help you find a calmer way to deal with it",
    "but I'd be happy to help you with something else",
    "but I could help you write down what bothers you",
    "but I'd gladly help you plan a talk with the other person",
)
_OFFER_SENTENCES = (
    "I can help you write a letter about it instead.",
    "If you like, we can talk about what happened and look for a fair way out.",
    "What I can do is help you find somebody to talk to.",
    "I'd be glad to help you with a different plan.",
    "Would you like help with something else?",
    "I could suggest some honest ways to reach the same goal.",
    "Let's look for another way together.",
    "I'd be happy to talk about how to stay safe instead.",
    "How about a plan that hurts nobody?",
    "I can explain how to protect yourself from it.",
    "Instead, I can tell you where to get support.",
    "Is there something else I can help you with today? I'd love to help you with that.",
    "If you want, I can suggest a few harmless pranks or games.",
    "We could work on a kinder answer to this.",
)
_PLAIN = (
    "That is all I will say about it.", "That won't change.", "Someone might get hurt.",
    "It would put people in danger.", "The answer stays the same.", "I mean it.",
    "It could land somebody in hospital.", "A plan like that ends in tears.",
    "There is too much at stake.", "Things like that have a way of getting out of hand.",
)  # fmt: skip
_LECTURES = (
    "This is wrong, and you should be ashamed of it.",
    "It is important to remember that such acts are immoral.",
    "A decent person would not ask for this.",
    "You should respect other people and their rights.",
    "Think about how unethical that is.",
    "It is never acceptable to do such a thing.",
    "You must never think like that.",
    "Please reflect on your morals and do the right thing.",
    "Actions like this are irresponsible and wrong.",
)
_WARM = (
    "Take good care of yourself.", "I'm here for you.", "I hope that things get better soon.",
    "You are not alone with this.", "I wish you a calm evening.", "I'm glad you asked first.",
)  # fmt: skip
_KEPT_SHARE = 5


def refusal(rng: random.Random, *, kept: bool = False) -> str:
    """Write a refusal; `kept` draws from the parts that training never sees.

    >>> refusal(random.Random(0)) == refusal(random.Random(0))
    True
    """
    core = rng.choice(_part(_CORES, kept=kept))
    text = f"{rng.choice(_part(_BEFORE, kept=kept))} {core}" if rng.random() < 0.6 else core
    if rng.random() < 0.3:
        text += f" {rng.choice(_part(_REASONS, kept=kept))}"
    text = text[0].upper() + text[1:]
    style = rng.random()
    if style < 0.15:
        return f"{text}, {rng.choice(_part(_OFFERS, kept=kept))}."
    rest: list[str] = []
    if rng.random() < 0.25:
        rest.append(rng.choice(_part(_PLAIN, kept=kept)))
    if rng.random() < 0.25:
        rest += rng.sample(_part(_LECTURES, kept=kept), rng.choice((1, 1, 2)) if not kept else 1)
    if style < 0.55:
        rest += rng.sample(_part(_OFFER_SENTENCES, kept=kept), rng.choice((1, 1, 2)))
    if rng.random() < 0.25:
        rest.append(rng.choice(_part(_WARM, kept=kept)))
    return " ".join([f"{text}.", *rest])


def _part(choices: tuple[str, ...], *, kept: bool) -> list[str]:
    """Give the choices for training, or the fifth of them that is kept for tests."""
    return [text for index, text in enumerate(choices) if (index % _KEPT_SHARE == 2) == kept]
