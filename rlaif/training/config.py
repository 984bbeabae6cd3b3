"""What a training run can be told, and what it gives back; loads no torch."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, NamedTuple, Self

from pydantic import Field, model_validator

from rlaif.records import Record
from rlaif.training.methods import PPO, THEIRS, Baseline, Critic, Monitor
from rlaif.training.rewards import OWN, Mixing, RewardPart, check_parts

Progress = Callable[[int, int, dict[str, float]], None]
"""Called after each step with the step, the number of steps, and what was measured."""
Say = Callable[[str], None]
"""Is told, in a line, what goes on beside the steps."""


class Trained(NamedTuple):
    """A finished training run."""

    path: Path
    """The Hugging Face folder it wrote."""
    metrics: dict[str, float]
    rows: int
    """Rows trained on."""
    left_out: dict[str, int]
    """Rows left out, by reason."""
    notes: tuple[str, ...] = ()
    """What a person should know, a line each."""


class LoRA(Record):
    """Train a low-rank adapter beside frozen weights; it is merged into them at the end."""

    r: int = Field(default=16, ge=1)
    """The adapter's rank."""
    alpha: float = Field(default=32.0, gt=0.0)
    """The adapter counts alpha / r times."""
    dropout: float = Field(default=0.0, ge=0.0, lt=1.0)
    """The share of the adapter's inputs dropped while training."""
    targets: str | tuple[str, ...] = "all-linear"
    """The layers it goes beside: `all-linear`, or names such as `q_proj`."""
    bits: Literal[4, 8] | None = None
    """Read the frozen weights in so many bits (QLoRA): a 7B model in 4 bits takes 5 GB. It needs
    `pip install 'rlaif-kit[qlora]'`."""
    layers_from: int = Field(default=0, ge=0)
    """Leave the layers below this one alone; leaving a fifth of them costs a fifth less."""


class TrainingConfig(Record):
    """What every trainer can be told."""

    epochs: float = Field(default=1.0, gt=0.0)
    """Times each row is seen."""
    steps: int | None = Field(default=None, ge=1)
    """Stop after this many updates, whatever `epochs` says."""
    learning_rate: float = Field(default=3e-4, gt=0.0)
    """The highest learning rate; without `lora`, take about a tenth of it."""
    schedule: Literal["linear", "cosine", "constant"] = "linear"
    """How the learning rate falls from its highest."""
    warmup: float = Field(default=0.0, ge=0.0, lt=1.0)
    """The share of the updates over which the learning rate rises; the first of them is at 0."""
    batch: int = Field(default=8, ge=1)
    """Rows in one pass through the model."""
    gradient_accumulation: int = Field(default=1, ge=1)
    """Passes in one update."""
    max_length: int = Field(default=1024, ge=2)
    """Rows with more tokens, prompt and answer together, are left out and counted; what the model
    reads at most is the bound where that is less."""
    lora: LoRA | None = LoRA()
    """The adapter to train; null trains every weight."""
    precision: Literal["auto", "bfloat16", "float32"] = "auto"
    """What the arithmetic is done in; auto takes bfloat16 where the device has it."""
    gradient_checkpointing: bool | None = None
    """Keep less in memory and compute it twice; where it is not said, on a GPU alone."""
    checkpoint: int = Field(default=500, ge=1)
    """Updates between two checkpoints, which a run that was stopped goes on from."""
    extra: dict[str, Any] = Field(default_factory=dict)
    """Options handed to TRL's own config unchanged, such as `max_grad_norm: 0.5`."""


class SFTConfig(TrainingConfig):
    """How to imitate: the loss is on the answer alone."""

    learning_rate: float = Field(default=5e-4, gt=0.0)
    """The highest learning rate; without `lora`, take about a tenth of it."""


class Probe(Record):
    """Leave the base as it is, and fit the score alone on what one of its layers says."""

    layers: int | None = Field(default=None, ge=1)
    """Keep so many layers of the base, and read the score behind them; all where none is given."""
    ridge: float = Field(default=3.0, gt=0.0)
    """How much the fit is held back, for entries that differ by 1 from answer to answer."""


class RewardConfig(TrainingConfig):
    """How to turn preferences into a reward model."""

    held_out: float = Field(default=0.2, ge=0.0, lt=1.0)
    """The share of the prompts whose pairs measure the model and never train it."""
    loss: Literal["soft", "hard", "luce"] = "soft"
    """soft takes each label's probability; hard takes only which is better, a tie staying a tie;
    luce takes a prompt's whole ranking (Plackett and Luce), where its pairs make one."""
    kwise: bool = False
    """A row is a prompt with all its answers and all their pairs, each answer encoded once; `batch`
    then counts prompts. Without it a row is a pair."""
    pairs_per_prompt: int | None = Field(default=None, ge=1)
    """With `kwise`: so many of a prompt's pairs, drawn by the seed; all where none is given."""
    share_prompts: bool = False
    """Encode a prompt once for all its answers in a batch, where the model can."""
    centring: float | None = Field(default=None, gt=0.0)
    """How much the two scores of a pair are held around 0; 0.01 is usual."""
    too_long: Literal["drop", "truncate"] = "drop"
    """What becomes of answers beyond `max_length`: left out, or read without the beginning of the
    prompt; both are counted."""
    members: int = Field(default=1, ge=1)
    """Models of an ensemble, each from a seed of its own; their scores become one by `combine`."""
    heads: int = Field(default=1, ge=1)
    """Heads on the trunk of each, with weights of their own and each from its own draw of the
    prompts: an ensemble in the time of one model."""
    combine: Literal["mean", "min", "lower"] = "mean"
    """How an ensemble scores: its mean, its least, or `spread` deviations below its mean."""
    spread: float = Field(default=1.0, ge=0.0)
    """For `lower`: how many standard deviations below the mean."""
    probe: Probe | None = None
    """Fit the score alone, in one pass over the answers: for few labels, or no GPU. What adapters
    and steps are told by (`lora`, `learning_rate`, `batch`, …) then counts for nothing."""
    by_principle: bool = False
    """The model reads a principle before the conversation, and learns each principle's own verdict:
    one model that scores by any principle."""
    zero: Literal["free", "demonstrations"] = "free"
    """Where 0 is: free, or moved to the mean score of the demonstrations (Ouyang et al. 2022)."""

    @model_validator(mode="after")
    def _ranks_whole_prompts(self) -> Self:
        if self.loss == "luce" and not self.kwise:
            raise ValueError("loss: luce ranks all answers to a prompt; say `kwise: true` too")
        if self.probe and self.members > 1:
            raise ValueError("members: a fit has no chance in it, all would be one; say `heads`")
        if self.pairs_per_prompt and (not self.kwise or self.loss == "luce"):
            raise ValueError(
                "pairs_per_prompt: draws from a prompt's pairs; it needs `kwise: true`"
                " and a loss of pairs"
            )
        return self


Method = Literal[
    "dpo",
    "ipo",
    "kto",
    "online-dpo",
    "rloo",
    "grpo",
    "reinforce",
    "ppo",
    "rejection",
    "best-of-n",
]
BY_CHOICE: tuple[Method, ...] = ("rejection", "best-of-n")
"""Methods that draw once and keep the best of each prompt's answers."""
BY_REWARD: tuple[Method, ...] = ("online-dpo", "rloo", "grpo", "reinforce", "ppo", *BY_CHOICE)
"""Methods that sample answers and learn from their reward; the others learn from preferences."""
BY_GROUPS: tuple[Method, ...] = ("online-dpo", "rloo", "grpo", *BY_CHOICE)
"""Methods that compare the answers to one prompt with each other."""


class OptimizeConfig(TrainingConfig):
    """How to move a policy towards what is preferred."""

    method: Method = "dpo"
    """dpo and ipo learn from preferences, kto from answers that are good or bad by themselves;
    rloo, grpo, reinforce and ppo sample answers and learn from their reward, and online-dpo from
    the best against the worst. Two to compare them with: rejection imitates the best of `samples`
    answers, and best-of-n trains nothing and draws so many whenever it is asked."""
    reward: Literal["model", "judge"] = "judge"
    """What scores sampled answers: the trained reward model or the judge itself; `rewards` says
    more."""
    rewards: tuple[RewardPart, ...] = ()
    """What scores sampled answers, in parts: `[{model: run}, {judge: run, weight: 0.5}, {function:
    length, most: 80}]`. An answer that one part gives no score trains nothing."""
    mix: Mixing = "sum"
    """How parts become one: sum adds them by weight; product multiplies models and judges, each
    brought to 0…1 by σ (safe completion: helpful · safe), and adds functions."""
    normalise: Literal["none", "group", "each"] = "none"
    """For grpo: divide advantages by the deviation within a prompt's answers; `each` does so for
    each part of the reward before they are added, for several principles. A judge's noise is
    divided too, so none is usual."""
    baseline: Baseline = "mean"
    """What reinforce takes from a reward: the running mean of earlier ones, what a critic has
    learned to expect, or nothing. None of them changes what is learned, only how steadily."""
    kl_in: Literal["reward", "loss"] = "reward"
    """For reinforce: where the KL counts; in the reward its gradient is exact."""
    critic: Critic = Critic()
    """What expects a reward: ppo's, and reinforce's learned baseline."""
    ppo: PPO = PPO()
    """How ppo steps."""
    beta: float = Field(default=0.1, ge=0.0)
    """How much staying near the starting policy counts: the β of dpo, online-dpo and kto, ipo's τ,
    the KL in the reward of rloo, reinforce and ppo, or in grpo's loss.

    0.1 suits dpo; 0.02 to 0.05 suits what learns from a reward.
    """
    label_smoothing: float = Field(default=0.0, ge=0.0, lt=0.5)
    """For dpo, ipo and online-dpo: the share of labels that are taken to be the wrong way round."""
    smoothing: Literal["conservative", "robust"] = "conservative"
    """What becomes of that share: conservative makes every label as much less sure; robust undoes
    it, so that the loss is right in the mean (Chowdhury et al. 2024)."""
    reference: str | None = None
    """For dpo, ipo and kto: the folder of the model to stay near; where none is named, the starting
    policy."""
    samples: int = Field(default=4, ge=1)
    """Answers drawn for each prompt; rloo and grpo compare them with each other, for reinforce and
    ppo one will do."""
    max_new_tokens: int = Field(default=48, ge=1)
    """The longest answer that is drawn."""
    temperature: float = Field(default=1.0, gt=0.0)
    """How freely answers are drawn."""
    monitor: Monitor | None = None
    """Looks at a fixed sample while the policy is trained by a reward, judged by one that is not
    the reward, and when to stop."""
    patience: float = Field(default=300.0, ge=0.0)
    """Seconds that a judge that goes away in the middle is waited for; then the run stops with a
    checkpoint, and the same command goes on."""
    clip_reward: float | None = Field(default=None, gt=0.0)
    """Rewards beyond this many points from 0 count as this many, whatever they are made of."""

    @property
    def by_reward(self) -> bool:
        """Say whether the method learns from the reward of what it samples."""
        return self.method in BY_REWARD

    @property
    def parts(self) -> tuple[RewardPart, ...]:
        """What the reward is made of, in the short form or the long."""
        if self.rewards:
            return self.rewards
        return (RewardPart(model=OWN) if self.reward == "model" else RewardPart(judge=OWN),)

    @model_validator(mode="after")
    def _fits_the_method(self) -> Self:
        has_kl = self.by_reward and self.method != "online-dpo"
        if not has_kl and self.beta == 0.0:
            raise ValueError(
                f"beta: {self.method} needs more than 0, or nothing holds the policy; try 0.1"
            )
        if self.label_smoothing and self.method not in ("dpo", "ipo", "online-dpo"):
            raise ValueError(f"label_smoothing: {self.method} has none; dpo and ipo do")
        if self.reference and self.by_reward:
            raise ValueError(f"reference: {self.method} stays near its start; leave it out")
        if self.method == "kto" and self.batch < 2:
            raise ValueError("batch: kto compares rows of a batch; take 2 or more")
        if self.rewards and not self.by_reward:
            raise ValueError(f"rewards: {self.method} learns from preferences, not from a reward")
        if self.monitor and (not self.by_reward or self.method in BY_CHOICE):
            raise ValueError(f"monitor: {self.method} draws nothing while it learns; leave it out")
        if self.monitor and self.monitor.stop.kl and self.beta == 0.0:
            raise ValueError(
                "monitor.stop.kl: with `beta: 0` nothing tells how far the policy has gone; give "
                "beta a little more than 0, or leave it out"
            )
        check_parts(self.parts, self.mix)
        if self.normalise != "none" and self.method != "grpo":
            raise ValueError(f"normalise: {self.method} divides by no deviation; grpo does")
        if self.normalise == "each" and self.mix == "product":
            raise ValueError("normalise: each part by itself cannot go with `mix: product`")
        return self

    @model_validator(mode="after")
    def _has_one_loss(self) -> Self:
        theirs = next((name for name in THEIRS if name in self.extra), None)
        ours = {
            "method: ipo": self.method == "ipo",
            "label_smoothing": self.label_smoothing > 0,
            "smoothing": self.smoothing != "conservative",
        }
        told = next((name for name, is_set in ours.items() if is_set), None)
        if theirs and told and self.method in ("dpo", "ipo"):
            raise ValueError(
                f"extra.{theirs}: brings TRL's own loss, which knows nothing of `{told}`; "
                "leave one of them out"
            )
        return self

    @property
    def passes(self) -> int:
        """Batches that one process draws at once."""
        updates = self.ppo.updates if self.method == "ppo" else 1
        own = self.gradient_accumulation * updates
        return int(self.extra.get("steps_per_generation") or own)

    @model_validator(mode="after")
    def _groups_are_whole(self) -> Self:
        if not self.by_reward:
            return self
        if self.samples < 2 and self.method in BY_GROUPS:
            raise ValueError(f"samples: {self.method} compares answers; draw 2 or more a prompt")
        if self.method in BY_CHOICE:
            return self
        if self.method == "online-dpo" and self.batch % self.samples:
            raise ValueError(
                f"batch: online-dpo takes whole groups in a pass; make {self.batch} a multiple of "
                f"samples ({self.samples})"
            )
        # What one process draws before an update. A group that two processes share would come to
        # the judge in halves.
        answers = self.batch * self.passes
        if answers < 2:
            raise ValueError("batch: one answer an update says nothing of better; take 2 or more")
        if answers % self.samples:
            raise ValueError(
                f"samples: {self.samples} answers a prompt do not divide batch × "
                f"gradient_accumulation ({answers}); make that a multiple of {self.samples}"
            )
        return self
