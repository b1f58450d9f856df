"""The workbook: the sheets that a manager wants, with text that stays text."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from typing import Any

import xlsxwriter

from lacuna.models.backlog.gap import Gap
from lacuna.models.backlog.gap_kinds import GAP_KINDS
from lacuna.models.backlog.gap_records import Quote
from lacuna.models.backlog.lifecycle import CLOSED
from lacuna.models.data_coverage.coverage import lacking, unknown
from lacuna.models.diagnosis.no_gap_reason import why_no_gap
from lacuna.pipelines.presentation.spreadsheet import flat, safe_text
from lacuna.pipelines.report.small import folded_sentence
from lacuna.pipelines.steps.load.coverage import coverage_of
from lacuna.pipelines.steps.publish.sheet_columns import (
    ABOUT,
    ACCURACY,
    DEFINITIONS,
    KPIS,
    NOT_CONTENT,
    OWNERS,
    QUOTES,
    TOPICS,
    Column,
    backlog_columns,
)

_LAST_ROW = 1_048_575


def workbook(
    gaps: Sequence[Gap],
    run: dict[str, Any],
    topics: Sequence[dict[str, Any]],
    kpis: Sequence[dict[str, Any]],
    not_content: Sequence[dict[str, Any]],
    accuracy: Sequence[dict[str, Any]],
    record: type[Gap] = Gap,
) -> bytes:
    """The workbook as bytes; its creation date is the window's last day, so that the same run gives the same bytes.

    Parameters
    ----------
    gaps : sequence of Gap
        The backlog by rank.
    run : dict
        `run.json`.
    topics, kpis, not_content, accuracy : sequence of dict
        The run's other tables, as plain values.
    record : type
        The record whose fields are the columns of the first sheet.
    """
    window = run.get("window") or {}
    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(
        buffer,
        {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False},
    )
    book.set_properties(
        {
            "title": f"Knowledge gaps {run.get('run_id') or ''}".strip(),
            "author": "Lacuna",
            "created": _created(window.get("end")),
        }
    )
    styles = _styles(book, _currency(run, kpis))
    no_gap_text = f"No gap was found in this window. {why_no_gap(run)}"
    columns = backlog_columns(record)
    sheet = _sheet(book, styles, "Backlog", columns, gaps, frozen=1, empty_text=no_gap_text)
    if gaps:
        _colour(book, sheet, [column.heading for column in columns], len(gaps))
    _sheet(book, styles, "By owner", OWNERS, _by_owner(gaps))
    _sheet(
        book,
        styles,
        "KPIs",
        KPIS,
        sorted(kpis, key=lambda row: (str(row.get("segment")) != "all", str(row.get("segment")), str(row.get("week")))),
    )
    _sheet(
        book,
        styles,
        "Topics",
        TOPICS,
        sorted(topics, key=lambda row: (-(row.get("conversations") or 0), str(row.get("topic_id")))),
    )
    _sheet(book, styles, "Not content", NOT_CONTENT, not_content)
    _sheet(book, styles, "Accuracy", ACCURACY, accuracy)
    _sheet(book, styles, "Quotes", QUOTES, list(_quotes(gaps)))
    _sheet(book, styles, "About", ABOUT, list(_about(run, len(gaps), sum(gap.folded for gap in gaps))), filters=False)
    book.close()
    return buffer.getvalue()


def _created(end: object) -> datetime:
    try:
        day = date.fromisoformat(str(end)[:10])
    except ValueError:
        day = date(2000, 1, 1)
    return datetime(day.year, day.month, day.day, tzinfo=UTC).replace(tzinfo=None)


def _currency(run: dict[str, Any], kpis: Sequence[dict[str, Any]]) -> str:
    code = ((run.get("settings") or {}).get("cost") or {}).get("currency") or next(
        (row["currency"] for row in kpis if row.get("currency")), "EUR"
    )
    # A currency is three letters; anything else would be a number format of somebody's making.
    return str(code) if str(code).isalpha() and len(str(code)) == 3 else "EUR"


def _styles(book: Any, currency: str) -> dict[str, Any]:
    base: dict[str, Any] = {"font_name": "Calibri", "font_size": 11, "valign": "top"}
    definitions: dict[str, dict[str, Any]] = {
        "text": {},
        "strong": {"bold": True, "text_wrap": True},
        "wrap": {"text_wrap": True},
        "whole": {"num_format": "#,##0"},
        "rate": {"num_format": "0.0"},
        "rate from ten": {"num_format": "#,##0"},
        "rate near nought": {"num_format": '"<0.1"'},
        "two": {"num_format": "0.00"},
        "share": {"num_format": "0%"},
        "money": {"num_format": f'0.00 "{currency}"'},
        "money from ten": {"num_format": f'#,##0 "{currency}"'},
        "head": {"bold": True, "font_color": "#FFFFFF", "bg_color": "#155E75", "text_wrap": True, "valign": "vcenter"},
    }
    return {name: book.add_format(base | style) for name, style in definitions.items()}


def _sheet(
    book: Any,
    styles: dict[str, Any],
    name: str,
    columns: Sequence[Column],
    rows: Sequence[Any],
    frozen: int = 1,
    filters: bool = True,
    empty_text: str = "Nothing in this run.",
) -> Any:
    """One table on one sheet: a frozen header, filters, widths, and every text written as a string."""
    sheet = book.add_worksheet(name)
    sheet.freeze_panes(frozen, 0)
    sheet.set_row(0, 32)
    sheet.hide_gridlines(2)
    sheet.set_landscape()
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(0)
    for place, column in enumerate(columns):
        sheet.set_column(place, place, column.width, styles[column.style])
        sheet.write_string(0, place, column.heading, styles["head"])
    for line, row in enumerate(rows[:_LAST_ROW], start=1):
        for place, column in enumerate(columns):
            value = flat(column.value(row))
            style = styles[_as_shown(column.style, value)]
            if isinstance(value, str) and value:
                sheet.write_string(line, place, safe_text(value), style)
            elif isinstance(value, bool):
                sheet.write_boolean(line, place, value, style)
            elif isinstance(value, int | float):
                sheet.write_number(line, place, value, style)
            else:
                sheet.write_blank(line, place, None, style)
    if not rows:
        sheet.write_string(1, 0, safe_text(empty_text), styles["text"])
    elif filters:
        sheet.autofilter(0, 0, len(rows), len(columns) - 1)
    return sheet


def _as_shown(style: str, value: Any) -> str:
    """The style in which a figure has as many decimals as in the report."""
    if not isinstance(value, int | float):
        return style
    if style == "rate":
        return "rate near nought" if 0 < value < 0.05 else "rate" if abs(value) < 9.95 else "rate from ten"
    return "money from ten" if style == "money" and abs(value) >= 9.995 else style


def _colour(book: Any, sheet: Any, headings: Sequence[str], rows: int) -> None:
    """Colour the kinds and draw a bar behind the scores."""
    kind, score, owner = headings.index("Kind"), headings.index("Score"), headings.index("Owner")
    for name, kind_of_gap in GAP_KINDS.items():
        ink, ground = kind_of_gap.light
        style = book.add_format({"font_color": ink.upper(), "bg_color": ground.upper()})
        sheet.conditional_format(
            1, kind, rows, kind, {"type": "cell", "criteria": "==", "value": f'"{name}"', "format": style}
        )
    alarm = book.add_format({"font_color": "#B3261E", "bold": True})
    sheet.conditional_format(
        1, owner, rows, owner, {"type": "cell", "criteria": "==", "value": '"(no owner)"', "format": alarm}
    )
    sheet.conditional_format(
        1,
        score,
        rows,
        score,
        {"type": "data_bar", "bar_color": "#9CCBD6", "bar_solid": True, "min_type": "num", "min_value": 0},
    )


def _by_owner(gaps: Sequence[Gap]) -> list[dict[str, Any]]:
    load: dict[str, dict[str, Any]] = {}
    for gap in gaps:
        if gap.status in CLOSED or gap.folded:
            continue
        key = gap.owner_id or ""
        entry = load.setdefault(
            key,
            {
                "id": key,
                "name": gap.owner or "(no owner)",
                "gaps": 0,
                "conversations": 0,
                "score": 0.0,
                "cost": 0.0,
                "first": gap.title,
            },
        )
        entry["gaps"] += 1
        entry["conversations"] += gap.conversations
        entry["score"] += gap.score
        entry["cost"] += gap.cost_avoidable
    return sorted(load.values(), key=lambda entry: (bool(entry["id"]), -entry["score"], entry["id"]))


def _quotes(gaps: Sequence[Gap]) -> Iterable[dict[str, Any]]:
    for gap in gaps:
        quotes: list[tuple[str, Quote]] = [("customer", quote) for quote in gap.examples]
        quotes += [("agent", quote) for quote in gap.agent_answers]
        for who, quote in quotes:
            if quote["quote"]:
                yield {**quote, "rank": gap.rank, "title": gap.title, "who": who}


def _interval_note(run: dict[str, Any]) -> str | None:
    value = ((run.get("settings") or {}).get("accuracy") or {}).get("confidence")
    return f"They hold the true value in {value:.4g} of 1 cases." if isinstance(value, float) else None


def _about(run: dict[str, Any], gaps: int, too_small: int) -> Iterable[dict[str, Any]]:
    window = run.get("window") or {}
    embedder = run.get("embedder") or {}
    lines = [
        ("Window", f"{window.get('start') or '?'} to {window.get('end') or '?'}, both days included"),
        ("Run", run.get("run_id")),
        ("Gaps", gaps),
        ("Too small to act on", folded_sentence(too_small, run) or None),
        ("Why no gap", why_no_gap(run) if not gaps else None),
        ("What the data lack", unknown(parts) if (parts := coverage_of(run)) else None),
        *(
            (f"– {part.label}", f"{part.figures}. {part.cost} Next step: {part.step.replace('`', '')}.")
            for part in lacking(parts)
        ),
        ("Intervals", _interval_note(run)),
        ("Lacuna", run.get("lacuna_version")),
        ("Embedder", " ".join(str(embedder[name]) for name in ("name", "version") if embedder.get(name))),
        ("Previous run", run.get("previous_run")),
        *(
            (
                f"Rows of {name}",
                f"{counts.get('rows_in')} in, {counts.get('rows_kept')} kept, "
                f"{counts.get('rows_quarantined')} in quarantine",
            )
            for name, counts in sorted((run.get("tables") or {}).items())
        ),
        *DEFINITIONS,
    ]
    return ({"what": what, "value": value} for what, value in lines if value not in (None, ""))
