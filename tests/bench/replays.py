"""The score of the replays' backlogs against their known truth, with all that a bundle tells, or less of it."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import repeat
from pathlib import Path
from statistics import mean, pstdev
from typing import Any

import pandas as pd

from tests.bench.common import REPLAY, RUN_ID, SHARED, run, store_with_cache
from tests.bench.plain_baseline import plain_backlogs

DRAWS = ["", "-s12", "-s13", "-s14", "-s15"]
KINDS = ("missing", "stale", "unfindable")
TICKET_KINDS = ("missing", "unfindable")


def replays(folder: Path, tags: float = 1.0, without: str = "") -> int:
    """Print the score of each draw's backlog, their mean and spread, and the control's false alarms.

    With ``tags`` below 1, only that share of the tagged outcomes is left in each bundle; ``without`` takes out one of
    :data:`SIGNALS` altogether.
    """
    heads = []
    for draw, score in zip([*DRAWS, "-control"], all_scored(folder, tags, without), strict=True):
        by_kind = "  ".join(f"{k} {score[k]['hits']}/{score[k]['items']} F1 {score[k]['f1']:.2f}" for k in KINDS)
        print(f"{REPLAY.name + draw:34} macro-F1 {score['headline_macro_f1']:.3f}  {by_kind}", flush=True)
        if draw != "-control":
            heads.append(score["headline_macro_f1"])
    print(f"{'mean of the five draws':34} macro-F1 {mean(heads):.3f} (standard deviation {pstdev(heads):.3f})")
    return 0


def ablations(folder: Path) -> int:
    """Print what is left of the score where one signal is taken out of the bundles."""
    for without in ["", *SIGNALS]:
        *draws, control = all_scored(folder, 1.0, without)
        by_kind = "  ".join(
            f"{k} {sum(s[k]['hits'] for s in draws)}/{sum(s[k]['items'] for s in draws)}"
            f" F1 {mean(s[k]['f1'] for s in draws):.2f}"
            for k in KINDS
        )
        false = sum(control[k]["items"] for k in KINDS)
        head = mean(s["headline_macro_f1"] for s in draws)
        print(f"without {without or 'nothing':16} macro-F1 {head:.3f}  {by_kind}  control {false} false", flush=True)
    return 0


def tickets(folder: Path) -> int:
    """Print the scores where the replays are tickets: no bot, escalated conversations alone, no outcomes.

    Beside them those of a plain baseline (:mod:`tests.bench.plain_baseline`), each draw with the setting that is best
    over all five in hindsight.
    """
    copies = {draw: ticket_desk(_replay(draw) / "bundle", folder / f"tickets{draw}") for draw in [*DRAWS, "-control"]}
    with ThreadPoolExecutor(os.cpu_count()) as workers:
        scores = dict(zip(copies, workers.map(scored_bundle, repeat(folder), copies, copies.values()), strict=True))
    _print_tickets("Lacuna", scores)
    baseline: dict[str, dict[str, dict[str, Any]]] = {}
    for draw, bundle in copies.items():
        for setting, rows in plain_backlogs(bundle, folder / "cache").items():
            path = folder / "plain.jsonl"
            path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
            baseline.setdefault(setting, {})[draw] = _score(draw, path)
    best = max(baseline, key=lambda setting: mean(_two(baseline[setting][draw]) for draw in DRAWS))
    _print_tickets(f"plain baseline, {best}, the best of {len(baseline)} settings", baseline[best])
    return 0


def _print_tickets(title: str, scores: dict[str, dict[str, Any]]) -> None:
    print(title)
    for draw, score in scores.items():
        by_kind = "  ".join(f"{k} {score[k]['hits']}/{score[k]['items']} F1 {score[k]['f1']:.2f}" for k in TICKET_KINDS)
        print(f"  {REPLAY.name + draw:34} macro-F1 {_two(score):.3f}  {by_kind}", flush=True)
    heads = [_two(scores[draw]) for draw in DRAWS]
    print(f"  {'mean of the five draws':34} macro-F1 {mean(heads):.3f} (standard deviation {pstdev(heads):.3f})")


def _two(score: dict[str, Any]) -> float:
    return mean(float(score[kind]["f1"]) for kind in TICKET_KINDS)


def ticket_desk(bundle: Path, copy: Path) -> Path:
    """A copy of the bundle as a ticket desk has it: escalated conversations, customer and agent, no outcomes."""
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(bundle, copy, ignore=shutil.ignore_patterns("outcomes.*"))
    conversations, messages = (pd.read_parquet(copy / f"{name}.parquet") for name in ("conversations", "messages"))
    conversations = conversations[conversations["escalated"].astype(bool)]
    is_kept = messages["role"].ne("bot") & messages["conversation_id"].isin(conversations["conversation_id"])
    conversations.to_parquet(copy / "conversations.parquet")
    messages[is_kept].to_parquet(copy / "messages.parquet")
    return copy


def all_scored(folder: Path, tags: float, without: str) -> Iterator[dict[str, Any]]:
    """The scores of the five draws and the control, as many at once as there are cores."""
    with ThreadPoolExecutor(os.cpu_count()) as workers:
        yield from workers.map(scored, repeat(folder), [*DRAWS, "-control"], repeat(tags), repeat(without))


def scored(folder: Path, draw: str, tags: float, without: str) -> dict[str, Any]:
    """The score of one draw's backlog, as the scorer gives it."""
    data = _replay(draw)
    unchanged = tags >= 1 and not without
    bundle = data / "bundle" if unchanged else lessened(data / "bundle", folder / f"lessened{draw}", tags, without)
    return scored_bundle(folder, draw, bundle)


def scored_bundle(folder: Path, draw: str, bundle: Path) -> dict[str, Any]:
    """The score of a bundle's backlog against the truth of a draw."""
    store = store_with_cache(folder / f"store{draw}", folder / "cache")
    run(bundle, store, "--force")
    score = _score(draw, store / "runs" / RUN_ID / "backlog.jsonl")
    # What one run finds must not carry over to the next; the vectors may.
    shutil.rmtree(store / "runs")
    for database in store.glob("state.db*"):
        database.unlink()
    return score


def _replay(draw: str) -> Path:
    return REPLAY.with_name(REPLAY.name + draw)


def _score(draw: str, backlog: Path) -> dict[str, Any]:
    command = [sys.executable, str(SHARED / "bench" / "score_backlog.py"), str(_replay(draw) / "truth.json")]
    scorer = subprocess.run([*command, str(backlog), "--json"], capture_output=True, text=True, check=True)
    score: dict[str, Any] = json.loads(scorer.stdout)
    return score


def lessened(bundle: Path, copy: Path, tags: float = 1.0, without: str = "") -> Path:
    """A copy of the bundle with this share of its tags, the same ones every time, and without one signal."""
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(bundle, copy)
    outcomes = pd.read_csv(bundle / "outcomes.csv")
    hashes = [int(hashlib.blake2b(str(c).encode(), digest_size=4).hexdigest(), 16) for c in outcomes["conversation_id"]]
    outcomes[pd.Series(hashes) < tags * 2**32].to_csv(copy / "outcomes.csv", index=False)
    if without:
        table, change = SIGNALS[without]
        path = copy / table
        frame = pd.read_csv(path) if path.suffix == ".csv" else pd.read_parquet(path)
        changed = change(frame)
        changed.to_csv(path, index=False) if path.suffix == ".csv" else changed.to_parquet(path)
    return copy


def _emptied(column: str, role: str | None = None) -> Callable[[pd.DataFrame], pd.DataFrame]:
    """What empties a column, of one role's messages where one is named."""

    def change(frame: pd.DataFrame) -> pd.DataFrame:
        keep = frame["role"].ne(role) if role else pd.Series(False, index=frame.index)
        return frame.assign(**{column: frame[column].where(keep, None)})

    return change


# What can be taken out of a bundle, and how: its table, and the table's change.
SIGNALS: dict[str, tuple[str, Callable[[pd.DataFrame], pd.DataFrame]]] = {
    "tags": ("outcomes.csv", lambda frame: frame.head(0)),
    "csat": ("conversations.parquet", _emptied("csat")),
    "intents": ("conversations.parquet", _emptied("predicted_intent")),
    "fallback flags": ("messages.parquet", _emptied("is_fallback")),
    "citations": ("messages.parquet", _emptied("article_ids", "bot")),
    "agents' answers": ("messages.parquet", lambda frame: frame[frame["role"].ne("agent")]),
    "article bodies": ("articles.parquet", lambda frame: frame.assign(body=frame["title"])),
}
