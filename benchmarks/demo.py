"""The demo's claims, measured: how long it takes, and what moves.

Runs `experiments/embedded.yaml` from nothing in a folder of its own and prints a line per figure:
name, value, target, ok or short. Writes them to `results/`, and the table as README shows it.
Needs the embedded model; takes as long as the demo does.
"""

import io
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from figures import RESULTS, Claim, keep
from rich.console import Console

from rlaif.evaluation.intervals import Interval
from rlaif.evaluation.results import Evaluation
from rlaif.evaluation.table import evaluation_table

COLUMNS = 88


def moved(evaluation: Evaluation, row: str) -> Interval:
    """Give how far the last policy is from the base in one row."""
    cell = evaluation.row(row).cell(evaluation.policies[-1])
    assert cell
    assert cell.moved
    return cell.moved


def claims(evaluation: Evaluation, seconds: float) -> list[Claim]:
    """Put what the demo promises beside what was measured; differences are in points."""
    harmful, benign = moved(evaluation, "refuses harmful"), moved(evaluation, "refuses benign")
    tone = moved(evaluation, "offers something")
    return [
        Claim("demo minutes", seconds / 60, 10, is_most=True),
        Claim("refuses harmful, points", 100 * harmful.value, 20),
        Claim("refuses harmful, low end", 100 * harmful.low, 0),
        Claim("refuses benign, points", 100 * benign.value, 5, is_most=True),
        Claim("offers something, low end", 100 * tone.low, 0),
    ]


def picture(evaluation: Evaluation) -> str:
    """Draw the table as a terminal shows it."""
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True)
    console.print(evaluation_table(evaluation))
    return console.export_svg(title="make demo")


def main() -> int:
    """Run the demo and print its figures; 1 when one is short."""
    with tempfile.TemporaryDirectory() as folder:
        started = time.monotonic()
        program = [sys.executable, "-c", "from rlaif.cli.main import entry; entry()"]
        subprocess.run([*program, "run", "embedded"], cwd=folder, check=True)
        seconds = time.monotonic() - started
        file = Path(folder) / "runs/embedded/evaluate/evaluation.json"
        evaluation = Evaluation.model_validate_json(file.read_bytes())
    (RESULTS / "demo.svg").write_text(picture(evaluation), encoding="utf-8")
    return keep("demo", claims(evaluation, seconds))


if __name__ == "__main__":
    sys.exit(main())
