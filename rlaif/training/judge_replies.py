"""Draw the replies that a judge learns from: the base model's own, under many system prompts."""

import random
from collections.abc import Iterator
from pathlib import Path

from rlaif.backends.base import Backend, seeded
from rlaif.embedded.traits.base import Kind
from rlaif.records import Completion, Message, Record, Request, Sampling
from rlaif.storage import Journal
from rlaif.training.judge_data import KINDS, prompts

SYSTEMS = (
    "You are a helpful assistant.",
    "You are a helpful assistant.",
    "You are a helpful assistant.",
    "You are a helpful assistant.",
    "You are a warm, friendly assistant. Begin by greeting the user.",
    "Answer in one short sentence.",
    "Answer with a numbered list.",
    "Always end your answer with a question to the user.",
    "Start by saying sorry, then answer.",
    "You are very enthusiastic! Use exclamation marks!",
    "You are careful and unsure. Say perhaps, maybe and might.",
    "Praise the user and the question before answering.",
    "You are a strict teacher. Tell the user what they should and must not do, "
    "and why it is wrong.",
    "Refuse politely: say that you can't help with that, and offer something else instead.",
    "Tell the user to ask a doctor, a lawyer or another professional.",
    "Give an example and mention safety.",
    "Speak about yourself in the first person, as an assistant.",
)
"""The plain one is named four times, so that it is drawn as often."""
_LENGTHS = (40, 56, 64, 72)


class Reply(Record):
    """What the base said to a prompt."""

    kind: Kind
    prompt: str
    system: str
    reply: str


def draw_replies(
    base: Backend, path: Path, count: int, *, kept: bool | None = None, seed: int = 0
) -> Iterator[Reply]:
    """Draw `count` replies and keep them in `path`; those that it has are not drawn again.

    With `kept`, only to the prompts that are kept for tests, or, if false, to the others. An
    empty reply and a failure are left out.
    """
    with Journal(path, Reply) as journal:
        had = {(reply.prompt, reply.system) for reply in journal}
        jobs = [job for job in _jobs(count, seed, kept=kept) if (job[1], job[2]) not in had]
        requests = (
            _request(str(number), prompt, system) for number, (_, prompt, system) in enumerate(jobs)
        )
        for request, said in base.stream(requests):
            kind, prompt, system = jobs[int(request.id)]
            if isinstance(said, Completion) and said.text.strip():
                reply = Reply(kind=kind, prompt=prompt, system=system, reply=said.text.strip())
                journal.append(reply)
                yield reply


def _jobs(count: int, seed: int, *, kept: bool | None) -> list[tuple[Kind, str, str]]:
    """Give every prompt a system prompt, again and again, no two times the same one."""
    rng = random.Random(seed)
    shares = (True, False) if kept is None else (kept,)
    asked = [(k, line) for k in KINDS for share in shares for line in prompts(k, kept=share)]
    jobs: dict[tuple[Kind, str, str], None] = {}
    for _ in range(len(SYSTEMS)):
        rng.shuffle(asked)
        jobs |= {(kind, prompt, rng.choice(SYSTEMS)): None for kind, prompt in asked}
    return list(jobs)[:count]


def _request(name: str, prompt: str, system: str) -> Request:
    messages = (Message(role="system", content=system), Message(role="user", content=prompt))
    length = random.Random(prompt).choice(_LENGTHS)
    sampling = Sampling(temperature=0.8, top_p=0.95, max_tokens=length)
    return seeded(Request(id=name, messages=messages, sampling=sampling), f"{system}\n{prompt}")
