"""How a conversation is laid out for a reward model: in training, in scoring, in its folder."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

from pydantic import Field, ValidationError

from rlaif.errors import MissingModelError
from rlaif.records import Prompt, Record
from rlaif.storage import write_atomically
from rlaif.training.dataset import conversation_ids, messages_of, prompt_ids
from rlaif.training.folder import load_tokenizer
from rlaif.training.packing import common

FILE = "reward.json"
_PLAIN = (
    "{{ bos_token or cls_token or '' }}{% for message in messages %}"
    "{{ message.role | capitalize }}: {{ message.content }}\n\n{% endfor %}"
    "{% if add_generation_prompt %}Assistant:{% endif %}"
)
"""For a base that was never tuned to chat, and brings no template of its own."""


class Read(NamedTuple):
    """What a model reads to score an answer."""

    prompt: Prompt
    text: str
    principle: str | None = None
    """The words of the principle to score by, for a model that reads one."""


class Layout(Record):
    """What stands in `reward.json`: everything about scoring that the weights do not say."""

    version: Literal[1] = 1
    max_length: int = 1024
    """Tokens that a prompt and an answer may have together."""
    too_long: Literal["drop", "truncate"] = "drop"
    """Beyond that, no score; or the score without the beginning of the prompt."""
    principles: dict[str, str] = Field(default_factory=dict)
    """By id, the principles that it was trained to score by; each stands before the conversation
    as `Principle: …`. None for a model that reads no principle."""
    members: int = Field(default=1, ge=1)
    """Models of the ensemble: the folder's own, and those in `members/`."""
    heads: int = Field(default=1, ge=1)
    """Heads of each, whose scores are an ensemble's too; they stand in `heads/`."""
    combine: Literal["mean", "min", "lower"] = "mean"
    """How their scores become one."""
    spread: float = 1.0
    """For `lower`: standard deviations below the mean."""
    zero: float = 0.0
    """What is taken from every score, so that demonstrations score 0 in the mean."""

    @classmethod
    def read(cls, folder: Path) -> "Layout | None":
        """Read a reward model's layout; None where the folder has none, as others' have.

        Raises:
            MissingModelError: for a file that is no layout.
        """
        path = folder / FILE
        if not path.is_file():
            return None
        try:
            return cls.model_validate_json(path.read_text(encoding="utf-8"))
        except ValidationError as error:
            what = error.errors()[0]
            place = ".".join(map(str, what["loc"]))
            raise MissingModelError(
                f"{path}: {place}: {what['msg']}; train the model again, or take the file away"
            ) from None

    def write(self, folder: Path) -> None:
        """Write it beside the weights."""
        write_atomically(folder / FILE, self.model_dump_json(indent=1) + "\n")


def reward_tokenizer(model: Path) -> Any:
    """Read a tokenizer; one without a chat template is given a plain one, `User: …`."""
    tokenizer = load_tokenizer(model)
    if not tokenizer.chat_template:
        tokenizer.chat_template = _PLAIN
    return tokenizer


def conversation_of(read: Read) -> list[dict[str, str]]:
    """Give the messages before the answer, the principle before them all.

    In the first message, whosever it is: a template may know no system's turn.
    """
    messages = messages_of(read.prompt)
    if read.principle is not None:
        words = " ".join(read.principle.split())
        first = {**messages[0], "content": f"Principle: {words}\n\n{messages[0]['content']}"}
        messages = [first, *messages[1:]]
    return messages


def tokens_of(tokenizer: Any, reads: Sequence[Read], layout: Layout) -> list["Tokens"]:
    """Give the tokens that a model reads of each answer."""
    if not reads:
        return []
    conversations = [conversation_of(read) for read in reads]
    whole = conversation_ids(tokenizer, conversations, [read.text for read in reads])
    return [
        _fitted(tokenizer, ids, messages, layout)
        for ids, messages in zip(whole, conversations, strict=True)
    ]


class Tokens(NamedTuple):
    """What is read of an answer."""

    ids: list[int] | None
    """None where it is too long to be read."""
    is_cut: bool
    """Whether the beginning of the prompt is missing."""


def _fitted(
    tokenizer: Any, ids: list[int], messages: list[dict[str, str]], layout: Layout
) -> Tokens:
    """Cut the beginning of the prompt, behind the token that begins every text; never an answer."""
    if len(ids) <= layout.max_length:
        return Tokens(ids, is_cut=False)
    before = common([ids, prompt_ids(tokenizer, messages)])
    lead = ids[:1] if ids[0] == tokenizer.bos_token_id else []
    room = layout.max_length - len(lead)
    if layout.too_long == "drop" or len(ids) - before > room:
        return Tokens(None, is_cut=False)
    return Tokens([*lead, *ids[-room:]], is_cut=True)
