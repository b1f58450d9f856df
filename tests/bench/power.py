"""How often what was too thin to judge could be judged when it was foretold, in planted worlds."""

from __future__ import annotations

from dataclasses import replace

from tests.worlds.fix_worlds import FIXES, WORLDS
from tests.worlds.thin_worlds import Foretold, early_fixes, thin_topics

TOPICS = ((0.5, 0.25, 8), (0.5, 0.25, 16), (0.4, 0.25, 16), (0.7, 0.4, 8), (0.3, 0.25, 16))
HEAD = "| undecided | of these foretold | median more | decided then, at the observed rate | at the true rate |"
EARLY = ("the fix works", "it works on a small topic", "it works, and demand falls", "nothing happens", "small topics")


def power(times: int) -> int:
    """Print the tables that `docs/power.md` has; they need no data."""
    print(f"\n{times} topics of each sort; those that fail more than usual by too little to be a gap\n")
    print(f"| fails | usual | seen {HEAD}")
    print("|---|---|---|---|---|---|---|---|")
    for rate, base, seen in TOPICS:
        print(f"| {rate:.0%} | {base:.0%} | {seen} {_row(thin_topics(rate, base, seen, times), times)}", flush=True)
    print("\nFixes two weeks on of which it is too early to tell\n")
    print(f"| world {HEAD}")
    print("|---|---|---|---|---|---|")
    for name in EARLY:
        scenario = replace((FIXES | WORLDS)[name], after=2)
        print(f"| {name} {_row(early_fixes(scenario, times), times)}", flush=True)
    return 0


def _row(told: Foretold, times: int) -> str:
    cells = [f"{told.undecided / times:.0%}", f"{told.cases / max(1, told.undecided):.0%}"]
    cells += [f"{told.more:.0f}", f"{told.as_observed:.0%}", f"{told.in_truth:.0%}"] if told.cases else ["", "", ""]
    return "| " + " | ".join(cells) + " |"
