"""The trial of drafts on the replays: true texts of withheld articles, Lacuna's own drafts, and bad ones."""

from __future__ import annotations

import json
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from statistics import mean

import pandas as pd

from lacuna.models.backlog.gap import Gap
from lacuna.models.retrieval.draft_trial import Trial
from lacuna.pipelines.drafts.trial import TriedRun, article_parts
from lacuna.pipelines.io.runs import read_backlog
from tests.bench.common import REPLAY, RUN_ID, run
from tests.bench.replays import DRAWS

LEAST_SHARED = 3  # conversations of a withheld article that its gap holds
QUARTER = 0.25
FRAME = "# Untitled\n\n## What to do\n\n## Good to know\n\n## Related articles\n"
KINDS = {
    "true": "the withheld article's true text",
    "own": "Lacuna's own draft",
    "title": "the gap's title above an empty frame",
    "other": "another withheld article's true text",
    "live": "the text of a live article once more",
    "frame": "an empty frame",
}


@dataclass(frozen=True)
class Tried:
    """A draft of some kind that was tried for a gap."""

    draw: str
    title: str
    gap: Gap
    kind: str
    trial: Trial
    about: frozenset[str]

    @property
    def about_won(self) -> int:
        """Of the gap's questions that are truly about the withheld article, those that the draft wins."""
        return len(self.about.difference(one.conversation_id for one in self.trial.missed))


def trial(folder: Path, kept: Path | None = None) -> int:
    """Print the tables that `docs/draft-trial.md` has.

    Parameters
    ----------
    folder
        Where the runs are made.
    kept
        A folder with the runs of an earlier time: what is there is not made anew.
    """
    tried: list[Tried] = []
    for draw in DRAWS:
        store = (kept or folder) / f"store{draw}"
        place = store / "runs" / RUN_ID
        if not place.exists():
            run(_data(draw) / "bundle", store)
        tried += _trials(draw, place, store)
    _print_by_article(tried)
    _print_by_kind(tried)
    return 0


def _data(draw: str) -> Path:
    return REPLAY.with_name(REPLAY.name + draw)


def _trials(draw: str, place: Path, store: Path) -> list[Tried]:
    missing = json.loads((_data(draw) / "truth.json").read_text(encoding="utf-8"))["missing"].values()
    control = pd.read_parquet(_data("-control") / "bundle" / "articles.parquet").set_index("title")["body"]
    live = pd.read_parquet(place / "articles.parquet").sort_values("article_id")
    queries = pd.read_parquet(place / "golden_queries.parquet")
    runs, gaps = TriedRun(place, store), read_backlog(place)
    texts = {one["title"]: f"# {one['title']}\n\n{control[one['title']]}" for one in missing}
    tried = []
    for number, one in enumerate(missing):
        gap = _gap_of(gaps, set(one["conversation_ids"]))
        if gap is None:
            print(f"{draw or '-s11'}: no gap holds {LEAST_SHARED} conversations of “{one['title']}”")
            continue
        own = queries[queries["gap_id"].eq(gap.gap_id) & queries["role"].eq("own")]["conversation_id"]
        about = frozenset(own).intersection(one["conversation_ids"])
        copied = live.iloc[number * len(live) // len(missing)]
        drafts = [
            ("true", texts[one["title"]]), ("title", FRAME.replace("Untitled", gap.title)), ("frame", FRAME),
            ("live", f"# {copied['title']}\n\n{copied['body']}"),
            *(("own", (place / gap.draft).read_text(encoding="utf-8")) for _ in [0] if gap.draft),
            *(("other", text) for title, text in texts.items() if title != one["title"]),
        ]  # fmt: skip
        for kind, text in drafts:
            if kind == "own" and not any(part.body for part in article_parts(text)):
                print(f"{draw or '-s11'}: the draft of “{gap.title}” holds questions for the expert alone")
                continue
            tried.append(Tried(draw or "-s11", one["title"], gap, kind, runs.try_draft(gap, text), about))
    return tried


def _gap_of(gaps: list[Gap], conversations: set[str]) -> Gap | None:
    """The gap of a missing article that holds most of these conversations."""
    shared = {gap.gap_id: len(conversations.intersection(gap.conversation_ids)) for gap in gaps}
    best = max((gap for gap in gaps if gap.kind == "missing"), key=lambda gap: shared[gap.gap_id], default=None)
    return best if best is not None and shared[best.gap_id] >= LEAST_SHARED else None


def _print_by_article(tried: list[Tried]) -> None:
    _print_head(
        "draw", "withheld article", "own questions", "true text wins", "of those truly about it",
        "with the words named", "own draft wins", "best of the other texts", "empty frame", "stolen by the true text",
    )  # fmt: skip
    for one in (one for one in tried if one.kind == "true"):
        same = [other for other in tried if other.gap is one.gap and other.title == one.title]
        best = {kind: max((o.trial.won for o in same if o.kind == kind), default=None) for kind in KINDS}
        words = one.trial.won if one.trial.won_with_words is None else one.trial.won_with_words
        shown = ["–" if best[kind] is None else str(best[kind]) for kind in ("own", "other", "frame")]
        stolen = f"{len(one.trial.stolen)} of {one.trial.healthy}"
        about = f"{one.about_won} of {len(one.about)}"
        cells = [one.draw, one.title, str(one.trial.own), str(one.trial.won), about, str(words), *shown, stolen]
        print(f"| {' | '.join(cells)} |", flush=True)


def _print_by_kind(tried: list[Tried]) -> None:
    good = [one.trial.share_won or 0.0 for one in tried if one.kind == "true"]
    _print_head(
        "draft", "trials", "own questions won, mean share", "a quarter or more won",
        "healthy questions stolen, mean share", "true text wins more: chance over all pairs", "of the same gap",
    )  # fmt: skip
    for kind, words in KINDS.items():
        own = [one for one in tried if one.kind == kind]
        won = [one.trial.share_won or 0.0 for one in own]
        stolen = [len(one.trial.stolen) / one.trial.healthy for one in own if one.trial.healthy]
        pairs = [(best.trial.won, one.trial.won) for best in tried if best.kind == "true"
                 for one in own if one.gap is best.gap and one.title == best.title]  # fmt: skip
        chances = ["–", "–"] if kind == "true" else [f"{_above(list(product(good, won))):.2f}", f"{_above(pairs):.2f}"]
        many = sum(share >= QUARTER for share in won)
        cells = [words, str(len(own)), f"{mean(won):.0%}", f"{many} of {len(own)}", f"{mean(stolen):.1%}", *chances]
        print(f"| {' | '.join(cells)} |", flush=True)


def _print_head(*names: str) -> None:
    print(f"\n| {' | '.join(names)} |\n|{'---|' * len(names)}")


def _above(pairs: list[tuple[float, float]]) -> float:
    """How often the first of a pair is larger, ties counted half."""
    return mean((one > other) + 0.5 * (one == other) for one, other in pairs)
