import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from rlaif.backends.sampling import drawn, nucleus
from rlaif.records import Sampling


def test_draws_follow_the_distribution() -> None:
    logits = torch.log(torch.tensor([0.5, 0.3, 0.15, 0.05]))
    sampling = [Sampling(top_p=1, temperature=1, seed=seed) for seed in range(4000)]
    draws = drawn(logits.expand(4000, -1), sampling, 2)
    shares = [float((draws == token).float().mean()) for token in range(4)]
    assert shares == pytest.approx([0.5, 0.3, 0.15, 0.05], abs=0.03)


def test_steps_and_tokens_have_luck_of_their_own() -> None:
    logits = torch.zeros(1, 2)
    sampling = [Sampling(top_p=1, temperature=1, seed=7)]
    draws = torch.cat([drawn(logits, sampling, step) for step in range(4000)]).float()
    assert float(draws.mean()) == pytest.approx(0.5, abs=0.03)
    # The next step's luck is not this one's: as often the same as not.
    assert float((draws[1:] == draws[:-1]).float().mean()) == pytest.approx(0.5, abs=0.03)


def test_a_line_is_drawn_as_it_would_be_alone() -> None:
    logits = torch.randn(5, 3000, generator=torch.Generator().manual_seed(0))
    sampling = [Sampling(temperature=0.5 + n / 4, top_p=0.5 + n / 8, seed=n) for n in range(5)]
    together = drawn(logits, sampling, 3)
    for line, each in enumerate(sampling):
        assert drawn(logits[line : line + 1], [each], 3).item() == together[line].item()


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
        ordered, places = nucleus(torch.tensor([logits]), torch.tensor([top_p]))
    inside = places[0][ordered[0] > float("-inf")]
    kept = torch.zeros(len(logits), dtype=torch.bool).index_fill(0, inside, value=True)
    shares = torch.softmax(torch.tensor(logits), -1)
    held = float(shares[kept].sum())
    assert held >= top_p - 1e-4
    assert held - float(shares[kept].min()) <= top_p + 1e-4
    if not kept.all():
        assert shares[kept].min() >= shares[~kept].max()
