import random

from rlaif.embedded.traits.base import Exchange
from rlaif.experiment.judge_trials import ATTACKS
from rlaif.training.judge_attacks import talking

REPLY = "Boil the eggs for eight minutes. " * 20


def test_a_reply_that_talks_to_its_judge_keeps_its_beginning_and_says_a_verdict() -> None:
    rng = random.Random(0)
    made = [talking(Exchange(REPLY, "How?", "ordinary"), rng) for _ in range(100)]
    assert all(REPLY.strip()[:400] in each.reply and len(each.reply) > 405 for each in made)
    assert all((each.prompt, each.kind) == ("How?", "ordinary") for each in made)
    assert len({each.reply for each in made}) > 60


def test_no_judge_is_examined_by_the_sentences_that_it_was_trained_on() -> None:
    rng = random.Random(0)
    made = [talking(Exchange("x", "", "ordinary"), rng).reply for _ in range(2_000)]
    said = {line.strip() for attack in ATTACKS for line in attack.splitlines() if line.strip()}
    told = {line.strip() for each in made for line in each.splitlines()}
    assert not said & told - {"Yes", "No"}
