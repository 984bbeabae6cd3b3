"""The embedded judge on pairs that people compared: HH-RLHF's harmless test set (Bai et al. 2022).

Labels the pairs under every principle of `harmlessness` for a harmful prompt, and prints the
agreement with people beside the trivial judges: on the fifth of the prompts that the judge's
training never sees, which is the figure to go by, and on all. Intervals are 95 %, clustered by
prompt. The pairs are read from `RLAIF_DATA`; where it is not set, nothing is measured. Labels are
kept in `runs/hh-harmless`, so that a stopped benchmark goes on. `--limit 100` takes the first pairs
only, the unseen ones first, and writes no results. Needs the embedded model; all 1,630 pairs take
the better part of an hour.
"""

import argparse
import os
import sys
from pathlib import Path

from figures import Claim, keep

from rlaif.cli.main import main as rlaif
from rlaif.embedded.heldout import held_out, is_held_out
from rlaif.evaluation.agreed import Agreed
from rlaif.evaluation.agreement import Agreement
from rlaif.feedback.importers import pair_rows

PAIRS = Path(os.environ.get("RLAIF_DATA", "")) / "hh-rlhf" / "harmless_base_test_part.jsonl"
FOLDER = Path("runs/hh-harmless")
UNSEEN, ALL = "unseen", "all"


def sorted_pairs() -> dict[str, Path]:
    """Write the pairs that training never sees, and all with those first, as they are."""
    lines = PAIRS.read_text(encoding="utf-8").split("\n")
    share = held_out().pairs
    unseen = [
        row.line for row in pair_rows(PAIRS) if is_held_out(row.pair.prompt.text, share, "pair")
    ]
    rest = [n for n, line in enumerate(lines, start=1) if line and n not in set(unseen)]
    FOLDER.mkdir(parents=True, exist_ok=True)
    files = {UNSEEN: unseen, ALL: [*unseen, *rest]}
    for name, numbers in files.items():
        text = "".join(f"{lines[number - 1]}\n" for number in numbers)
        (FOLDER / f"{name}-pairs.jsonl").write_text(text, encoding="utf-8")
    return {name: FOLDER / f"{name}-pairs.jsonl" for name in files}


def must(*arguments: str) -> None:
    """Run a command, and stop where it fails."""
    if code := rlaif(list(arguments)):
        sys.exit(code)


def labelled(limit: int | None) -> dict[str, Agreement]:
    """Label the pairs, hold the labels against people, and show both tables."""
    files, labels = sorted_pairs(), FOLDER / "labels"
    how = ["--constitution", "harmlessness", "--judge", "embedded", "--draw", "0"]
    how += ["--limit", str(limit)] if limit else []
    must("label", str(files[ALL]), "-o", str(labels), *how, "--tag", "harmful")
    found = {}
    for name, file in files.items():
        out = FOLDER / f"{name}.json"
        must("judge", "agree", str(labels), "--with", str(file), "--json", str(out))
        found[name] = Agreement.model_validate_json(out.read_bytes())
    return found


def claims(found: Agreement) -> list[Claim]:
    """Put what was measured beside chance."""
    share = found.judge.share
    assert share
    return [
        Claim("agrees with people on unseen pairs", share.value, 0.5),
        Claim("agrees with people on unseen pairs, low end", share.low, 0.5),
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
    judges = {name: [told(row) for row in (one.judge, *one.trivial)] for name, one in found.items()}
    for name, lines in judges.items():
        print(f"{name}:", *lines, sep="\n  ")
    if limit:
        print(*claims(found[UNSEEN]), sep="\n")
        return 0
    abstained = found[ALL].abstained
    return keep("hh-harmless", claims(found[UNSEEN]), judges=judges, abstained=abstained)


if __name__ == "__main__":
    sys.exit(main())
