"""The backlog's files and the drafts: complete, reproducible, and harmless wherever they are opened."""

from __future__ import annotations

import csv
import io
import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import openpyxl
import pandas as pd
import pyarrow.parquet as pq
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from lacuna.data_contracts.contract import TABLES
from lacuna.pipelines.drafts import safe_name, slug, write_drafts
from lacuna.pipelines.gaps.read import gaps_of
from lacuna.pipelines.presentation.markdown import inline, quote
from lacuna.pipelines.presentation.spreadsheet import CUT, LONGEST_CELL, flat, plain, safe_csv_text, safe_text
from lacuna.pipelines.report.view import ReportData
from lacuna.pipelines.steps.publish.workbook import write_backlog
from tests.support import sample_run

pytestmark = pytest.mark.filterwarnings("ignore:.*extension is not supported:UserWarning")

FORMULA = "=cmd|' /C calc'!A0"
STARTS = ("=", "+", "-", "@", "\t", "\r", "\x00", "＝", "＋", "－", "＠")


def written(folder: Path, data: ReportData) -> Path:
    """Write the backlog's four files of a run."""
    folder.mkdir(parents=True, exist_ok=True)
    write_backlog(folder, gaps_of(data.backlog), data.run, data.topics, data.kpis, data.not_content, data.accuracy)
    return folder


def test_every_file_of_the_backlog_holds_every_gap(tmp_path: Path) -> None:
    """The four files hold the same gaps in the same order, the contract's fields first."""
    folder = written(tmp_path, sample_run.sample_run())
    lines = [json.loads(line) for line in (folder / "backlog.jsonl").read_text(encoding="utf-8").splitlines()]
    ids = [row["gap_id"] for row in lines]
    assert len(ids) == 25
    assert [row["rank"] for row in lines] == list(range(1, 26))
    assert list(lines[0]) == TABLES["backlog"].names
    assert pq.read_table(folder / "backlog.parquet").column("gap_id").to_pylist() == ids
    assert list(pd.read_csv(folder / "backlog.csv")["gap_id"]) == ids
    book = openpyxl.load_workbook(folder / "backlog.xlsx")
    assert book.sheetnames == ["Backlog", "By owner", "KPIs", "Topics", "Not content", "Accuracy", "Quotes", "About"]
    sheet = [[cell.value for cell in row] for row in book["Backlog"].iter_rows()]
    assert [row[sheet[0].index("Gap id")] for row in sheet[1:]] == ids
    assert book["Backlog"].freeze_panes == "A2"
    assert book["Backlog"].auto_filter.ref


def test_the_same_run_gives_the_same_bytes(tmp_path: Path) -> None:
    """Two writings of a run, rows in another order, differ in no byte."""
    data = sample_run.sample_run()
    first = written(tmp_path / "a", data)
    shuffled = replace(data, backlog=data.backlog.sample(frac=1.0, random_state=3))
    second = written(tmp_path / "b", shuffled)
    for name in ("backlog.jsonl", "backlog.parquet", "backlog.csv", "backlog.xlsx"):
        assert (first / name).read_bytes() == (second / name).read_bytes(), name


def test_an_empty_backlog_still_has_every_column(tmp_path: Path) -> None:
    """A run without gaps writes four readable files with the contract's columns."""
    write_backlog(tmp_path, [], {"run_id": "2024-06-30", "window": {}})
    assert (tmp_path / "backlog.jsonl").read_text() == ""
    assert pq.read_table(tmp_path / "backlog.parquet").column_names == TABLES["backlog"].names
    assert list(pd.read_csv(tmp_path / "backlog.csv").columns) == TABLES["backlog"].names
    assert openpyxl.load_workbook(tmp_path / "backlog.xlsx")["Backlog"]["A2"].value.startswith("No gap was found")


def test_parquet_types_do_not_depend_on_the_data(tmp_path: Path) -> None:
    """A backlog whose optional fields are all null has the same Parquet schema as a full one."""
    full = written(tmp_path / "full", sample_run.sample_run())
    bare = sample_run.sample_run()
    hollow = bare.backlog.assign(change_point=None, surge=None, steps=None, passages=None, article_id=None)
    written(tmp_path / "bare", replace(bare, backlog=hollow))
    assert pq.read_schema(full / "backlog.parquet").equals(pq.read_schema(tmp_path / "bare" / "backlog.parquet"))


@pytest.mark.parametrize("attack", [FORMULA, "＝1+1", "  =1+1", "\t=1+1", "\r=1+1", "+1", "-1", "@SUM(A1)"])
def test_no_text_becomes_a_formula(tmp_path: Path, attack: str) -> None:
    """With a formula in every text field, no cell of the workbook or the CSV is one."""
    folder = written(tmp_path, sample_run.nasty_run(attack))
    for sheet in openpyxl.load_workbook(folder / "backlog.xlsx"):
        for cell in (cell for row in sheet.iter_rows() for cell in row if cell.value is not None):
            assert cell.data_type in {"s", "n"}, (sheet.title, cell.coordinate, cell.value)
            if cell.data_type == "s":
                assert not str(cell.value).lstrip().startswith(STARTS), (sheet.title, cell.coordinate, cell.value)
    content = (folder / "backlog.csv").read_bytes().decode("utf-8-sig")
    for cells in (
        *csv.reader(io.StringIO(content)),
        *csv.reader(io.StringIO(content), delimiter=";", quoting=csv.QUOTE_NONE),
    ):
        for cell in cells:
            if not re.fullmatch(r"-?[\d.e+-]+", cell):
                assert not cell.strip(' "').startswith(STARTS), cell


@given(st.text())
def test_a_guarded_text_is_a_text_everywhere(value: str) -> None:
    """Whatever the text, its guarded form begins with no sign that a spreadsheet acts on and fits into XML."""
    for guarded in (safe_text(value), safe_csv_text(value)):
        assert not guarded.lstrip().startswith(STARTS)
        assert not re.search("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]", guarded)
        guarded.encode("utf-8")
    assert "\n" not in safe_csv_text(value)


def test_guarding_leaves_ordinary_text_alone() -> None:
    """A sentence, an e-mail address inside one and an Arabic title stay as they are."""
    for value in ("two words", "write to a@b.example", "إرجاع منتج", "5-3", "a = b"):
        assert safe_text(value) == value == safe_csv_text(value)


def test_a_cell_that_is_too_long_is_cut_and_says_so() -> None:
    """A megabyte of emoji ends at what one cell holds, counted as spreadsheets count, with a mark."""
    cut = safe_text("🙂" * 1_000_000)
    assert len(cut.encode("utf-16-le")) // 2 <= LONGEST_CELL
    assert cut.endswith(CUT)


def test_texts_that_look_like_escapes_of_the_file_format_come_back(tmp_path: Path) -> None:
    """A control character is dropped and a literal `_x000D_` is not taken for one."""
    data = sample_run.sample_run()
    backlog = data.backlog.assign(title=["a\x0bb _x000D_ <&>\ufffe"] * 25)
    folder = written(tmp_path, replace(data, backlog=backlog))
    assert openpyxl.load_workbook(folder / "backlog.xlsx")["Backlog"]["F2"].value == "ab _x000D_ <&>"


def test_plain_values_hold_nothing_that_json_does_not_know() -> None:
    """NaN, infinity, timestamps and arrays become null, text and lists."""
    frame = pd.DataFrame({"a": [float("nan")], "b": [pd.Timestamp("2024-06-30", tz="UTC")], "c": [float("inf")]})
    values = plain(frame.to_dict("records")[0] | {"d": pd.array([1, None], dtype="Int64"), "e": pd.NaT})
    assert values == {"a": None, "b": "2024-06-30T00:00:00+00:00", "c": None, "d": [1, None], "e": None}
    assert flat([{"title": "=1", "similarity": 0.5}]) == "title '=1, similarity 0.5"


# ---- drafts ----


class Elements(HTMLParser):
    """Collects every tag that a browser would see."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element."""
        self.tags.append(tag)


def drafts(folder: Path, data: ReportData) -> dict[str, str]:
    """Write a run's drafts and read them back, by gap_id."""
    paths = write_drafts(folder, data.backlog, sample_run.articles(), data.run)
    return {key: (folder / path).read_text(encoding="utf-8") for key, path in paths.items()}


def test_each_gap_that_waits_for_a_writer_gets_one_draft(tmp_path: Path) -> None:
    """New, open, accepted and reopened gaps get a draft in their owner's folder; the others none."""
    data = sample_run.sample_run()
    paths = write_drafts(tmp_path, data.backlog, sample_run.articles(), data.run)
    waiting = data.backlog[data.backlog["status"].isin(["new", "open", "accepted", "drafting", "reopened"])]
    assert set(paths) == set(waiting["gap_id"])
    assert sorted(paths.values()) == sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.md"))
    assert paths["g-001"] == "drafts/o-ana/g-001-how-to-split-a-return-between-two-parcels.md"
    unowned = waiting[waiting["owner_id"].isna()]["gap_id"]
    assert all(paths[key].startswith("drafts/unowned/") for key in unowned)


def test_front_matter_reads_back_as_it_was(tmp_path: Path) -> None:
    """The YAML on top gives back each field, whatever signs the title holds."""
    data = sample_run.nasty_run('": {a: [*x, &y]} # \n--- !!python/object:os.system\u2028')
    for key, draft in drafts(tmp_path, data).items():
        head = yaml.safe_load(draft.split("\n---\n", 1)[0].removeprefix("---\n"))
        row = data.backlog.set_index("gap_id").loc[key]
        assert head["gap_id"] == key
        assert head["title"] == row["title"]
        assert head["kind"] == row["kind"]
        assert head["conversations"] == row["conversations"]


def test_a_draft_has_what_its_kind_needs(tmp_path: Path) -> None:
    """A missing article gets questions and answers, an unfindable one words to add, the rest proposed changes."""
    data = sample_run.sample_run()
    draft_of = drafts(tmp_path, data)
    kinds = data.backlog.set_index("gap_id")["kind"]
    for key, content in draft_of.items():
        sections = re.findall(r"^##+ (.+)$", content, flags=re.MULTILINE)
        assert "What customers ask" in sections
        assert "What the article must answer" in sections
        section = {"missing": "What agents answered", "unfindable": "Words to add"}.get(kinds[key], "Proposed changes")
        assert section in sections, key
    assert "1. Ask for a second label" in draft_of["g-001"]
    assert "(31 conversations, 28 ended well; such as c-1001, c-1002, c-1003)" in draft_of["g-001"]
    assert "- “download bill” (4 searches)\n- “invoice?”" in draft_of["g-001"]
    assert "- [ ] A search for what customers type finds it." in draft_of["g-001"]


def test_thin_evidence_asks_the_expert(tmp_path: Path) -> None:
    """A gap without quotes and answers says that it is no draft and lists questions."""
    data = sample_run.sample_run()
    bare = data.backlog.copy()
    for name in ("examples", "agent_answers", "steps", "passages", "customer_words"):
        bare[name] = pd.Series([[]] * 25, dtype=object)
    for content in drafts(tmp_path, replace(data, backlog=bare)).values():
        assert "## Ask the expert these questions" in content
        assert "## What customers ask" not in content


@pytest.mark.parametrize(
    "attack",
    [
        "<script>alert(1)</script>",
        "\n# Heading\n",
        "](http://evil.example)[x](javascript:alert(1))",
        "\n</blockquote><h1>x",
        "\n---\n",
        "\r\n> quote",
        "![x](http://evil.example/x.png)",
    ],
)
def test_no_text_adds_structure_to_a_draft(tmp_path: Path, attack: str) -> None:
    """Headings, HTML, links and images in customers' words stay words."""
    clean = sample_run.sample_run()
    data = sample_run.nasty_run(attack)
    # The ids keep their form, so that both runs write the same drafts.
    backlog = data.backlog.assign(
        gap_id=clean.backlog["gap_id"], owner_id=clean.backlog["owner_id"], article_id=clean.backlog["article_id"]
    )
    plain_ones, spoiled = (
        drafts(tmp_path / "a", clean),
        drafts(tmp_path / "b", replace(data, backlog=backlog)),
    )
    assert set(plain_ones) == set(spoiled)
    for key, content in spoiled.items():
        body = content.split("\n---\n", 1)[1]
        elements = Elements()
        elements.feed(re.sub(r"<https://help\.example\.org/[\w-]+>", "", body))
        assert elements.tags == []
        heads = [
            len(re.findall(r"^#{1,6} ", text.split("\n---\n", 1)[1], flags=re.MULTILINE))
            for text in (plain_ones[key], content)
        ]
        assert heads[0] == heads[1], key
        assert not re.search(r"(?<!\\)\]\(|(?<!\\)!\[", body)
        assert not re.search(r"^(?:---|===|\s*<)", body, flags=re.MULTILINE)


@given(st.text(max_size=80))
def test_a_quote_keeps_to_its_lines(value: str) -> None:
    """Every line of a quote begins as a quote, and an inline text is one line without a bare `<`."""
    assert all(line.startswith(">") for line in quote(value).split("\n"))
    assert "\n" not in inline(value)
    assert "<" not in inline(value)


@given(st.text(min_size=1, max_size=120))
def test_a_path_never_leaves_its_folder(value: str) -> None:
    """Whatever the id or title, the names made of it are plain, short and lead nowhere else."""
    for name in (safe_name(value), slug(value)):
        assert re.fullmatch(r"[A-Za-z0-9._@-]*", name)
        assert len(name) <= 70
        assert not name.startswith(".")
    assert safe_name(value) not in {"", ".", ".."}
    assert len(slug(value)) <= 60


@pytest.mark.parametrize("owner", ["../../etc", "..", "/root", "C:\\x", "a/../../b", "con", "COM1.txt", "."])
def test_an_owner_id_that_is_a_path_stays_inside(tmp_path: Path, owner: str) -> None:
    """An owner id that climbs, is absolute or is reserved becomes one plain folder below drafts."""
    data = sample_run.sample_run()
    paths = write_drafts(tmp_path, data.backlog.assign(owner_id=owner), sample_run.articles(), data.run)
    for path in paths.values():
        assert (tmp_path / path).resolve().is_relative_to(tmp_path / "drafts")
        assert path.count("/") == 2
        assert not re.match(r"(?i)(con|com1)(\.|$)", path.split("/")[1])


def test_ids_that_clean_to_the_same_name_stay_apart(tmp_path: Path) -> None:
    """Two gaps whose ids differ only in forbidden signs get two files."""
    data = sample_run.sample_run()
    backlog = data.backlog.head(2).assign(gap_id=["g/1", "g:1"], title="Same title", owner_id="o-1", status="new")
    assert len(set(write_drafts(tmp_path, backlog, pd.DataFrame(), data.run).values())) == 2
