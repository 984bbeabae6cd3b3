"""bespokelabs-curator over a data set of the questions."""

import os
import sysconfig
import tempfile
from pathlib import Path

os.environ |= {
    "CURATOR_DISABLE_CACHE": "1",
    "TELEMETRY_ENABLED": "0",
    "CURATOR_VIEWER": "0",
    # litellm, which it needs, brings along a tokenizer's file that is fetched otherwise.
    "TIKTOKEN_CACHE_DIR": str(
        Path(sysconfig.get_path("purelib"), "litellm", "litellm_core_utils", "tokenizers")
    ),
}

from bespokelabs import curator
from work import SAMPLING, Job, measure, question


class Asked(curator.LLM):
    """One question a row."""

    def prompt(self, row: dict[str, str]) -> str:
        """Give the row's question."""
        return row["question"]

    def parse(self, row: dict[str, str], response: str) -> dict[str, str]:
        """Keep the letter."""
        return {"number": row["number"], "said": response}


def curated(job: Job) -> int:
    """Ask each row."""
    rows = [{"number": str(n), "question": question(n)} for n in range(job.items)]
    with tempfile.TemporaryDirectory() as folder:
        os.environ["CURATOR_CACHE_DIR"] = folder
        asker = Asked(
            model_name="gpt-4o-mini",
            backend="openai",
            generation_params={n: v for n, v in SAMPLING.items() if n != "top_logprobs"},
            backend_params={
                "base_url": job.url,
                "api_key": "none",
                "max_concurrent_requests": job.in_flight,
                "max_requests_per_minute": 10_000_000,
                "max_tokens_per_minute": 10_000_000_000,
                "max_retries": 0,
            },
        )
        said = asker(rows)
        found = said.dataset if hasattr(said, "dataset") else said
        return sum(row["said"] == "A" for row in found)


if __name__ == "__main__":
    measure(curated)
