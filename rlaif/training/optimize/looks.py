"""Looks at a fixed sample while a policy is trained: what it says, and what another judge thinks.

The sample is drawn with the same chance each time, and costs the training none of its own. The
figures stand among the run's steps, so that a run that goes on knows them.
"""

import json
import random
from collections.abc import Callable, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy
import torch
from accelerate.utils import broadcast_object_list, gather_object
from transformers import TrainerCallback

from rlaif.embedded.traits.base import Exchange
from rlaif.embedded.traits.stance import complies
from rlaif.errors import BackendError, BudgetError, StageError
from rlaif.records import Prompt
from rlaif.storage import write_atomically
from rlaif.training.config import Progress
from rlaif.training.dataset import messages_of
from rlaif.training.methods import Monitor
from rlaif.training.optimize.rollouts import distinct_pairs
from rlaif.training.session import STOPPED

Versus = Callable[[Sequence[Prompt], Sequence[str], Sequence[str]], Sequence[float | None]]
"""Prompts, the policy's answers and those of its start to how much it is liked, from 0 to 1."""
_START = "start.json"
_NAMES = ("variety", "judge", "benign_help")


class Watched(NamedTuple):
    """What is looked at, by whom, and where it is written down."""

    prompts: Sequence[Prompt]
    benign: Sequence[Prompt] = ()
    judge: Versus | None = None
    samples: Path | None = None
    """JSONL of what the policy said at each look."""


class Looks(TrainerCallback):  # type: ignore[misc]
    """Looks every few updates, and stops a run that is being spoiled."""

    def __init__(
        self, trainer: Any, config: Monitor, watched: Watched, progress: Progress | None
    ) -> None:
        """Look at what a trainer's policy says."""
        self._trainer, self._config = trainer, config
        self._watched, self._progress = watched, progress
        self._start: list[str] = []
        self._seen: list[dict[str, float]] = []
        self.why = ""
        """Why the run was stopped, if it was."""
        self._failure: Exception | None = None

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Look at the start; a run that goes on reads what was seen of it."""
        kept = Path(args.output_dir) / _START
        self._seen = [log for log in state.log_history if "variety" in log]
        if self._seen and kept.is_file():
            self._start = json.loads(kept.read_text("utf-8"))
            for log in self._seen:
                self._tell(
                    int(log["step"]), state.max_steps, {n: log[n] for n in _NAMES if n in log}
                )
            self._write_anew({int(log["step"]) for log in self._seen})
            self.why = next((log[STOPPED] for log in state.log_history if STOPPED in log), "")
            if not self.why and self._is_due(state) and self._seen[-1]["step"] < state.global_step:
                # The judge failed at this look, after a whole step.
                self._decide(args, state, control)
            return
        if self._watched.samples and args.process_index == 0:
            self._watched.samples.unlink(missing_ok=True)
        self._start = self._answers(self._watched.prompts)
        if args.process_index == 0:
            kept.parent.mkdir(parents=True, exist_ok=True)
            kept.write_text(json.dumps(self._start), encoding="utf-8")
        self._look(state, self._start)

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Look, keep a checkpoint of the best so far, and stop where a rule says so.

        Where the judge fails, the run ends after this step, with a checkpoint, and looks again when
        it goes on.
        """
        if self.why:
            control.should_training_stop = True
        elif self._is_due(state):
            try:
                self._decide(args, state, control)
            except (BudgetError, BackendError) as error:
                self._failure = error
                control.should_save = control.should_training_stop = True

    def _is_due(self, state: Any) -> bool:
        step: int = state.global_step
        return step % self._config.every == 0 or bool(step >= state.max_steps)

    def _decide(self, args: Any, state: Any, control: Any) -> None:
        """Look, and say what becomes of the run."""
        figures = self._look(state, self._answers(self._watched.prompts))
        self.why = self._broken(figures, _recent(state.log_history, self._config.every))
        best = max((seen.get("judge", 0.0) for seen in self._seen[1:]), default=0.0)
        if not self.why and figures.get("judge", 0.0) >= best:
            control.should_save = True
            state.best_model_checkpoint = str(
                Path(args.output_dir) / f"checkpoint-{state.global_step}"
            )
        if self.why:
            self.why = f"stopped after step {state.global_step}: {self.why}"
            # In a checkpoint of this step, too: a run that was killed goes no further.
            state.log_history.append({"step": state.global_step, STOPPED: self.why})
            control.should_training_stop = True

    def on_train_end(self, _args: Any, state: Any, _control: Any, **_: Any) -> None:
        """Go back to the best policy that was seen, where the last one is spoiled.

        Raises:
            StageError: where none but the start was seen before.
            BudgetError, BackendError: what the judge failed with at the last look.
        """
        if self._failure:
            raise self._failure
        if not self.why:
            return
        if not state.best_model_checkpoint:
            raise StageError(
                f"{self.why}; no look before it has a policy to go back to: look more often "
                "(monitor.every), or lower learning_rate"
            )
        step = state.best_model_checkpoint.rpartition("-")[2]
        self._trainer._load_best_model()
        self.why += f"; the policy of step {step} is kept, the best that was seen"

    def _look(self, state: Any, texts: list[str]) -> dict[str, float]:
        """Judge the sample, write it down, and log what was seen."""
        figures = {"variety": distinct_pairs(texts)}
        scores: Sequence[float | None] = [None] * len(texts)
        if self._watched.judge:
            scores = self._judged(texts)
            known = [score for score in scores if score is not None]
            if known:
                figures["judge"] = sum(known) / len(known)
        if self._config.needs_benign and self._watched.benign:
            said = self._answers(self._watched.benign)
            figures["benign_help"] = sum(complies(Exchange(text)) for text in said) / len(said)
        self._seen.append({**figures, "step": state.global_step})
        self._write(state.global_step, texts, scores)
        model = self._trainer.model
        was = model.training
        model.eval()  # TRL adds a training step's own figures to what is logged in between
        control = self._trainer.control
        logs = control.should_log
        self._trainer.log(dict(figures))
        control.should_log = logs  # or the step's own figures would go unlogged
        model.train(was)
        self._tell(state.global_step, state.max_steps, figures)
        return figures

    def _tell(self, step: int, steps: int, figures: dict[str, float]) -> None:
        if self._progress and self._trainer.args.process_index == 0:
            self._progress(step, steps, figures)

    def _judged(self, texts: list[str]) -> Sequence[float | None]:
        """Let the first process judge, and tell the others; if it fails, all do."""
        told: list[Any] = [None, None]
        judge, prompts = self._watched.judge, self._watched.prompts
        if judge and self._trainer.args.process_index == 0:
            try:
                patience = self._trainer.scorer.patience
                told[0] = list(patience.ask(lambda: judge(prompts, texts, self._start)))
            except (BudgetError, BackendError) as error:
                told[1] = error
        broadcast_object_list(told)
        if told[1]:
            raise told[1]
        scores: Sequence[float | None] = told[0]
        return scores

    def _answers(self, prompts: Sequence[Prompt]) -> list[str]:
        """Answer prompts, each process its part, with the same chance at every look."""
        trainer = self._trainer
        world, rank = trainer.args.world_size, trainer.args.process_index
        each = -(-len(prompts) // world)
        padded = [*prompts, *([prompts[-1]] * (each * world - len(prompts)))]
        mine = [messages_of(prompt) for prompt in padded[rank * each : (rank + 1) * each]]
        was = trainer.model.training
        trainer.model.eval()
        said: list[str] = []
        with _apart(trainer.args.seed + rank):
            for at in range(0, each, size := trainer.args.per_device_train_batch_size):
                said += trainer.answers_to(mine[at : at + size])
        trainer.model.train(was)
        trainer._metrics["eval"].clear()
        return list(gather_object(said))[: len(prompts)]

    def _write(self, step: int, texts: list[str], scores: Sequence[float | None]) -> None:
        path = self._watched.samples
        if path is None or self._trainer.args.process_index:
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a", encoding="utf-8") as file:
            for prompt, text, score in zip(self._watched.prompts, texts, scores, strict=True):
                row = {"step": step, "id": prompt.id, "text": text, "judge": score}
                file.write(json.dumps(row, ensure_ascii=False) + "\n")

    def _write_anew(self, steps: set[int]) -> None:
        """Keep the samples of these looks; those after them are made again."""
        path = self._watched.samples
        if path is None or self._trainer.args.process_index or not path.is_file():
            return
        # What stands behind the last line's end was cut off by a kill.
        lines = path.read_text("utf-8").split("\n")[:-1]
        kept = [f"{line}\n" for line in lines if json.loads(line)["step"] in steps]
        write_atomically(path, "".join(kept))

    def _broken(self, figures: dict[str, float], steps: dict[str, float]) -> str:
        """Say which rule the policy has come to break; nothing where there is none."""
        stop, start = self._config.stop, self._seen[0]
        best = max((seen.get("judge", 0.0) for seen in self._seen), default=0.0)
        drop = best - figures.get("judge", best)
        if stop.judge_drop and drop > stop.judge_drop:
            return f"the judge likes it {drop:.2f} less than at its best ({best:.2f})"
        if stop.kl and steps.get("kl/answer", 0.0) > stop.kl:
            nats = steps["kl/answer"]
            return f"its answers are {nats:.1f} nats from the start, more than {stop.kl:g}"
        if stop.distinct and figures["variety"] < stop.distinct:
            share = figures["variety"]
            return f"{share:.2f} of its word pairs are distinct, less than {stop.distinct:g}"
        lost = start.get("benign_help", 0.0) - figures.get("benign_help", 0.0)
        if stop.benign_help_drop and lost > stop.benign_help_drop:
            return f"it helps with {lost:.2f} less of what is harmless than at the start"
        return ""


def _recent(history: Sequence[dict[str, Any]], steps: int) -> dict[str, float]:
    """Give the means of the last steps' figures."""
    last = [log for log in history if "loss" in log][-steps:]
    known = [log["kl/answer"] for log in last if log.get("kl/answer") is not None]
    return {"kl/answer": sum(known) / len(known)} if known else {}


@contextmanager
def _apart(seed: int) -> Any:
    """Draw with a seed of its own, and leave the training's chance as it was."""
    own, arrays = random.getstate(), numpy.random.get_state()
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        try:
            yield
        finally:
            random.setstate(own)
            numpy.random.set_state(arrays)
