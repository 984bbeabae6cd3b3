"""Training and evaluation by themselves, on plain files."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from rich.table import Table

from rlaif.backends.connect import LocalModel, model_path, parse_spec
from rlaif.constitution.principle import Constitution
from rlaif.errors import InputError
from rlaif.evaluation.config import EvaluateConfig
from rlaif.evaluation.evaluate import evaluate
from rlaif.evaluation.suites import load_suite
from rlaif.evaluation.table import evaluation_table
from rlaif.experiment.config import override_with
from rlaif.experiment.curve import Curve, arrow
from rlaif.experiment.folder import Folder, NamedJudges
from rlaif.experiment.progress import Watcher
from rlaif.feedback.counts import by_source, told
from rlaif.feedback.imitate import Imitated, read_demonstrations
from rlaif.feedback.mix import Mix
from rlaif.feedback.sound import Aside
from rlaif.judges.compose import Judging
from rlaif.records import Preference, Revision
from rlaif.storage import read_records, write_atomically
from rlaif.training.config import RewardConfig, SFTConfig, Trained
from rlaif.training.reward import Beside, train_reward_model
from rlaif.training.sft import train_sft
from rlaif.yamlfile import read_lines, validated


def local_spec(name: str) -> LocalModel:
    """Read the short name of a model that can be trained.

    Raises:
        InputError: for a model behind an API.
    """
    spec = parse_spec(name)
    if not isinstance(spec, LocalModel):
        raise InputError(f"{name}: only a local model can be trained")
    return spec


def local_path(name: str, watcher: Watcher) -> Path:
    """Give the folder, or hub name, of a model that can be trained.

    Raises:
        InputError: for a model behind an API.
    """
    return model_path(local_spec(name), say=watcher.say)


def sft_config(epochs: float, settings: Sequence[str] = ()) -> SFTConfig:
    """Make a config of the command's options; settings are keys of an experiment's section `sft`.

    Raises:
        InputError: for a setting that there is not, or a value that it cannot have.
    """
    data: dict[str, Any] = {"epochs": epochs}
    for setting in settings:
        override_with(data, setting)
    return validated(data, SFTConfig)


def sft_alone(
    rows: Path, model: str, out: Path, config: SFTConfig, seed: int, watcher: Watcher
) -> str:
    """Fine-tune on a file of replies; return one line about it."""
    imitated = _imitated(rows)
    curve = Curve(out.with_name(f"{out.name}.curve.jsonl"), watcher, "sft")
    trained = train_sft(
        imitated, config, local_path(model, watcher), out, seed=seed, progress=curve
    )
    watcher.end(f"{trained.rows} replies imitated, {arrow(trained.metrics)}")
    for note in (*trained.notes, *left_out_notes(trained)):
        watcher.say(note)
    return f"kept in {trained.path}"


def _imitated(rows: Path) -> list[Imitated]:
    if rows.name == "revisions.jsonl":
        return [(row.prompt, row.after.text) for row in read_records(rows, Revision)]
    return read_demonstrations(rows)


def labels_in(mix: Mix, aside: Aside | None = None) -> Iterable[Preference]:
    """Give labels to train on; those of one judge's file one after the other, however many.

    Rows of other files that cannot be trained on go to `aside`.

    Raises:
        InputError: for a row that is no label, with file and line, or a file of abstentions alone.
    """
    path, *more = mix.paths
    file = path / "preferences.jsonl" if path.is_dir() else path
    if more or mix.weights or not _is_a_judges(file):
        return mix.read(aside)
    return read_records(file, Preference)


def _is_a_judges(file: Path) -> bool:
    """Say whether a file is a judge's own, by its first row: nothing in it is to be pooled."""
    if file.suffix != ".jsonl" or not file.is_file():
        return False
    first = next((line for line in read_lines(file) if line.strip()), "")
    try:
        return Preference.model_validate_json(first).source == "judge"
    except ValidationError:
        return False


def reward_alone(  # noqa: PLR0913 (the command's own options)
    mix: Mix,
    model: str,
    out: Path,
    config: RewardConfig,
    beside: tuple[str | None, Path | None],
    seed: int,
    watcher: Watcher,
) -> str:
    """Train a reward model on files of preferences; return one line about it.

    `beside` is the constitution that the labels were judged by, and a file of demonstrations.
    """
    rules, shown = beside
    aside = Aside()
    labels = labels_in(mix, aside)
    for line in aside.lines():
        watcher.say(line)
    if isinstance(labels, list) and len(sources := by_source(labels)) > 1:
        watcher.say(f"labels: {told(sources)}")
    trained = train_reward_model(
        labels,
        config,
        local_path(model, watcher),
        out,
        beside=Beside(
            Constitution.load(rules) if rules else None,
            read_demonstrations(shown) if shown else (),
            aside.counts,
        ),
        seed=seed,
        progress=Curve(out.with_name(f"{out.name}.curve.jsonl"), watcher, "reward"),
    )
    metrics = ", ".join(f"{name} {value:.3f}" for name, value in trained.metrics.items())
    watcher.end(f"{trained.rows} pairs, {metrics}")
    for note in (*trained.notes, *left_out_notes(trained)):
        watcher.say(note)
    return f"kept in {trained.path}"


def reward_config(**options: Any) -> RewardConfig:
    """Make a config of the command's options.

    Raises:
        InputError: for options that do not go together, or out of range.
    """
    try:
        return RewardConfig.model_validate(options)
    except ValidationError as error:
        what = error.errors()[0]
        place = "".join(f"{step}: " for step in what["loc"])
        raise InputError(place + what["msg"].removeprefix("Value error, ")) from None


def left_out_notes(trained: Trained) -> list[str]:
    """Say what was left out, and why, if anything was."""
    counts = ", ".join(f"{count} {reason}" for reason, count in trained.left_out.items() if count)
    return [f"left out: {counts}"] if counts else []


def evaluate_alone(
    models: Sequence[str],
    suites: Sequence[str],
    constitution: Constitution,
    judge: str,
    folder: Folder,
    how: tuple[int | None, int],
) -> Table:
    """Put policies side by side, the first as the base; `how` is the limit and the seed."""
    limit, seed = how
    prompts = {Path(name).stem: load_suite(name) for name in suites}
    policies = {name: folder.backend(name) for name in models}
    named = NamedJudges(folder, [judge])
    referee = named.judge(Judging(), constitution)
    watcher, out = folder.watcher, folder.path / "evaluation.json"
    folder.open("evaluation")  # each is written whole, and over the one before
    watcher.begin("evaluate", None)
    evaluation = evaluate(
        policies,
        prompts,
        referee,
        constitution,
        EvaluateConfig(suites=tuple(suites), limit=limit),
        conditions=named.conditions(Judging(), constitution),
        is_independent=None,
        seed=seed,
        progress=lambda done, total, note: watcher.advance(done, f"{done}/{total}  {note}"),
    )
    write_atomically(out, evaluation.model_dump_json(indent=1))
    watcher.end(f"{len(policies)} policies, kept in {out}")
    return evaluation_table(evaluation)
