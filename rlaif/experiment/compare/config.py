"""A comparison's file: what all methods share, and what each is told beside it."""

from pathlib import Path
from typing import Any, Literal, Self, get_args

from pydantic import Field, ValidationError, field_validator, model_validator

from rlaif.records import Record
from rlaif.resources import did_you_mean
from rlaif.training.config import BY_CHOICE, Method, OptimizeConfig, SFTConfig
from rlaif.training.rewards import RewardPart
from rlaif.yamlfile import parse, read_text

TINY = "tiny"
"""In place of a policy: a random one of single characters, made anew from each seed."""


class BestOfN(Record):
    """Train nothing: draw several answers and keep the best."""

    n: int = Field(default=8, ge=2)
    """Answers to each prompt."""


How = BestOfN | SFTConfig | OptimizeConfig
_OTHERS = {"best-of-n": BestOfN, "sft": SFTConfig}


class Compare(Record):
    """One comparison of methods."""

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")
    """Names the folder."""
    summary: str = ""
    """One sentence for the page."""
    policy: str = TINY
    """Where all methods start: `tiny`, `embedded`, or a Hugging Face folder or name."""
    prompts: tuple[str, ...] | str
    """What is asked: a list of questions, or a file of prompts beside this one."""
    limit: int | None = Field(default=None, ge=1)
    """Only the first so many of a file's prompts."""
    reward: RewardPart
    """What all methods raise: a function or a reward model."""
    tokens: int = Field(ge=1)
    """Tokens that each method may draw to learn from."""
    seeds: tuple[int, ...] = (0, 1, 2)
    samples: int = Field(default=4, ge=2)
    """Answers drawn for each prompt at a time, and compared with each other."""
    max_new_tokens: int = Field(default=8, ge=1)
    """The longest answer."""
    temperature: float = Field(default=1.0, gt=0.0)
    answers: int = Field(default=32, ge=1)
    """Answers to each prompt that a trained policy is measured by."""
    training: dict[str, Any] = Field(default_factory=dict)
    """What every method that trains is told, such as `lora: null`."""
    methods: dict[str, dict[str, Any]]
    """By name: `sft` (imitates the best of its draws), `best-of-n`, or an optimizer's; another name
    for one says `method`. What it is told comes after `training`."""

    @field_validator("methods", mode="before")
    @classmethod
    def _bare(cls, methods: Any) -> Any:
        # `dpo:` with nothing after it means the method with what all are told.
        known = methods.items() if isinstance(methods, dict) else ()
        return {name: told or {} for name, told in known} or methods

    @model_validator(mode="after")
    def _can_be_run(self) -> Self:
        if not self.methods or not self.seeds:
            raise ValueError("methods and seeds: name one at least")
        if self.reward.judge:
            raise ValueError(
                "reward: a function or a model; a judge would be asked by every method"
            )
        if self.reward.whiten:
            raise ValueError(
                "reward.whiten: takes the mean away, and with it what a method gains; leave it out"
            )
        for name in self.methods:
            how = self.how(name)
            if isinstance(how, BestOfN) and self.answers % how.n:
                raise ValueError(
                    f"methods.{name}.n: {how.n} answers do not divide the {self.answers} to each "
                    f"prompt that measure; make `answers` a multiple of {how.n}"
                )
            if isinstance(how, OptimizeConfig) and how.by_reward:
                _check_count(name, how)
        return self

    def how(self, name: str) -> How:
        """Give one method's own config."""
        told = dict(self.methods[name])
        method = told.pop("method", name)
        kind: Any = _OTHERS.get(method, OptimizeConfig)
        known = [*(each for each in get_args(Method) if each not in BY_CHOICE), *_OTHERS]
        if method not in known:
            raise ValueError(f"methods.{name}: no such method{did_you_mean(method, known)}")
        shared: dict[str, Any] = {} if kind is BestOfN else dict(self.training)
        if kind is OptimizeConfig:
            shared |= {
                "method": method,
                "samples": self.samples,
                "max_new_tokens": self.max_new_tokens,
                "temperature": self.temperature,
            }
        try:
            how: How = kind.model_validate({**shared, **told})
        except ValidationError as error:
            what = error.errors()[0]
            place = "".join(f".{step}" for step in what["loc"])
            message = what["msg"].removeprefix("Value error, ")
            raise ValueError(f"methods.{name}{place}: {message}") from None
        return how

    def budgeted(self, name: str, processes: int = 1) -> OptimizeConfig:
        """Give a sampling method's config with the updates that its tokens allow.

        TRL draws `passes` batches at once, goes through them `times` times, and makes an update of
        each `gradient_accumulation` batches.
        """
        how = self.how(name)
        assert isinstance(how, OptimizeConfig)
        passes, times = _passes_and_times(how, processes)
        draws = max(1, self.tokens // (how.batch * passes * how.max_new_tokens * processes))
        updates = draws * passes * times // how.gradient_accumulation
        # A step of 0 would mean no limit at all.
        return how.model_copy(update={"steps": max(1, updates)})

    def kind(self, name: str) -> Literal["drawn once", "drawn as it learns", "drawn when asked"]:
        """Say when a method draws what it learns from."""
        how = self.how(name)
        if isinstance(how, BestOfN):
            return "drawn when asked"
        is_on_policy = isinstance(how, OptimizeConfig) and how.by_reward
        return "drawn as it learns" if is_on_policy else "drawn once"


def _passes_and_times(how: OptimizeConfig, processes: int = 1) -> tuple[int, int]:
    """Count the batches that are drawn at once, and how often each of them is learned from."""
    at_once = how.extra.get("generation_batch_size")
    passes = int(at_once) // (how.batch * processes) if at_once else how.passes
    own = how.ppo.passes if how.method == "ppo" else 1
    return max(1, passes), int(how.extra.get("num_iterations") or own)


def _check_count(name: str, how: OptimizeConfig) -> None:
    """Make sure that a draw makes whole updates.

    The end of an epoch would cut one that is made of several draws, and its tokens are unknown.

    Raises:
        ValueError: where it does not.
    """
    passes, times = _passes_and_times(how)
    if passes * times % how.gradient_accumulation:
        raise ValueError(
            f"methods.{name}: a draw of {passes * times} batches makes no whole updates of "
            f"{how.gradient_accumulation}; make steps_per_generation × num_iterations a multiple "
            "of gradient_accumulation"
        )


def load_compare(path: Path) -> Compare:
    """Read a comparison's file.

    Raises:
        InputError: one line for each mistake, with file and line.
    """
    return parse(read_text(path), Compare, path)
