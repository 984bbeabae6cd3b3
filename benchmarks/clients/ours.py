"""This toolkit: a judge that compares, from the prompt file to the verdict."""

from collections.abc import Iterator

from work import Job, measure, reply

from rlaif.backends.openai import OpenAIBackend
from rlaif.backends.spec import OpenAIModel
from rlaif.constitution.principle import Principle
from rlaif.judges.base import Case
from rlaif.judges.build import judge_from
from rlaif.records import Comparison, Prompt, Response, Verdict

RULE = Principle(id="better", text="The reply is the better one.")


def case(number: int) -> Case:
    """Make an item a question."""
    prompt = Prompt.of(f"Question {number}", id=str(number))
    first, second = (
        Response(id=f"{number}{slot}", prompt_id=prompt.id, text=reply(number, slot), author="a")
        for slot in "AB"
    )
    return Case(Comparison(id=prompt.id, prompt=prompt, first=first, second=second), RULE)


def cases(job: Job) -> Iterator[Case]:
    """Make the questions one after the other."""
    return (case(number) for number in range(job.items))


def backend(job: Job) -> OpenAIBackend:
    """Connect."""
    return OpenAIBackend(OpenAIModel(model="m", base_url=job.url, in_flight=job.in_flight))


def judged(job: Job) -> int:
    """Judge each in one order, by log-probabilities."""
    judge = judge_from(backend(job), "compare", orders="one")
    return sum(
        isinstance(said, Verdict) and said.read == "logprobs"
        for _, said in judge.decide(cases(job))
    )


if __name__ == "__main__":
    measure(judged)
