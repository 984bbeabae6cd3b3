"""RLOO: sample answers, score them, and make the better ones of a prompt's group likelier.

TRL's trainer, with the reward as a plain function of prompts and texts.
"""

import time
from collections.abc import Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import trl
from datasets import Dataset

from rlaif.errors import StageError
from rlaif.records import Prompt
from rlaif.training.common import Silent, Watch, adapter, arguments, need_rows, repeatable, run
from rlaif.training.config import OptimizeConfig, Progress, Trained
from rlaif.training.dataset import messages_of, prompt_ids
from rlaif.training.folder import checked, load_tokenizer, reading, save, whole_folder
from rlaif.training.reward import Reward

_ENOUGH = 64
"""Answers without one score, after which a reward is taken to be broken."""


class RLOOTrainer(Silent, trl.RLOOTrainer):  # type: ignore[misc]
    """TRL's trainer, which begins to score answers before it reads them itself."""

    def _generate_and_score_completions(self, inputs: list[dict[str, Any]]) -> Any:
        self._rows = [row["row"] for row in inputs]
        return super()._generate_and_score_completions(inputs)

    def _generate(self, prompts: list[Any]) -> Any:
        made = super()._generate(prompts)
        # The policy and its reference read the answers next, which takes as long as writing them.
        self.reward_funcs[0].start(made[-1], self._rows)
        return made


class Scorer:
    """Asks the reward, and counts the answers that it gave no score."""

    __name__ = "reward"

    def __init__(self, prompts: Sequence[Prompt], reward: Reward) -> None:
        """Score answers to these prompts with this reward."""
        self._prompts, self._reward = prompts, reward
        self.asked = self.abstained = 0
        self._begun: tuple[list[str], Future[Sequence[float | None]]] | None = None

    def start(self, completions: Sequence[Sequence[dict[str, str]]], row: Sequence[int]) -> None:
        """Begin to score, where the reward can be begun: one that waits for a network can."""
        start = getattr(self._reward, "start", None)
        if start is not None:
            texts = _texts(completions)
            self._begun = texts, start([self._prompts[index] for index in row], texts)

    def __call__(
        self, completions: list[list[dict[str, str]]], row: list[int], **_: Any
    ) -> list[float | None]:
        """Score one text for each prompt; None stays None, which TRL leaves out of the group."""
        texts, begun = _texts(completions), self._begun
        if begun and begun[0] == texts:
            scores = list(begun[1].result())
        else:
            scores = list(self._reward([self._prompts[index] for index in row], texts))
        self.asked += len(scores)
        self.abstained += scores.count(None)
        if self.asked >= _ENOUGH:
            self.need_scores()
        return scores

    def need_scores(self) -> None:
        """Stop where every answer so far was left without a score.

        Raises:
            StageError: with the number of answers.
        """
        if self.abstained == self.asked:
            raise StageError(
                f"the reward scored none of the first {self.asked} answers, so nothing can be "
                "learned; look at the judge or the reward model first"
            )


def _texts(completions: Sequence[Sequence[dict[str, str]]]) -> list[str]:
    return [completion[0]["content"] for completion in completions]


def train_rloo(  # noqa: PLR0913 - prompts and a reward beside what every trainer takes
    prompts: Sequence[Prompt],
    reward: Reward,
    config: OptimizeConfig,
    model: Path,
    out: Path,
    *,
    seed: int = 0,
    progress: Progress | None = None,
) -> Trained:
    """Raise the reward of what the policy samples, staying near where it started; write `out`."""
    started = time.monotonic()
    with repeatable(seed):
        tokenizer = load_tokenizer(model)
        kept = _that_fit(prompts, tokenizer, config)
        left_out = {"too long": len(prompts) - len(kept)}
        need_rows(len(kept), left_out, "prompts")
        scorer, watch = Scorer(kept, reward), Watch(progress)
        with whole_folder(out) as folder:
            args = arguments(trl.RLOOConfig, config, folder, seed, **_options(config))
            with reading(model):
                trainer = RLOOTrainer(
                    model=checked(model),
                    reward_funcs=scorer,
                    args=args,
                    train_dataset=_dataset(kept, config),
                    processing_class=tokenizer,
                    peft_config=adapter(config.lora, model, "CAUSAL_LM"),
                    callbacks=[watch],
                )
            run(trainer)
            scorer.need_scores()
            save(trainer.model, tokenizer, folder)
    metrics = {
        "steps": float(len(watch.logs)),
        "reward_first": watch.mean("reward", -0.1),
        "reward_last": watch.mean("reward", 0.1),
        "kl": watch.mean("kl", 0.1),
        "length": watch.mean("completions/mean_length", 0.1),
        "answers": float(scorer.asked),
        "seconds": time.monotonic() - started,
    }
    return Trained(out, metrics, len(kept), {**left_out, "reward abstained": scorer.abstained})


def _options(config: OptimizeConfig) -> dict[str, Any]:
    clip = config.clip_reward
    return {
        "beta": config.beta,
        "num_generations": config.samples,
        "max_completion_length": config.max_new_tokens,
        "temperature": config.temperature,
        "reward_clip_range": None if clip is None else (-clip, clip),
    }


def _that_fit(prompts: Sequence[Prompt], tokenizer: Any, config: OptimizeConfig) -> list[Prompt]:
    room = config.max_length - config.max_new_tokens
    return [p for p in prompts if len(prompt_ids(tokenizer, messages_of(p))) <= room]


def _dataset(prompts: Sequence[Prompt], config: OptimizeConfig) -> Any:
    rows = [{"prompt": messages_of(prompt), "row": row} for row, prompt in enumerate(prompts)]
    # TRL takes only whole generation batches: fewer prompts than one of them would be none at all.
    needed = config.batch * config.gradient_accumulation // config.samples
    return Dataset.from_list(rows * -(-needed // len(rows)))
