"""One story a gap: whatever shows it, from the report to the spreadsheet, shows the same figures and says of what."""

from __future__ import annotations

import csv
import html
import json
import re
from collections.abc import Iterator, Mapping
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import pytest
from starlette.testclient import TestClient
from typer.testing import CliRunner

from lacuna.pipelines.board import make_app
from lacuna.pipelines.cli.main import app
from lacuna.pipelines.delivery.weekly import send_digest
from lacuna.pipelines.drafts.front_matter import values
from lacuna.pipelines.run import run
from lacuna.pipelines.settings import load_settings
from lacuna.pipelines.state.repository import open_state
from tests.worlds.fixed_shop import FAILING, write_shop

DAY = "2024-08-04"
KINDS = {"missing": "customs", "stale": "washing"}
Figures = dict[str, str]  # a figure's name, and how one rendering shows it

# What a share may be of; a sentence with a share in it names one of these.
SETS = re.compile(
    r"about it|in the gap|of the answers from|answers from “|of the failed conversations|of those an article|sure|"
    r"confidence|of the likelihood|of them fail|of all about it|interval"
)
# A figure as sentences have it: in drafts, digests and the terminal.
SENTENCES = {
    "conversations": r"([\d,]+) conversations? in the gap",
    "weekly": r"in the gap, (\S+) a week",
    "customers": r"from ([\d,]+) customers?",
    "about": r"of the ([\d,]+) conversations? about it",
    "failed": r"an estimated (\d+)\s%",
    "failed range": r"an estimated \d+\s% (\[\d+–\d+\])",
    "tagged": r"([\d,]+) tagged answers? in the gap",
    "about weekly": r"(\S+) conversations a week about it ×",
    "score": r"(\S+) \[\S+\] human-handled conversations a week would be avoided",
    "score range": r"(\[\S+\]) human-handled conversations a week would be avoided",
    "cost": r"(€\s\S+) a week could be saved",
}  # fmt: skip


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with one run of a small shop: an article is missing, and another has gone out of date."""
    folder = tmp_path_factory.mktemp("shop")
    (folder / "ours.toml").write_text('[embedder]\nname = "lexical"\n', encoding="utf-8")
    bundle = write_shop(
        folder / "bundle", date.fromisoformat(DAY), works=(), published=(), tagged=4,
        failing={topic: FAILING[topic] for topic in ("customs", "points")}, stale={"washing": date(2024, 7, 10)},
        owners=[{"owner_id": "o-ana", "name": "Ana", "areas": [*KINDS.values()]}],
    )  # fmt: skip
    run(str(bundle), folder / "store", end=DAY, config=str(folder / "ours.toml"))
    return folder / "store"


def rows_of(store: Path) -> list[dict[str, Any]]:
    """The backlog as it was written for programs."""
    lines = (store / "runs" / DAY / "backlog.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


@pytest.fixture(params=sorted(KINDS))
def gap(store: Path, request: pytest.FixtureRequest) -> dict[str, Any]:
    """The planted gap of each kind."""
    rows = [row for row in rows_of(store) if row["kind"] == request.param]
    return next(row for row in rows if KINDS[request.param] in row["title"].lower() + str(row["article_id"]))


# -- the renderings ---------------------------------------------------------------------------------------------------


def flat(text: str) -> str:
    """A text on one line, with plain spaces."""
    return " ".join(text.split())


def plain(page: str) -> str:
    """A page's text."""
    return flat(html.unescape(re.sub(r"<[^>]+>", " ", re.sub(r"<(style|script).*?</\1>", " ", page, flags=re.DOTALL))))


def texts(store: Path, gap: Mapping[str, Any]) -> dict[str, str]:
    """All that is written of a gap, by rendering."""
    folder, key = store / "runs" / DAY, gap["gap_id"]
    report = (folder / "report.html").read_text(encoding="utf-8")
    pages = re.search(r'<script[^>]*id="pages-data"[^>]*>(.*?)</script>', report, re.DOTALL)
    assert pages is not None
    card = next(line for line in pages[1].strip().splitlines() if json.loads(line)["id"] == key)
    row = re.search(rf'<tr role="row" data-id="{key}">.*?</tr>', report, re.DOTALL)
    assert row is not None
    settings = load_settings()
    state = open_state(settings, store)
    board = TestClient(make_app(store, settings, state, "Rita"), base_url="http://127.0.0.1")
    shown, listed, api = (board.get(at) for at in (f"/gaps/{key}", "/?view=all", f"/api/gaps/{key}"))
    state.close()
    on_board = re.search(rf'<tr id="row-{key}".*?</tr>', listed.text, re.DOTALL)
    assert on_board is not None
    digest = next(o.message.text for o in send_digest(store, settings, owner="o-ana"))
    terminal = CliRunner(env={"COLUMNS": "400"}).invoke(app, ["explain", key, "--store", str(store)])
    to_fill = store / "to-fill.csv"
    assert CliRunner().invoke(app, ["backlog", "--csv", str(to_fill), "--store", str(store)]).exit_code == 0
    return {
        "report's table": row[0], "report's panel": card, "board's table": on_board[0], "board's page": shown.text,
        "board's API": api.text, "draft": (folder / gap["draft"]).read_text(encoding="utf-8"),
        "digest": flat(next(part for part in re.split(r"\n(?=\d+\. )", digest) if gap["title"] in part)),
        "explain": flat(terminal.stdout), "decision sheet": to_fill.read_text(encoding="utf-8-sig"),
    }  # fmt: skip


def sentences(text: str) -> Figures:
    """The figures that a text tells in sentences."""
    matches = {name: re.search(pattern, text) for name, pattern in SENTENCES.items()}
    return {name: match[1] for name, match in matches.items() if match}


def half_up(value: float, places: int = 0) -> str:
    """A number rounded as spreadsheets do."""
    return f"{Decimal(repr(float(value))).quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP):,}"


def a_rate(value: float) -> str:
    """A number of conversations a week, a score."""
    return half_up(value, 1) if value < 9.95 else half_up(value)


def from_data(row: Mapping[str, Any]) -> Figures:
    """The figures of a row that is written for programs, as a person is shown them."""
    got = {name: float(value) for name, value in row.items() if name in _FIELDS and value not in (None, "")}
    percent = {name: half_up(100 * Decimal(repr(got[name]))) for name in got if name.startswith("failure")}
    return {
        "conversations": half_up(got["conversations"]), "customers": half_up(got["customers"]),
        "weekly": a_rate(got["weekly_rate"]), "about": half_up(got["reached"]), "about weekly": a_rate(got["demand"]),
        "tagged": half_up(got["n_tagged"]), "failed": percent["failure_rate"],
        "failed range": f"[{percent['failure_low']}–{percent['failure_high']}]", "score": a_rate(got["score"]),
        "score range": f"[{a_rate(got['score_low'])}–{a_rate(got['score_high'])}]",
        "cost": "€ " + half_up(got["cost_avoidable"], 0 if got["cost_avoidable"] >= 9.995 else 2),
    }  # fmt: skip


_FIELDS = {
    "conversations", "customers", "weekly_rate", "reached", "demand", "n_tagged", "failure_rate", "failure_low",
    "failure_high", "score", "score_low", "score_high", "cost_avoidable",
}  # fmt: skip


def on_a_card(cards: list[tuple[str, str, str]], sum_text: str) -> Figures:
    """The figures of the four cards and of the product below them."""
    by_label = {label: (flat(value), flat(note)) for label, value, note in cards}
    notes = " ".join(note for _, note in by_label.values())
    figures = {
        "conversations": by_label["In the gap"][0], "weekly": by_label["In the gap, a week"][0],
        "failed": by_label["Failed, of all about it"][0].removesuffix(" %"), "cost": by_label["Cost a week"][0],
    }  # fmt: skip
    more = {"failed range": r"(\[\d+–\d+\]) of", **{name: SENTENCES[name] for name in ("customers", "about", "tagged")}}
    figures |= {name: match[1] for name, pattern in more.items() if (match := re.search(pattern, notes))}
    product = re.fullmatch(
        r"(\S+) conversations a week about it × (\d+) % of them fail × \d+ % of those an article would fix = "
        r"(\S+) avoidable a week (\[\S+\])", flat(sum_text),
    )  # fmt: skip
    assert product is not None, sum_text
    assert product[2] == figures["failed"]
    return figures | {"about weekly": product[1], "score": product[3], "score range": product[4]}


def in_panel(text: str) -> Figures:
    page = json.loads(text)
    product = " × ".join(f"{factor['value']} {factor['words']}" for factor in page["equation"]["factors"])
    cards = [(card["label"], card["value"], card["note"]) for card in page["figures"]]
    return on_a_card(cards, f"{product} = {page['equation']['score']} {page['equation']['words']}")


def on_page(text: str) -> Figures:
    cards = re.findall(r"<dt>(.*?)</dt><dd>(.*?)<small>(.*?)</small></dd>", html.unescape(text))
    product = re.search(r'<div class="sum">(.*?)</div>', text, re.DOTALL)
    assert product is not None
    return on_a_card(cards, plain(product[1]))


def in_table(text: str) -> Figures:
    cells = {name: plain(cell) for name, cell in re.findall(r'class="c-(\w+)[^"]*">(.*?)</t[dh]>', text, re.DOTALL)}
    failed, failed_range = cells["fails"].split(" % ")
    score, score_range = cells["score"].split()
    figures = {"failed": failed, "failed range": failed_range, "score": score, "score range": score_range}
    figures |= {"weekly": cells["rate"].split()[0]}
    return figures | {name: cells[at] for name, at in (("conversations", "conv"), ("cost", "cost")) if at in cells}


def in_sheet(store: Path, gap: Mapping[str, Any]) -> Figures:
    """A row of the workbook, as a spreadsheet prints it."""
    sheet = openpyxl.load_workbook(store / "runs" / DAY / "backlog.xlsx")["Backlog"]
    lines = list(sheet.iter_rows())
    heads = [cell.value for cell in lines[0]]
    own = next(line for line in lines[1:] if line[heads.index("Gap id")].value == gap["gap_id"])
    shown = {head: printed(cell) for head, cell in zip(heads, own, strict=True)}
    return {
        "conversations": shown["In the gap"], "weekly": shown["In the gap, a week"],
        "customers": shown["Customers in the gap"], "tagged": shown["Tagged in the gap"], "about": shown["About it"],
        "about weekly": shown["About it, a week"], "failed": shown["Failed, of all about it"],
        "failed range": f"[{shown['Failed from']}–{shown['Failed to']}]", "score": shown["Score"],
        "score range": f"[{shown['Score from']}–{shown['Score to']}]",
        "cost": "€ " + shown["Cost a week"].removesuffix(' "EUR"'),
    }  # fmt: skip


def printed(cell: Any) -> str:
    """A cell by its number format, of those that the workbook has."""
    if not isinstance(cell.value, int | float):
        return str(cell.value)
    form = cell.number_format.removesuffix(' "EUR"')
    if form == "0%":
        return half_up(100 * Decimal(repr(cell.value)))
    return half_up(cell.value, {"0.00": 2, "0.0": 1, "#,##0": 0}[form])


def line_of(gap: Mapping[str, Any], sheet: str) -> dict[str, str]:
    """A gap's line of a CSV sheet."""
    return next(row for row in csv.DictReader(sheet.splitlines()) if row["gap_id"] == gap["gap_id"])


def as_written(row: Mapping[str, Any]) -> Figures:
    """The figures of a row that people read as it stands: nothing is rounded after it."""
    names = {"conversations": "conversations", "weekly": "weekly_rate", "score": "score"}
    return {name: f"{row[field]}" for name, field in names.items()}


def renderings(store: Path, gap: Mapping[str, Any], written: Mapping[str, str]) -> dict[str, Figures]:
    """What each rendering shows of a gap."""
    line = line_of(gap, (store / "runs" / DAY / "backlog.csv").read_text(encoding="utf-8-sig"))
    return {
        "report's table": in_table(written["report's table"]), "report's panel": in_panel(written["report's panel"]),
        "board's table": in_table(written["board's table"]), "board's page": on_page(written["board's page"]),
        "board's API": from_data(json.loads(written["board's API"])), "draft": sentences(flat(written["draft"])),
        "digest": sentences(written["digest"]), "explain": sentences(written["explain"]), "CSV": from_data(line),
        "JSON lines": from_data(gap), "workbook": in_sheet(store, gap),
        "draft's front matter": as_written(values(written["draft"])),
        "decision sheet": as_written(line_of(gap, written["decision sheet"])),
    }  # fmt: skip


def contradictions(renderings_: Mapping[str, Figures]) -> Iterator[str]:
    """Figures that two renderings show differently."""
    for name in sorted({name for figures in renderings_.values() for name in figures}):
        shown: dict[str, list[str]] = {}
        for where, figures in renderings_.items():
            if name in figures:
                shown.setdefault(flat(figures[name]), []).append(where)
        if len(shown) > 1:
            yield f"{name}: {shown}"


# -- what must hold ---------------------------------------------------------------------------------------------------


def test_every_rendering_of_a_gap_shows_the_same_figures(store: Path, gap: dict[str, Any]) -> None:
    """In the report, on the board, in the draft, the digest, both sheets and the terminal; none has a figure less."""
    figures = renderings(store, gap, texts(store, gap))
    assert list(contradictions(figures)) == []
    every_sentence = set(SENTENCES)
    for where in ("report's panel", "board's page", "board's API", "explain", "CSV", "JSON lines", "workbook"):
        assert set(figures[where]) == every_sentence, where
    for where in ("draft's front matter", "decision sheet"):
        assert set(figures[where]) == {"conversations", "weekly", "score"}, where
    in_brief = {"conversations", "weekly", "customers", "about", "failed", "failed range"}
    assert (set(figures["draft"]) - {"tagged"}, set(figures["digest"])) == (in_brief, in_brief)


@pytest.mark.parametrize("where", ["report's panel", "board's page", "board's table", "draft", "digest", "explain"])
def test_one_figure_that_differs_is_found(store: Path, gap: dict[str, Any], where: str) -> None:
    """Were one rendering to round or to count otherwise, the comparison would say so."""
    written = texts(store, gap)
    share = half_up(100 * gap["failure_rate"])
    spoilt = re.sub(rf"\b{share}(?=\s%)", str(int(share) + 1), html.unescape(written[where]))
    assert spoilt != html.unescape(written[where])
    different = list(contradictions(renderings(store, gap, written | {where: spoilt})))
    assert [name.split(":")[0] for name in different] == ["failed"]


def test_every_share_says_of_what_it_is(store: Path, gap: dict[str, Any]) -> None:
    """No line of a brief, a panel or the terminal has a share without the set of conversations that it is of."""
    written = texts(store, gap)
    page = json.loads(written["report's panel"])
    lines = [part for part in re.split(r"\n|(?<=[.!?])\s", written["draft"].split("\n## ")[0]) if "%" in part]
    lines += [words for words in [*page["reasons"], (page["change"] or {}).get("words", "")] if "%" in words]
    lines += [f"{card['label']} {card['value']} {card['note']}" for card in page["figures"] if "%" in card["value"]]
    assert len(lines) >= (4 if gap["kind"] == "stale" else 2)
    assert [line for line in lines if not SETS.search(line)] == []


def test_nearest_articles_stand_in_order_of_the_similarity_shown(store: Path, gap: dict[str, Any]) -> None:
    """In the data, on the board, in the report, in the terminal and in the workbook; reasons name the same figure."""
    near = [(article["title"], f"{article['similarity']:.2f}") for article in gap["nearest_articles"]]
    assert len(near) > 2
    assert [shown for _, shown in near] == sorted((shown for _, shown in near), reverse=True)
    written = texts(store, gap)
    panel = [(article["title"], article["shown"]) for article in json.loads(written["report's panel"])["nearest"]]
    block = re.search(r'<ul class="near">(.*?)</ul>', written["board's page"], re.DOTALL)
    assert block is not None
    board = re.findall(r'<span dir="auto">(.*?)</span>.*?<b>(.*?)</b>', block[1], re.DOTALL)
    line = r"(-?\d\.\d\d) kb-\w+ (.*?)(?= -?\d\.\d\d kb-| What )"
    listed = [article[::-1] for article in re.findall(line, written["explain"])]
    assert panel == board == listed == near
    for title, shown in re.findall(r"'([^']*)', has a similarity of (\d\.\d\d)", " ".join(gap["reasons"])):
        assert (title, shown) in near


def test_every_file_says_which_gaps_are_too_small(store: Path) -> None:
    """A gap that would avoid less than one conversation a month is, in JSON lines, Parquet and CSV alike."""
    folder, rows = store / "runs" / DAY, rows_of(store)
    small = [row["score"] * 365.25 / 12 / 7 < 1 for row in rows]
    assert [row["too_small"] for row in rows] == small
    assert pd.read_parquet(folder / "backlog.parquet")["too_small"].tolist() == small
    sheet = csv.DictReader((folder / "backlog.csv").read_text(encoding="utf-8-sig").splitlines())
    assert [line["too_small"] == "True" for line in sheet] == small


def test_a_brief_without_a_passage_says_one_thing(store: Path) -> None:
    """Where no passage can be named, the brief says so, lists none and has no heading that promises some."""
    brief = next(row for row in rows_of(store) if row["kind"] == "stale")
    assert brief["passages"] == []
    text = (store / "runs" / DAY / brief["draft"]).read_text(encoding="utf-8")
    assert "Proposed changes" not in text
    chapter = text.split("## What to change in the article\n")[1].split("\n## ")[0]
    assert "could not be told" in chapter
    assert "\n- " not in chapter
