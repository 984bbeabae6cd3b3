"""What an examination of a judge shows: its line while it lasts, and its marks."""

from collections.abc import Callable

from rlaif.cli.console import OUT, Shown
from rlaif.experiment.judge_page import Card


def examining(shown: Shown) -> Callable[[int, int], None]:
    """Open the examination's line when it begins, since its length is known only then."""
    is_open = False

    def advance(done: int, total: int) -> None:
        nonlocal is_open
        if not is_open:
            shown.begin("examination", total)
            is_open = True
        shown.advance(done)

    return advance


def print_card(card: Card) -> None:
    """Print each mark beside its gate, and what the stages of the training had."""
    width = max(len(mark.name) for mark in card.marks)
    for mark in card.marks:
        verdict = "short" if mark.is_short else "ok"
        bound = f"{'≤' if mark.is_low_good else '≥'} {mark.gate:.2f}"
        between = f"({mark.low:.3f} to {mark.high:.3f}, {mark.count:,})"
        OUT.print(f"{mark.name:<{width}}  {mark.value:.3f} {between:<26} {bound}  {verdict}")
    for name, figures in card.stages.items():
        told = ", ".join(f"{key} {value:.2f}" for key, value in figures.items())
        OUT.print(f"{name}: {told}", style="dim")
