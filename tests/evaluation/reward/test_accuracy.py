import pytest

from rlaif.evaluation.reward.accuracy import Accuracy, Group, beside_rules, groups
from rlaif.evaluation.reward.scored import pairs_of
from tests.evaluation.reward.made import scored

ROWS = [
    scored(0, 1.0, 0.55, tags=("harmful",), principles={"calm": 0.9, "kind": 0.2}),
    scored(1, -1.0, 0.65, tags=("harmful", "sharp"), principles={"calm": 0.8}),
    scored(2, 1.0, 0.9, principles={"kind": 0.5}),
    scored(3, 1.0, 1.0, source="human", by="ann"),
    scored(4, -1.0, 1.0, source="human", by="bo"),
    scored(5, 1.0, 0.7, by="other"),
]


def shares(by: str) -> dict[str, tuple[float, int]]:
    found = [group.accuracy for group in groups(pairs_of(ROWS, "held-out")) if group.by == by]
    return {one.name: (one.share.value, one.pairs) for one in found}


def test_accuracy_by_source_tells_judges_apart_and_takes_people_together() -> None:
    assert shares("source") == {
        "judge: judge": (pytest.approx(2 / 3), 3), "human": (0.5, 2), "judge: other": (1.0, 1),
    }  # fmt: skip


def test_accuracy_by_tag_counts_a_prompt_under_each_of_its_tags() -> None:
    assert shares("tag") == {"harmful": (0.5, 2), "sharp": (0.0, 1)}


def test_accuracy_by_confidence_has_an_edge_in_the_bin_above_it() -> None:
    assert shares("confidence") == {
        "p 0.5 to 0.6": (1.0, 1),
        "p 0.6 to 0.7": (0.0, 1),
        "p 0.7 to 0.8": (1.0, 1),
        "p 0.9 to 1": (pytest.approx(2 / 3), 3),
    }


def test_accuracy_by_principle_is_by_the_label_and_by_its_own_verdict() -> None:
    assert shares("principle") == {"calm": (0.5, 2), "kind": (1.0, 2)}
    own = {g.accuracy.name: g.own for g in groups(pairs_of(ROWS, "held-out")) if g.own}
    assert own["calm"].share.value == 0.5
    # It named the other reply of the one pair, and neither of the other.
    assert (own["kind"].share.value, own["kind"].pairs) == (0.0, 1)


def test_a_rule_that_reads_nothing_stands_beside_the_model_on_the_same_pairs() -> None:
    # The better reply is the shorter one in three of four.
    words = [(2, 9), (2, 9), (2, 9), (9, 2)]
    rows = [scored(n, -1.0 if n == 0 else 1.0, words=each) for n, each in enumerate(words)]
    found = {
        rule.accuracy.name: rule for rule in beside_rules(pairs_of(rows, "held-out"), rounds=1000)
    }
    assert found["the shorter reply"].accuracy.share.value == 0.75
    assert found["the longer reply"].accuracy.share.value == 0.25
    assert found["the reply that refuses"].accuracy.share.value == 0.5
    ahead = found["the longer reply"].ahead
    assert ahead is not None
    assert ahead.value == pytest.approx(0.5)
    assert "the reply shown first" not in found


def test_a_tie_is_in_no_group() -> None:
    assert groups(pairs_of([scored(0, 1.0, 0.5, tags=("x",))], "held-out")) == []


def test_groups_come_in_one_order_the_largest_first() -> None:
    found: list[Group] = groups(pairs_of(ROWS, "held-out"))
    assert list(dict.fromkeys(g.by for g in found)) == ["source", "principle", "tag", "confidence"]
    sources: list[Accuracy] = [g.accuracy for g in found if g.by == "source"]
    assert [one.pairs for one in sources] == [3, 2, 1]
