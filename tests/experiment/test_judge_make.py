"""Where a judge's replies come from: given, shipped with the embedded model, or to be drawn."""

from pathlib import Path

from rlaif.experiment.judge_make import known_replies
from rlaif.training.judge_data import KINDS, read_replies


def test_the_embedded_models_replies_come_along_for_training_and_for_the_examination() -> None:
    path = known_replies("embedded", None, None)
    assert path is not None
    trained, kept = (read_replies(path, kept=kept) for kept in (False, True))
    assert len(trained) > 400
    assert len(kept) > 100
    assert {e.prompt for e in trained}.isdisjoint(e.prompt for e in kept)
    assert {e.kind for e in trained} == {e.kind for e in kept} == set(KINDS)


def test_another_models_replies_are_drawn_and_a_given_file_is_taken() -> None:
    assert known_replies("org/other", None, None) is None
    assert known_replies("embedded", None, 100) is None
    assert known_replies("org/other", Path("mine.jsonl"), None) == Path("mine.jsonl")
