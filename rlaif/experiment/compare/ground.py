"""What all methods of one seed share in a comparison."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from rlaif.experiment.compare.config import Compare
from rlaif.records import Prompt
from rlaif.training.draws import Draw
from rlaif.training.reward import Reward


class Ground(NamedTuple):
    """One seed's start, prompts and reward."""

    config: Compare
    prompts: Sequence[Prompt]
    reward: Reward
    start: Path
    at_first: Sequence[Draw]
    """The start's answers, which every method's are held against."""
    seed: int
    folder: Path
