"""The geometry of the small charts. Numbers in, coordinates out: no text passes here, so nothing can be injected."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Sequence
from datetime import date
from typing import Any

import numpy as np
from scipy.stats import rankdata

from lacuna.pipelines.presentation.format import number, short_day

MOST_POINTS = 26
_LABEL_HEIGHT = 16.0
_CHARACTER = 6.4
SMALLEST = 6.5  # radius that has room for the letter of a theme


def squeeze(values: Sequence[float], limit: int = MOST_POINTS) -> list[float]:
    """At most `limit` values, as means over neighbouring ones, so that they fit into the sparkline of a table row."""
    if len(values) <= limit:
        return list(values)
    return [float(np.mean(part)) for part in np.array_split(np.asarray(values, dtype=float), limit)]


def spark(values: Sequence[float | None], width: float = 72, height: float = 20, zero: bool = True) -> dict[str, Any]:
    """A sparkline: the points of its line, the area below it and the last point.

    Parameters
    ----------
    values : sequence of float or None
        One value a week, in order; None leaves the week out.
    width, height : float
        Size of the drawing, in its own units.
    zero : bool
        Whether the scale begins at zero (counts) or at the smallest value (rates).

    Returns
    -------
    dict
        `line`, `area` (SVG point lists), `x` and `y` of the last point; empty with fewer than two values.
    """
    points = [figure for value in values if (figure := number(value)) is not None]
    if len(points) < 2:
        return {}
    points = squeeze(points)
    low, high = (0.0 if zero else min(points)), max(points)
    span = (high - low) or 1.0
    pad = 2.0
    step = (width - 2 * pad) / (len(points) - 1)
    dots = [
        (pad + position * step, height - pad - (value - low) / span * (height - 2 * pad))
        for position, value in enumerate(points)
    ]
    drawn = " ".join(f"{x:.4g},{y:.3g}" for x, y in dots)
    base = height - 0.5
    return {
        "line": drawn,
        "area": f"{pad:g},{base:g} {drawn} {width - pad:g},{base:g}",
        "x": f"{dots[-1][0]:.4g}",
        "y": f"{dots[-1][1]:.3g}",
    }


def bar(value: object, low: object, high: object, width: float = 84) -> dict[str, Any]:
    """A share between 0 and 1 as a dot on a track, with its interval as a thicker piece of the track."""
    middle, first, last = number(value), number(low), number(high)
    if middle is None:
        return {}
    first, last = (middle if first is None else first), (middle if last is None else last)
    inside = [min(max(share, 0.0), 1.0) * width for share in (middle, first, last)]
    return {"dot": f"{inside[0]:.3g}", "low": f"{inside[1]:.3g}", "wide": f"{max(inside[2] - inside[1], 1):.3g}"}


def weekly_chart(
    weeks: Sequence[Sequence[Any]], start: date | None, change: dict[str, str] | None, width: float, height: float = 150
) -> dict[str, Any]:
    """Bars of a gap's conversations a week with those that failed, the run's window and the week of a change.

    Parameters
    ----------
    weeks : sequence of (Monday as ISO text, conversations, failed)
        In order, without a gap between them.
    start : date or None
        First day of the window.
    change : dict or None
        `week`, `low`, `high`: the Mondays of a change and of the ends of its interval.
    width, height : float
        Size of the drawing, in its own units.

    Returns
    -------
    dict
        `bars`, `base`, `labels` and so on; `now`, `span`, `turn` are None where unknown. Empty below two weeks.
    """
    if len(weeks) < 2:
        return {}
    base, head = height - 22, 16.0
    first = date.fromisoformat(weeks[0][0])
    largest = max(1.0, *(float(week[1]) for week in weeks))
    step = width / len(weeks)
    wide = max(1.0, step - (2 if step > 6 else 0.5))

    def x_of(when: date | str) -> float:
        moment = when if isinstance(when, date) else date.fromisoformat(when)
        return min(max((moment - first).days / 7 * step, 0.0), width)

    def box(left: float, right: float) -> dict[str, str]:
        return {"x": f"{left:.1f}", "width": f"{max(right - left, 0):.1f}"}

    def bar_of(value: float) -> dict[str, str]:
        pixels = float(value) / largest * (base - head)
        return {"y": f"{base - pixels:.1f}", "height": f"{pixels:.1f}"}

    bars = [
        {
            "x": f"{at * step + (step - wide) / 2:.1f}",
            "wide": f"{wide:.1f}",
            "all": bar_of(asked),
            "bad": bar_of(failed),
        }
        for at, (_, asked, failed) in enumerate(weeks)
    ]
    labels = [
        {"x": f"{x:g}", "anchor": anchor, "text": short_day(week)}
        for x, anchor, week in (
            (0, "start", weeks[0][0]), (width / 2, "middle", weeks[len(weeks) // 2][0]), (width, "end", weeks[-1][0]),
        )
    ]  # fmt: skip
    return {
        "width": width, "height": height, "base": base, "head": head, "bars": bars, "labels": labels,
        "most": f"at most {largest:,.0f} in one week", "weeks": len(weeks),
        "asked": f"{sum(float(week[1]) for week in weeks):,.0f}",
        "failed": f"{sum(float(week[2]) for week in weeks):,.0f}",
        "now": None if start is None else box(x_of(start), width),
        "span": None if change is None else box(x_of(change["low"]), x_of(change["high"]) + step),
        "turn": None if change is None else f"{x_of(change['week']):.1f}",
    }  # fmt: skip


def _spread(places: np.ndarray, radii: np.ndarray, width: float, height: float, top: float) -> np.ndarray:
    """Push overlapping circles apart in small steps, so that none hides another and neighbours stay neighbours."""
    if not 2 <= len(places) <= 400:
        return places
    for _ in range(80):
        apart = places[:, None, :] - places[None, :, :]
        gap = np.hypot(apart[..., 0], apart[..., 1])
        min_distance = radii[:, None] + radii[None, :] + 3.0
        short = np.where(gap < min_distance, min_distance - gap, 0.0)
        np.fill_diagonal(short, 0.0)
        if not short.any():
            break
        push = (apart / np.maximum(gap, 1e-6)[..., None]) * (short[..., None] * 0.25)
        places = places + push.sum(axis=1)
        places[:, 0] = np.clip(places[:, 0], radii + 2, width - radii - 2)
        places[:, 1] = np.clip(places[:, 1], radii + top, height - radii - 2)
    return places


def text_width(label: str) -> float:
    """About how wide a label is drawn, in the map's units; wide scripts count double."""
    wide = sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in label)
    return wide * _CHARACTER + 6


def topic_map(topics: Sequence[dict[str, Any]], width: float, height: float, labels: int) -> list[dict[str, Any]]:
    """Place topics as circles, with labels for the biggest that do not cover one another.

    Parameters
    ----------
    topics : sequence of dict
        `x`, `y` (any scale; a topic without them is left out), `conversations`, `short` (the label to draw) and
        `failure` (0 to 1, or None), which becomes `ring`, the length of the circle's edge that it takes.
    width, height : float
        Size of the drawing, in its own units.
    labels : int
        How many labels to place at most, from the biggest topic down.

    Returns
    -------
    list of dict
        The topics, biggest first, with `cx`, `cy`, `r` and, where there was room, `lx`, `ly`, `anchor`.
    """
    placed = [dict(topic) for topic in topics if number(topic["x"]) is not None and number(topic["y"]) is not None]
    if not placed:
        return []
    placed.sort(key=lambda topic: (-topic["conversations"], topic["topic_id"]))
    largest = max(placed[0]["conversations"], 1)
    # The area is proportional to the conversations; the more topics, the smaller the biggest circle.
    biggest = min(width, height) * min(0.085, 0.42 / math.sqrt(len(placed)))
    radii = np.array([max(SMALLEST, biggest * math.sqrt(max(topic["conversations"], 0) / largest)) for topic in placed])
    raw = np.array([[float(topic["x"]), float(topic["y"])] for topic in placed])
    low, span = raw.min(axis=0), np.ptp(raw, axis=0)
    unit = np.where(span > 0, (raw - low) / np.where(span > 0, span, 1.0), 0.5)
    # Average each coordinate with its rank: dense groups spread out, and the order of the topics stays.
    unit = np.where(span > 0, (unit + (rankdata(raw, axis=0) - 1) / max(1, len(placed) - 1)) / 2, 0.5)
    turn = np.arange(len(placed)) * 2.399963  # the golden angle: topics on one spot fan out, the same way every time
    margin, top = biggest + 4, 4.0
    places = margin + unit * (np.array([width, height]) - 2 * margin) + np.c_[np.cos(turn), np.sin(turn)] * 0.5
    places = _spread(places, radii, width, height, top)
    boxes: list[tuple[float, float, float, float]] = []
    for topic, (x, y), r in zip(placed, places, radii, strict=True):
        ring = (number(topic.get("failure")) or 0.0) * 2 * math.pi * r
        topic |= {"cx": f"{x:.1f}", "cy": f"{y:.1f}", "r": f"{r:.1f}", "lx": "", "ring": f"{ring:.1f}"}
    for topic, (x, y), r in zip(placed, places, radii, strict=True):
        if len(boxes) >= labels:
            break
        wide = text_width(topic["short"])
        for anchor, lx, ly in (
            ("start", x + r + 4, y + 4),
            ("end", x - r - 4, y + 4),
            ("middle", x, y + r + 13),
            ("middle", x, y - r - 5),
            *(
                (side, x + way * 0.75 * r, y + up)
                for up in (-r - 1, r + 10)
                for side, way in (("start", 1), ("end", -1))
            ),
        ):
            left = {"start": lx, "end": lx - wide, "middle": lx - wide / 2}[anchor]
            box = (left, ly - _LABEL_HEIGHT + 4, left + wide, ly + 4)
            if box[0] < 2 or box[2] > width - 2 or box[1] < 2 or box[3] > height - 2:
                continue
            if any(_meet(box, other) for other in boxes) or _covered(box, topic, placed, places, radii):
                continue
            boxes.append(box)
            topic |= {"lx": f"{lx:.1f}", "ly": f"{ly:.1f}", "anchor": anchor}
            break
    return placed


def _meet(one: tuple[float, float, float, float], other: tuple[float, float, float, float]) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def _covered(
    box: tuple[float, float, float, float],
    labelled: dict[str, Any],
    placed: Sequence[dict[str, Any]],
    places: np.ndarray,
    radii: np.ndarray,
) -> bool:
    """Whether a label would lie on another topic's circle; the smallest circles don't count."""
    x = np.clip(places[:, 0], box[0], box[2])
    y = np.clip(places[:, 1], box[1], box[3])
    hit = (np.hypot(places[:, 0] - x, places[:, 1] - y) < radii) & (radii > 6)
    return any(bool(flag) and topic is not labelled for flag, topic in zip(hit, placed, strict=True))
