import pytest
import torch
from transformers.integrations import deepspeed

from rlaif.backends.device import own_device, unspread

LAUNCHED = {"MASTER_ADDR": "here", "WORLD_SIZE": "4", "RANK": "3", "LOCAL_RANK": "3"}


@pytest.fixture
def taken(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Two accelerators, as far as they are asked; gives which of them was taken."""
    taken: list[int] = []
    for name in LAUNCHED:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(torch.accelerator, "is_available", lambda: True)
    monkeypatch.setattr(torch.accelerator, "device_count", lambda: 2)
    monkeypatch.setattr(torch.accelerator, "current_accelerator", lambda: torch.device("cuda"))
    monkeypatch.setattr(torch.accelerator, "set_device_index", taken.append)
    return taken


def test_each_process_takes_an_accelerator_of_its_own(
    taken: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in LAUNCHED.items():
        monkeypatch.setenv(name, value)
    assert own_device() == torch.device("cuda")
    assert taken == [1], "the fourth process of a machine with two"


def test_one_process_stays_where_it_is(taken: list[int]) -> None:
    assert own_device() == torch.device("cuda")
    assert taken == []


def test_without_an_accelerator_it_is_the_cpu(
    taken: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.accelerator, "is_available", lambda: False)
    assert own_device() == torch.device("cpu")
    assert taken == []


class _Spreads:
    def is_zero3(self) -> bool:
        return True


def test_a_model_is_loaded_whole_beside_a_trainer_that_spreads_its_own() -> None:
    trainers = _Spreads()
    deepspeed.set_hf_deepspeed_config(trainers)
    try:
        with unspread():
            assert not deepspeed.is_deepspeed_zero3_enabled()
        assert deepspeed.is_deepspeed_zero3_enabled()
        with pytest.raises(OSError, match="no such model"), unspread():
            raise OSError("no such model")
        assert deepspeed.is_deepspeed_zero3_enabled()
    finally:
        deepspeed.unset_hf_deepspeed_config()
    with unspread():
        assert not deepspeed.is_deepspeed_zero3_enabled()
    assert not deepspeed.is_deepspeed_zero3_enabled()
