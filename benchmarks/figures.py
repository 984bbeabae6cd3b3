"""What every benchmark writes: a line per figure, and a file that names the machine too."""

import json
import os
import platform
from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

RESULTS = Path(__file__).parent / "results"


class Claim(NamedTuple):
    """One figure beside its target."""

    name: str
    value: float
    target: float
    is_most: bool = False
    """Whether the target is the most that the figure may be, rather than the least."""

    @property
    def is_short(self) -> bool:
        """Whether the target is missed."""
        return self.value > self.target if self.is_most else self.value < self.target

    def __str__(self) -> str:
        """Write the line."""
        sign = "≤" if self.is_most else "≥"
        verdict = "short" if self.is_short else "ok"
        return f"{self.name}  {self.value:.3g}  {sign} {self.target:g}  {verdict}"


def keep(
    name: str, claims: Iterable[Claim], beside: Sequence[Mapping[str, Any]] = (), **more: Any
) -> int:
    """Print the figures and write `results/NAME.json`; 1 when one is short.

    Args:
        name: the benchmark's.
        claims: its figures; those that are still to be measured are printed as they come.
        beside: for each figure, what else is written with it.
        more: what else is told of the machine.
    """
    rows = []
    is_short = False
    for number, claim in enumerate(claims):
        print(claim, flush=True)
        is_short |= claim.is_short
        row = {**claim._asdict(), "value": float(f"{claim.value:.3g}")}
        rows.append({**row, **(beside[number] if beside else {})})
    text = json.dumps({"machine": machine(**more), "figures": rows}, indent=2, ensure_ascii=False)
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{name}.json").write_text(text + "\n", encoding="utf-8")
    return int(is_short)


def machine(**more: Any) -> dict[str, Any]:
    """Say what the figures were measured on."""
    return {
        "processor": processor(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "torch": version("torch"),
        "transformers": version("transformers"),
        **more,
    }


def processor() -> str:
    """Name the processor as far as the system tells."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.is_file() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()
