"""Sample answers, score them, and make the better ones likelier: what those methods share."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from accelerate.utils import gather_object
from datasets import Dataset

from rlaif.errors import BackendError, BudgetError, InputError
from rlaif.records import Prompt, fingerprint_of
from rlaif.training.checkpoints import keeping
from rlaif.training.common import Watch, adapter, arguments, need_rows, repeatable
from rlaif.training.config import OptimizeConfig, Progress, Say, Trained
from rlaif.training.dataset import messages_of, prompt_ids
from rlaif.training.folder import (
    checked,
    load_tokenizer,
    reading,
    tokens_read,
    told_of_length,
)
from rlaif.training.optimize.looks import Looks, Watched
from rlaif.training.optimize.patience import Patience
from rlaif.training.optimize.recipes import recipe_of
from rlaif.training.optimize.scorer import Scorer
from rlaif.training.reward import Reward
from rlaif.training.session import carry_through, working


class Job(NamedTuple):
    """What a policy is trained on, and how."""

    prompts: Sequence[Prompt]
    scorer: Scorer
    tokenizer: Any
    config: OptimizeConfig
    model: Path


def train_by_reward(  # noqa: PLR0913 - prompts and a reward beside what every trainer takes
    prompts: Sequence[Prompt],
    reward: Reward,
    config: OptimizeConfig,
    model: Path,
    out: Path,
    *,
    seed: int = 0,
    progress: Progress | None = None,
    watched: Watched | None = None,
    say: Say = lambda _: None,
) -> Trained:
    """Raise the reward of what the policy samples, staying near where it started; write `out`.

    Args:
        prompts: what is answered.
        reward: one text for each prompt to a score each, or several of them, `Mixed`.
        config: which method, and how.
        model: the policy to start from.
        out: the Hugging Face folder to write.
        seed: of the draws.
        progress: called after each step.
        watched: what is looked at while it learns, where the config has a monitor.
        say: is told that a judge is gone and waited for.

    Raises:
        StageError: when nothing fits, nothing is scored, or the loss stops being a number.
        MissingModelError: for a model that is not there, or not complete.
    """
    started = time.monotonic()
    with repeatable(seed):
        tokenizer = load_tokenizer(model)
        kept = _that_fit(prompts, tokenizer, config, model)
        left_out = {"too long": len(prompts) - len(kept)}
        need_rows(len(kept), left_out, "prompts")
        scorer, watch = _scorer(kept, reward, config, say), Watch(progress)
        rows = fingerprint_of([prompt.fingerprint for prompt in kept])
        with working(out, config, model, seed, rows) as work:
            trainer = make_trainer(Job(kept, scorer, tokenizer, config, model), work, seed)
            looks = _looks(trainer, config, watched, kept, progress)
            try:
                carry_through(trainer, tokenizer, watch, out)
            except (BackendError, BudgetError):
                trainer.keep()
                raise
    asked, abstained = (sum(gather_object([n])) for n in (scorer.asked, scorer.abstained))
    metrics = {
        "steps": float(len(watch.logs)),
        "reward_first": watch.mean("reward", -0.1),
        "reward_last": watch.mean("reward", 0.1),
        "kl": watch.mean("kl/answer", 0.1),
        "length": watch.mean("completions/mean_length", 0.1),
        "answers": float(asked),
        "seconds": time.monotonic() - started,
    }
    counts = {**left_out, "reward abstained": abstained}
    notes = told_of_length(model, config.max_length, left_out["too long"])
    stopped = (looks.why,) if looks and looks.why else ()
    return Trained(out, metrics, len(kept), counts, (*notes, *stopped))


def _looks(
    trainer: Any,
    config: OptimizeConfig,
    watched: Watched | None,
    prompts: Sequence[Prompt],
    progress: Progress | None,
) -> Looks | None:
    """Add the looks that the config asks for; at the first of its prompts if none are given."""
    if config.monitor is None:
        return None
    watched = watched or Watched(prompts[: config.monitor.prompts])
    looks = Looks(trainer, config.monitor, watched, progress)
    trainer.add_callback(looks)
    return looks


def make_trainer(job: Job, folder: Path, seed: int) -> Any:
    """Put a method's trainer together.

    Raises:
        InputError: for an option in `extra` that TRL does not have or take.
    """
    config, recipe = job.config, recipe_of(job.config)
    options = {**keeping(config), **_sampling(config), **recipe.options}
    args = arguments(recipe.arguments, config, folder, seed, **options)
    need_whole_groups(args)
    each = config.normalise == "each"
    if each:
        args.reward_weights = list(job.scorer.mixed.weights.values())
    with reading(job.model):
        trainer = recipe.trainer(
            model=checked(job.model),
            reward_funcs=job.scorer.columns if each else job.scorer,
            args=args,
            train_dataset=_dataset(job.prompts, args),
            processing_class=job.tokenizer,
            peft_config=adapter(config.lora, job.model, "CAUSAL_LM"),
        )
    trainer.scorer = job.scorer
    recipe.finish(trainer, config)
    return trainer


def _sampling(config: OptimizeConfig) -> dict[str, Any]:
    return {
        "beta": config.beta,
        "num_generations": config.samples,
        # A look draws one.
        "num_generations_eval": 1,
        "max_completion_length": config.max_new_tokens,
        "temperature": config.temperature,
    }


def need_whole_groups(args: Any) -> None:
    """Refuse a group that two processes would share.

    Raises:
        InputError: where what one process draws at once does not hold whole groups.
    """
    answers = args.per_device_train_batch_size * args.steps_per_generation
    if answers % args.num_generations:
        raise InputError(
            f"samples: {args.num_generations} answers a prompt do not divide the {answers} that "
            "one process draws at once; make batch × gradient_accumulation a multiple of them"
        )


def _scorer(prompts: Sequence[Prompt], reward: Reward, config: OptimizeConfig, say: Say) -> Scorer:
    return Scorer(prompts, reward, config.clip_reward, Patience(config.patience, say))


def _that_fit(
    prompts: Sequence[Prompt], tokenizer: Any, config: OptimizeConfig, model: Path
) -> list[Prompt]:
    """Keep the prompts that leave room for an answer.

    Raises:
        InputError: where the longest answer leaves no room for any.
    """
    most = tokens_read(model, config.max_length)
    room = most - config.max_new_tokens
    if room < 1:
        raise InputError(
            f"max_new_tokens: answers of {config.max_new_tokens} tokens leave no room for a prompt "
            f"in {most} (max_length, or what {model} reads); lower it"
        )
    return [p for p in prompts if len(prompt_ids(tokenizer, messages_of(p))) <= room]


def _dataset(prompts: Sequence[Prompt], args: Any) -> Any:
    rows = [{"prompt": messages_of(prompt), "row": row} for row, prompt in enumerate(prompts)]
    # TRL takes only whole generation batches: fewer prompts than one of them would be none at all.
    needed = args.generation_batch_size // args.num_generations
    return Dataset.from_list(rows * -(-needed // len(rows)))
