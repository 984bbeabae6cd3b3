import re
from importlib.resources import files

from rlaif.evaluation.definitions import DEFINITIONS
from rlaif.evaluation.measures import STANDARD
from rlaif.evaluation.table import WINS

PAGES = [page for page in files("rlaif.evaluation").iterdir() if page.name.endswith(".html.j2")]
TEMPLATE = "".join(page.read_text(encoding="utf-8") for page in PAGES)
FINDINGS = {
    "same_slot", "first_slot", "lean", "longer", "slope", "own", "beyond_people", "stable", "kappa",
    "moved_p", "too_sure", "ece", "brier",
    "rm_ahead", "rm_gap", "rm_loss", "rm_too_sure", "rm_ece", "rm_brier", "rm_slope",
    "rm_correlation", "rm_matched", "rm_balanced",
}  # fmt: skip


def test_every_standard_row_has_its_definition() -> None:
    assert {*STANDARD, WINS} <= set(DEFINITIONS)


def test_the_page_uses_every_definition_and_no_other() -> None:
    used = set(re.findall(r"define\.(?!get\b)(\w+)", TEMPLATE))
    assert used <= set(DEFINITIONS)
    assert set(DEFINITIONS) - used <= {*STANDARD, WINS, *FINDINGS}


def test_a_definition_is_a_sentence() -> None:
    assert all(text[0].isupper() and text.endswith(".") for text in DEFINITIONS.values())
