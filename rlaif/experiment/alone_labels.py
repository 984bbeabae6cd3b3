"""What can be made of labels by themselves, on plain files: weighed anew, and learnt from."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from rlaif.backends.connect import parse_judge
from rlaif.constitution.principle import Constitution
from rlaif.constitution.write import yaml_text
from rlaif.errors import InputError
from rlaif.experiment.progress import tally
from rlaif.feedback.calibrate import Weighed, calibrated, weighed
from rlaif.feedback.importers import read_people
from rlaif.feedback.reweigh import reweigh
from rlaif.judges.absolute import Calibration
from rlaif.judges.compose import calibration_of
from rlaif.records import Abstention, Preference
from rlaif.storage import read_records, write_atomically, write_records


def reweigh_alone(
    labels: Path, constitution: Constitution, out: Path, min_confidence: float
) -> list[str]:
    """Weigh a folder's labels anew into another; say in lines what came of it.

    Raises:
        InputError: where the two folders are one, or a principle's words changed.
    """
    if out.resolve() == _folder(labels).resolve():
        raise InputError(f"{out}: holds the labels as they were judged; choose another -o")
    before = list(read_records(_file(labels), Preference))
    if not before:
        raise InputError(f"{_file(labels)}: no labels in it")
    after = list(reweigh(before, constitution, min_confidence=min_confidence))
    kept = [one for one in after if isinstance(one, Preference)]
    left_out = [one for one in after if isinstance(one, Abstention)]
    aside = _folder(labels) / "abstentions.jsonl"
    old = list(read_records(aside, Abstention)) if aside.is_file() else []
    write_records(out / "preferences.jsonl", kept)
    write_records(out / "abstentions.jsonl", [*old, *left_out])
    chosen = {one.id: one.chosen.id for one in before}
    flipped = sum(one.chosen.id != chosen[one.id] for one in kept)
    counts: Counter[str] = Counter(one.kind for one in left_out)
    counts["weighed anew"] = len(kept)
    lines = [f"{tally('weighed anew', counts)}; {flipped:,} flipped"]
    if old:
        lines.append(f"{len(old):,} abstentions carry no verdicts and stay what they are")
    return lines + _never_asked(before, constitution)


def _never_asked(labels: Sequence[Preference], constitution: Constitution) -> list[str]:
    asked = {verdict.principle for label in labels for verdict in label.verdicts}
    asked |= {abstention.principle for label in labels for abstention in label.abstained}
    return [
        f"no label has a verdict by {principle.id!r}; label again to have it asked"
        for principle in constitution.principles
        if principle.id not in asked
    ]


def calibrate_alone(labels: Path, people: Path, judge: str, out: Path) -> str:
    """Fit a pair's temperature on people's choices, beside the judge's own calibration."""
    base = calibration_of(parse_judge(judge)) or Calibration()
    found = calibrated(read_records(_file(labels), Preference), read_people(people), base)
    write_atomically(out, found.calibration.model_dump_json() + "\n")
    return (
        f"pair temperature {found.calibration.pair_temperature:g}, from {found.pairs:,} pairs; "
        f"cross-entropy {found.before:.3f} → {found.after:.3f} nats\nkept in {out}"
    )


def fit_alone(labels: Path, people: Path, constitution: Constitution, out: Path) -> list[Weighed]:
    """Fit propositions' weights on people's choices, and write the constitution with them."""
    found = weighed(read_records(_file(labels), Preference), read_people(people), constitution)
    fitted = {one.after.id: one.after for one in found}
    rules = tuple(fitted.get(rule.id, rule) for rule in constitution.principles)
    write_atomically(out, yaml_text(constitution.model_copy(update={"principles": rules})))
    return found


def _file(labels: Path) -> Path:
    return labels / "preferences.jsonl" if labels.is_dir() else labels


def _folder(labels: Path) -> Path:
    return labels if labels.is_dir() else labels.parent
