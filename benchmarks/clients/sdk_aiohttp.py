"""`AsyncOpenAI` with its aiohttp transport: a semaphore, and one gather over all."""

import asyncio

import openai
from sdk_gather import gathered
from work import Job, measure


def with_aiohttp(job: Job) -> int:
    """Use the client's other transport."""

    async def work() -> int:
        http = openai.DefaultAioHttpClient()
        async with openai.AsyncOpenAI(base_url=job.url, max_retries=0, http_client=http) as client:
            return await gathered(client, job)

    return asyncio.run(work())


if __name__ == "__main__":
    measure(with_aiohttp)
