"""A reward model of the embedded base from people's own pairs, looked at as one would before RL."""

import os
from pathlib import Path

import pytest

from rlaif.embedded.find import embedded_model
from rlaif.experiment.progress import Quiet
from rlaif.experiment.reward_scores import report_on_model
from rlaif.feedback.importers import read_people
from rlaif.records import Preference
from rlaif.storage import write_records
from rlaif.training.config import LoRA, RewardConfig
from rlaif.training.reward import train_reward_model

PAIRS = Path(os.environ.get("RLAIF_DATA", "")) / "hh-rlhf" / "harmless_base_test_part.jsonl"
SHORT = 170  # letters of a conversation and a reply, so that a test can wait for it


def short_pairs() -> list[Preference]:
    def size(label: Preference) -> int:
        return len(label.prompt.text) + max(len(label.chosen.text), len(label.rejected.text))

    return [label for label in read_people(PAIRS) if size(label) < SHORT][:20]


@pytest.mark.slow
@pytest.mark.skipif(not PAIRS.is_file(), reason="RLAIF_DATA has no HH-RLHF")
def test_a_model_learns_its_pairs_by_heart_and_the_report_says_that_it_knows_no_more(
    tmp_path: Path,
) -> None:
    labels = short_pairs()
    write_records(tmp_path / "labels.jsonl", labels)
    config = RewardConfig(
        learning_rate=1e-3, epochs=3, batch=4, held_out=0.5, lora=LoRA(layers_from=24)
    )
    trained = train_reward_model(labels, config, embedded_model(), tmp_path / "rm")
    found, _ = report_on_model(
        trained.path, tmp_path / "labels.jsonl", None, tmp_path / "out", 10, Quiet()
    )
    assert found.counts.held_out + found.counts.train == len(labels)
    assert found.gap is not None
    assert found.accuracy is not None
    assert found.gap.train.share.value >= 0.9
    # Ten pairs teach nothing of others': nobody may take it for a reward.
    assert found.gap.train.share.value - found.accuracy.share.value >= 0.15
    assert found.accuracy.share.low < 0.5
    # Rules that read nothing are measured on the same pairs.
    assert {rule.accuracy.pairs for rule in found.trivial} == {found.accuracy.pairs}
