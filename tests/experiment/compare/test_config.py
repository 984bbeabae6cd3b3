import pytest

from rlaif.errors import InputError
from rlaif.experiment.compare.config import load_compare
from rlaif.resources import shipped
from rlaif.training.config import OptimizeConfig

FILE = """name: two
prompts: [one, two]
reward: {function: variety}
tokens: 4096
max_new_tokens: 8
training: {batch: 16, lora: null}
methods:
  rloo: {learning_rate: 0.01}
  calm: {method: rloo, beta: 1.0}
  dpo:
"""


@pytest.fixture
def load(tmp_path):
    def of(text: str = FILE):
        path = tmp_path / "two.yaml"
        path.write_text(text, encoding="utf-8")
        return load_compare(path)

    return of


def test_a_method_is_told_what_all_are_and_what_it_alone_is(load) -> None:
    config = load()
    rloo, calm = config.how("rloo"), config.how("calm")
    assert isinstance(rloo, OptimizeConfig)
    assert isinstance(calm, OptimizeConfig)
    assert (rloo.batch, rloo.lora, rloo.learning_rate) == (16, None, 0.01)
    assert (calm.method, calm.beta) == ("rloo", 1.0)
    assert config.how("dpo").method == "dpo"


def test_the_tokens_say_how_many_updates_there_are(load) -> None:
    # 4096 tokens are 512 answers of 8, and 32 draws of 16.
    assert load().budgeted("rloo").steps == 32
    twice = FILE.replace("learning_rate: 0.01", "gradient_accumulation: 2")
    assert load(twice).budgeted("rloo").steps == 16
    assert load(FILE.replace("4096", "3")).budgeted("rloo").steps == 1


@pytest.mark.parametrize(
    ("told", "steps"),
    [
        # 128 tokens of 16 answers, learned from three times, two updates a time.
        ("{method: ppo, ppo: {passes: 3}}", 32 * 3),
        ("{method: ppo, ppo: {passes: 3, updates: 2}}", 16 * 2 * 3),
        ("{method: grpo, extra: {num_iterations: 2}}", 32 * 2),
        ("{method: grpo, extra: {steps_per_generation: 4}}", 8 * 4),
        ("{method: grpo, extra: {generation_batch_size: 64}}", 8 * 4),
        ("{method: rloo, max_new_tokens: 32}", 8),
        ("{method: rloo, gradient_accumulation: 64}", 1),
    ],
)
def test_a_draw_that_serves_several_updates_is_paid_for_once(load, told, steps) -> None:
    config = load(FILE + f"  other: {told}\n")
    assert config.budgeted("other").steps == steps


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (("rloo:", "rlo:"), r"methods.rlo: no such method; did you mean 'rloo'"),
        (("learning_rate: 0.01", "learning_rte: 0.01"), r"methods.rloo.learning_rte"),
        (("learning_rate: 0.01", "batch: 6"), r"methods.rloo: samples: 4 answers a prompt"),
        (("{function: variety}", "{judge: run}"), "reward: a function or a model"),
        (("{function: variety}", "{function: variety, whiten: true}"), "reward.whiten: takes"),
        (
            (
                "{learning_rate: 0.01}",
                "{gradient_accumulation: 4, extra: {num_iterations: 1, steps_per_generation: 2}}",
            ),
            "methods.rloo: a draw of 2 batches makes no whole updates of 4",
        ),
        (("  dpo:", "  best-of-n: {n: 5}"), r"best-of-n.n: 5 answers do not divide the 32"),
        (("  dpo:", "  best-of-n: {n: 64}"), r"best-of-n.n: 64 answers do not divide the 32"),
    ],
)
def test_a_mistake_is_one_line(load, change, told) -> None:
    with pytest.raises(InputError, match=told) as error:
        load(FILE.replace(*change))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("path", shipped("experiments").glob("compare*.yaml"), ids=lambda p: p.stem)
def test_a_shipped_comparison_is_valid_and_its_budgets_are_equal(path) -> None:
    config = load_compare(path)
    for name in config.methods:
        how = config.how(name)
        if isinstance(how, OptimizeConfig) and how.by_reward:
            told = config.budgeted(name)
            passes = told.passes // told.gradient_accumulation
            draws = (told.steps or 0) // passes * told.batch * told.passes
            assert draws * config.max_new_tokens == config.tokens, name
