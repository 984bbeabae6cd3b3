import re
import shutil
from html.parser import HTMLParser
from pathlib import Path

import pytest

from rlaif.errors import InputError, StorageError
from rlaif.evaluation.audit.audit import audit
from rlaif.evaluation.audit.gate import Checked, Gate
from rlaif.evaluation.definitions import DEFINITIONS
from rlaif.evaluation.intervals import Interval
from rlaif.evaluation.labelled import Labelled
from rlaif.evaluation.report import changes, cost_of, differing_most, report, write_audit
from rlaif.evaluation.runs import read_run
from rlaif.feedback.people import Rated, Rating
from rlaif.records import Comparison
from rlaif.storage import write_records
from tests.evaluation import run_folder


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return run_folder.write_run(tmp_path_factory.mktemp("runs") / "calm-run")


@pytest.fixture
def run(finished: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(finished, tmp_path / "calm-run"))


@pytest.fixture(scope="module")
def page(finished: Path) -> str:
    return report(finished).read_text(encoding="utf-8")


class Tags(HTMLParser):
    """Keeps each tag with its attributes, and the tags that were never closed."""

    VOID = ("meta", "br", "line", "circle", "polyline", "rect")

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.VOID:
            assert self.open[-1] == tag, f"</{tag}> closes <{self.open[-1]}>"
            self.open.pop()


def test_the_page_stands_in_the_run_and_holds_every_part(finished: Path, page: str) -> None:
    assert (finished / "report.html").read_text(encoding="utf-8") == page
    parts = ["table", "frontier", "pairs", "constitution", "labels", "audit", "reward", "curves"]
    ids = [attrs["id"] for tag, attrs in Tags(page).tags if tag == "h2"]
    assert ids == [*parts, "manifest"]


def test_the_page_asks_the_network_for_nothing(page: str) -> None:
    assert "http://" not in page
    assert "https://" not in page
    for tag, attrs in Tags(page).tags:
        assert tag not in ("script", "link", "img", "iframe")
        assert "src" not in attrs
        assert (attrs.get("href") or "#").startswith("#")
    assert "url(" not in page
    assert "@import" not in page


def test_whatever_a_model_or_a_person_wrote_is_shown_and_never_run(page: str) -> None:
    assert "<script" not in page
    assert page.count("&lt;script&gt;alert(1)") > 5
    assert "<b>well</b>" not in page


def test_every_tag_is_closed_in_its_turn(page: str) -> None:
    assert Tags(page).open == []


def test_every_link_leads_somewhere(page: str) -> None:
    tags = Tags(page).tags
    ids = [attrs["id"] for _, attrs in tags if "id" in attrs]
    links = [str(attrs["href"])[1:] for tag, attrs in tags if tag == "a"]
    assert len(ids) == len(set(ids))
    assert len(links) == len(run_folder.evaluation().rows) + 1
    assert set(links) <= set(ids)


def test_the_first_sentence_says_what_changed_and_what_it_cost(page: str) -> None:
    lead = re.sub(r"<[^>]+>|\s+", " ", page[page.index("What changed") : page.index("<ul")])
    lead = re.sub(r" +", " ", lead)
    (change,) = [c for c in changes(run_folder.evaluation()) if c.name == "refuses harmful"]
    assert f"refuses harmful {change.before} → {change.after} ( {change.moved} )" in lead
    assert "7 min 7 s, 7,000 tokens read and 1,400 written, no money" in lead


def test_every_figure_of_the_table_tells_its_definition(page: str) -> None:
    table = page[page.index('id="table"') : page.index("The rows as JSON")]
    figures = re.findall(r"<td><b>", table)
    hovers = re.findall(r'<span class="interval" title="Between these', table)
    assert len(figures) == len(hovers) > 15


@pytest.mark.parametrize(
    ("gone", "id_gone", "said"),
    [
        (["evaluate"], "table", "not known yet; the policies have not been evaluated"),
        (["label"], "labels", "<b>label</b>: not run"),
        (["label"], "audit", "<b>label</b>: not run"),
        (["sft", "reward", "optimize"], "curves", "<b>reward</b>: not run"),
        (["reward"], "reward", "<b>reward</b>: not run"),
    ],
)
def test_a_half_run_has_a_report_that_names_what_was_not_run(
    run: Path, gone: list[str], id_gone: str, said: str
) -> None:
    for stage in gone:
        shutil.rmtree(run / stage)
    page = report(run).read_text(encoding="utf-8")
    assert said in page
    assert f'id="{id_gone}"' not in page
    assert Tags(page).open == []


def test_a_run_that_has_only_begun_has_a_report(tmp_path: Path) -> None:
    run_folder.write_text(tmp_path / "experiment.yaml", "name: young\nrespond: {}\n")
    (tmp_path / "respond").mkdir()
    page = report(tmp_path).read_text(encoding="utf-8")
    assert "<b>respond</b>: begun and not finished" in page
    assert "<b>sft</b>: not part of this experiment" in page
    assert "Nothing has finished yet." in page


def test_a_line_cut_short_by_a_kill_is_left_out(run: Path) -> None:
    path = run / "label" / "preferences.jsonl"
    with path.open("a", encoding="utf-8") as file:
        file.write('{"id": "pair7", "pro')
    assert len(read_run(run).preferences) == 3


def test_a_damaged_file_is_named(run: Path) -> None:
    (run / "evaluate" / "evaluation.json").write_text("{}", encoding="utf-8")
    with pytest.raises(StorageError, match=r"evaluation\.json: damaged; delete .*evaluate"):
        report(run)


def test_a_folder_that_is_no_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="not a run"):
        report(tmp_path)
    with pytest.raises(InputError, match="no such run"):
        report(tmp_path / "gone")


def test_an_unknown_price_is_not_called_free(run: Path) -> None:
    stages = list(read_run(run).stages)
    assert "no money" in cost_of(stages)
    label = stages[3].manifest
    assert label is not None
    unknown = stages[3]._replace(manifest=label.model_copy(update={"usd": None}))
    assert "the price is not known" in cost_of([*stages[:3], unknown])
    paid = stages[3]._replace(manifest=label.model_copy(update={"usd": 1.5}))
    assert "$1.50" in cost_of([*stages[:3], paid])


def test_pairs_that_differ_most_come_in_turn_from_each_suite_and_none_is_the_same() -> None:
    pairs = differing_most(run_folder.evaluation(), 6)
    assert len(pairs) == 6
    assert {pair.tuned.suite for pair in pairs[:3]} == {"harmful", "benign", "helpful"}
    assert all(pair.base.text != pair.tuned.text for pair in pairs)


def test_the_page_says_when_the_labeller_judged_itself(run: Path) -> None:
    path = run / "evaluate" / "evaluation.json"
    path.write_text(run_folder.evaluation(is_independent=False).model_dump_json(), "utf-8")
    assert "the judge that also labelled the training data" in report(run).read_text("utf-8")


def test_a_base_that_stands_alone_has_a_table_and_nothing_to_compare(run: Path) -> None:
    whole = run_folder.evaluation()
    alone = whole.model_copy(
        update={
            "policies": ("base",),
            "wins": (),
            "rows": tuple(row.model_copy(update={"cells": row.cells[:1]}) for row in whole.rows),
            "replies": tuple(reply for reply in whole.replies if reply.policy == "base"),
        }
    )
    (run / "evaluate" / "evaluation.json").write_text(alone.model_dump_json(), "utf-8")
    page = report(run).read_text("utf-8")
    assert "nothing yet; base stands alone" in page
    assert 'id="table"' in page
    assert 'id="pairs"' not in page


def test_both_colour_schemes_and_small_screens_are_thought_of(page: str) -> None:
    assert "prefers-color-scheme: dark" in page
    assert "width=device-width" in page
    assert "@media print" in page


def gate() -> Gate:
    low = Interval(value=0.55, low=0.4, high=0.7)
    row = Checked(
        requirement="agreement",
        wanted=0.7,
        measured=low,
        on=f"50 pairs of {run_folder.HOSTILE}",
        advice="reword the principles",
    )
    return Gate(judge="judge", rows=(row,))


def test_the_audit_shows_what_was_required_and_what_was_labelled_all_the_same(run: Path) -> None:
    run_folder.write_text(run / "label" / "gate.json", gate().model_dump_json())
    labels = [run_folder.preference(n, 0.7) for n in range(3)]
    stamped = [row.model_copy(update={"despite": gate().despite}) for row in labels]
    write_records(run / "label" / "preferences.jsonl", stamped)
    made = run_folder.manifest("reward", despite=gate().despite)
    run_folder.write_text(run / "reward" / "manifest.json", made)
    page = report(run).read_text(encoding="utf-8")
    assert "Labelled despite: agreement 0.55 &lt; 0.7." in page
    assert "0.40 to 0.70" in page
    assert "≥ 0.7" in page
    assert "reword the principles" in page
    assert f'title="{DEFINITIONS["despite"]}">despite agreement 0.55 &lt; 0.7</span>' in page
    assert "<script" not in page
    assert Tags(page).open == []


def test_with_people_the_audit_has_a_reliability_picture(run: Path) -> None:
    labels = [run_folder.preference(n, 0.6 + n / 20) for n in range(6)]
    write_records(run / "label" / "preferences.jsonl", labels)
    pairs = [
        Comparison(id=row.id, prompt=row.prompt, first=row.chosen, second=row.rejected)
        for row in labels
    ]
    people = [Rated(pair, (Rating("ann", "first"),)) for pair in pairs]
    assert "Says, and is right" not in report(run).read_text(encoding="utf-8")
    page = report(run, people).read_text(encoding="utf-8")
    assert "Says, and is right" in page
    assert Tags(page).open == []


def test_every_finding_of_the_audit_tells_its_definition(page: str) -> None:
    section = page[page.index('id="audit"') : page.index('id="reward"')]
    table = section[section.index("what the judge goes by") :]
    rows = re.findall(r"<tr><th( title=\"[A-Z][^\"]+\")?>", table[: table.index("</tbody>")])
    assert rows
    assert all(rows)
    assert section.count("<svg") >= 2


def test_an_audit_has_a_page_of_its_own(tmp_path: Path) -> None:
    labels = [run_folder.preference(n, 0.7) for n in range(3)]
    write_audit(audit(Labelled(labels, []), rounds=1000), tmp_path / "audit.html")
    page = (tmp_path / "audit.html").read_text(encoding="utf-8")
    assert "<title>judge · rlaif</title>" in page
    assert "http" not in page
    assert Tags(page).open == []


def test_a_run_whose_training_logged_too_little_to_draw_has_no_part_about_it(run: Path) -> None:
    assert 'id="curves"' in report(run).read_text(encoding="utf-8")
    for curve in run.glob("*/curve.jsonl"):
        curve.write_text('{"step": 1, "loss": 0.7}\n', encoding="utf-8")
    assert 'id="curves"' not in report(run).read_text(encoding="utf-8")
