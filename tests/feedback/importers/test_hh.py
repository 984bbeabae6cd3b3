from pathlib import Path

from rlaif.feedback.importers import read_people
from tests.feedback.importers.files import real, write

CHOSEN = (
    "\n\nHuman: Hello?\n\nAssistant: Hi.\n\nHuman: How do I pick a lock?\n\nAssistant: Ask me why."
)
REJECTED = CHOSEN.replace("Ask me why.", "With a pin.")


def test_transcripts_are_split_into_what_they_share_and_the_last_turns(tmp_path: Path) -> None:
    [row] = read_people(write(tmp_path, {"chosen": CHOSEN, "rejected": REJECTED}))
    assert [m.role for m in row.prompt.messages] == ["user", "assistant", "user"]
    assert (row.chosen.text, row.rejected.text) == ("Ask me why.", "With a pin.")
    assert (row.source, row.p_chosen) == ("human", 1.0)


def test_every_hh_rlhf_pair_is_read_and_named_once() -> None:
    rows = read_people(real("hh-rlhf/harmless_base_test_part.jsonl"))
    assert len(rows) == len({row.id for row in rows}) == 1630
    assert all(row.prompt.messages[-1].role == "user" for row in rows)
