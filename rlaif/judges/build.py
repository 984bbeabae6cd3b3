"""Make a judge from a backend and a prompt file: the file's inputs say which kind it is."""

from pathlib import Path
from typing import Literal

from rlaif.backends.base import Backend
from rlaif.errors import InputError, TemplateError
from rlaif.judges.absolute import AbsoluteJudge, Calibration
from rlaif.judges.base import Judge
from rlaif.judges.orders import BothOrders
from rlaif.judges.pairwise import PairwiseJudge
from rlaif.templates import Template
from rlaif.yamlfile import load


def judge_from(
    backend: Backend,
    template: str | Path = "absolute",
    *,
    orders: Literal["both", "one"] = "both",
    adapter: Path | None = None,
    calibration: Calibration | None = None,
) -> Judge:
    """Make the judge that a prompt file describes.

    Args:
        backend: who answers.
        template: a prompt file; one that takes `reply` judges each reply alone, one that takes
            `first` and `second` compares.
        orders: whether a comparing judge is shown both orders.
        adapter: the folder of the judge's adapter; its `calibration.json` is used where it is.
        calibration: used in place of the adapter's.

    Raises:
        TemplateError: for a prompt file that judges nothing.
    """
    loaded = Template.load(template)
    if loaded.answer.kind != "options":
        raise TemplateError(
            f"{loaded.name}: a judge's prompt file needs `answer: {{kind: options}}`"
        )
    if {"prompt", "reply", "principle"} == set(loaded.inputs):
        return AbsoluteJudge(backend, loaded, calibration or calibration_in(adapter))
    if {"first", "second"} <= set(loaded.inputs):
        judge = PairwiseJudge(backend, loaded)
        return BothOrders(judge) if orders == "both" else judge
    raise TemplateError(
        f"{loaded.name}: a judge's prompt file takes `reply`, or `first` and `second`"
    )


def calibration_in(adapter: Path | None) -> Calibration | None:
    """Read the calibration that was fitted for an adapter, where there is one.

    Raises:
        InputError: for a file that is no calibration.
    """
    path = adapter / "calibration.json" if adapter else None
    if path is None or not path.is_file():
        return None
    try:
        return load(path, Calibration)
    except InputError as error:
        raise InputError(f"{error}; train the adapter again, or delete the file") from None
