"""Three drafts of the demo and three of the replay in the docs, to be read as a writer would."""

from __future__ import annotations

import json
from pathlib import Path

from tests.bench.common import REPLAY, RUN_ID, demo_runs, run
from tests.support.paths import REPO

HEAD = """# Drafts, read as a writer would

What a writer opens on Monday: three drafts of the demo's made-up shop and three of 18 months of a real support forum,
as they are written; only headings are one step smaller and front matter is left out but once. Written by
`python -m tests.bench drafts`. `lacuna drafts --store STORE --into FOLDER` copies them to where writers work.

**What holds up.** The phrasings are different ones, with how many conversations ask like that. What agents answered is
told answer by answer: sentences that come in the same conversations stand together, and two answers that never do are
alternatives, not steps. Steps are numbered only where agents give them in one order. For the stale article, the
sentences that have to change stand beside what agents say instead. Nothing is rephrased.

**What does not.** Slips of the pen stay in quotes. An answer that one agent pastes into many conversations looks like
agreement. What was said of one customer's case ("The S is on its way and nobody is told about it") passes as a
statement now and then. Passages are found by likeness, so that a sentence about bikes can stand beside one about
parcels. The forum's agents ask and guess more than they instruct: there, a draft is a start for a talk with the expert,
and the thin one says so.
"""
DEMO, FORUM = (("missing", 0), ("stale", 1), ("contradictory", 0)), (("missing", 1), ("missing", 0), ("stale", -1))


def drafts(folder: Path) -> int:
    """Write three drafts of the demo and three of the replay into docs/drafts.md."""
    demo = demo_runs(folder)
    run(REPLAY / "bundle", folder / "store")
    page = REPO / "docs" / "drafts.md"
    page.write_text(drafts_page(demo, folder / "store" / "runs" / RUN_ID), encoding="utf-8")
    print(page)
    return 0


def drafts_page(demo: Path, forum: Path) -> str:
    """The page, from the folders of two runs."""
    parts = [HEAD]
    for name, run_folder, drafts in (("The demo", demo, DEMO), ("The forum", forum, FORUM)):
        parts.append(f"## {name}")
        lines = (run_folder / "backlog.jsonl").read_text(encoding="utf-8").splitlines()
        rows = [row for row in map(json.loads, lines) if row["draft"]]
        for kind, which in drafts:
            path = [row["draft"] for row in rows if row["kind"] == kind][which]
            head, text = (run_folder / path).read_text(encoding="utf-8").split("\n---\n", 1)
            body = "\n".join(f"##{line}" if line.startswith("#") else line for line in text.strip().splitlines())
            front_matter = f"```yaml\n{head}\n---\n```\n\n" if len(parts) == 2 else ""
            parts.append(f"`{path}`\n\n{front_matter}{body}")
    return "\n\n".join(part.strip() for part in parts) + "\n"
