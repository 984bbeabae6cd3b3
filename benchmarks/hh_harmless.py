"""The embedded judge on pairs that people compared: HH-RLHF's harmless test set (Bai et al. 2022).

Labels the pairs under every principle of `harmlessness` for a harmful prompt, and prints the
agreement with people beside the trivial judges. Intervals are 95 %, clustered by prompt. The pairs
are read from `RLAIF_DATA`; where it is not set, nothing is measured. Labels are kept in
`runs/hh-harmless`, so that a stopped benchmark goes on. `--limit 100` takes the first pairs only,
and writes no results. Needs the embedded model; all 1,630 pairs take the better part of an hour.
"""

import argparse
import os
import sys
from pathlib import Path

from figures import Claim, keep

from rlaif.cli.main import main as rlaif
from rlaif.evaluation.agreed import Agreed
from rlaif.evaluation.agreement import Agreement

PAIRS = Path(os.environ.get("RLAIF_DATA", "")) / "hh-rlhf" / "harmless_base_test_part.jsonl"
FOLDER = Path("runs/hh-harmless")


def labelled(limit: int | None) -> Agreement:
    """Label the pairs, hold the labels against people, and show the table."""
    asked = ["label", str(PAIRS), "-o", str(FOLDER), "--constitution", "harmlessness"]
    asked += ["--judge", "embedded", "--draw", "0", "--tag", "harmful"]
    asked += ["--limit", str(limit)] if limit else []
    found = FOLDER / "agreement.json"
    compared = ["judge", "agree", str(FOLDER), "--with", str(PAIRS), "--json", str(found)]
    for command in (asked, compared):
        if code := rlaif(command):
            sys.exit(code)
    return Agreement.model_validate_json(found.read_bytes())


def claims(found: Agreement) -> list[Claim]:
    """Put what was measured beside chance."""
    share = found.judge.share
    assert share
    return [
        Claim("agrees with people", share.value, 0.5),
        Claim("agrees with people, low end", share.low, 0.5),
    ]


def told(row: Agreed) -> str:
    """Write one judge's line."""
    if row.share is None:
        return f"{row.name}: decided nothing"
    ends = f"{row.share.low:.3f} to {row.share.high:.3f}"
    return f"{row.name}: {row.share.value:.3f} ({ends}) of {row.agreed + row.disagreed:,} pairs"


def main() -> int:
    """Run it; 1 when a figure is short."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--limit", type=int, help="only the first pairs")
    limit = parser.parse_args().limit
    if not PAIRS.is_file():
        print("RLAIF_DATA has no HH-RLHF; nothing is measured")
        return 0
    found = labelled(limit)
    judges = [told(row) for row in (found.judge, *found.trivial)]
    print(*judges, sep="\n")
    if limit:
        print(*claims(found), sep="\n")
        return 0
    pairs = {"pairs": found.pairs, "abstained": found.abstained}
    return keep("hh-harmless", claims(found), judges=judges, **pairs)


if __name__ == "__main__":
    sys.exit(main())
