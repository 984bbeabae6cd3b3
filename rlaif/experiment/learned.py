"""What a policy learns from in files: pairs of any format, or, for KTO, thumbs as they are."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from rlaif.feedback.importers.rows import read_rows
from rlaif.feedback.mix import mixed, read_labels, refuse_silence
from rlaif.feedback.sound import Aside
from rlaif.feedback.thumbs import is_thumb, read_thumbs, tidy
from rlaif.records import Preference
from rlaif.training.config import Method
from rlaif.training.unpaired import Unpaired


class Learned(NamedTuple):
    """Labels of both kinds."""

    preferences: list[Preference]
    unpaired: list[Unpaired]
    left_out: dict[str, int]
    """Thumbs left out, by reason."""


def read_learned(
    paths: Sequence[Path],
    method: Method,
    preferences: Sequence[Preference] = (),
    aside: Aside | None = None,
) -> Learned:
    """Read files beside preferences that are there; only kto takes thumbs unpaired.

    Pairs that cannot be trained on are left out, and told to `aside`.

    Raises:
        InputError: for a thumb that is none, with file and line, or a file that cannot be read.
    """
    found, thumbs = list(preferences), []
    left_out: Counter[str] = Counter()
    for path in paths:
        file = path / "preferences.jsonl" if path.is_dir() else path
        refuse_silence(file)
        if method == "kto" and is_thumb(next(read_rows(file)).fields):
            tidied = tidy(read_thumbs(file))
            thumbs += tidied.thumbs
            left_out.update(tidied.left_out)
        else:
            found += read_labels(path, aside=aside)
    rows = [Unpaired(each.id, each.prompt, each.response.text, each.good) for each in thumbs]
    return Learned(mixed(found), rows, dict(left_out))
