"""An agreement as tables of plain text."""

from collections.abc import Iterator

from rlaif.evaluation.against import Against
from rlaif.evaluation.agreed import Agreed
from rlaif.evaluation.agreement import Agreement
from rlaif.evaluation.raters import AmongPeople
from rlaif.evaluation.sheet import NONE, Sheet, between, figure, signed, whole

HEAD = [
    "", "agrees", "95 % interval", "of all", "κ", "α", "covers", "abstained", "pairs", "undecided",
]  # fmt: skip
_PEOPLE = ["", "agree", "κ", "α", "pairs"]
_BESIDE = ["", "is ahead by", "right alone", "the other alone", "McNemar's p", "pairs"]


def sheets(found: Agreement) -> Iterator[Sheet]:
    """Lay an agreement out: the judge first, then all that it is to be read beside."""
    yield Sheet(
        "Agreement with people",
        HEAD,
        [_agreed(row) for row in (found.judge, *found.variants, *found.trivial)],
        tuple(_notes(found)),
    )
    if found.principles:
        rows = [_agreed(row) for row in found.principles]
        yield Sheet("Each principle's own verdicts", HEAD, rows)
    if found.tags:
        yield Sheet("By tag of the prompt", HEAD, [_agreed(row) for row in found.tags])
    for among in found.people:
        title = "People among themselves" + (", ties as answers" if among.ties else "")
        yield Sheet(title, _PEOPLE, _people(found.judge.name, among))
    if found.beside:
        title = f"{found.judge.name}, on the pairs that both decided"
        yield Sheet(title, _BESIDE, [_against(row) for row in found.beside])


def _agreed(row: Agreed) -> list[str]:
    share = row.share
    return [
        row.name,
        figure(share.value, 3) if share else NONE,
        between(share, 3),
        whole(row.of_all),
        whole(row.kappa),
        whole(row.alpha),
        f"{row.coverage:.0%}",
        f"{row.unanswered:,}",
        f"{row.agreed + row.disagreed:,}",
        f"{row.undecided:,}",
    ]


def _notes(found: Agreement) -> Iterator[str]:
    yield f"{found.pairs:,} pairs of {found.prompts:,} prompts; intervals are by prompt"
    yield "of all: a pair that was left open or abstained on counts against the judge"
    if found.abstained:
        each = ", ".join(f"{count:,} {kind}" for kind, count in found.abstained.items())
        yield f"the judge abstained on {sum(found.abstained.values()):,} pairs ({each})"
    if found.not_asked:
        yield f"{found.not_asked:,} pairs have no label of the judge and are left out"
    if found.people_undecided:
        yield (
            f"{found.people_undecided:,} pairs were left open by people; "
            "they count where ties are answers alone"
        )


def _people(judge: str, among: AmongPeople) -> list[list[str]]:
    pairs = f"{among.pairs:,}"
    return [
        [
            f"two of {among.raters} raters",
            whole(among.people),
            whole(among.people_kappa),
            whole(among.people_alpha),
            pairs,
        ],
        [f"{judge} and a rater", whole(among.judge), whole(among.judge_kappa), NONE, pairs],
        ["the judge's share of people's", whole(among.ratio), NONE, NONE, pairs],
    ]


def _against(row: Against) -> list[str]:
    pairs = row.both_right + row.only_judge + row.only_other + row.neither
    return [
        f"beside {row.other}",
        signed(row.ahead),
        f"{row.only_judge:,}",
        f"{row.only_other:,}",
        f"{row.p_value:.3f}" if row.p_value >= 0.001 else "< 0.001",
        f"{pairs:,}",
    ]
