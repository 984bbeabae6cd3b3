"""Local scoring with shared beginnings, against one batched forward that shares nothing.

A random Llama of 34 million parameters answers Yes or No through the local backend, in float32: 16
principles after a conversation of 600 tokens, with nothing kept (cold) and with the conversation
kept from an earlier call (warm); then 4 replies, all 12 ordered pairs, 4 principles. All ways take
turns on one thread, so that whatever else the machine does weighs on each, and medians of
processor seconds are compared. Prints a line per figure (name, value, target, ok or short) and
writes `results/`.
`--embedded` measures the embedded model too, once, in a few minutes more.
"""

import copy
import itertools
import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from statistics import median

import torch
import transformers
from figures import Claim, keep
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast, pipeline
from transformers.utils.logging import disable_progress_bar

from rlaif.backends.local import LocalBackend
from rlaif.backends.scoring import Padded
from rlaif.backends.sharing import Shared
from rlaif.backends.spec import LocalModel
from rlaif.embedded.find import embedded_model
from rlaif.records import Completion, Message, Request

OPTIONS = ("Yes", "No")
CHATML = (
    "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n"
    "{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
Answers = dict[str, dict[str, float]]


def make_model(folder: Path) -> Path:
    """Write a random Llama whose tokens are bytes, and the options."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer = Tokenizer(models.BPE({token: n for n, token in enumerate(alphabet)}, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.decoder = decoders.ByteLevel()
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        eos_token="<|im_end|>",
        pad_token="<|im_end|>",
        additional_special_tokens=["<|im_start|>"],
    )
    fast.add_tokens([lead + option for option in OPTIONS for lead in ("", " ")])
    fast.chat_template = CHATML
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=16_384,
        hidden_size=512,
        intermediate_size=1408,
        num_hidden_layers=8,
        num_attention_heads=8,
        max_position_embeddings=4096,
        tie_word_embeddings=True,
        eos_token_id=fast.eos_token_id,
        pad_token_id=fast.pad_token_id,
    )
    LlamaForCausalLM(config).save_pretrained(folder)
    fast.save_pretrained(folder)
    return folder


class Bench:
    """One model, asked in each of the ways."""

    def __init__(self, path: Path) -> None:
        """Load the model twice: one shares nothing."""
        spec = LocalModel(model=str(path))
        self.shared, self.naive = (
            LocalBackend(path, batch=16, tokens=spec.tokens, dtype="float32", device="cpu")
            for _ in range(2)
        )
        assert isinstance(self.shared._scorer, Shared)
        self._tokens = spec.tokens
        self._tokenizer = self.naive._tokenizer
        self._chance = random.Random(0)

    def text(self, tokens: int) -> str:
        """Write about as many tokens; each text is another."""
        letters = "".join(self._chance.choices("abcdefghijklmnopqrstuvwxyz     ", k=8 * tokens))
        ids = self._tokenizer(letters, add_special_tokens=False)["input_ids"][: tokens - 1]
        return f"{self._tokenizer.decode(ids)}\n"

    def naively(self, requests: Sequence[Request]) -> Answers:
        """Encode every prompt whole, in padded batches of 16."""
        self.naive._scorer = Padded(self.naive._model, batch=16, tokens=2**30)
        return answers(self.naive, requests)

    def cold(self, requests: Sequence[Request]) -> Answers:
        """Encode every distinct token once; nothing is kept from before."""
        self.shared._scorer = Shared(self.shared._model, tokens=self._tokens)
        return answers(self.shared, requests)

    def warm(self, requests: Sequence[Request]) -> Answers:
        """Encode every distinct token that is not kept."""
        return answers(self.shared, requests)

    def decisions(self, state: str, questions: Sequence[str]) -> Callable[[], object] | None:
        """Ask transformers' decision pipeline, where it is there: one prompt at a time."""
        if not hasattr(transformers, "DecisionPipeline"):
            return None
        tokenizer = copy.deepcopy(self._tokenizer)
        decide = pipeline("decision", model=self.naive._model, tokenizer=tokenizer)
        asked = {
            str(number): {"type": "noul", "instructions": question}
            for number, question in enumerate(questions)
        }
        return lambda: decide({"state": state, "questions": asked})


def request(*parts: str) -> Request:
    """Ask for Yes or No after some texts."""
    text = "".join(parts)
    return Request(id=text, messages=(Message(role="user", content=text),), options=OPTIONS)


def answers(backend: LocalBackend, requests: Sequence[Request]) -> Answers:
    """Give each request's log-probabilities."""
    found = {}
    for asked, said in backend.stream(requests):
        assert isinstance(said, Completion)
        assert said.option_logprobs
        found[asked.id] = said.option_logprobs
    return found


def timed(ways: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Give the median processor seconds of each way; they take turns."""
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for _, (name, way) in itertools.product(range(rounds), ways.items()):
        started = time.process_time()
        way()
        seconds[name].append(time.process_time() - started)
    return {name: round(median(several), 3) for name, several in seconds.items()}


def difference(bench: Bench, requests: Sequence[Request], others: Sequence[Request]) -> float:
    """Give the largest gap between the naive log-probabilities and the shared, cold and warm."""
    pairs = [
        (bench.naively(requests), bench.cold(requests)),
        (bench.naively(others), bench.warm(others)),
    ]
    return max(
        abs(one[asked][option] - other[asked][option])
        for one, other in pairs
        for asked in one
        for option in OPTIONS
    )


def measure(path: Path, name: str, rounds: int) -> Iterator[tuple[Claim, dict[str, float]]]:
    """Give each figure, and the seconds that it comes from."""
    bench = Bench(path)
    conversation, principles = bench.text(585), [bench.text(25) for _ in range(16)]
    asked = [request(conversation, principle) for principle in principles]
    others = [request(conversation, bench.text(25)) for _ in range(16)]
    gap = difference(bench, asked[:3], others[:2])
    ways = {
        "naive": lambda: bench.naively(asked),
        "cold": lambda: bench.cold(asked),
        "warm": lambda: bench.warm(others),
        "decision pipeline": bench.decisions(conversation, principles),
    }
    seconds = timed({name: way for name, way in ways.items() if way}, rounds)
    yield (
        Claim(f"{name}16 principles cold, × naive", seconds["naive"] / seconds["cold"], 6),
        seconds,
    )
    yield Claim(f"{name}16 principles warm, × naive", seconds["naive"] / seconds["warm"], 12), {}
    if beside := seconds.get("decision pipeline"):
        yield (
            Claim(f"{name}16 principles cold, × decision pipeline", beside / seconds["cold"], 1),
            {},
        )

    opening, replies = bench.text(285), [bench.text(50) for _ in range(4)]
    shorter = [bench.text(20) for _ in range(4)]
    pairs = [
        request(opening, one, other, principle)
        for one, other in itertools.permutations(replies, 2)
        for principle in shorter
    ]
    seconds = timed(
        {"naive": lambda: bench.naively(pairs), "cold": lambda: bench.cold(pairs)}, rounds
    )
    yield (
        Claim(
            f"{name}12 pairs by 4 principles cold, × naive", seconds["naive"] / seconds["cold"], 5
        ),
        seconds,
    )
    yield Claim(f"{name}largest difference of log-probabilities", gap, 1e-4, is_most=True), {}


def main() -> int:
    """Measure, print the figures and keep them; 1 when one is short."""
    disable_progress_bar()
    torch.set_num_threads(1)  # several wait for each other on a busy machine, and waiting counts
    with tempfile.TemporaryDirectory() as folder:
        found = list(measure(make_model(Path(folder)), "", rounds=2))
    if "--embedded" in sys.argv:
        found += measure(embedded_model(), "embedded: ", rounds=1)
    beside = [{"seconds": seconds} for _, seconds in found]
    return keep("prefix_sharing", [claim for claim, _ in found], beside, threads=1)


if __name__ == "__main__":
    sys.exit(main())
