"""A run by several processes: the first does the stages, and all of them train."""

from rlaif.experiment.context import Context
from rlaif.experiment.stages import STAGES
from rlaif.training.team import tell, together, told

_TRAINS = ("sft", "reward", "optimize")
_END = "end"


def lead(stage: str) -> None:
    """Call the other processes to a stage, if it trains."""
    if stage in _TRAINS:
        tell(stage)


def rejoin(stage: str) -> None:
    """Wait until the other processes have kept what they spent on a stage, if it trains."""
    if stage in _TRAINS:
        together()


def end() -> None:
    """Let the other processes go."""
    tell(_END)


def follow(run: Context) -> None:
    """Take part in each stage that the first process calls to, until it lets go.

    Raises:
        StageError: when another process has failed.
    """
    for stage in iter(told, _END):
        try:
            STAGES[stage].run(run, run.folder / stage)
        finally:
            run.meter.close()
        rejoin(stage)
