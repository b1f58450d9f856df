"""Demand by topic and subtopic: how many ask for it, week by week, its season, its trend, and whether it surges."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

import numpy as np
import pandas as pd
from scipy.stats import false_discovery_control

from lacuna.models.metrics import seasons, trends
from lacuna.pipelines.io.duck import connect, run_query
from lacuna.pipelines.runtime.job import Job

__all__ = ["SURGE_DAYS", "demand_tables", "surge_of", "with_trends"]

# Some hundred topics are looked at every week: one in a thousand keeps false alarms to one in ten weeks.
SURGE_P, SURGE_RATIO = 0.001, 2.0
LEAST_USUAL = 0.5  # conversations in seven days that a surge is divided by where there were fewer before
SURGE_DAYS, SURGE_WEEK = 84, 7  # days that are looked at, and the last of them that may surge
LEAST_RECENT = 5  # conversations of the last week that a surge has at least
FALSE_DISCOVERIES = 0.05


def demand_tables(job: Job) -> dict[str, pd.DataFrame]:
    """The demand for each topic and for each subtopic, as the tables "demand" and "subtopic_demand".

    One row a topic or subtopic, in the order of its own table: reached and failed (in the window), its rate, its series
    over history and window, season, trend, surge. ``also`` counts the window's conversations that bring the topic up
    besides what they are about. They are demand, and whether their answer failed is not known of that problem alone.
    """
    inputs = {
        "facts": job.files("measure/facts"),
        "assignments": job.files("understand/assignments"),
        "topics": job.files("understand/topics"),
        "subtopics": job.files("understand/subtopics"),
    }
    with connect(job.path("scratch")) as connection:
        total = run_query(connection, "measure", "demand", inputs)
        weekly = run_query(connection, "measure", "demand_by_week", inputs)
        daily = run_query(connection, "measure", "demand_by_day", inputs, {"days": SURGE_DAYS})
    tables = {}
    for table, key, names in (("demand", "topic_id", "topics"), ("subtopic_demand", "subtopic_id", "subtopics")):
        frames = [frame[frame["level"] == key].drop(columns="level") for frame in (total, weekly, daily)]
        ids = job.read(f"understand/{names}")[key].tolist()
        tables[table] = _demand(frames[0], frames[1], frames[2], ids, job.days).rename(columns={"id": key})
    return tables


def _demand(total: pd.DataFrame, weekly: pd.DataFrame, daily: pd.DataFrame, ids: list[str], days: int) -> pd.DataFrame:
    """The demand of one level. Every id has the same weeks and the same days, in the order of the rows of ``total``."""
    table = total.set_index("id")
    table["weekly_rate"] = (table["reached"] + table["also"]) / (days / 7)
    weeks, dates = weekly["week"].unique(), daily["day"].unique()
    counts = weekly["conversations"].to_numpy().reshape(len(table), len(weeks))
    failed = weekly["failed"].to_numpy().reshape(len(table), len(weeks))
    by_day = daily["conversations"].to_numpy().reshape(len(table), len(dates))
    everybody = weekly["everybody"].to_numpy()[: len(weeks)]
    week_of_year = (pd.to_datetime(pd.Series(weeks)).dt.day_of_year.to_numpy() - 1) / 7
    series: dict[str, list[object]] = {
        "weekly": [
            [
                {"week": str(w), "conversations": int(c), "failed": round(float(f), 3)}
                for w, c, f in zip(weeks, topic_counts, topic_failed, strict=True)
            ]
            for topic_counts, topic_failed in zip(counts, failed, strict=True)
        ],
        "season": [seasons.season(topic_counts, everybody, week_of_year) for topic_counts in counts],
        "counts": list(counts),
        "surge": [surge_of(topic_counts, dates) for topic_counts in by_day],
    }
    for name, values in series.items():
        table[name] = pd.Series(values, table.index, dtype="object")
    return with_trends(table.loc[ids].reset_index(), everybody).drop(columns="counts")


def with_trends(table: pd.DataFrame, everybody: np.ndarray) -> pd.DataFrame:
    """The demand with each topic's season and trend, p-values adjusted because all topics are looked at.

    Of the topics that are said to rise, fall or have a season, at most one in twenty does so by chance. A topic of too
    few conversations for any trend to show is not looked at (:func:`models.metrics.trends.adjusted`). A season goes out
    of the trend: what comes every December does not rise in December.
    """
    yearly: list[seasons.Season] = [season for season in table["season"] if season is not None]
    adjusted_p = dict(zip((s.p_value for s in yearly), _adjusted([s.p_value for s in yearly]), strict=True))
    slopes, least_p_values, clear_seasons = [], [], []
    for counts, season in zip(table["counts"], table["season"], strict=True):
        p = 1.0 if season is None else adjusted_p[season.p_value]
        clear = season is not None and p < FALSE_DISCOVERIES
        clear_seasons.append({"peak_week": season.peak_week, "ratio": season.ratio, "p_value": p} if clear else None)
        expected = everybody * season.factor if clear else everybody
        slopes.append(trends.rate_trend(counts, expected))
        least_p_values.append(trends.least_p(counts.sum(), expected))
    p_values = trends.adjusted([slope.p_value for slope in slopes], least_p_values, FALSE_DISCOVERIES)
    trend_rows = [
        asdict(slope) | {"p_value": float(p), "direction": slope.direction if p < FALSE_DISCOVERIES else "flat"}
        for slope, p in zip(slopes, p_values, strict=True)
    ]
    return table.assign(
        trend=pd.Series(trend_rows, table.index, dtype="object"),
        season=pd.Series(clear_seasons, table.index, dtype="object"),
    )


def _adjusted(p_values: list[float]) -> list[float]:
    return [float(p) for p in false_discovery_control(p_values)] if p_values else []


def surge_of(counts: np.ndarray, dates: Sequence[object] | np.ndarray) -> dict[str, object] | None:
    """The surge that the last seven of these days show, as the tables have it; None without one.

    A few conversations are no surge, however seldom there were any before.

    Parameters
    ----------
    counts, dates
        Conversations of each day, and the days in order.
    """
    found = trends.surge(counts, last=SURGE_WEEK)
    recent = int(counts[-SURGE_WEEK:].sum())
    if found.started is None or found.p_value > SURGE_P or found.ratio < SURGE_RATIO or recent < LEAST_RECENT:
        return None
    usual = round(found.expected, 2)
    return {
        "started": str(dates[found.started])[:10], "ratio": recent / max(usual, LEAST_USUAL),
        "p_value": found.p_value, "recent": recent, "usual": usual,
    }  # fmt: skip
