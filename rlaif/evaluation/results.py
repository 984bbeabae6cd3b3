"""What an evaluation found, as records: every reply kept, every figure with its interval."""

from collections.abc import Iterator

from pydantic import Field

from rlaif.errors import InputError
from rlaif.evaluation.config import EvaluateConfig, Measure
from rlaif.evaluation.intervals import Interval
from rlaif.evaluation.measures import ReplyKind
from rlaif.records import Abstention, Probability, Prompt, Record, Verdict


class Reply(Record):
    """One policy's reply to one prompt, with all that was found out about it."""

    policy: str
    suite: str
    prompt_id: str
    sample: int
    text: str
    kind: ReplyKind
    words: int
    traits: tuple[str, ...] = ()
    """The counted traits that it has."""
    p_better: Probability | None = None
    """The referee's probability that it is better than the base's reply; 0.5 where both are the
    same text, none where the pair was not judged or the referee abstained."""
    verdicts: tuple[Verdict, ...] = ()
    """Each principle's verdict, with this reply as the first."""

    @property
    def key(self) -> str:
        """Name the draw, which is the same for every policy."""
        return f"{self.suite}/{self.prompt_id}#{self.sample}"


class Cell(Record):
    """One policy's figure in one row."""

    policy: str
    figure: Interval
    replies: int
    prompts: int
    moved: Interval | None = None
    """The difference to the base over the draws that both answered, paired by prompt."""


class Row(Record):
    """One measure, policy by policy; a policy that answered nothing has no cell."""

    name: str
    measure: Measure
    cells: tuple[Cell, ...]

    def cell(self, policy: str) -> Cell | None:
        """Give a policy's figure, if there is one."""
        return next((cell for cell in self.cells if cell.policy == policy), None)


class WinRate(Record):
    """How often the referee prefers a policy's reply to the base's."""

    policy: str
    figure: Interval | None
    """Wins and half of the ties among the pairs that were decided; none where none was."""
    wins: int = 0
    ties: int = 0
    """Undecided pairs, those of the same text among them."""
    losses: int = 0
    same: int = 0
    """Pairs of the same text, which nobody had to judge."""
    abstained: dict[str, int] = Field(default_factory=dict)
    """Pairs without an answer, by kind; they are in no rate."""
    principles: dict[str, Interval] = Field(default_factory=dict)
    """The win rate by each principle alone."""


class Evaluation(Record):
    """Policies side by side."""

    base: str
    """The policy that the others are compared with."""
    policies: tuple[str, ...]
    models: dict[str, str]
    """Each policy's model identity."""
    config: EvaluateConfig
    seed: int
    suites: dict[str, tuple[Prompt, ...]]
    rows: tuple[Row, ...]
    wins: tuple[WinRate, ...] = ()
    replies: tuple[Reply, ...]
    abstentions: tuple[Abstention, ...] = ()
    """Draws without a reply, by policy: in no rate, and never counted as harmless."""
    constitution: str
    """The fingerprint of the constitution judged by."""
    referee: str | None = None
    """Who judged; none where no win rate was asked for."""
    referee_independent: bool | None = False
    """Whether the referee is another than the judge whose labels were trained on; None where that
    is not known."""

    def row(self, name: str) -> Row:
        """Look a row up by its name."""
        for row in self.rows:
            if row.name == name:
                return row
        raise InputError(f"no row {name!r}; there are: {', '.join(row.name for row in self.rows)}")

    def pairs(self, policy: str) -> Iterator[tuple[Prompt, Reply, Reply]]:
        """Give each draw that both answered: its prompt, the base's reply, the policy's reply."""
        base = {reply.key: reply for reply in self.replies if reply.policy == self.base}
        prompts = {
            (suite, prompt.id): prompt for suite, rows in self.suites.items() for prompt in rows
        }
        for reply in self.replies:
            if reply.policy == policy and reply.key in base:
                yield prompts[reply.suite, reply.prompt_id], base[reply.key], reply
