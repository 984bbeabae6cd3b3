"""A judge by a short name, as a command line gives it."""

from collections.abc import Callable

from rlaif.backends.connect import adapter_folder, connect, parse_judge
from rlaif.constitution.principle import Constitution
from rlaif.judges.base import Judge
from rlaif.judges.build import judge_from
from rlaif.judges.orders import Orders
from rlaif.store import CompletionStore


def named_judge(
    name: str,
    template: str = "absolute",
    *,
    orders: Orders = "both",
    constitution: Constitution | None = None,
    store: CompletionStore | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> Judge:
    """Connect to `embedded`, `openai:MODEL`, `recorded:FILE` or a folder, and make it a judge.

    Raises:
        InputError, MissingModelError: for a name that leads to no model.
    """
    spec = parse_judge(name)
    backend = connect(spec, store=store, say=say)
    return judge_from(
        backend,
        template,
        orders=orders,
        adapter=adapter_folder(spec),
        constitution=constitution,
    )
