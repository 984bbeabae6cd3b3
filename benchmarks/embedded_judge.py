"""How many principles a second the embedded judge asks about: replies' beginnings read once.

Replies of 60 tokens, each judged by 16 principles (those of the shipped constitutions), through the
local backend with the shipped judge: with beginnings shared, cold, and one prompt at a time. The
ways take turns on two threads. The ratio is of processor seconds, so that whatever else the machine
does weighs on both; the verdicts a second are by the clock, the best of the rounds, and beside them
what the processor seconds would give on two cores with nothing else to do. Prints a line per figure
(name, value, target, ok or short) and writes `results/`. `--rounds N` takes more rounds.
"""

import argparse
import math
import sys
import time
from collections.abc import Callable, Sequence
from statistics import median
from typing import NamedTuple

import torch
from figures import Claim, keep
from transformers.utils.logging import disable_progress_bar

from rlaif.backends.local import LocalBackend
from rlaif.backends.scoring import Padded
from rlaif.backends.sharing import Shared
from rlaif.backends.spec import LocalModel
from rlaif.constitution.principle import Constitution
from rlaif.embedded.find import embedded_model, judge_adapter
from rlaif.records import Completion, Request
from rlaif.templates import Template

THREADS = 2
REPLY = 60  # tokens
PRINCIPLES = 16
REPLIES = 8
"""Judged in one call where beginnings are shared; one prompt at a time, an eighth of them."""
CONSTITUTIONS = ("harmlessness", "helpful-honest-harmless", "over-refusal", "tone", "rule-based")
EXCHANGES = (
    ("How do I keep basil alive?", "Put the pot where it has light for half of the day and water "
     "it from below. "),
    ("What makes bread rise?", "Yeast eats sugar and gives off a gas that the dough holds in many "
     "small bubbles. "),
    ("How can I sleep better?", "Go to bed at the same hour, keep the room dark and cool, and "
     "leave the telephone outside. "),
    ("Why do cats purr?", "Nobody knows for certain, but a cat that purrs is mostly content or "
     "wants to be. "),
    ("How do I pick a lock?", "I can't help you open what is not yours, but a locksmith near you "
     "could open your own door. "),
    ("What is a prime number?", "A number above one which nothing divides but one and the number "
     "itself. "),
    ("Is it cold in May?", "In the north it can freeze at night, and by noon you may want to sit "
     "in the sun. "),
    ("How do I fix a puncture?", "Take the tube out, find the hole under water, rub it rough, glue "
     "the patch and wait a while. "),
)  # fmt: skip
Way = Callable[[Sequence[Request]], dict[str, float]]


class Took(NamedTuple):
    """How long one round of one way took."""

    clock: float
    processor: float


def principles() -> list[str]:
    """Give the sentences that replies are judged by."""
    names = [p.text for name in CONSTITUTIONS for p in Constitution.load(name).principles]
    return list(dict.fromkeys(names))[:PRINCIPLES]


def requests(backend: LocalBackend, count: int) -> list[Request]:
    """Ask every principle about so many replies of 60 tokens."""
    template, tokenizer = Template.load("absolute"), backend._tokenizer
    asked = []
    for number, (prompt, text) in enumerate(EXCHANGES[:count]):
        ids = tokenizer(text * REPLY, add_special_tokens=False)["input_ids"][:REPLY]
        values = {"prompt": prompt, "reply": tokenizer.decode(ids)}
        for place, principle in enumerate(principles()):
            name = f"{number}/{place}"
            asked.append(template.render(name, {**values, "principle": principle}))
    return asked


def answers(backend: LocalBackend, asked: Sequence[Request]) -> dict[str, float]:
    """Give each request's probability of yes among yes and no."""
    found = {}
    for request, said in backend.stream(asked):
        assert isinstance(said, Completion)
        assert said.option_logprobs
        yes, no = (math.exp(said.option_logprobs[option]) for option in ("Yes", "No"))
        found[request.id] = yes / (yes + no)
    return found


def shared(backend: LocalBackend, tokens: int) -> Way:
    """Encode every distinct token once; nothing is kept from the round before."""

    def ask(asked: Sequence[Request]) -> dict[str, float]:
        backend._scorer = Shared(backend._model, tokens=tokens)
        return answers(backend, asked)

    return ask


def one_by_one(backend: LocalBackend) -> Way:
    """Encode every prompt whole, one at a time."""

    def ask(asked: Sequence[Request]) -> dict[str, float]:
        backend._scorer = Padded(backend._model, batch=1, tokens=2**30)
        return answers(backend, asked)

    return ask


def timed(way: Way, asked: Sequence[Request]) -> Took:
    """Measure one round."""
    clock, processor = time.monotonic(), time.process_time()
    way(asked)
    return Took(time.monotonic() - clock, time.process_time() - processor)


def main() -> int:
    """Measure, print the figures and keep them; 1 when one is short."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=3)
    rounds = parser.parse_args().rounds
    disable_progress_bar()
    torch.set_num_threads(THREADS)
    spec = LocalModel(model="embedded", adapter="embedded-judge")
    backend = LocalBackend(embedded_model(), adapter=judge_adapter(), tokens=spec.tokens)
    every, few = requests(backend, REPLIES), requests(backend, REPLIES // 8)
    ways = {"shared": (shared(backend, spec.tokens), every), "one": (one_by_one(backend), few)}
    apart = [way(few) for way, _ in ways.values()]
    gap = max(abs(apart[0][name] - apart[1][name]) for name in apart[0])
    took: dict[str, list[Took]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, (way, asked) in ways.items():
            took[name].append(timed(way, asked))
    each = {name: median(t.processor for t in took[name]) / len(ways[name][1]) for name in ways}
    fastest = len(every) / min(t.clock for t in took["shared"])
    claims = [
        Claim("principle verdicts a second", fastest, 40),
        Claim("shared, × one prompt at a time", each["one"] / each["shared"], 6),
        Claim("largest difference of probabilities", gap, 1e-3, is_most=True),
    ]
    told = {f"{name}, processor ms a verdict": round(1000 * ms, 2) for name, ms in each.items()}
    told["verdicts a second by processor time"] = round(THREADS / each["shared"], 1)
    print(", ".join(f"{name} {value}" for name, value in told.items()))
    return keep("embedded_judge", claims, [told, {}, {}], threads=THREADS, rounds=rounds)


if __name__ == "__main__":
    sys.exit(main())
