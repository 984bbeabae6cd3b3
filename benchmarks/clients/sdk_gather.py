"""`AsyncOpenAI` as it comes: a semaphore, and one gather over all."""

import asyncio

import openai
from work import SAMPLING, Job, measure, messages


async def gathered(client: openai.AsyncOpenAI, job: Job) -> int:
    """Ask everything at once, so many at a time."""
    slots = asyncio.Semaphore(job.in_flight)

    async def one(number: int) -> bool:
        async with slots:
            said = await client.chat.completions.create(
                model="m", messages=messages(number), **SAMPLING
            )
            return said.choices[0].message.content == "A"

    return sum(await asyncio.gather(*(one(number) for number in range(job.items))))


def plain(job: Job) -> int:
    """Use the client's own transport."""
    return asyncio.run(gathered(openai.AsyncOpenAI(base_url=job.url, max_retries=0), job))


if __name__ == "__main__":
    measure(plain)
