"""A reward that is asked as soon as there is something to judge, and waited for when it is needed.

For judges behind a network: their answers come in while the trainer computes. A local judge would
only take the processor from it.
"""

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor

from rlaif.judges.reward import Reward
from rlaif.records import Prompt


class Early:
    """Any reward, begun ahead of time in a thread of its own; batches are judged in turn."""

    def __init__(self, reward: Reward) -> None:
        """Let a reward be begun early."""
        self._reward = reward
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="rlaif judges")
        self.__name__ = "judge"  # what trainers call the reward in their logs

    def start(self, prompts: Sequence[Prompt], texts: Sequence[str]) -> Future[list[float | None]]:
        """Begin to judge and return at once; what the figures' `result()` raises, judging raised.

        Args:
            prompts: what was answered, one for each text.
            texts: the answers.
        """
        return self._pool.submit(self._reward, list(prompts), list(texts))

    def __call__(self, prompts: Sequence[Prompt], texts: Sequence[str]) -> list[float | None]:
        """Judge and wait."""
        return self.start(prompts, texts).result()
