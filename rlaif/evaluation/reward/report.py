"""Everything to know of a reward model before a policy learns from it, from its scored pairs."""

from collections.abc import Sequence

from rlaif.errors import InputError
from rlaif.evaluation.audit.calibration import Reliability
from rlaif.evaluation.intervals import Draws, Interval
from rlaif.evaluation.reward.accuracy import (
    Accuracy,
    Beside,
    Gap,
    Group,
    accuracy,
    beside_rules,
    gap,
    groups,
    loss,
    losses,
)
from rlaif.evaluation.reward.calibration import calibration
from rlaif.evaluation.reward.lengths import LengthPull, length_pull
from rlaif.evaluation.reward.people import WithPeople, people_in, with_people
from rlaif.evaluation.reward.scored import Pair, Scored, need_apart, pairs_of, prompts
from rlaif.feedback.people import Rated
from rlaif.records import Preference, Record

HARDEST = 20


class Counts(Record):
    """What became of the rows: each is in one of the figures, or left out for a reason."""

    held_out: int
    """Pairs that the model never saw, both replies scored."""
    prompts: int
    train: int
    """Scored pairs that the model was trained on."""
    ties: int
    """Held-out labels of 0.5: in the loss and the calibration, in no accuracy."""
    even: int
    """Held-out pairs with two equal rewards; they count half in every accuracy."""
    unscored: int
    """Rows with a reply that got no reward, such as one too long to read: in no figure."""


class Hard(Record):
    """A held-out pair that the model gets wrong, and is sure of."""

    preference: Preference
    margin: float
    """Δr: below 0 the model prefers the rejected reply."""
    loss: float


class RewardReport(Record):
    """A reward model as its held-out pairs show it."""

    model: str
    is_split_known: bool
    """Whether it is known which pairs trained the model; else all are taken as held out."""
    counts: Counts
    accuracy: Accuracy | None
    """None where every held-out label is a tie."""
    loss: Interval | None
    """The mean cross-entropy of σ(Δr) with p, in nats; ln 2 = 0.693 is a model that knows
    nothing."""
    gap: Gap | None
    groups: tuple[Group, ...]
    trivial: tuple[Beside, ...]
    calibration: Reliability
    lengths: LengthPull
    people: WithPeople | None
    hardest: tuple[Hard, ...]


def reward_report(
    rows: Sequence[Scored],
    model: str,
    *,
    people: Sequence[Rated] = (),
    is_split_known: bool = True,
    rounds: int = 2000,
) -> RewardReport:
    """Measure a reward model by its scored pairs.

    Args:
        rows: held-out pairs, and those that the model was trained on, if they were scored.
        model: what the model is called.
        people: what people said of the same pairs; without any, the rows that people labelled
            beside a judge.
        is_split_known: whether each row's split is known, not assumed.
        rounds: of the bootstrap.

    Raises:
        InputError: where no held-out pair has two rewards, or a prompt is in both splits.
    """
    need_apart(rows)
    held_out, train = pairs_of(rows, "held-out"), pairs_of(rows, "train")
    counts = _counts(rows, held_out, train)
    if not held_out:
        raise InputError(_nothing(rows, counts))
    draws = Draws(prompts(held_out), rounds=rounds)
    return RewardReport(
        model=model,
        is_split_known=is_split_known,
        counts=counts,
        accuracy=accuracy("held-out", held_out),
        loss=loss(held_out, draws),
        gap=gap(train, held_out, rounds=rounds),
        groups=tuple(groups(held_out)),
        trivial=tuple(beside_rules(held_out, rounds=rounds)),
        calibration=calibration(held_out, rounds=rounds),
        lengths=length_pull(held_out, model, rounds=rounds),
        people=with_people(held_out, people or people_in(held_out), model, rounds=rounds),
        hardest=tuple(hardest(held_out)),
    )


def hardest(pairs: Sequence[Pair], count: int = HARDEST) -> list[Hard]:
    """Choose the pairs of the highest loss among those that the model gets wrong."""
    rows = sorted(zip(losses(pairs), pairs, strict=True), key=lambda row: -row[0])
    wrong = [(lost, pair) for lost, pair in rows if pair.is_decided and pair.margin <= 0]
    return [
        Hard(preference=pair.preference, margin=pair.margin, loss=float(lost))
        for lost, pair in wrong[:count]
    ]


def _counts(rows: Sequence[Scored], held_out: Sequence[Pair], train: Sequence[Pair]) -> Counts:
    return Counts(
        held_out=len(held_out),
        prompts=len(set(prompts(held_out))),
        train=len(train),
        ties=sum(not pair.is_decided for pair in held_out),
        even=sum(pair.margin == 0 for pair in held_out),
        unscored=len(rows) - len(held_out) - len(train),
    )


def _nothing(rows: Sequence[Scored], counts: Counts) -> str:
    return (
        f"no held-out pair to measure by: of {len(rows):,} rows {counts.train:,} trained the model "
        f"and {counts.unscored:,} have a reply without a reward; hold prompts out (reward.held_out)"
        ", or name a file of pairs that the model has not seen"
    )
