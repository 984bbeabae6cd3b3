"""A reward model from people's pairs: HH-RLHF's harmless test set, split by prompt.

Fits the score of the embedded base to the pairs of four fifths of the prompts (Bai et al. 2022),
and prints the held-out accuracy beside the rules that read nothing: the shorter reply, and the
reply with words of refusal. The model reads the last user turn and the reply. Its layer and its
ridge were chosen by cross-validation within the training pairs (see the log). `--adapters` trains
adapters beside the last six layers instead, half an hour of one core; `--pairs 560` takes fewer,
`--longest 180` of them those of at most so many tokens, and `--context whole` reads whole
conversations. The pairs are read from `RLAIF_DATA`; where it is not set, nothing is measured. The
model, its scores and its report are kept in `runs/hh-reward`; a finished model is not trained
again, so a stopped benchmark goes on.
"""

import argparse
import os
import random
import sys
from pathlib import Path

from figures import Claim, keep

from rlaif.cli.console import Shown, show_sheets
from rlaif.embedded.find import embedded_model
from rlaif.evaluation.reward.report import RewardReport
from rlaif.evaluation.reward.sheets import sheets
from rlaif.experiment.curve import Curve
from rlaif.experiment.reward_scores import report_on_model
from rlaif.feedback.importers import read_people
from rlaif.records import Preference
from rlaif.storage import write_records
from rlaif.training.config import LoRA, Probe, RewardConfig
from rlaif.training.dataset import split_by_prompt
from rlaif.training.packing import lay_out
from rlaif.training.reward import train_reward_model
from rlaif.training.reward.layout import Layout, Read, reward_tokenizer, tokens_of

PAIRS = Path(os.environ.get("RLAIF_DATA", "")) / "hh-rlhf" / "harmless_base_test_part.jsonl"
FOLDER = Path("runs/hh-reward")
HELD_OUT = 330
FIT = RewardConfig(held_out=0.0, probe=Probe(layers=16, ridge=3.0))
ADAPTERS = RewardConfig(
    learning_rate=5e-4,
    warmup=0.05,
    held_out=0.0,  # they are held out here, so that they are scored once
    lora=LoRA(layers_from=24),
)


def last_turn(label: Preference) -> Preference:
    """Leave the last user turn alone of the conversation."""
    prompt = label.prompt.model_copy(update={"messages": label.prompt.messages[-1:]})
    return label.model_copy(update={"prompt": prompt})


def split(pairs: int, context: str) -> tuple[list[Preference], list[Preference]]:
    """Give the pairs to train on and those held out, of other prompts."""
    labels = read_people(PAIRS)
    if context == "last":
        labels = [last_turn(label) for label in labels]
    prompts = len({label.prompt.text for label in labels})
    train, held_out = split_by_prompt(labels, HELD_OUT / prompts, seed=0)
    random.Random("hh-reward").shuffle(train)
    return train[:pairs], held_out


def within(labels: list[Preference], longest: int) -> list[Preference]:
    """Leave pairs of at most so many tokens: the prompt once, and both replies."""
    tokenizer, layout = reward_tokenizer(embedded_model()), Layout()
    kept = []
    for label in labels:
        reads = [Read(label.prompt, side.text) for side in (label.chosen, label.rejected)]
        ids = [each.ids for each in tokens_of(tokenizer, reads, layout) if each.ids]
        if len(ids) == len(reads) and len(lay_out(ids).ids) <= longest:
            kept.append(label)
    return kept


def trained(train: list[Preference], config: RewardConfig, folder: Path) -> Path:
    """Train, unless it is done."""
    model = folder / "model"
    if not model.is_dir():
        progress = Curve(folder / "curve.jsonl", Shown(), "reward")
        train_reward_model(train, config, embedded_model(), model, progress=progress)
    return model


def claims(found: RewardReport) -> list[Claim]:
    """Put the accuracy beside the rules."""
    assert found.accuracy
    share = found.accuracy.share
    rules = {rule.accuracy.name: rule for rule in found.trivial}
    made = [Claim("held-out accuracy, low end", share.low, 0.5)]
    for name in ("the shorter reply", "the reply that refuses"):
        rule = rules[name]
        assert rule.ahead
        made.append(
            Claim(f"held-out accuracy beside {name}", share.value, rule.accuracy.share.value)
        )
        made.append(Claim(f"ahead of {name}, low end", rule.ahead.low, 0.0))
    return made


def main() -> int:
    """Run it; 1 when a figure is short."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--pairs", type=int, default=1300, help="how many to train on")
    parser.add_argument("--longest", type=int, help="tokens of a pair to train on")
    parser.add_argument("--context", choices=["last", "whole"], default="last")
    parser.add_argument("--adapters", action="store_true", help="train, rather than fit")
    asked = parser.parse_args()
    if not PAIRS.is_file():
        print("RLAIF_DATA has no HH-RLHF; nothing is measured")
        return 0
    train, held_out = split(asked.pairs, asked.context)
    name, config = ("adapters", ADAPTERS) if asked.adapters else ("fit", FIT)
    if asked.longest:
        train = within(train, asked.longest)
    folder = FOLDER / f"{name}-{asked.context}-{len(train)}"
    write_records(folder / "held-out.jsonl", held_out)
    model = trained(train, config, folder)
    found, page = report_on_model(model, folder / "held-out.jsonl", None, folder, 0, Shown())
    show_sheets(sheets(found))
    print(f"kept in {page}")
    how = f"{name}, {len(train)} pairs, {asked.context} turn, {len(held_out)} held out by prompt"
    told = found.accuracy.share.model_dump() if found.accuracy else {}
    return keep("hh-reward", claims(found), trained_on=how, accuracy=told)


if __name__ == "__main__":
    sys.exit(main())
