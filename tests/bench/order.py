"""What the effect of fixes comes to where their order was drawn by lot, in planted queues whose effect is known."""

from __future__ import annotations

import numpy as np

from tests.worlds.queue_worlds import QUEUES, effects_of


def order(times: int) -> int:
    """Print the table that `docs/impact.md` has; it needs no data."""
    print(f"\n{times} queues of each sort: the effect is so many fewer failures per answer\n")
    print("| queue | planted | mean estimate | 95 % interval holds it | mean half width | no effect excluded |")
    print("|---|---|---|---|---|---|")
    for name, queue in QUEUES.items():
        found = effects_of(queue, times)
        fewer = np.mean([effect.fewer for effect in found])
        holds = np.mean([effect.low <= queue.effect + 1e-9 and effect.high >= queue.effect - 1e-9 for effect in found])
        half = np.mean([(effect.high - effect.low) / 2 for effect in found])
        excluded = np.mean([effect.p_value < 0.05 for effect in found])
        print(f"| {name} | {queue.effect:.2f} | {fewer:.2f} | {holds:.1%} | {half:.2f} | {excluded:.0%} |", flush=True)
    return 0
