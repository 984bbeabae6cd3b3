"""This toolkit with everything kept: the store of completions, and the file of labels."""

import tempfile
from pathlib import Path

from ours import RULE, backend, cases
from work import Job, measure

from rlaif.backends.cached import Cached
from rlaif.constitution.principle import Constitution
from rlaif.feedback.label import LabelConfig, label
from rlaif.judges.build import judge_from
from rlaif.records import Abstention, Preference
from rlaif.storage import Journal
from rlaif.store import CompletionStore


def labelled(job: Job) -> int:
    """Label each in one order, and write the labels."""
    rules = Constitution(name="rules", principles=(RULE,))
    with tempfile.TemporaryDirectory() as folder:
        store = CompletionStore(Path(folder) / "completions.sqlite")
        judge = judge_from(Cached(backend(job), store), "compare", orders="one")
        comparisons = (one.comparison for one in cases(job))
        done = 0
        with Journal(Path(folder) / "preferences.jsonl", Preference) as kept:
            for made in label(comparisons, rules, judge, LabelConfig(template="compare")):
                if not isinstance(made, Abstention):
                    kept.append(made)
                    done += 1
        store.close()
    return done


if __name__ == "__main__":
    measure(labelled)
