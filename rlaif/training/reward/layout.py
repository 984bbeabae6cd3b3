"""How a conversation is laid out for a reward model: in training, in scoring, in its folder."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic import ValidationError

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


class Layout(Record):
    """What stands in `reward.json`: everything about the text that the weights do not say."""

    version: Literal[1] = 1
    max_length: int = 1024
    """Tokens that a prompt and an answer may have together."""
    too_long: Literal["drop", "truncate"] = "drop"
    """Beyond that, no score; or the score without the beginning of the prompt."""

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


def rendered(tokenizer: Any, prompts: Sequence[Prompt], texts: Sequence[str]) -> list[list[int]]:
    """Give the tokens of each conversation with its answer, however many they are."""
    return conversation_ids(tokenizer, [messages_of(prompt) for prompt in prompts], texts)


def fitted(tokenizer: Any, ids: list[int], prompt: Prompt, layout: Layout) -> list[int] | None:
    """Give what the model reads of a conversation; None where it is too long to be read.

    What is cut is the beginning of the prompt, behind the token that begins every text; an answer
    is read whole or not at all.
    """
    if len(ids) <= layout.max_length:
        return ids
    if layout.too_long == "drop":
        return None
    before = common([ids, prompt_ids(tokenizer, messages_of(prompt))])
    lead = ids[:1] if ids[0] == tokenizer.bos_token_id else []
    room = layout.max_length - len(lead)
    return None if len(ids) - before > room else [*lead, *ids[-room:]]
