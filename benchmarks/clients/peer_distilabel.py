"""distilabel's OpenAI model, asked in batches of what may be in flight."""

import asyncio
import itertools

from distilabel.models.llms import OpenAILLM
from work import SAMPLING, Job, measure, messages


def batched(job: Job) -> int:
    """Ask batch after batch, as a pipeline's step does."""
    model = OpenAILLM(model="m", base_url=job.url, api_key="none")
    model.load()
    options = {
        name: SAMPLING[name] for name in ("temperature", "top_p", "logprobs", "top_logprobs")
    }
    done = 0
    numbers = iter(range(job.items))
    while batch := list(itertools.islice(numbers, job.in_flight)):
        said = model.generate_outputs(
            inputs=[messages(number) for number in batch], max_new_tokens=1, **options
        )
        done += sum(one["generations"][0] == "A" for one in said)
    return done


if __name__ == "__main__":
    asyncio.set_event_loop(asyncio.new_event_loop())
    measure(batched)
