"""Labelling at scale: how near to what the latency allows, and what it takes, beside others.

    python benchmarks/labelling.py                      some eight minutes
    python benchmarks/labelling.py --peers PYTHON ...   others' clients, in the first that has them
    python benchmarks/labelling.py --long               more of the same, with all kept too
    python benchmarks/labelling.py --quick              a hundredth of it, to see that it runs

A server on loopback, in a process of its own, answers after a fixed time. With so many requests in
flight, no client can have more answers a second than in_flight / latency (Little's law).
"""

import argparse
import contextlib
import json
import math
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, NamedTuple

from figures import Claim, keep

CLIENTS = Path(__file__).parent / "clients"
OURS = ("ours", "ours_kept")
SDK = ("sdk_gather", "sdk_aiohttp", "sdk_post")
PEERS = {
    "peer_curator": "bespokelabs.curator",
    "peer_distilabel": "distilabel",
    "peer_litellm": "litellm",
    "peer_inspect_ai": "inspect_ai",
}
_LATENCY = 0.2
_QUICK = 0.01  # of the items
_TOO_LONG = 900  # seconds for one client
_FEWER = 1000  # items for others' clients, some of which take a minute for them


class Run(NamedTuple):
    """What one client did."""

    items: int
    per_second: float
    cpu: float
    """Milliseconds of the client's own time for each item."""
    mb: float


@contextlib.contextmanager
def server(latency: float) -> Iterator[str]:
    """Serve while the block runs; give the address."""
    program = [sys.executable, str(CLIENTS / "server.py"), str(latency)]
    with subprocess.Popen(
        program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        yield f"http://127.0.0.1:{process.stdout.readline().strip()}/v1"
        process.terminate()


def run(python: str, client: str, url: str, items: int, in_flight: int) -> Run | None:
    """Run a client; None where it cannot do the work."""
    program = [python, str(CLIENTS / f"{client}.py"), url, str(items), str(in_flight)]
    keys = {"OPENAI_API_KEY": "none", "OPENAI_BASE_URL": url}
    try:
        done = subprocess.run(
            program,
            capture_output=True,
            text=True,
            timeout=_TOO_LONG,
            env=os.environ | keys,
            check=False,
        )
        told = json.loads(done.stdout.splitlines()[-1])
    except (subprocess.TimeoutExpired, IndexError, ValueError):
        return None
    if told["done"] != items:
        return None
    return Run(items, items / told["seconds"], 1000 * told["cpu"] / items, told["mb"])


def shown(name: str, got: Run | None, bound: float | None) -> None:
    """Print a client's line."""
    if got is None:
        print(f"  {name:16} did not do the work")
        return
    share = f"  {got.per_second / bound:5.2f} of the bound" if bound else ""
    print(
        f"  {name:16} {got.per_second:7.0f} items/s{share}  {got.cpu:6.2f} ms of its own an item  "
        f"{got.mb:5.0f} MB",
        flush=True,
    )


def installed(pythons: Sequence[str]) -> dict[str, str]:
    """Give the other clients that can be run, each with the interpreter that can."""
    found: dict[str, str] = {}
    for client, module in PEERS.items():
        code = f"import importlib.util as u; u.find_spec({module!r}) or exit(1)"
        for python in pythons:
            done = subprocess.run([python, "-c", code], capture_output=True, check=False)
            if done.returncode == 0:
                found.setdefault(client, python)
    return found


class Bench:
    """Runs clients, and keeps what they did."""

    def __init__(self, pythons: Sequence[str], share: float = 1.0) -> None:
        """Run others' clients in these interpreters, with a share of the items."""
        self.others = installed(pythons)
        self._share = share
        self.rows: list[dict[str, Any]] = []
        for client in PEERS.keys() - self.others.keys():
            print(f"{client.removeprefix('peer_')}: not installed, left out")

    def at(self, latency: float, items: int, in_flight: int, *clients: str) -> dict[str, Run]:
        """Run clients one after the other, beside one server."""
        bound = in_flight / latency if latency else None
        items = math.ceil(items * self._share)
        print(f"{latency * 1000:.0f} ms, {items:,} items, {in_flight} in flight", flush=True)
        found = {}
        with server(latency) as url:
            for client in clients:
                python = self.others.get(client, sys.executable)
                got = run(python, client, url, items, in_flight)
                shown(client, got, bound)
                where = {"client": client, "latency": latency, "in_flight": in_flight}
                self.rows.append({**where, **(got._asdict() if got else {"items": items})})
                if got:
                    found[client] = got
        return found


def measure(bench: Bench, *, long: bool) -> Iterator[Claim]:
    """Run everything; give each figure as it is measured."""
    near = bench.at(_LATENCY, 2000, 64, *OURS)
    ours, kept = (near[client] for client in OURS)
    bound = 64 / _LATENCY
    yield Claim("of the bound at 200 ms, 64 in flight", ours.per_second / bound, 0.85)
    yield Claim("the same with all kept", kept.per_second / bound, 0.85)
    yield Claim("ms of its own a verdict", ours.cpu, 1.2, is_most=True)
    yield Claim("the same with all kept", kept.cpu, 2.4, is_most=True)
    rest = bench.at(_LATENCY, 2000, 64, *SDK)
    rest.pop("sdk_post", None)  # a bare call in a window: a measure of ours, and no client
    if bench.others:
        rest |= bench.at(_LATENCY, _FEWER, 64, *bench.others)
    yield Claim(
        "× the fastest other", ours.per_second / max(r.per_second for r in rest.values()), 1
    )
    wide = bench.at(_LATENCY, 20_000, 256, "ours")
    bench.at(_LATENCY, 4000, 256, *SDK[1:])
    yield Claim("of the bound at 256 in flight", wide["ours"].per_second * _LATENCY / 256, 0.5)
    yield from memory(bench, bench.at(0, 2000, 64, *OURS), long=long)
    bench.at(0, 2000, 64, *SDK)
    if bench.others:
        bench.at(0, _FEWER, 64, *bench.others)
    if long:
        bench.at(_LATENCY, 20_000, 64, *OURS)


def memory(bench: Bench, few: Mapping[str, Run], *, long: bool) -> Iterator[Claim]:
    """See how memory grows from few items to many, which a server without latency answers."""
    many = {"ours": 200_000, "ours_kept": 200_000 if long else 20_000}
    for client, items in many.items():
        ran = bench.at(0, items, 64, client)[client]
        what = "memory grown" if client == "ours" else "the same with all kept"
        grown = ran.mb / few[client].mb - 1
        yield Claim(f"{what}, {few[client].items:,} to {ran.items:,}", grown, 0.1, is_most=True)


def _versions() -> dict[str, str]:
    found = {}
    for name in ("openai", "aiohttp", "uvloop"):
        with contextlib.suppress(PackageNotFoundError):
            found[name] = version(name)
    return found


def main() -> int:
    """Measure, print the figures and keep them; 1 when one is short."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peers", nargs="+", default=[], help="Pythons with others' clients")
    parser.add_argument("--long", action="store_true", help="20,000 and 200,000 items with all")
    parser.add_argument("--quick", action="store_true", help="few items; nothing is written")
    asked = parser.parse_args()
    bench = Bench([sys.executable, *asked.peers], _QUICK if asked.quick else 1.0)
    claims = measure(bench, long=asked.long)
    if asked.quick:
        for claim in claims:
            print(claim, flush=True)
        return 0
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
    return keep("labelling", claims, runs=bench.rows, load=round(load, 1), **_versions())


if __name__ == "__main__":
    sys.exit(main())
