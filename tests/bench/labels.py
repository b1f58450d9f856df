"""The table of the replay's topics in the docs, to be read line by line."""

from __future__ import annotations

import html
import re
from pathlib import Path

import pandas as pd

from lacuna.models.text.words import shortened
from tests.bench.common import REPLAY, RUN_ID, WINDOW, run
from tests.support.paths import REPO


def labels(folder: Path) -> int:
    """Write every topic of the replay, its label and three questions, into docs/replay-topics.md."""
    run(REPLAY / "bundle", folder / "store")
    topics = pd.read_parquet(folder / "store" / "runs" / RUN_ID / "topics.parquet")
    page = REPO / "docs" / "replay-topics.md"
    page.write_text(label_table(topics), encoding="utf-8")
    print(f"{page}: {len(topics)} topics in {topics['theme'].nunique()} themes")
    return 0


def label_table(topics: pd.DataFrame) -> str:
    """A page with a section a theme, largest first, and in it a row a topic."""
    command = f"lacuna run ../shared/data/{REPLAY.name}/bundle --store STORE {' '.join(WINDOW)}"
    lines = [
        "# The topics of the replay",
        "",
        f"All {len(topics)} topics that Lacuna finds in 18 months of a public support forum, with the labels that it",
        "gives them without a language model, and three questions each, redacted and cut. Written by",
        f"`python -m tests.bench labels`, which does `{command}`.",
    ]
    order = topics.groupby("theme")["conversations"].sum().sort_values(ascending=False, kind="stable").index
    for theme in order:
        own = topics[topics["theme"] == theme].sort_values(["conversations", "topic_id"], ascending=[False, True])
        lines += ["", f"## {theme}", "", "| topic | conversations | three questions |", "|---|---|---|"]
        for topic in own.itertuples():
            examples = "<br>".join(cell(question) for question in topic.examples)
            lines.append(f"| **{cell(topic.label)}** | {topic.conversations} | {examples} |")
    return "\n".join(lines) + "\n"


def cell(text: str) -> str:
    """A text as it may stand in a table of Markdown."""
    escaped = html.escape(shortened(str(text), 150), quote=False)
    return re.sub(r"([\\|*_`\[\]])", r"\\\1", escaped)
