"""From prompts to responses: K candidates each, drawn from a policy."""

from collections.abc import Iterable, Iterator, Mapping

from pydantic import Field

from rlaif.backends.base import Backend, seeded
from rlaif.feedback.prompts import Share
from rlaif.judges.asking import gather
from rlaif.records import (
    Abstention,
    Completion,
    Failure,
    Message,
    Prompt,
    Record,
    Request,
    Response,
    Sampling,
)


class RespondConfig(Record):
    """How responses are drawn."""

    prompts: Share = 0
    """Answer so many of the prompts, drawn by the seed, or so many with each of some tags; 0
    takes all."""
    samples: int = Field(default=4, ge=1)
    """Responses for each prompt."""
    temperature: float = Field(default=0.8, ge=0.0)
    """0 takes the likeliest token each time."""
    top_p: float = Field(default=0.95, gt=0.0, le=1.0)
    """The smallest set of tokens with this much probability is drawn from."""
    max_tokens: int = Field(default=64, ge=1)
    """The longest response, in tokens."""
    system: str | None = None
    """A system message put before each prompt that has none; part of the sampling, not kept."""


def respond(
    prompts: Iterable[Prompt],
    policy: Backend,
    config: RespondConfig = RespondConfig(),
    *,
    seed: int = 0,
) -> Iterator[Response | Abstention]:
    """Draw `config.samples` responses to each prompt; each ends as a response or an abstention.

    Every draw is seeded by its own prompt and number, whatever else is in the batch.
    """

    def ask(prompt: Prompt) -> Mapping[str, Request]:
        return {
            str(number): request_for(prompt, config, f"{seed}:{prompt.id}:{number}")
            for number in range(config.samples)
        }

    for prompt, answers in gather(policy, prompts, ask):
        for number, said in answers.items():
            yield _outcome(prompt, f"{prompt.id}#{number}", said.answer, policy.name, config)


def request_for(prompt: Prompt, config: RespondConfig, item: str) -> Request:
    """Make the request that draws one response; `item` seeds it."""
    messages = prompt.messages
    if config.system and messages[0].role != "system":
        messages = (Message(role="system", content=config.system), *messages)
    sampling = Sampling(
        temperature=config.temperature, top_p=config.top_p, max_tokens=config.max_tokens
    )
    return seeded(Request(id=item, messages=messages, sampling=sampling), item)


def _outcome(
    prompt: Prompt, name: str, said: Completion | Failure, author: str, config: RespondConfig
) -> Response | Abstention:
    if isinstance(said, Failure):
        return Abstention(kind=said.kind, subject=name, by=author, detail=said.detail)
    text = said.text.strip()
    if not text:
        return Abstention(kind="empty", subject=name, by=author, detail="nothing was said")
    sampling = Sampling(
        temperature=config.temperature, top_p=config.top_p, max_tokens=config.max_tokens
    )
    return Response(id=name, prompt_id=prompt.id, text=text, author=author, sampling=sampling)
