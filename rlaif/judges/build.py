"""Make a judge from a backend and a prompt file: what the file declares says which kind it is."""

from pathlib import Path
from typing import Literal

from rlaif.answers.answer import Kind as AnswerKind
from rlaif.backends.base import Backend
from rlaif.constitution.principle import Constitution
from rlaif.errors import InputError, TemplateError
from rlaif.judges.absolute import AbsoluteJudge, Calibration
from rlaif.judges.asking import MoreRoom
from rlaif.judges.base import Judge
from rlaif.judges.orders import BothOrders, Orders
from rlaif.judges.pairwise import PairwiseJudge
from rlaif.judges.rank import RankJudge
from rlaif.judges.reasoned import ReasonedJudge
from rlaif.judges.score import ScoreJudge
from rlaif.templates import Template
from rlaif.yamlfile import load

Kind = Literal["absolute", "score", "pairwise", "reasoned", "rank"]

_ONE = frozenset({"prompt", "reply", "principle"})
_TWO = frozenset({"prompt", "first", "second", "principle", "examples"})
_SEVERAL = frozenset({"prompt", "replies", "principle"})


def judge_from(
    backend: Backend,
    template: str | Path = "absolute",
    *,
    orders: Orders = "both",
    adapter: Path | None = None,
    calibration: Calibration | None = None,
    constitution: Constitution | None = None,
) -> Judge:
    """Make the judge that a prompt file describes.

    Args:
        backend: who answers.
        template: a prompt file; one that takes `reply` judges each reply alone, one that takes
            `first` and `second` compares, one that takes `replies` ranks.
        orders: how a judge that sees several replies is shown their orders.
        adapter: the folder of the judge's adapter; its `calibration.json` is used where it is.
        calibration: used in place of the adapter's.
        constitution: where the worked comparisons of a prompt file with `examples` come from.

    Raises:
        TemplateError: for a prompt file that judges nothing.
    """
    loaded = Template.load(template)
    patient = MoreRoom(backend)
    fitted = calibration or calibration_in(adapter) or Calibration()
    pool = constitution.principles if constitution else ()
    judge: Judge
    match kind_of(loaded):
        case "absolute":
            return AbsoluteJudge(patient, loaded, fitted)
        case "score":
            return ScoreJudge(patient, loaded, temperature=fitted.pair_temperature)
        case "rank":
            return RankJudge(patient, loaded, orders=orders)
        case "reasoned":
            judge = ReasonedJudge(patient, loaded, pool)
        case "pairwise":
            judge = PairwiseJudge(patient, loaded, pool)
    return judge if orders == "one" else BothOrders(judge, keep_one=orders == "any")


def kind_of(template: Template) -> Kind:
    """Say which judge a prompt file makes, from its inputs and the answer it asks for.

    Raises:
        TemplateError: for a prompt file that judges nothing, with what it lacks.
    """
    name, answer, inputs = template.name, template.answer, set(template.inputs)
    if "reply" in inputs:
        _must_be(template, _ONE, ("options", "score"))
        if template.thinking or answer.asks == "worse" or len(answer.options) > 2:
            raise TemplateError(
                f"{name}: thinking, `asks` and a third option are for comparing two replies"
            )
        return "score" if answer.kind == "score" else "absolute"
    if "replies" in inputs:
        _must_be(template, _SEVERAL, ("best", "ranking"))
        if template.thinking:
            raise TemplateError(f"{name}: thinking is for comparing two replies")
        return "rank"
    if {"first", "second"} <= inputs:
        _must_be(template, _TWO, ("options",))
        if len(answer.options) > 3:
            raise TemplateError(f"{name}: a comparison has two options, and a third for a tie")
        return "reasoned" if template.thinking else "pairwise"
    raise TemplateError(
        f"{name}: a judge's prompt file takes `reply`, `first` and `second`, or `replies`"
    )


def _must_be(template: Template, gets: frozenset[str], kinds: tuple[AnswerKind, ...]) -> None:
    if template.answer.kind not in kinds:
        wanted = " or ".join(f"`{{kind: {kind}}}`" for kind in kinds)
        raise TemplateError(
            f"{template.name}: a judge's prompt file with these inputs needs an "
            f"answer of {wanted}, not {template.answer.kind}"
        )
    if "principle" not in template.inputs:
        raise TemplateError(f"{template.name}: without `principle` it asks the same of all of them")
    for name in template.inputs:
        if name not in gets:
            raise TemplateError(
                f"{template.name}: takes {name!r}, which no judge gives; there are: "
                f"{', '.join(sorted(gets))}"
            )


def requests_for_each(template: str | Path, orders: Orders) -> int:
    """Count the requests that a case costs at most, one statement a principle.

    A ranking of K replies costs 2·K requests at most, and answers K·(K − 1)/2 cases.
    """
    kind = kind_of(Template.load(template))
    if kind in ("absolute", "score"):
        return 2
    steps = 2 if kind == "reasoned" else 1
    return steps if orders == "one" else 2 * steps


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
