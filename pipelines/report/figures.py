"""The KPIs on top of the report: the window's value, its interval, its change and what it means."""

from __future__ import annotations

import math
from datetime import date, timedelta
from statistics import NormalDist
from typing import Any

import pandas as pd

from lacuna.pipelines.presentation.charts import spark
from lacuna.pipelines.presentation.format import (
    NARROW,
    confidence_text,
    day,
    money,
    number,
    percent,
    percent_range,
    points,
    record,
    text,
)
from lacuna.pipelines.presentation.format import rows as records

# key, label, direction that is better (1 up, -1 down), explanation
KPIS = (
    (
        "deflection",
        "Deflection",
        1,
        "Of everybody who asked the bot or the help centre, the share who opened no ticket and reached no human. "
        "Silence is not success: confirmed, assumed and abandoned are shown apart.",
    ),
    (
        "escalation_ratio",
        "Escalation ratio",
        -1,
        "The share of conversations that a human took over, or that became a ticket.",
    ),
    (
        "first_contact_resolution",
        "First-contact resolution",
        1,
        "Of the problems whose first conversation is known to have gone well or badly, the share that it solved: the "
        "customer did not come back with the same problem within seven days.",
    ),
    (
        "resolution_accuracy",
        "Resolution accuracy",
        1,
        "The share of the bot's answers that were right, estimated for all of them from those that reviewers tagged. "
        "The interval is wide where few answers were tagged.",
    ),
    (
        "csat_self_service",
        "Self-service CSAT",
        1,
        "The mean rating, from 1 to 5, that customers gave to conversations in which no human took part.",
    ),
    (
        "cost_avoided",
        "Cost avoided",
        1,
        "What the conversations that needed no human would have cost, had a human handled them.",
    ),
)
_SPARK_WEEKS = 26


def window_weeks(weeks: list[date], start: date | None, end: date | None) -> list[date]:
    """The Mondays of the weeks with at least four days in the window; in a shorter window, of every week it touches."""
    if start is None or end is None:
        return weeks[-4:]
    inside = {week: (min(end, week + timedelta(days=6)) - max(start, week)).days + 1 for week in weeks}
    return [week for week in weeks if inside[week] >= 4] or [week for week in weeks if inside[week] >= 1]


def kpi_cards(
    kpis: pd.DataFrame | None, run: dict[str, Any], accuracy: pd.DataFrame | None = None
) -> list[dict[str, Any]]:
    """One card a KPI, over the weeks of the window and against as many weeks before it.

    A ratio over several weeks is the mean of the weeks, weighted by conversations (CSAT: by ratings); its interval
    treats the weeks as independent. A cost is a sum. The weekly estimates of accuracy are not independent, so that its
    value for the whole window is read from the accuracy table where that has it. A change counts as clear where it
    exceeds the sampling error at the run's confidence, or where no interval is known.

    Parameters
    ----------
    kpis : DataFrame or None
        `kpis.parquet`: one row a week and segment; the rows of segment `all` are used.
    run : dict
        `run.json`, for the window.
    accuracy : DataFrame or None
        `accuracy.parquet`, for the rows of `all`.
    """
    if kpis is None or kpis.empty or "week" not in kpis:
        return []
    frame = kpis[kpis["segment"].astype(str) == "all"] if "segment" in kpis else kpis
    rows = {when: row for row in records(frame) if (when := day(row["week"])) is not None}
    weeks = sorted(rows)
    if not weeks:
        return []
    window = run.get("window") or {}
    current = window_weeks(weeks, day(window.get("start")), day(window.get("end")))
    if not current:
        return []
    previous_weeks = [week for week in weeks if week < current[0]][-len(current) :]
    charted_weeks = [week for week in weeks if week <= current[-1]][-_SPARK_WEEKS:]
    currency = next((text(rows[week].get("currency")) for week in current if text(rows[week].get("currency"))), "EUR")
    errors = _errors(run)
    cards = []
    for key, label, better, means in KPIS:
        current_estimate = _pooled(key, [rows[week] for week in current], errors)
        previous_estimate = (
            _pooled(key, [rows[week] for week in previous_weeks], errors)
            if len(previous_weeks) == len(current)
            else None
        )
        if key == "resolution_accuracy":
            current_estimate, previous_estimate = (
                _whole_period(accuracy, "window", errors) or current_estimate,
                _whole_period(accuracy, "before", errors) or previous_estimate,
            )
        cards.append(
            {
                "sure": confidence_text(run),
                "key": key,
                "label": label,
                "means": means,
                "value": _value_text(key, current_estimate, currency),
                "range": _interval_text(key, current_estimate, errors),
                "change": _change(key, current_estimate, previous_estimate, better, currency, len(current), errors),
                "parts": _parts(rows, current) if key == "deflection" else _handling(rows, current, key),
                "spark": spark(
                    [number(rows[week].get(key)) for week in charted_weeks], 132, 30, zero=key == "cost_avoided"
                ),
                "weeks": len(charted_weeks),
                "inside": len(current),
            }
        )
    return cards


def _errors(run: dict[str, Any]) -> float:
    """The half-width of the run's intervals, in standard errors."""
    confidence = number(record(record(run.get("settings")).get("accuracy")).get("confidence"))
    return NormalDist().inv_cdf(0.5 + (0.95 if confidence is None else confidence) / 2)


def _pooled(key: str, rows: list[dict[str, Any]], errors: float) -> tuple[float, float | None] | None:
    """(value, standard error or None) of a KPI over several weeks, or None where no week has it."""
    if key == "cost_avoided":
        rows_with_value = [row for row in rows if number(row.get(key)) is not None]
        ends = [(number(row.get(f"{key}_low")), number(row.get(f"{key}_high"))) for row in rows_with_value]
        spread = [high - low for low, high in ends if low is not None and high is not None]
        error = math.hypot(*spread) / (2 * errors) if rows_with_value and len(spread) == len(rows_with_value) else None
        return (sum(number(row.get(key)) or 0.0 for row in rows_with_value), error) if rows_with_value else None
    total = mass = variance = 0.0
    has_intervals = True
    for row in rows:
        value = number(row.get(key))
        weight = _weight(key, row)
        if value is None or weight <= 0:
            continue
        low, high = number(row.get(f"{key}_low")), number(row.get(f"{key}_high"))
        total += weight * value
        mass += weight
        if low is None or high is None:
            has_intervals = False
        else:
            variance += (weight * (high - low) / (2 * errors)) ** 2
    if not mass:
        return None
    return total / mass, math.sqrt(variance) / mass if has_intervals else None


def _whole_period(accuracy: pd.DataFrame | None, period: str, errors: float) -> tuple[float, float | None] | None:
    """Accuracy over a whole period, and its standard error."""
    if accuracy is None or accuracy.empty:
        return None
    for row in records(accuracy[accuracy["by"].astype(str).eq("all") & accuracy["key"].astype(str).eq(period)]):
        value, low, high = (number(row.get(name)) for name in ("accuracy", "low", "high"))
        if value is not None and low is not None and high is not None:
            return value, (high - low) / (2 * errors)
    return None


def _handling(rows: dict[date, dict[str, Any]], current: list[date], key: str) -> str:
    """The mean handling time by a human, as the note to the escalation ratio; empty for other KPIs."""
    if key != "escalation_ratio":
        return ""
    times_and_weights = [
        (seconds, number(rows[week].get("handle_seconds_n")) or number(rows[week].get("tickets")) or 1.0)
        for week in current
        if (seconds := number(rows[week].get("handle_seconds_mean"))) is not None
    ]
    mass = sum(weight for _, weight in times_and_weights)
    return f"{sum(s * w for s, w in times_and_weights) / mass / 60:.1f} minutes of a person's time each" if mass else ""


def _weight(key: str, row: dict[str, Any]) -> float:
    names = {
        "csat_self_service": ("csat_self_service_n", "csat_n", "n"),
        "deflection": ("self_service_users", "conversations"),
        "first_contact_resolution": ("first_contact_resolution_n",),
    }.get(key, ("conversations",))
    return next((weight for name in names if (weight := number(row.get(name))) is not None), 1.0)


def _value_text(key: str, estimate: tuple[float, float | None] | None, currency: str) -> str:
    if estimate is None:
        return ""
    if key == "cost_avoided":
        return money(estimate[0], currency)
    return f"{estimate[0]:.2f}" if key == "csat_self_service" else percent(estimate[0])


def _interval_text(key: str, estimate: tuple[float, float | None] | None, errors: float) -> str:
    if estimate is None or estimate[1] is None:
        return ""
    low, high = estimate[0] - errors * estimate[1], estimate[0] + errors * estimate[1]
    if key == "csat_self_service":
        return f"[{max(low, 1):.2f}–{min(high, 5):.2f}]"
    if key == "cost_avoided":
        return f"[{max(low, 0):,.0f}–{high:,.0f}]"
    return percent_range(max(low, 0), min(high, 1))


def _change(
    key: str,
    current: tuple[float, float | None] | None,
    previous: tuple[float, float | None] | None,
    better: int,
    currency: str,
    weeks: int,
    errors: float,
) -> dict[str, str]:
    if current is None or previous is None:
        return {}
    difference = current[0] - previous[0]
    error = math.hypot(current[1], previous[1]) if current[1] is not None and previous[1] is not None else 0.0
    clear = abs(difference) > errors * error and abs(difference) > 1e-9
    if key == "cost_avoided":
        words = ("+" if difference > 0 else "") + money(difference, currency)
        if previous[0] > 0:
            words += f" ({difference / previous[0] * 100:+.0f}{NARROW}%)".replace("-", "−")
    elif key == "csat_self_service":
        words = f"{difference:+.2f}".replace("-", "−")
    else:
        words = points(difference)
    tone = "same" if not clear else "better" if difference * better > 0 else "worse"
    return {
        "words": words,
        "tone": tone,
        "arrow": "→" if not clear else "↑" if difference > 0 else "↓",
        "against": f"against the {weeks} weeks before" if weeks > 1 else "against the week before",
        "judgement": {"same": "no clear change", "better": "better", "worse": "worse"}[tone],
    }


_SHARES = {"confirmed": "confirmed_resolution", "assumed": "assumed_resolution", "abandoned": "abandoned"}


def _parts(rows: dict[date, dict[str, Any]], current: list[date]) -> str:
    """What became of the conversations that the bot answered, in shares that add up to 100 %; empty where unknown.

    Deflection itself is told by users, so that these shares are another set's: the sentence says of which.
    """
    known = [rows[week] for week in current if all(number(rows[week].get(key)) is not None for key in _SHARES.values())]
    weights = [_weight("abandoned", row) for row in known]
    total = sum(weights)
    if not total:
        return ""
    weighted = list(zip(known, weights, strict=True))
    shares = {
        label: sum((number(row[key]) or 0.0) * weight for row, weight in weighted) / total
        for label, key in _SHARES.items()
    }
    shares["with a person"] = max(0.0, 1 - sum(shares.values()))
    phrases = [f"{whole}{NARROW}% {label}" for label, whole in _hundredths(shares).items()]
    return f"Of the answered conversations: {' · '.join(phrases)}"


def _hundredths(shares: dict[str, float]) -> dict[str, int]:
    """Shares of 1 as whole percent that add up to 100: the largest remainders are rounded up (Hamilton 1792).

    Examples
    --------
    >>> _hundredths({"a": 0.334, "b": 0.333, "c": 0.333})
    {'a': 34, 'b': 33, 'c': 33}
    """
    whole = {label: int(share * 100) for label, share in shares.items()}
    left = 100 - sum(whole.values())
    for label in sorted(shares, key=lambda label: (whole[label] - shares[label] * 100, label))[: max(0, left)]:
        whole[label] += 1
    return whole
