from rlaif.evaluation.reward.report import RewardReport, reward_report
from rlaif.evaluation.reward.sheets import findings, notes, sheets
from rlaif.evaluation.sheet import plain
from tests.evaluation.reward.made import scored


def report(wrong: int, of: int = 60, **more: object) -> RewardReport:
    words = [(4, 9), (9, 4)]
    rows = [
        scored(n, 1.0 if n >= wrong else -1.0, words=words[n % 2], **more)  # type: ignore[arg-type]
        for n in range(of)
    ]
    return reward_report(rows, "rm", rounds=1000)


def said(found: RewardReport) -> dict[str, tuple[str, bool]]:
    return {finding.name: (finding.says, finding.is_bad) for finding in findings(found)}


def test_a_model_at_chance_is_told_so() -> None:
    assert said(report(30))["held-out accuracy"] == ("not clear of chance", True)
    assert said(report(5))["held-out accuracy"] == ("better than chance", False)


def test_a_rule_that_is_not_clearly_behind_is_named() -> None:
    says, is_bad = said(report(28))["ahead of rules"]
    assert is_bad
    assert says.startswith("not clearly ahead of the longer reply, the shorter reply")
    assert not said(report(5))["ahead of rules"][1]


def test_the_table_has_the_groups_that_say_more_than_the_first_line() -> None:
    first, second, *rest = sheets(report(5, tags=("harmful",)))
    shown = plain(first.head, first.rows)
    assert "held-out" in shown
    assert "tag: harmful" in shown
    assert "source:" not in shown  # the one source is all of the rows
    assert [row[0] for row in second.rows][:2] == ["held-out accuracy", "ahead of rules"]
    assert not rest


def test_what_was_left_out_is_noted() -> None:
    rows = [scored(0, 1.0), scored(1, 0.0), scored(2, 1.0, 0.5), scored(3, None)]
    told = " ".join(notes(reward_report(rows, "rm", is_split_known=False, rounds=1000)))
    for part in ("3 held-out pairs", "taken as never", "1 labels are ties", "1 pairs", "1 rows"):
        assert part in told
