from pathlib import Path
from types import SimpleNamespace

import pytest

from rlaif.budget import Budget, Meter, Spent
from rlaif.errors import StageError
from rlaif.experiment import follow


def test_what_a_following_process_spent_is_kept_though_its_stage_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    meter = Meter(Budget(), tmp_path / "spent.json")

    def spends(*_: object) -> None:
        for _ in range(3):
            meter.reserve(Spent(requests=1))
            meter.settle(Spent(requests=1), Spent(requests=1))
        raise StageError("it failed")

    monkeypatch.setattr(follow, "told", iter(["optimize", "end"]).__next__)
    monkeypatch.setitem(follow.STAGES, "optimize", SimpleNamespace(run=spends))
    with pytest.raises(StageError, match="it failed"):
        follow.follow(SimpleNamespace(meter=meter, folder=tmp_path))
    again = Meter(Budget(), tmp_path / "spent.json")
    assert again.total == Spent(requests=3)
