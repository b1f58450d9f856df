"""How often the audit's interval holds the truth, in worlds where the vendor's flag is wrong by a known amount."""

from __future__ import annotations

from tests.worlds.vendor_worlds import CONVERSATIONS, WORLDS, audits_of

TAGS = (20, 50, 100, 200)


def audit(times: int) -> int:
    """Print the table that `docs/audit.md` has; it needs no data."""
    print(
        f"\n{times} worlds of {CONVERSATIONS:,} conversations each: covered by the 95 % interval, its mean half width,"
    )
    print("and the share of worlds in which the flag is called overstated / understated\n")
    print("| world | claimed | true | " + " | ".join(f"{n} tags" for n in TAGS) + " | none |")
    print("|---|---|---|" + "---|" * (len(TAGS) + 1))
    for name, world in WORLDS.items():
        cells = []
        for tags in TAGS:
            rows = audits_of(world, tags, times)
            covered = rows["truth"].between(rows["low"], rows["high"]).mean()
            half = (rows["high"] - rows["low"]).mean() / 2
            called = [rows["verdict"].eq(verdict).mean() for verdict in ("overstated", "understated")]
            cells.append(f"{covered:.1%} ± {half * 100:.0f}, {called[0]:.0%} / {called[1]:.0%}")
        silent = audits_of(world, 0, times, escalated_tags=100)
        nothing = silent["verdict"].eq("can't tell") & silent["estimate"].isna()
        claimed, truth = silent["claimed"].mean(), silent["truth"].mean()
        print(
            f"| {name} | {claimed:.0%} | {truth:.0%} | {' | '.join(cells)} | {nothing.mean():.0%} can't tell |",
            flush=True,
        )
    return 0
