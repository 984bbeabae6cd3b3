"""Labels of several sources become one set to train on, each source with its weight."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple, get_args

from rlaif.errors import InputError
from rlaif.feedback.counts import by_source, told
from rlaif.feedback.crowd.pool import Method, pooled_pairs
from rlaif.feedback.importers import label_of
from rlaif.feedback.importers.rows import read_rows
from rlaif.feedback.people import ratings_of
from rlaif.feedback.sound import Aside, Fault, nothing, sound_rows
from rlaif.feedback.thumbs import check_both, is_thumb, pairs_of, read_thumbs, tidy
from rlaif.records import Abstention, Preference, Source
from rlaif.resources import did_you_mean
from rlaif.storage import read_records

SOURCES: tuple[Source, ...] = get_args(Source)


class Mix(NamedTuple):
    """Files of labels to train on as one set."""

    paths: tuple[Path, ...]
    weights: Mapping[Source, float] = MappingProxyType({})
    """How much a label of a source counts beside its own weight; 1 where none is given."""

    def read(self, aside: Aside | None = None) -> list[Preference]:
        """Read every file's labels, weighed by source; rows that are none go to `aside`.

        Raises:
            InputError: as `read_labels` and `mixed` do.
        """
        read = (label for path in self.paths for label in read_labels(path, aside=aside))
        return mixed(read, self.weights)


def parse_weights(said: Iterable[str]) -> dict[Source, float]:
    """Read `human=4` and the like.

    Raises:
        InputError: for a source that is none, or a weight that is no number from 0.
    """
    weights: dict[Source, float] = {}
    for one in said:
        name, _, number = one.partition("=")
        source = next((source for source in SOURCES if source == name), None)
        if source is None:
            raise InputError(f"--source {one}: no such source{did_you_mean(name, list(SOURCES))}")
        try:
            weights[source] = float(number)
        except ValueError:
            raise InputError(f"--source {one}: expected a number, such as {name}=4") from None
        if not 0 <= weights[source] < float("inf"):
            raise InputError(f"--source {one}: a weight is 0 or more")
    return weights


def read_labels(
    path: Path, *, pool: Method = "majority", aside: Aside | None = None
) -> list[Preference]:
    """Read a file's labels to train on: pairs of any format, a crowd's pooled, or thumbs paired.

    A row that cannot be trained on, such as two equal replies, is left out, and told to `aside`.

    Raises:
        InputError: for a file that cannot be read; for thumbs that all point one way; where
            nothing is left, or every pair is a tie.
    """
    file = path / "preferences.jsonl" if path.is_dir() else path
    refuse_silence(file)
    if is_thumb(next(read_rows(file)).fields):
        return _thumbs(file)
    outcomes = list(sound_rows(file))
    faults = [one for one in outcomes if isinstance(one, Fault)]
    rows = [one for one in outcomes if not isinstance(one, Fault)]
    if not rows:
        raise nothing(file, faults)
    if aside is not None:
        aside.add(file, faults)
    labels = [label_of(row, file) for row in rows]
    if _are_of_a_crowd(labels):
        labels = pooled_pairs(ratings_of(rows, file), pool)
    if all(label.p_chosen == 0.5 for label in labels):
        raise InputError(
            f"{file}: all {len(labels):,} labels are ties; nothing tells replies apart"
        )
    return labels


def mixed(
    labels: Iterable[Preference], weights: Mapping[Source, float] | None = None
) -> list[Preference]:
    """Weigh labels by their source, and give those of one id names of their own.

    Args:
        labels: of any sources.
        weights: how much a label of a source counts beside its own weight; 1 where none is given,
            and 0 leaves the source out.

    Raises:
        InputError: where the weights leave nothing, with the counts by source.
    """
    labels, weights = list(labels), weights or {}
    kept: dict[str, Preference] = {}
    for label in labels:
        weight = weights.get(label.source, 1.0)
        if not weight:
            continue
        name = label.id
        number = 2
        while name in kept:
            name, number = f"{label.id}:{label.source}{number if number > 2 else ''}", number + 1
        kept[name] = label.model_copy(update={"id": name, "weight": label.weight * weight})
    if labels and not kept:
        raise InputError(f"the weights of `sources` leave no label: {told(by_source(labels))}")
    return list(kept.values())


def _are_of_a_crowd(labels: Sequence[Preference]) -> bool:
    """Say whether several people judged a pair; a judge's label beside people's is not pooled."""
    is_shared = len({label.id for label in labels}) < len(labels)
    return is_shared and all(label.source == "human" for label in labels)


def _thumbs(file: Path) -> list[Preference]:
    thumbs = tidy(read_thumbs(file)).thumbs
    check_both(thumbs, file)
    pairs = pairs_of(thumbs)
    if not pairs:
        raise InputError(
            f"{file}: {len(thumbs):,} thumbs, and no prompt has two replies that differ in them; "
            "`rlaif feedback thumbs` writes them unpaired, for KTO"
        )
    return pairs


def refuse_silence(file: Path) -> None:
    """Say why a judge's folder has no labels, where it abstained on every pair.

    Raises:
        InputError: where it did, with the counts by kind.
    """
    aside = file.with_name("abstentions.jsonl")
    if not file.is_file() or file.stat().st_size or not aside.is_file():
        return
    kinds = Counter(row.kind for row in read_records(aside, Abstention))
    if kinds:
        total = sum(kinds.values())
        raise InputError(
            f"{file}: no label to train on; the judge abstained on all {total:,} pairs: "
            f"{told(dict(kinds.most_common()))}"
        )
