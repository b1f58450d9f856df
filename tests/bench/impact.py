"""How often the interval of a fix's effect holds the truth, and how often a verdict is wrong, in planted worlds."""

from __future__ import annotations

from tests.worlds.fix_worlds import FIXES, WORLDS, before_and_after, differences, judged, ours

METHODS = {"before and after": before_and_after, "difference in differences": differences, "Lacuna": ours}


def impact(times: int) -> int:
    """Print one table a group of worlds, as `docs/impact.md` has them; it needs no data."""
    for name, worlds in (("Nothing was mended", WORLDS), ("Something was done", FIXES)):
        print(f"\n{name}: coverage of the 95 % interval, and share verified ({times} worlds each)\n")
        print("| world | " + " | ".join(METHODS) + " | Lacuna's other verdicts: too early, no effect, worse |")
        print("|---|" + "---|" * (len(METHODS) + 1))
        for scenario, planted in worlds.items():
            cells = []
            for method in METHODS.values():
                covered, verdicts = judged(planted, times, method)
                cells.append(f"{covered:.0%}, {verdicts['verified']:.1%}")
            others = ", ".join(f"{verdicts[verdict]:.1%}" for verdict in ("too early", "no effect", "worse"))
            print(f"| {scenario} | " + " | ".join(cells) + f" | {others} |", flush=True)
    return 0
