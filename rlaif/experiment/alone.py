"""One stage by itself, on plain files: the same functions that a run calls, one folder out."""

import itertools
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from rlaif.backends.connect import connect, parse_judge
from rlaif.backends.spec import ModelSpec
from rlaif.constitution.principle import Constitution
from rlaif.errors import InputError
from rlaif.experiment.folder import Folder, NamedJudges
from rlaif.experiment.forewarn import forewarn
from rlaif.experiment.gate import Gatekeeper, stamped
from rlaif.experiment.outcomes import Outcomes
from rlaif.experiment.progress import tally
from rlaif.experiment.requirements import check_require
from rlaif.feedback.importers import read_pairs
from rlaif.feedback.label import LabelConfig, contract_of, label
from rlaif.feedback.pair import side_by_side
from rlaif.feedback.prompts import load_prompts
from rlaif.feedback.respond import RespondConfig, respond
from rlaif.feedback.revise import ReviseConfig, revise
from rlaif.judges.absolute import AbsoluteJudge
from rlaif.judges.base import Judge
from rlaif.judges.compose import (
    Judging,
    calibration_of,
    conditions_to_ask,
    requests_for_comparison,
)
from rlaif.judges.rating import Rater
from rlaif.judges.scope import Conditions
from rlaif.records import (
    Abstention,
    Comparison,
    Preference,
    Prompt,
    Response,
    Revision,
    fingerprint_of,
)
from rlaif.storage import numbered_records, read_records, write_atomically
from rlaif.templates import Template


def rater(name: str) -> Rater:
    """Make a named judge that rates replies by themselves."""
    spec = parse_judge(name)
    return AbsoluteJudge(connect(spec), Template.load("absolute"), calibration_of(spec))


def respond_alone(
    prompts: Path, model: str, config: RespondConfig, folder: Folder, seed: int
) -> None:
    """Draw responses to a file of prompts into `responses.jsonl`."""
    loaded = load_prompts(prompts)
    backend = folder.backend(model)
    folder.open(fingerprint_of([backend.name, config.fingerprint, seed]))
    write_atomically(
        folder.path / "prompts.jsonl", "".join(f"{p.model_dump_json()}\n" for p in loaded)
    )
    with Outcomes(folder.path, Response, "responses") as outcomes:
        told = Counter(name.rsplit("#", 1)[0] for name in outcomes.seen)
        left = [prompt for prompt in loaded if told[prompt.id] < config.samples]
        total = len(loaded) * config.samples
        counts = outcomes.keep(
            respond(left, backend, config, seed=seed), folder.watcher, "respond", total
        )
    folder.watcher.end(tally("responses", counts, total))


def revise_alone(
    responses: Path,
    constitution: Constitution,
    models: tuple[str, str],
    config: ReviseConfig,
    folder: Folder,
    seed: int,
) -> None:
    """Revise the responses in a folder that `respond` made; `models` are critic and judge."""
    prompts, loaded = read_drawn(responses)
    wanted = _first(loaded, config.responses)
    critic, named = folder.backend(models[0]), NamedJudges(folder, [models[1]])
    judge = named.judge(Judging(), constitution)
    conditions = named.conditions(Judging(), constitution)
    contract = [constitution.fingerprint, critic.name, judge.contract, config.fingerprint, seed]
    folder.open(fingerprint_of(contract))
    with Outcomes(folder.path, Revision, "revisions") as outcomes:
        left = [response for response in wanted if response.id not in outcomes.seen]
        made = revise(
            prompts,
            left,
            constitution,
            critic,
            config,
            judge=judge,
            conditions=conditions,
            seed=seed,
        )
        counts = outcomes.keep(made, folder.watcher, "revise", len(wanted))
    folder.watcher.end(tally("revisions", counts, len(wanted)))


def read_drawn(folder: Path) -> tuple[list[Prompt], list[Response]]:
    """Read a folder that `respond` made: its prompts, and its responses in the order of their ids.

    Raises:
        InputError: for a row that is no record, an id that stands for two responses, or none.
    """
    prompts = list(read_records(folder / "prompts.jsonl", Prompt))
    path = folder / "responses.jsonl"
    found: dict[str, tuple[int, Response]] = {}
    for line, row in numbered_records(path, Response):
        first, same = found.setdefault(row.id, (line, row))
        # A run that was killed and gone on with may hold one twice.
        if same != row:
            raise InputError.at(
                path, line, f"id {row.id!r} stands twice, first on line {first}; remove one"
            )
    if not found:
        raise InputError(f"{path}: no responses in it; `rlaif respond` makes them")
    return prompts, [found[name][1] for name in sorted(found)]


def _first(responses: Iterable[Response], count: int) -> list[Response]:
    grouped = itertools.groupby(responses, key=lambda response: response.prompt_id)
    return [response for _, group in grouped for response in itertools.islice(group, count)]


def read_comparisons(
    pairs: Path, limit: int | None, seed: int, tags: Sequence[str] = ()
) -> list[Comparison]:
    """Read the first `limit` pairs of a file, or all, as questions; each prompt gets the tags.

    Those of one conversation stand side by side, wherever they stood in the file.
    """
    read = itertools.islice(read_pairs(pairs, seed=seed), limit)
    return side_by_side(_tagged(comparison, tags) for comparison in read)


def _tagged(comparison: Comparison, tags: Sequence[str]) -> Comparison:
    both = tuple(dict.fromkeys((*comparison.prompt.tags, *tags)))
    prompt = comparison.prompt.model_copy(update={"tags": both})
    return comparison.model_copy(update={"prompt": prompt})


def label_requests(
    comparisons: list[Comparison], constitution: Constitution, config: LabelConfig, judges: int = 1
) -> tuple[int, str]:
    """Count a labelling's requests at most, and say how the number comes about."""
    principles, how = constitution.principles, config.principles
    each = requests_for_comparison(config, judges, principles, how)
    prompts = len({comparison.prompt.text for comparison in comparisons})
    conditions = prompts * conditions_to_ask(constitution)
    told = f"{len(comparisons):,} comparisons × {each} ({_how_many(config, constitution, judges)})"
    if conditions:
        told += f" + {conditions:,} about prompts"
    return len(comparisons) * each + conditions, told


def _how_many(config: LabelConfig, constitution: Constitution, judges: int) -> str:
    """Say which principles are asked, by how many, and how often."""
    vetoes = sum(principle.veto for principle in constitution.principles)
    every = len(constitution.principles)
    drawn = config.principles
    count = every if drawn == "all" else min(drawn.draw, every - vetoes) + vetoes
    parts = [f"{count} principle{'s' if count > 1 else ''}"]
    for number, what in (
        (judges, "judges"),
        (len(config.templates), "templates"),
        (config.repeats, "repeats"),
    ):
        parts += [f"{number} {what}"] if number > 1 else []
    return ", ".join(parts)


def label_alone(  # noqa: PLR0913 (the command's own options)
    comparisons: list[Comparison],
    constitution: Constitution,
    make_judge: Callable[[], Judge],
    config: LabelConfig,
    folder: Folder,
    *,
    make_conditions: Callable[[], Conditions | None] = lambda: None,
    models: Sequence[ModelSpec] = (),
    seed: int,
    tags: Sequence[str] = (),
    anew: bool = False,
    is_anyway: bool = False,
) -> Counter[str]:
    """Label comparisons into `preferences.jsonl` and `abstentions.jsonl`.

    `models` are what the judge asks: it is tried first on the constitution's examples. `tags` are
    those that every prompt was given: other ones bring other principles into scope.
    """
    people = Path(config.require.people) if config.require and config.require.people else None
    check_require(config.require, constitution, people)
    judge, conditions = make_judge(), make_conditions()
    contract = contract_of(constitution, judge, config, conditions)
    folder.open(fingerprint_of([contract, sorted(tags)]) if tags else contract, anew=anew)

    def labelled(asked: Iterable[Comparison]) -> Iterator[Preference | Abstention]:
        return label(asked, constitution, judge, config, conditions=conditions, seed=seed)

    if models:
        forewarn(constitution, judge, models, folder.watcher)
    despite: tuple[str, ...] = ()
    if config.require:
        keeper = Gatekeeper(config.require, constitution, judge, labelled, people, seed, is_anyway)
        despite = keeper.admit(comparisons, folder.path, folder.watcher)
    with Outcomes(folder.path, Preference, "preferences") as outcomes:
        left = [comparison for comparison in comparisons if comparison.id not in outcomes.seen]
        made = stamped(labelled(left), despite)
        counts = outcomes.keep(made, folder.watcher, "label", len(comparisons))
    folder.watcher.end(tally("preferences", counts, len(comparisons)))
    return counts
