"""How the processes of one run keep step, beside what they compute together.

Through the launcher's store of keys and values, which is there before any group of processes is
and has no limit of time: the first process may judge for hours while the others wait. It is asked
again and again, since a process that waits inside a library cannot be told to end.
"""

import os
import time
from datetime import timedelta
from functools import cache
from typing import Any

import torch
import torch.distributed as dist
from accelerate import PartialState

from rlaif.errors import InputError, StageError
from rlaif.ranks import is_first, rank, ranks

_FAILED = "failed"
_SOON, _LATER = 0.005, 0.25
"""Seconds between two looks at a key, at first and after a while."""
LONG = timedelta(days=7)
"""A process that dies ends the others, so that waiting needs no limit of its own."""
_counts = {"met": 0, "told": 0}


def together() -> None:
    """Wait until every process is here; return at once where there is one.

    Raises:
        StageError: when another process has failed.
    """
    if ranks() == 1:
        return
    _counts["met"] += 1
    place = f"met {_counts['met']}"
    if _store().add(place, 1) == ranks():
        _store().set(f"{place} all", "")
    _wait_for(f"{place} all")


def tell(word: str) -> None:
    """Tell the other processes a word; the first process's part."""
    if ranks() > 1:
        _counts["told"] += 1
        _store().set(f"told {_counts['told']}", word)


def told() -> str:
    """Wait for the next word that the first process tells.

    Raises:
        StageError: when another process has failed.
    """
    _counts["told"] += 1
    key = f"told {_counts['told']}"
    _wait_for(key)
    word: bytes = _store().get(key)
    return word.decode()


def has_the_word() -> bool:
    """Say whether this process is the first to fail, and so the one that says why."""
    if ranks() == 1:
        return True
    try:
        first: bytes = _store().compare_set(_FAILED, "", str(rank()))
    except RuntimeError:  # the store has ended before us
        return is_first()
    return first.decode() == str(rank())


def leave() -> None:
    """End this process's part in the group, so that no library warns of its end."""
    if dist.is_available() and dist.is_initialized():
        dist.destroy_process_group()


def _wait_for(key: str) -> None:
    pause = _SOON
    while not _store().check([key]):
        if _store().check([_FAILED]):
            raise StageError("another process of this run has failed; its own line says why")
        time.sleep(pause)
        pause = min(2 * pause, _LATER)


@cache
def _store() -> Any:
    attempt = os.environ.get("TORCHELASTIC_RESTART_COUNT", "0")
    if os.environ.get("TORCHELASTIC_USE_AGENT_STORE") == "True":
        place = os.environ["MASTER_ADDR"], int(os.environ["MASTER_PORT"])
        store = dist.TCPStore(*place, is_master=False, timeout=timedelta(minutes=5))
    else:
        join()
        store = dist.distributed_c10d._get_default_store()
    return dist.PrefixStore(f"rlaif {attempt}", store)


def join() -> None:
    """Make the group of processes, before a trainer does: with no limit on how long one waits."""
    if ranks() > 1 and not dist.is_initialized():
        backend = "gloo" if deepspeed_on_cpu() else None
        cpu = not torch.accelerator.is_available() and not backend
        PartialState(cpu=cpu, backend=backend, timeout=LONG)


def deepspeed_on_cpu() -> bool:
    """Say whether DeepSpeed trains without an accelerator.

    Told of a CPU, accelerate takes DDP instead and does not say so: it is told the backend alone.

    Raises:
        InputError: when accelerate has been told of a CPU already.
    """
    wanted = _is_set("ACCELERATE_USE_DEEPSPEED") and "LOCAL_RANK" in os.environ
    if not wanted or torch.accelerator.is_available():
        return False
    if _is_set("ACCELERATE_USE_CPU"):
        raise InputError("ACCELERATE_USE_CPU: with it DeepSpeed is not used; unset it")
    return True


def _is_set(name: str) -> bool:
    return os.environ.get(name, "").lower() in {"1", "true", "yes"}
