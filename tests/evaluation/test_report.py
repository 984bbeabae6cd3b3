import re
import shutil
from html.parser import HTMLParser
from pathlib import Path

import pytest

from rlaif.errors import InputError, StorageError
from rlaif.evaluation.report import changes, cost_of, differing_most, report
from rlaif.evaluation.runs import read_run
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
    parts = ["table", "frontier", "pairs", "constitution", "labels", "reward", "curves"]
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
