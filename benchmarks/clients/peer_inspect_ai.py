"""inspect_ai: an evaluation whose samples are the questions."""

import tempfile

import inspect_ai
from inspect_ai import Task
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.model import GenerateConfig, get_model
from inspect_ai.scorer import match
from inspect_ai.solver import generate
from work import SAMPLING, Job, measure, question


def evaluated(job: Job) -> int:
    """Ask each sample's question; an A is what is expected."""
    samples = [Sample(input=question(number), target="A") for number in range(job.items)]
    task = Task(dataset=MemoryDataset(samples), solver=generate(), scorer=match())
    config = GenerateConfig(**SAMPLING, max_connections=job.in_flight)
    model = get_model("openai/m", base_url=job.url, api_key="none", config=config)
    with tempfile.TemporaryDirectory() as folder:
        [log] = inspect_ai.eval(
            task,
            model=model,
            max_connections=job.in_flight,
            max_samples=job.in_flight,
            display="none",
            log_dir=folder,
            log_samples=True,
        )
    return sum(bool(one.scores) for one in log.samples or [])


if __name__ == "__main__":
    measure(evaluated)
