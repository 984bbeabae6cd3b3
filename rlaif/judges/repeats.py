"""The same judge asked several times, each time with another draw."""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from rlaif.backends.base import Answered, Backend, seeded
from rlaif.errors import TemplateError
from rlaif.judges.base import Case, Judge, Outcome
from rlaif.judges.panel import together
from rlaif.records import Request, fingerprint_of
from rlaif.templates import Template


class Reseeded:
    """A backend that answers the same question anew each time it is asked it.

    The first time is asked as it stands, so it is found in the store; the next ones have seeds of
    their own, which a resumed run draws again.
    """

    def __init__(self, backend: Backend, times: int) -> None:
        """Put seeds before a backend; the question after `times` of them starts over."""
        self._backend = backend
        self._times = times
        self.name = backend.name

    def stream(self, requests: Iterable[Request]) -> Iterator[Answered]:
        """Answer each request once; what comes back carries the seed it was asked with."""
        asked: Counter[str] = Counter()

        def anew() -> Iterator[Request]:
            for request in requests:
                key = fingerprint_of(request.wanted)
                number = asked[key]
                asked[key] += 1
                if asked[key] == self._times:
                    del asked[key]  # so that memory does not grow with the data
                yield seeded(request, f"{key}:{number}") if number else request

        return self._backend.stream(anew())


class _Copy(NamedTuple):
    """One repeat of a case, as the judge inside was asked it."""

    asked: Case
    case: Case
    number: int
    said: dict[int, Outcome]


class Repeats:
    """Ask a judge each case several times and average the distributions; the spread is kept.

    For judges that write before they answer. It tells how stable a judge is more than it mends
    it: at T = 1, the mean of 16 reasoned answers agreed with people less often than one answer at
    T = 0 did (72.8 against 78.0 %, Lee et al. 2023). Repeats that abstain leave the others.
    """

    def __init__(self, judge: Judge, times: int) -> None:
        """Wrap a judge over a `Reseeded` backend, or one that draws anew by itself."""
        self._judge = judge
        self._times = times
        self.name = judge.name
        self.contract = fingerprint_of(["repeats", judge.contract, times])

    def decide(self, cases: Iterable[Case]) -> Iterator[tuple[Case, Outcome]]:
        """Answer each case once; its repeats go out together."""
        shown: dict[int, _Copy] = {}

        def copies() -> Iterator[Case]:
            for case in cases:
                said: dict[int, Outcome] = {}
                for number in range(1, self._times + 1):
                    copy = Case(*case)
                    shown[id(copy)] = _Copy(copy, case, number, said)
                    yield copy

        for asked, outcome in self._judge.decide(copies()):
            _, case, number, said = shown.pop(id(asked))
            said[number] = outcome
            if len(said) == self._times:
                named = {f"repeat {n}": said[n] for n in sorted(said)}
                yield case, together(named, "mean", case, self.name)


def need_draws(template: Template, times: int) -> None:
    """Make sure that repeats can differ.

    Raises:
        TemplateError: for a prompt file that takes the likeliest token each time.
    """
    if times > 1 and (template.thinking or template.sampling).temperature == 0:
        section = "thinking" if template.thinking else "sampling"
        raise TemplateError(
            f"{template.name}: asked at temperature 0, so {times} repeats would all say the same; "
            f"set `{section}: {{temperature: 1}}` in the prompt file, or `repeats: 1`"
        )
