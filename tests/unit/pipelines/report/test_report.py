"""The report as a document: what stands on it, and that no text can add to it."""

from __future__ import annotations

import base64
import hashlib
import json
import math
import re
from dataclasses import replace
from html.parser import HTMLParser

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lacuna.pipelines.presentation.charts import spark, text_width, topic_map
from lacuna.pipelines.presentation.format import decimal, json_block, money, percent, percent_range, period, text
from lacuna.pipelines.report.accuracy import article_accuracy
from lacuna.pipelines.report.figures import kpi_cards
from lacuna.pipelines.report.gaps import relative_link, weeks
from lacuna.pipelines.report.render import render_report
from lacuna.pipelines.report.topics import topics as topics_section
from lacuna.pipelines.report.view import FIRST_ROWS, build_view
from tests.support import sample_run

ATTACKS = (
    "<script>alert(1)</script>",
    "</script><script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "<!--<script>",
    "</template></title></style><iframe src=javascript:alert(1)>",
    "{{ 7 * 7 }}{% raw %}",
    "\u2028alert(1)\u2029\x00\u202e",
)


class Document(HTMLParser):
    """Collects elements, attributes, script bodies and visible text, the way a browser reads them."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[tuple[dict[str, str | None], str]] = []
        self.texts: list[str] = []
        self._inside: str = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element."""
        self.elements.append((tag, dict(attrs)))
        if tag in {"script", "style"}:
            self._inside = tag
            self.scripts.append((dict(attrs) | {"tag": tag}, ""))

    def handle_endtag(self, tag: str) -> None:
        """Leave a script."""
        if tag == self._inside:
            self._inside = ""

    def handle_data(self, data: str) -> None:
        """Note a text, or the body of a script."""
        if self._inside:
            attrs, body = self.scripts.pop()
            self.scripts.append((attrs, body + data))
        else:
            self.texts.append(data)

    def json(self, name: str) -> str:
        """The body of a JSON block."""
        return next(body for attrs, body in self.scripts if attrs.get("id") == name)

    def shape(self) -> list[tuple[str, tuple[str, ...]]]:
        """Every element with the names of its attributes: what must not change, whatever the texts say."""
        return [(tag, tuple(sorted(attrs))) for tag, attrs in self.elements]


@pytest.fixture(scope="module")
def html() -> str:
    """The sample run's report."""
    return render_report(sample_run.sample_run())


def test_the_report_shows_the_run(html: str) -> None:
    """Company, window, KPIs, every gap and every section stand in the page itself, before any script runs."""
    shown = " ".join(Document(html).texts)
    for wanted in (
        "Fjellvik Outdoor",
        "3–30 June 2024",
        "Deflection",
        "Cost avoided",
        "How to split a return between two parcels",
        "Not a content problem",
        "No owner",
        "Data quality",
        "14 messages cite an article",
        "71,205",
    ):
        assert wanted in shown, wanted
    assert len(re.findall(r'<tr role="row" data-id=', html)) == 25


def test_the_same_run_gives_the_same_page(html: str) -> None:
    """Rows in another order change nothing."""
    data = sample_run.sample_run()
    assert render_report(replace(data, backlog=data.backlog.sample(frac=1.0, random_state=1))) == html


def test_the_page_reaches_for_nothing(html: str) -> None:
    """No element loads anything, and the policy allows only this page's own style and script, by hash."""
    page = Document(html)
    policy = next(attrs["content"] or "" for tag, attrs in page.elements if tag == "meta" and attrs.get("http-equiv"))
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    for attrs, body in page.scripts:
        if attrs.get("type") != "application/json":
            digest = base64.b64encode(hashlib.sha256(body.encode()).digest()).decode()
            assert f"{attrs['tag']}-src 'sha256-{digest}'" in policy
    for tag, attrs in page.elements:
        assert tag not in {"img", "iframe", "object", "embed", "base", "video", "audio"}
        assert "src" not in attrs
        assert not any(name.startswith("on") or name == "style" for name in attrs)
        address = attrs.get("href") or ""
        assert not address or address.startswith(("#", "data:image/svg+xml,")), address


@pytest.mark.parametrize("attack", ATTACKS)
def test_no_text_adds_an_element(html: str, attack: str) -> None:
    """With an attack in every text field, the page has the same elements with the same attributes."""
    clean = sample_run.sample_run()
    data = sample_run.nasty_run(attack)
    spoiled = render_report(data)
    assert spoiled.encode("utf-8")
    page = Document(spoiled)
    assert {tag for tag, _ in page.elements} <= {tag for tag, _ in Document(html).elements}
    assert sum(tag == "script" for tag, _ in page.elements) == 3
    allowed = {(tag, name) for tag, names in Document(html).shape() for name in names}
    assert {(tag, name) for tag, names in page.shape() for name in names} <= allowed
    assert len(json.loads(page.json("rows-data"))["rows"]) == len(clean.backlog)
    assert all(json.loads(line)["title"] for line in page.json("pages-data").split("\n"))
    assert "49" not in page.texts[0]
    assert "\u2028" not in page.json("pages-data")


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_a_json_block_reads_back_and_cannot_be_left(value: object) -> None:
    """Any value comes back unchanged from its block, on one line without a character that HTML acts on."""
    block = json_block(value)
    assert json.loads(block) == value
    assert not re.search("[<>&\u2028\u2029\n]", block)


def test_an_empty_run_has_a_page_that_says_so() -> None:
    """Without gaps, KPIs, topics and counts each part says that there is nothing."""
    shown = " ".join(Document(render_report(sample_run.empty_run())).texts)
    assert "No gap was found in this window" in shown
    assert "No key figures" in shown
    assert "There is no gap to list" in shown


def test_the_first_screen_says_what_the_run_cannot_know(html: str) -> None:
    """Before the figures, one sentence; folded out of it what lacks, its cost and the next step, and what is there."""
    page_text = " ".join(" ".join(Document(html).texts).split())
    sentence = (
        "This run can't know whether the bot reached an article and which release made an article stale; "
        "1 more it knows only in part."
    )
    assert sentence in page_text
    assert page_text.index(sentence) < page_text.index("Deflection")
    assert "in part: 312 of 16,804 conversations" in page_text
    assert "Export article_ids of the bot's messages: what each answer was taken from." in page_text
    assert "They carry customers' messages , published articles , the bot's messages" in page_text


def test_a_run_of_before_says_nothing_of_its_data() -> None:
    """A run.json without `data`, or with something else there, leaves the line out."""
    data = sample_run.sample_run()
    for odd in (None, "x", [None], [{"name": "bot"}]):
        assert '<details class="data' not in render_report(replace(data, run=data.run | {"data": odd}))


def test_a_run_without_a_gap_says_why() -> None:
    """The reason and the next step stand on the first screen, and the empty backlog leads there."""
    data = sample_run.empty_run()
    reason = {"rule": "too few", "why": "Too few <failed>: 3 of 90.", "step": "Mine a longer window."}
    page = render_report(replace(data, run=data.run | {"no_gap_reason": reason}))
    assert "No gap was found in this window. Too few &lt;failed&gt;: 3 of 90. Mine a longer window." in page
    assert 'href="#week-title"' in page


def test_a_gap_with_the_contract_alone_is_shown() -> None:
    """A row without any of the further fields, and with nulls wherever the contract allows them, renders."""
    row = {
        "gap_id": "g-1",
        "rank": 1,
        "kind": "missing",
        "status": "new",
        "title": "Bare",
        "topic_id": "t",
        "topic_label": "T",
        "article_id": None,
        "nearest_articles": [],
        "owner_id": None,
        "owner_reason": "unowned: nobody owns this area",
        "conversations": 3,
        "customers": 2,
        "weekly_rate": 0.75,
        "trend": {"direction": "flat", "ratio": None, "p_value": float("nan")},
        "failure_rate": 0.5,
        "failure_low": 0.1,
        "failure_high": 0.9,
        "n_tagged": 0,
        "score": 0.5,
        "score_low": 0.1,
        "score_high": 0.9,
        "rank_low": 1,
        "rank_high": 1,
        "cost_avoidable": 0.0,
        "reasons": [],
        "examples": [],
        "conversation_ids": ["c"],
        "draft": None,
        "first_seen": "2024-06-30",
        "last_seen": "2024-06-30",
    }
    data = replace(sample_run.empty_run(), backlog=pd.DataFrame([row]))
    assert "Bare" in render_report(data)


def test_a_backlog_read_from_parquet_renders_as_the_one_in_memory(tmp_path: object) -> None:
    """Nested fields that come back from Parquet as arrays give the same page."""
    from pathlib import Path

    from lacuna.pipelines.gaps.read import gaps_of
    from lacuna.pipelines.steps.publish.workbook import write_backlog

    folder = Path(str(tmp_path))
    data = sample_run.sample_run()
    write_backlog(folder, gaps_of(data.backlog), data.run)
    assert render_report(replace(data, backlog=pd.read_parquet(folder / "backlog.parquet"))) == render_report(data)


def test_rows_beyond_the_first_wait_in_a_template() -> None:
    """Of 200 gaps the first stand in the table and the others where a browser lays nothing out."""
    html = render_report(sample_run.many_gaps(200))
    table, rest = html.split('<template id="more-rows">')
    assert table.count('<tr role="row" data-id=') == FIRST_ROWS
    assert rest.count('<tr role="row" data-id=') == 200 - FIRST_ROWS


def test_what_is_too_small_to_act_on_is_folded_and_counted() -> None:
    """It stands below the table with its page, and in no figure of what is to be done; work in hand stays listed."""
    data = sample_run.run_with_small_gaps()
    html = render_report(data)
    fold = re.search(r'<details class="fold" id="small">(.*?)</details>', html, re.DOTALL)
    assert fold is not None
    words = "3 gaps are too small to act on: each would avoid less than one human-handled conversation a month."
    assert f"<summary>{words}</summary>" in fold[1]
    assert re.findall(r'href="#gap=(g-\d+)"', fold[1]) == ["g-020", "g-022", "g-023"]
    table = re.findall(r'<tr role="row" data-id="(g-\d+)"', html.split('<template id="more-rows">')[0])
    assert len(table) == 22
    assert not {"g-020", "g-022", "g-023"} & set(table)
    assert {"g-016", "g-024", "g-025"} < set(table)
    document = Document(html)
    rows = [row["id"] for row in json.loads(document.json("rows-data"))["rows"]]
    assert [json.loads(line)["id"] for line in document.json("pages-data").strip().split("\n")] == rows
    assert sorted(rows) == sorted(data.backlog["gap_id"])
    assert "Too small to act on: it would avoid less" in document.json("pages-data")
    view = build_view(data)
    assert sum(kind["count"] for kind in view["kinds"]) == 22
    summary = ["".join(part["text"] for part in sentence) for sentence in view["summary"]]
    assert summary[0].startswith("19 gaps are open")
    assert words in summary
    before, after = ({entry["id"]: entry["gaps"] for entry in build_view(run)["owners"]} for run in (
        sample_run.sample_run(), data,
    ))  # fmt: skip
    assert {owner: before[owner] - after.get(owner, 0) for owner in before if before[owner] != after.get(owner, 0)} == {
        "": 1, "o-bjorn": 1, "o-emil": 1,
    }  # fmt: skip


def test_what_saves_less_than_a_writers_hour_is_not_worth_writing() -> None:
    """At the set price and span, the nearest to it first; what somebody took up is work, however little it saves."""
    data = sample_run.sample_run()
    first = data.backlog.iloc[:5].assign(status=["new", "open", "new", "accepted", "new"], due=None)
    first = first.assign(cost_avoidable=[0.5, 2.0, 4.0, 0.5, 0.0], score=1.0, score_high=[9.0, 1.2, 2.0, 1.2, 1.2])
    cost = {"currency": "EUR", "per_escalation": 7.5, "writer_hour": 45.0, "pays_within_weeks": 13.0}
    run = data.run | {"settings": data.run["settings"] | {"cost": cost}}
    told = build_view(replace(data, backlog=first, run=run))["not_worth"]
    assert [row["link"].removeprefix("#gap=") for row in told["rows"]] == [first["gap_id"].iloc[at] for at in (1, 0, 4)]
    assert [row["sure"] for row in told["rows"]] == ["surely", "probably", "surely"]
    assert told["words"].startswith("3 gaps are not worth writing: in 13 weeks each would save less than an hour")
    assert "€\u202f26 in 13 weeks" in told["rows"][0]["saves"]
    html = render_report(replace(data, backlog=first, run=run))
    assert 'id="not-worth-writing"' in html
    assert 'id="not-worth-writing"' not in render_report(data)  # a run of an earlier version has no such settings


def test_a_run_with_small_gaps_alone_says_so() -> None:
    """Nothing is called open, and what there is can be opened; the effect is the one that was set."""
    data = sample_run.sample_run()
    backlog = data.backlog.iloc[:2].assign(too_small=True, status="new", rank=[1, 2])
    settings = data.run["settings"] | {"review": {"least_effect_a_month": 500.0}}
    html = render_report(replace(data, backlog=backlog, run=data.run | {"settings": settings}))
    shown = " ".join(" ".join(Document(html).texts).split())
    assert "No gap is large enough to act on." in shown
    assert (
        "2 gaps are too small to act on: each would avoid less than 500 human-handled conversations a month." in shown
    )


def test_a_first_run_says_that_it_is_the_first() -> None:
    """Where no run was published before, gaps are new in this first run; in a later run they are new this time."""
    data = sample_run.sample_run()
    carried = {"change": "new", "weeks_open": 0, "previous_rank": None, "previous_score": None, "previous_run": None}
    backlog = data.backlog.assign(status="new", carried=[carried] * len(data.backlog))

    def written(previous_run: str | None) -> str:
        html = render_report(replace(data, backlog=backlog, run=data.run | {"previous_run": previous_run}))
        return " ".join(" ".join(Document(html).texts).split()) + Document(html).json("pages-data")

    first, later = written(None), written("2024-06-23")
    assert "All of them are new in this first run, led by" in first
    assert ("New in this first run." in first, "New this time." in first) == (True, False)
    assert "All of them are new, led by" in later
    assert ("New in this first run." in later, "New this time." in later) == (False, True)


def test_a_surge_stands_before_all_else_with_its_present_rate() -> None:
    """What jumped is pinned before the backlog, with its rate of now and of before; what is closed is not."""
    data = sample_run.sample_run()
    html = render_report(data)
    words = " ".join(" ".join(Document(html).texts).split())
    assert "Klarna instalment shown twice in the app ×3.4 since 21 Jun: 41 about it in the last 7 days" in words
    assert html.index('class="incidents"') < html.index('id="backlog"') < html.index('class="kpis"')
    closed = replace(data, backlog=data.backlog.assign(status="dismissed"))
    assert 'class="incidents"' not in render_report(closed)


def test_this_week_names_what_is_new_back_and_unowned() -> None:
    """The summary says how much there is and links to the gaps that it names."""
    sentences = [
        "".join(part["text"] for part in sentence) for sentence in build_view(sample_run.sample_run())["summary"]
    ]
    summary = " ".join(sentences)
    assert sentences[0].startswith("22 gaps are open")
    assert "6 new: How to split a return between two parcels" in summary
    assert "1 came back" in summary
    assert "3 gaps have no owner" in summary


def test_this_week_says_how_right_reviewers_found_the_backlog() -> None:
    """Where people have decided on gaps, the share that was right ends the summary; where nobody has, nothing does."""
    data = sample_run.sample_run()
    assert "In review" not in str(build_view(data)["summary"])
    sentence = "of 23 judged missing gaps 19 were right: 83 % (95 % interval 63–93 %)"
    judged_run = data.run | {"backlog": {**data.run.get("backlog", {}), "precision": [{"kind": "", "told": sentence}]}}
    assert build_view(replace(data, run=judged_run))["summary"][-1] == [{"text": f"In review, {sentence}.", "link": ""}]


def test_a_gap_says_why_it_was_reopened() -> None:
    """What made a run reopen a dismissed gap stands in its history."""
    data = sample_run.sample_run()
    backlog = data.backlog.assign(status="reopened", status_note="dismissed at 10 conversations, now 23")
    pages = build_view(replace(data, backlog=backlog))["pages_json"]
    assert "Reopened: dismissed at 10 conversations, now 23." in pages


# ---- figures ----


def weekly(values: list[float], half: float = 0.02) -> pd.DataFrame:
    """A KPI frame with one escalation ratio a week, up to the week of 24 June 2024."""
    mondays = pd.date_range(end="2024-06-24", periods=len(values), freq="7D")
    rows = [
        {
            "week": day.date().isoformat(),
            "segment": "all",
            "conversations": 100,
            "escalation_ratio": value,
            "escalation_ratio_low": value - half,
            "escalation_ratio_high": value + half,
        }
        for day, value in zip(mondays, values, strict=True)
    ]
    return pd.DataFrame([*rows, {**rows[-1], "segment": "product:X", "escalation_ratio": 0.99}])


RUN = {"window": {"start": "2024-06-03", "end": "2024-06-30", "days": 28}}


def test_a_kpi_covers_the_window_and_is_set_against_the_weeks_before() -> None:
    """Four weeks of the window against the four before, segments left out, an interval from the weeks' intervals."""
    card = next(
        candidate
        for candidate in kpi_cards(weekly([0.5] * 2 + [0.4] * 4 + [0.3] * 4), RUN)
        if candidate["key"] == "escalation_ratio"
    )
    assert card["value"] == percent(0.3)
    assert card["range"] == "[29–31]"
    assert card["change"]["words"] == "−10.0 points"
    assert card["change"]["tone"] == "better"


def test_a_change_inside_its_noise_is_not_called_one() -> None:
    """A step smaller than its interval is neither better nor worse."""
    card = next(
        candidate
        for candidate in kpi_cards(weekly([0.30] * 4 + [0.31] * 4, half=0.1), RUN)
        if candidate["key"] == "escalation_ratio"
    )
    assert card["change"]["tone"] == "same"


def test_a_kpi_without_earlier_weeks_has_no_change() -> None:
    """Four weeks of history are a value and nothing to compare it with; what no column holds is not known."""
    cards = {card["key"]: card for card in kpi_cards(weekly([0.3] * 4), RUN)}
    assert cards["escalation_ratio"]["change"] == {}
    assert cards["csat_self_service"]["value"] == ""


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        (percent(0.628), "63\u202f%"),
        (percent(float("nan")), "—"),
        (percent_range(0.48, 0.76), "[48–76]"),
        (decimal(1.234), "1.2"),
        (decimal(0.01), "<0.1"),
        (decimal(1204.2), "1,204"),
        (money(-0.4), "−€\u202f0.40"),
        (money(1240.4, "USD"), "$\u202f1,240"),
        (period("2024-05-27", "2024-06-23"), "27 May – 23 June 2024"),
        (period("2023-12-04", "2024-01-02"), "4 December 2023 – 2 January 2024"),
        (text(float("nan")), ""),
        (text("a\x00b\ud800"), "ab?"),
    ],
)
def test_figures_read_as_people_write_them(shown: str, expected: str) -> None:
    """Shares, ranges, counts, money and dates in their printed form."""
    assert shown == expected


def test_weeks_without_a_conversation_count_as_zero() -> None:
    """A gap's history has every week between its first and the window's last."""
    counts = weeks(
        [
            {"week": "2024-06-03", "conversations": 4, "failed": 9},
            {"week": "2024-06-17", "conversations": 2, "failed": None},
        ]
    )
    assert counts == [("2024-06-03", 4.0, 4.0), ("2024-06-10", 0.0, 0.0), ("2024-06-17", 2.0, 0.0)]


@pytest.mark.parametrize(
    "path", ["javascript:alert(1)", "//evil.example/x", "/etc/passwd", "drafts/../../x", "c:\\x", "", None]
)
def test_a_draft_link_leads_into_the_run_or_nowhere(path: str | None) -> None:
    """Anything but a plain relative path gives no link."""
    assert relative_link(path) == ""
    assert relative_link("drafts/o 1/g-1.md") == "drafts/o%201/g-1.md"


# ---- charts ----


@given(st.lists(st.none() | st.floats(allow_nan=True, allow_infinity=True), max_size=200))
def test_a_sparkline_stays_in_its_box(values: list[float | None]) -> None:
    """Whatever the values, the points are finite and lie inside the drawing."""
    shape = spark([value if value is None or abs(value) < 1e12 else None for value in values])
    for point in shape.get("line", "").split():
        x, y = map(float, point.split(","))
        assert (0 <= x <= 72 and -0.1 <= y <= 20.1) or min(v for v in values if v is not None and not math.isnan(v)) < 0


@given(st.lists(st.tuples(st.floats(-5, 5), st.floats(-5, 5), st.integers(0, 900)), min_size=2, max_size=60))
def test_labels_on_the_map_do_not_cover_one_another(spots: list[tuple[float, float, int]]) -> None:
    """Labels lie inside the drawing and apart, wherever the topics are."""
    topics = [
        {"topic_id": f"t{place:02d}", "x": x, "y": y, "conversations": asked, "short": "A topic's label"}
        for place, (x, y, asked) in enumerate(spots)
    ]
    boxes = []
    for mark in topic_map(topics, 358, 440, 9):
        assert 0 <= float(mark["cx"]) <= 358
        assert 0 <= float(mark["cy"]) <= 440
        if mark["lx"]:
            wide = text_width(mark["short"])
            left = float(mark["lx"]) - {"start": 0, "middle": wide / 2, "end": wide}[mark["anchor"]]
            boxes.append((left, float(mark["ly"]), left + wide))
    for place, (left, base, right) in enumerate(boxes):
        assert left >= 0
        assert right <= 358
        assert not any(
            left < other[2] - 0.2 and other[0] < right - 0.2 and abs(base - other[1]) < 15.8
            for other in boxes[place + 1 :]
        )
    assert len(boxes) <= 9


def test_a_crowded_map_shows_the_topics_that_matter() -> None:
    """Of 200 topics the map has those with gaps and those that failed most; the table has all of them."""
    frame = pd.DataFrame(
        {
            "topic_id": [f"t-{place:03d}" for place in range(200)],
            "label": [f"Topic {place}" for place in range(200)],
            "theme": None,
            "conversations": [5 + place % 50 for place in range(200)],
            "failure_rate": [0.9 if place % 4 == 0 else 0.1 for place in range(200)],
            "gap_ids": [["g-1"] if place == 101 else [] for place in range(200)],
            "x": [float(place % 17) for place in range(200)],
            "y": [float(place % 13) for place in range(200)],
        }
    )
    section = topics_section(frame, {"g-1": "A gap"})
    assert len(section["rows"]) == 200
    for drawn, most in zip(section["maps"], (90, 40), strict=True):
        shown = {mark["topic_id"] for mark in drawn["marks"]}
        assert len(shown) == most
        assert "t-101" in shown
        off_map = frame[~frame["topic_id"].isin(shown)]
        on_map = frame[frame["topic_id"].isin(shown - {"t-101"})]
        least = (on_map["conversations"] * on_map["failure_rate"]).min()
        assert (off_map["conversations"] * off_map["failure_rate"] <= least + 1e-9).all()


def test_the_report_says_the_confidence_that_is_set() -> None:
    """With intervals of 80 %, no word of 95 % is left, in the table, the cards and the gaps' pages."""
    data = sample_run.sample_run()
    run = data.run | {"settings": {**data.run.get("settings", {}), "accuracy": {"confidence": 0.8}}}
    page = render_report(replace(data, run=run))
    assert "80\u202f% interval" in page
    assert "80\u202f% confidence" in page
    assert "95 %" not in page
    assert "95\u202f% conf" not in page


def test_what_to_tag_and_which_intents_to_train_stand_in_sections_of_their_own() -> None:
    """What to tag, the confused pairs and their heat map, the doubtful labels, and how the model holds."""
    pair = {"predicted_intent": "pay", "true_intent": "ship", "tags": 4, "of": 25, "share": 0.16, "share_low": 0.05}
    right = pair | {"true_intent": "pay", "tags": 21, "share": 0.84, "matters": False, "conversation_ids": ["c9"]}
    pair |= {"share_high": 0.44, "a_week": 5.2, "matters": True, "conversation_ids": ["c1", "c2", "c3", "c4"]}
    suspect = {"conversation_id": "c7", "question": "<b>where?</b>", "label": "pay", "confidence": 0.01}
    suspect |= {"likelier": "ship", "likelier_confidence": 0.97, "given_by": "bot"}
    tag = {"conversation_id": "c8", "question": "lost pole", "topic_id": "t-1", "topic_label": "Poles"}
    band = {
        "low": 0.0,
        "high": 0.2,
        "tags": 9,
        "predicted": 0.1,
        "observed": 0.11,
        "observed_low": 0.0,
        "observed_high": 0.4,
    }
    page = render_report(
        replace(
            sample_run.sample_run(),
            confusion=pd.DataFrame([pair, right]),
            suspects=pd.DataFrame([suspect]),
            tag_next=pd.DataFrame([tag | {"article_id": None, "chance": 0.5, "worth": 0.2}]),
            calibration=pd.DataFrame([band]),
        )
    )
    for expected in (
        "Intents to train",
        "4 of 25",
        'class="num h2"',
        "&lt;b&gt;where?",
        "Tag these next",
        "lost pole",
        "Does the model hold?",
    ):
        assert expected in page, expected
    assert "<b>where?" not in page
    bare = render_report(sample_run.sample_run())
    assert "Intents to train" not in bare
    assert "Tag these next" not in bare


def test_themes_topics_and_parts_are_one_tree() -> None:
    """Each leaf has its number in the order of mergers; the slider goes from themes to parts; figures add up."""
    data = sample_run.sample_run()
    tree = build_view(data)["topics"]["tree"]
    topics = [topic for branch in tree["branches"] for topic in branch["topics"]]
    leaves = [part["leaf"] for topic in topics for part in topic["parts"]]
    assert sorted(leaves) == list(range(2 * len(topics)))
    assert (tree["fewest"], tree["topics"], tree["most"]) == (len(tree["branches"]), len(topics), len(leaves))
    assert len(json.loads(tree["merges"])) == len(leaves) - len(tree["branches"])
    assert sum(branch["conversations"] for branch in tree["branches"]) == data.topics["conversations"].sum()
    earlier = build_view(replace(data, topic_tree=None))["topics"]["tree"]
    assert (earlier["slides"], len(earlier["branches"])) == (False, tree["fewest"])


def test_what_people_changed_about_topics_is_in_the_data_quality() -> None:
    """Each edit with who made it, and whether the run kept it; why not, where it did not."""
    edit = {
        "id": 1,
        "who": "Ana",
        "words": "merged “Parcels” into “Boxes”",
        "kept": True,
        "note": "",
        "topics": ["t-1"],
    }
    other = {**edit, "id": 2, "words": "said that “Hello” is not a topic", "kept": False, "note": "it is gone"}
    data = sample_run.sample_run()
    html = render_report(replace(data, run={**data.run, "topic_edits": [edit, other]}))
    assert "Ana merged “Parcels” into “Boxes” <small>kept</small>" in html
    assert "Ana said that “Hello” is not a topic <small>not kept: it is gone</small>" in html
    assert "What people changed about topics" not in render_report(data)


def test_what_stands_under_a_figure_adds_up_and_says_of_what() -> None:
    """The shares under deflection are of the answered conversations, and together 100 %."""
    (card,) = [card for card in build_view(sample_run.sample_run())["kpis"] if card["key"] == "deflection"]
    assert card["parts"].startswith("Of the answered conversations: ")
    assert sum(int(part) for part in re.findall(r"(\d+)\D%", card["parts"])) == 100


def test_an_articles_accuracy_says_how_many_answers_were_tagged() -> None:
    """The sentence counts the tags of the published table."""
    row = {"by": "article", "key": "kb-1", "accuracy": 0.13, "low": 0.07, "high": 0.24, "n_tagged": 27}
    sentence = article_accuracy(pd.DataFrame([row | {"basis": "pooled"}]))["kb-1"]
    assert "by 27 tagged answers" in sentence


def test_a_passage_is_shown_once_with_all_that_stands_against_it() -> None:
    """Two sentences of agents against one passage are one entry; the one said most often comes first."""
    said = [("Two weeks.", "It takes three weeks.", 2), ("Two weeks.", "Since May it is longer.", 5), ("Free.", "", 0)]
    passages = [
        {"article_id": "kb-1", "passage": passage, "evidence": evidence, "count": count}
        for passage, evidence, count in said
    ]
    data = sample_run.sample_run()
    backlog = data.backlog.assign(passages=[passages] * len(data.backlog))
    gap = json.loads(build_view(replace(data, backlog=backlog))["pages_json"].splitlines()[0])
    assert [(entry["passage"], entry["evidence"]) for entry in gap["passages"]] == [
        ("Two weeks.", ["Since May it is longer.", "It takes three weeks."]),
        ("Free.", []),
    ]
