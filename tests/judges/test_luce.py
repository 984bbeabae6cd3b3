import pytest
from hypothesis import given
from hypothesis import strategies as st

from rlaif.answers.answer import Answer, Read
from rlaif.judges.luce import Heard, pair

BEST = Answer(kind="best").among(3)
RANKING = Answer(kind="ranking", certainty=0.8).among(3)


def best(*shares: float) -> Read:
    return Read("", dict(zip("ABC", shares, strict=True)), 0.9, "logprobs")


def test_shares_are_worths_and_a_pair_has_its_part_of_them() -> None:
    heard = [Heard.of(best(0.6, 0.3, 0.1), BEST, ["x", "y", "z"])]
    p, evidence = pair(heard, BEST, "x", "z")
    assert p == pytest.approx(6 / 7)
    assert evidence["mass"] == 0.9
    p, _ = pair(heard, BEST, "z", "y")
    assert p == pytest.approx(1 / 4)


def test_distributions_are_averaged_and_not_the_pairs() -> None:
    heard = [
        Heard.of(best(0.6, 0.3, 0.1), BEST, ["x", "y", "z"]),
        Heard.of(best(0.2, 0.2, 0.6), BEST, ["y", "z", "x"]),
    ]
    p, evidence = pair(heard, BEST, "x", "y")
    assert p == pytest.approx(0.6 / (0.6 + 0.25))
    assert evidence == pytest.approx(
        {"displays": 2, "flipped": 0, "worth_first": 0.6, "worth_second": 0.25, "mass": 0.9}
    )


def test_two_replies_without_any_share_have_no_probability() -> None:
    heard = [Heard.of(best(1.0, 0.0, 0.0), BEST, ["x", "y", "z"])]
    assert pair(heard, BEST, "y", "z") is None
    assert pair(heard, BEST, "x", "z")[0] == 1.0


def test_a_written_ranking_gives_each_pair_the_certainty() -> None:
    read = Read("", {}, None, "ranking", order=("C", "A", "B"))
    heard = [Heard.of(read, RANKING, ["x", "y", "z"])]
    assert pair(heard, RANKING, "z", "y")[0] == pytest.approx(0.8)
    assert pair(heard, RANKING, "y", "x")[0] == pytest.approx(0.2)


def test_rankings_that_disagree_meet_in_the_middle_and_say_so() -> None:
    heard = [
        Heard.of(Read("", {}, None, "ranking", order=("A", "B", "C")), RANKING, display)
        for display in (["x", "y", "z"], ["z", "y", "x"])
    ]
    p, evidence = pair(heard, RANKING, "x", "z")
    assert p == pytest.approx(0.5)
    assert evidence == {"displays": 2, "flipped": 1, "ahead": 0.5}


@given(st.lists(st.floats(0.001, 1), min_size=3, max_size=3), st.permutations("xyz"))
def test_the_other_way_round_is_one_minus_p(shares: list[float], display: list[str]) -> None:
    heard = [Heard.of(best(*shares), BEST, display)]
    assert pair(heard, BEST, "x", "y")[0] == pytest.approx(1 - pair(heard, BEST, "y", "x")[0])
    worse = BEST.model_copy(update={"asks": "worse"})
    assert pair(heard, worse, "x", "y")[0] == pytest.approx(pair(heard, BEST, "y", "x")[0])
