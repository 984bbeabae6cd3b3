"""How many requests each stage sends at most, before it sends one."""

import math

from rlaif.constitution.principle import Constitution
from rlaif.experiment.config import OptimizeSection, has_referee
from rlaif.experiment.context import Context
from rlaif.experiment.forewarn import requests_before
from rlaif.feedback.prompts import drawn
from rlaif.judges.compose import conditions_to_ask, rates_alone, requests_for_comparison
from rlaif.judges.principles import Choice, Draw
from rlaif.judges.reward import matched
from rlaif.training.config import BY_CHOICE


def respond_requests(run: Context) -> int:
    """Count the draws."""
    config = run.experiment.respond
    return len(run.responding) * config.samples if config else 0


def revise_requests(run: Context) -> int:
    """Count critiques, tries, and the judging of each try beside what it revises."""
    config = run.experiment.revise
    if config is None:
        return 0
    judged = config.tries * _dearest(run)
    each = int(config.critique) + config.tries + judged
    concerned = [prompt for prompt in run.responding if config.concerns(prompt)]
    prompts = len(drawn(concerned, config.prompts, ""))
    return prompts * (config.responses * config.rounds * each + _conditions(run))


def label_requests(run: Context) -> int:
    """Count the new draws and the judging of every pair."""
    config = run.experiment.label
    if config is None:
        return 0
    respond = run.experiment.respond
    samples = config.samples or (respond.samples if respond else 0)
    pairs = math.comb(samples, 2)
    pairs = min(pairs, config.pairs) if config.pairs else pairs
    prompts = len(drawn(run.train if config.samples else run.responding, config.prompts, ""))
    judged = pairs * _for_comparison(run, config.principles)
    before = requests_before(config, run.judges("judge"), run.constitution)
    return prompts * (config.samples + judged + _conditions(run)) + before


def optimize_requests(run: Context) -> int:
    """Count the judging of every answer, where judges are in the reward, and what is drawn."""
    config = run.experiment.optimize
    if config is None or not config.by_reward:
        return 0
    draws = len(run.train) * config.samples if config.method in BY_CHOICE else 0
    groups = math.ceil((draws or _answers(run, config)) / config.samples)
    return draws + _rewarding(run, config, groups)


def _rewarding(run: Context, config: OptimizeSection, groups: int) -> int:
    """Count what a reward's judges are asked of so many groups of answers."""
    rules = [run.rules_of(part.judge) for part in config.parts if part.judge]
    judged = sum(_for_group(run, config, each) for each in rules)
    asked = sum(conditions_to_ask(each) for each in rules)
    return groups * judged + len(run.train) * asked + _looks(run, config)


def _looks(run: Context, config: OptimizeSection) -> int:
    """Count the judging of the monitor's sample, at the start and at each look."""
    if config.monitor is None or not has_referee(run.experiment.models, config):
        return 0
    steps = _answers(run, config) // (config.batch * config.gradient_accumulation)
    looks = 2 + steps // config.monitor.every
    each = _for_comparison(run, "all", "referee")
    return looks * min(config.monitor.prompts, len(run.train)) * each


def _for_group(run: Context, config: OptimizeSection, rules: Constitution) -> int:
    """Count the judging of the answers to one prompt."""
    models = len(run.judges("judge"))
    each = requests_for_comparison(run.judging, models, rules.principles, "all")
    if rates_alone(run.judging, models):
        return config.samples * each // 2
    return len(list(matched(range(config.samples), config.opponents))) * each


def evaluate_requests(run: Context, prompts: int) -> int:
    """Count the replies of each policy, and the judging of each beside the base's."""
    config = run.experiment.evaluate
    if config is None:
        return 0
    tuned = sum(getattr(run.experiment, name) is not None for name in ("sft", "optimize"))
    judged = _for_comparison(run, "all", "referee") * tuned
    asked = prompts * (config.samples * (1 + tuned + judged) + _conditions(run))
    optimize = run.experiment.optimize
    if optimize and optimize.method == "best-of-n":
        groups = prompts * config.samples
        asked += groups * (optimize.samples - 1) + _rewarding(run, optimize, groups)
    return asked


def _answers(run: Context, config: OptimizeSection) -> int:
    if config.steps:
        return config.steps * config.batch * config.gradient_accumulation
    return math.ceil(config.epochs * len(run.train)) * config.samples


def _for_comparison(run: Context, how: Choice, role: str = "judge") -> int:
    models = len(run.judges("referee" if role == "referee" else "judge"))
    return requests_for_comparison(run.judging, models, run.constitution.principles, how)


def _dearest(run: Context) -> int:
    """Count the requests of a pair under the one principle that asks the most."""
    models = len(run.judges("judge"))
    return max(
        requests_for_comparison(run.judging, models, [principle], Draw())
        for principle in run.constitution.principles
    )


def _conditions(run: Context) -> int:
    return conditions_to_ask(run.constitution)
