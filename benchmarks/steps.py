"""How long each step of a trainer takes, for benchmarks that let trainers take turns."""

from collections.abc import Callable
from typing import Any

from transformers import TrainerCallback


class Steps(TrainerCallback):  # type: ignore[misc]
    """Takes the time of each step."""

    def __init__(self, clock: Callable[[], float]) -> None:
        """Take it by a clock."""
        self._clock, self._since = clock, 0.0
        self.seconds: list[float] = []
        self.waited: list[float] = []
        """How long the reward was waited for in each step, where there is one."""

    def on_step_begin(self, *_: Any, **__: Any) -> None:
        """Begin a step."""
        self._since = self._clock()

    def on_step_end(self, *_: Any, **__: Any) -> None:
        """End it."""
        self.seconds.append(self._clock() - self._since)

    def on_log(self, *_: Any, **more: Any) -> None:
        """Note how long the reward was waited for."""
        if "seconds/reward" in more["logs"]:
            self.waited.append(more["logs"]["seconds/reward"])
