"""litellm's Router: a semaphore, and one gather over all."""

import asyncio

import litellm
from work import SAMPLING, Job, measure, messages


async def routed(job: Job) -> int:
    """Ask everything at once, so many at a time."""
    router = litellm.Router(
        model_list=[
            {
                "model_name": "m",
                "litellm_params": {"model": "openai/m", "api_base": job.url, "api_key": "none"},
            }
        ],
        num_retries=0,
    )
    slots = asyncio.Semaphore(job.in_flight)

    async def one(number: int) -> bool:
        async with slots:
            said = await router.acompletion(model="m", messages=messages(number), **SAMPLING)
            return said.choices[0].message.content == "A"

    return sum(await asyncio.gather(*(one(number) for number in range(job.items))))


if __name__ == "__main__":
    measure(lambda job: asyncio.run(routed(job)))
