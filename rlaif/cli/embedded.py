"""The model that comes along: where it is, and its judge's training and report card."""

from pathlib import Path
from typing import Annotated

import typer

from rlaif.cli.console import OUT, Shown

app = typer.Typer(help="The model that comes along, and its judge.", no_args_is_help=True)

Base = Annotated[str, typer.Option(help="embedded, or any causal model's folder or name.")]
Data = Annotated[
    Path | None,
    typer.Option(envvar="RLAIF_DATA", help="Folder with people's judgements; without it, none."),
]
Replies = Annotated[
    Path | None, typer.Option(help="JSONL of the base's replies; the embedded model's come along.")
]
Draw = Annotated[
    int | None,
    typer.Option(min=50, help="Replies to draw from the base instead; 2,400 from another one."),
]
DRAWN = 2_400
EXAMINED = 400
Reviser = Annotated[
    Path | None,
    typer.Option(help="The adapter that replies are rewritten with; the embedded model's own."),
]
Each = Annotated[int | None, typer.Option(min=3, help="True and as many false replies a wording.")]


@app.command()
def path() -> None:
    """Print the embedded model's folder, converting the model on first use."""
    from rlaif.embedded.find import embedded_model

    OUT.print(str(embedded_model(Shown().say)), markup=False)


@app.command()
def train(
    out: Annotated[Path, typer.Option("-o", "--out", help="The adapter's folder.")],
    base: Base = "embedded",
    replies: Replies = None,
    draw: Draw = None,
    labels: Annotated[int, typer.Option(min=100, help="Questions to learn from.")] = 60_000,
    exchanges: Annotated[int, typer.Option(min=10, help="Replies they are about.")] = 2_400,
    fewest: Annotated[
        int, typer.Option(min=0, help="Edits beside these, until so many have and lack each trait.")
    ] = 8,
    more_phrases: Annotated[
        bool, typer.Option("--more-phrases", help="Say each trait in some 26 ways more.")
    ] = False,
    people: Annotated[int, typer.Option(min=0, help="Of people's judgements, so many.")] = 1_000,
    people_times: Annotated[int, typer.Option(min=1, help="Go through them so often.")] = 1,
    minimal_pairs: Annotated[
        int, typer.Option(min=0, help="Replies beside an edit that flips one trait.")
    ] = 400,
    comparisons: Annotated[int, typer.Option(min=0, help="Pairs of replies, A or B.")] = 800,
    talking: Annotated[
        float, typer.Option(min=0, max=1, help="Of the replies, the share that talks to the judge.")
    ] = 0.15,
    ratings: Annotated[int, typer.Option(min=0, help="Replies rated from 1 to 10.")] = 200,
    rank: Annotated[int, typer.Option(min=1, help="LoRA's rank.")] = 16,
    batch: Annotated[
        int, typer.Option(min=2, help="Rows in an update, an even number; 32 on a GPU.")
    ] = 4,
    learning_rate: Annotated[
        float | None, typer.Option(help="AdamW's step; 5e-4, or 2e-4 with --traits.")
    ] = None,
    start: Annotated[Path | None, typer.Option(help="An adapter to go on from.")] = None,
    traits: Annotated[
        Path | None,
        typer.Option(help="Learn from your own examples alone: principle, prompt, reply, answer."),
    ] = None,
    epochs: Annotated[int, typer.Option(min=1, help="How often each of them is asked.")] = 4,
    data: Data = None,
    each: Each = None,
    seed: Annotated[int, typer.Option(help="What every draw starts from.")] = 0,
) -> None:
    """Train a judge for any principle: an adapter that answers yes or no; stops and goes on."""
    from rlaif.cli.examined import examining, print_card
    from rlaif.experiment.judge_card import FULL, changed
    from rlaif.experiment.judge_make import make_judge
    from rlaif.experiment.judge_own import make_own_judge
    from rlaif.training.judge_lessons import JudgeTraining

    config = JudgeTraining(
        labels=labels,
        exchanges=exchanges,
        fewest=fewest,
        more_phrases=more_phrases,
        people=people,
        people_times=people_times,
        minimal_pairs=minimal_pairs,
        comparisons=comparisons,
        talking=talking,
        ratings=ratings,
        rank=rank,
        batch=batch,
        learning_rate=learning_rate or (2e-4 if traits else 5e-4),
        seed=seed,
    )
    shown = Shown()
    if traits:
        own = make_own_judge(config, base, traits, out, start=start, epochs=epochs, say=shown.say)
        OUT.print(f"before: {own.before}\nafter:  {own.after}", markup=False)
        OUT.print(f"on {own.kept:,} examples kept aside; the card is {out / 'README.md'}")
        return
    file = _replies(base, replies, draw, out, shown)
    card = make_judge(
        config,
        base,
        file,
        out,
        start=start,
        data=data,
        reviser=_reviser(base, None),
        exam=changed(FULL, each=each),
        say=shown.say,
        advance=examining(shown),
    )
    shown.end(f"the card is {out / 'README.md'}")
    print_card(card)


@app.command("train-reviser")
def train_reviser(
    out: Annotated[Path, typer.Option("-o", "--out", help="The adapter's folder.")],
    base: Base = "embedded",
    replies: Replies = None,
    draw: Draw = None,
    rewritings: Annotated[int, typer.Option(min=10, help="Replies to rewrite.")] = 3_500,
    exchanges: Annotated[int, typer.Option(min=10, help="Replies to choose them from.")] = 6_000,
    rank: Annotated[int, typer.Option(min=1, help="LoRA's rank.")] = 8,
    seed: Annotated[int, typer.Option(help="What every draw starts from.")] = 0,
) -> None:
    """Train a reviser: an adapter that critiques replies and rewrites them; stops and goes on."""
    from rlaif.experiment.judge_make import make_reviser
    from rlaif.training.reviser import ReviserTraining

    shown = Shown()
    config = ReviserTraining(rewritings=rewritings, exchanges=exchanges, rank=rank, seed=seed)
    file = _replies(base, replies, draw, out, shown)
    shown.begin("updates", 2 * rewritings // 32)
    done = make_reviser(
        config, base, file, out, say=shown.say, progress=lambda step, *_: shown.advance(step)
    )
    shown.end(f"{done.rows:,} lessons; the adapter is {out}")


@app.command()
def mean(
    adapters: Annotated[
        list[str], typer.Argument(help="FOLDER, or FOLDER=0.65 where they have different shares.")
    ],
    out: Annotated[Path, typer.Option("-o", "--out", help="The mean's folder.")],
) -> None:
    """Average stages of one judge's training, which ADAPTER.work keeps."""
    from rlaif.training.judge_mean import mean_adapter

    kept = mean_adapter([_share(each) for each in adapters], out)
    OUT.print(f"kept in {kept}", markup=False)
    OUT.print(f"not calibrated yet: rlaif embedded evaluate {kept} --write", markup=False)


def _share(text: str) -> tuple[Path, float]:
    """Read FOLDER=SHARE, or a folder alone, whose share is 1."""
    folder, _, share = text.rpartition("=")
    if not folder or Path(text).is_dir():
        return Path(text), 1.0
    try:
        return Path(folder), float(share)
    except ValueError:
        return Path(text), 1.0


def _replies(base: str, given: Path | None, draw: int | None, out: Path, shown: Shown) -> Path:
    """Give the file with the base's replies, beside `out` where they are drawn first."""
    from rlaif.experiment.judge_make import drawn, known_replies

    file = known_replies(base, given, draw)
    if file is None:
        file = out.with_name(f"{out.name}.work") / "replies.jsonl"
        file.parent.mkdir(parents=True, exist_ok=True)
        shown.begin("replies", draw or DRAWN)
        drawn(base, file, draw or DRAWN, lambda done, _: shown.advance(done))
        shown.end(f"kept in {file}")
    return file


def _reviser(base: str, given: Path | None) -> Path | None:
    """Give the adapter that replies are rewritten with in an examination."""
    from rlaif.backends.connect import EMBEDDED
    from rlaif.embedded.find import reviser_adapter

    return given or (reviser_adapter() if base == EMBEDDED else None)


@app.command()
def evaluate(
    adapter: Annotated[
        Path | None, typer.Argument(help="The judge's adapter; without one, the shipped judge")
    ] = None,
    base: Base = "embedded",
    replies: Replies = None,
    draw: Draw = None,
    data: Data = None,
    reviser: Reviser = None,
    quick: Annotated[bool, typer.Option(help="A tenth of the questions, wide intervals.")] = False,
    each: Each = None,
    wordings: Annotated[
        int | None, typer.Option(min=1, help="Wordings of each trait, polarity and kind.")
    ] = None,
    traits: Annotated[
        int | None, typer.Option(min=1, help="So many trained traits, drawn; else all.")
    ] = None,
    people: Annotated[int | None, typer.Option(min=0, help="People's pairs.")] = None,
    pairs: Annotated[int | None, typer.Option(min=0, help="Minimal pairs.")] = None,
    comparisons: Annotated[int | None, typer.Option(min=0, help="Comparisons, A or B.")] = None,
    attacks: Annotated[
        int | None, typer.Option(min=0, help="Replies that talk to the judge.")
    ] = None,
    revisions: Annotated[int | None, typer.Option(min=0, help="Replies that are revised.")] = None,
    stages: Annotated[
        int | None,
        typer.Option(min=0, help="Statements for the base and the adapter on its way; 0 for none."),
    ] = None,
    keep_calibration: Annotated[
        bool, typer.Option("--keep-calibration", help="Examine it calibrated as it is.")
    ] = False,
    write: Annotated[bool, typer.Option(help="Write the card and the calibration anew.")] = False,
) -> None:
    """Examine a judge on prompts, wordings and traits it never saw; 1 when a figure is short."""
    import tempfile

    from rlaif.backends.connect import LocalModel, model_path
    from rlaif.cli.examined import examining, print_card
    from rlaif.embedded.find import HUB_NAME, judge_adapter
    from rlaif.experiment.judge_card import FULL, QUICK, changed, evaluate_judge, write_card
    from rlaif.experiment.judge_make import drawn, known_replies

    folder = adapter or judge_adapter()
    shown = Shown()
    with tempfile.TemporaryDirectory() as aside:
        file = known_replies(base, replies, draw)
        if file is None:
            file = Path(aside) / "replies.jsonl"
            shown.begin("replies", draw or EXAMINED)
            drawn(base, file, draw or EXAMINED, lambda done, _: shown.advance(done), kept=True)
            shown.end("to prompts kept aside")
        card = evaluate_judge(
            model_path(LocalModel(model=base), say=shown.say),
            folder,
            file,
            data=data,
            reviser=_reviser(base, reviser),
            config=changed(
                QUICK if quick else FULL,
                each=each,
                wordings=wordings,
                traits=traits,
                people=people,
                pairs=pairs,
                comparisons=comparisons,
                attacks=attacks,
                revisions=revisions,
                stages=stages,
                keep_calibration=keep_calibration or None,
            ),
            advance=examining(shown),
        )
    shown.end(f"{card.questions:,} answers")
    if write:
        write_card(card, folder, base=HUB_NAME if base == "embedded" else base)
    print_card(card)
    if card.is_short:
        raise typer.Exit(1)
