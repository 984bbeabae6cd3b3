"""`AsyncOpenAI`'s own `post` with nothing built of the answer: aiohttp, uvloop, a window."""

import asyncio
import json

import httpx2
import openai
import uvloop
from work import SAMPLING, Job, measure, messages


async def windowed(job: Job) -> int:
    """Ask with so many workers, each taking the next."""
    numbers = iter(range(job.items))
    http = openai.DefaultAioHttpClient()
    async with openai.AsyncOpenAI(base_url=job.url, max_retries=0, http_client=http) as client:

        async def worker() -> int:
            done = 0
            for number in numbers:
                body = {"model": "m", "messages": messages(number), **SAMPLING}
                async with asyncio.timeout(60):
                    got = await client.post("/chat/completions", cast_to=httpx2.Response, body=body)
                done += json.loads(got.content)["choices"][0]["message"]["content"] == "A"
            return done

        return sum(await asyncio.gather(*(worker() for _ in range(job.in_flight))))


if __name__ == "__main__":
    measure(lambda job: uvloop.run(windowed(job)))
