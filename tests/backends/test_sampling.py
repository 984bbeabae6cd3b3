import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from rlaif.backends.sampling import drawn, nucleus
from rlaif.records import Sampling


def test_draws_follow_the_distribution() -> None:
    logits = torch.log(torch.tensor([0.5, 0.3, 0.15, 0.05]))
    draws = [int(drawn(logits, Sampling(top_p=1, temperature=1, seed=n), 2)) for n in range(4000)]
    shares = [draws.count(token) / len(draws) for token in range(4)]
    assert shares == pytest.approx([0.5, 0.3, 0.15, 0.05], abs=0.03)


@settings(max_examples=40, deadline=None)
@given(
    logits=st.lists(st.floats(-9, 9, width=32), min_size=1, max_size=40, unique=True),
    top_p=st.floats(0.05, 1.0),
    likeliest=st.integers(1, 8),
)
def test_the_nucleus_is_the_smallest_set_with_enough_probability(
    logits: list[float], top_p: float, likeliest: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("rlaif.backends.sampling._LIKELIEST", likeliest)
        _, places = nucleus(torch.tensor(logits), top_p)
    kept = torch.zeros(len(logits), dtype=torch.bool).index_fill(0, places, value=True)
    shares = torch.softmax(torch.tensor(logits), -1)
    held = float(shares[kept].sum())
    assert held >= top_p - 1e-4
    assert held - float(shares[kept].min()) <= top_p + 1e-4
    if not kept.all():
        assert shares[kept].min() >= shares[~kept].max()
