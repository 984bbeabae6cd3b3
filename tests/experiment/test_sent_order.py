"""What a server of judges is sent, and in which order: what begins alike comes one after the other.

A served model keeps what it has read of a prompt, for the next one that begins with the same.
"""

import itertools
import json
import re
from collections import Counter
from pathlib import Path

from rlaif.backends.openai import OpenAIBackend
from rlaif.backends.spec import OpenAIModel
from rlaif.constitution.principle import Constitution, Principle
from rlaif.experiment.alone import read_comparisons
from rlaif.feedback.label import LabelConfig, label
from rlaif.judges.build import judge_from
from tests.backends.fake_server import Body, said, serve

RULES = Constitution(
    name="rules",
    principles=(
        Principle(id="kind", text="The response is kind."),
        Principle(id="short", text="The response is short."),
    ),
)


def received(path: Path, in_flight: int) -> list[str]:
    """Label pairs of five conversations, dealt out over a file; give what the server was sent."""
    rows = [
        {"id": f"{n}-{k}", "prompt": f"Question {n}?", "first": f"Reply {k % 2}.", "second": f"{k}"}
        for k in range(4)
        for n in range(5)
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    config = LabelConfig(template="compare", principles="all")
    with serve(lambda *_: said("A", {"A": -0.1, "B": -2.4})) as server:
        spec = OpenAIModel(model="m", base_url=server.base_url, in_flight=in_flight)
        backend = OpenAIBackend(spec)
        asked = read_comparisons(path, None, seed=0)
        made = list(label(asked, RULES, judge_from(backend, "compare"), config))
        backend.close()
    assert len(made) == len(rows)
    return [_text(body) for body in server.seen]


def _text(body: Body) -> str:
    text: str = body["messages"][-1]["content"]
    return text


def found(pattern: str, text: str) -> list[str]:
    return re.findall(pattern, text, re.MULTILINE)


def test_pairs_of_one_conversation_go_out_back_to_back_wherever_they_stand_in_the_file(
    tmp_path: Path,
) -> None:
    texts = received(tmp_path / "pairs.jsonl", in_flight=1)
    assert len(texts) == 20 * 2 * 2  # by two principles, in two orders
    asked = [found(r"Question \d", text)[0] for text in texts]
    stretches = [name for name, _ in itertools.groupby(asked)]
    assert stretches == [f"Question {n}" for n in range(5)]
    # And of these, those that begin with the same reply.
    replies = [found(r"Reply \d", text)[0] for text in texts]
    assert [name for name, _ in itertools.groupby(replies)] == ["Reply 0", "Reply 1"] * 5


def test_both_orders_of_one_pair_and_its_principles_go_out_together(
    tmp_path: Path,
) -> None:
    texts = received(tmp_path / "pairs.jsonl", in_flight=1)
    pairs = [frozenset(found(r"Question \d|Reply \d|^\d$", text)) for text in texts]
    assert all(len(set(pairs[start : start + 4])) == 1 for start in range(0, len(pairs), 4))
    assert len(set(pairs)) == 20
    for one, other in zip(texts[::2], texts[1::2], strict=True):
        assert one != other
        assert Counter(one.split()) == Counter(other.split())


def test_with_many_in_flight_a_conversation_still_comes_in_one_stretch(
    tmp_path: Path,
) -> None:
    texts = received(tmp_path / "pairs.jsonl", in_flight=8)
    asked = [found(r"Question \d", text)[0] for text in texts]
    for name in set(asked):
        places = [place for place, one in enumerate(asked) if one == name]
        assert len(places) == 16
        assert places[-1] - places[0] < 16 + 2 * 8  # those in flight may overtake each other
