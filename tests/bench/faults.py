"""Kills and full disks: what is left of a run, of decisions and of a digest, and whether a restart puts all right."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections import Counter
from pathlib import Path

from tests.bench.fault_trials import BoardTrials, DigestTrials, Outcome, Point, RunTrials, full_disk

__all__ = ["faults"]

_SHARES = {"run": 0.5, "board": 0.3, "digest": 0.2}


def faults(kills: int, disks: int, seed: int = 1, light: bool = False, parent: Path | None = None) -> int:
    """Kill so many processes at work, fill so many disks, start each again, and print what was wrong.

    Parameters
    ----------
    kills
        How many kills by SIGKILL: of runs, of a board at which people decide, and of digests.
    disks
        How many full disks.
    seed
        Draws the moments.
    light
        Runs of three steps alone, for a quick look.
    parent
        Where stores lie meanwhile; what of a trial is wrong stays there.
    """
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="lacuna-bench-", dir=parent) as name:
        folder = Path(name)
        digest = DigestTrials(folder)
        try:
            all_trials = {"run": RunTrials(folder, light), "board": BoardTrials(folder), "digest": digest}
            for trials in all_trials.values():
                sorts = Counter(Point(name, event).sort for event, name in enumerate(trials.events))
                told = ", ".join(f"{many} at a {sort}" for sort, many in sorts.items())
                print(f"{trials.kind}: {trials.seconds:.1f} s undisturbed; events: {told}", flush=True)
            rows: dict[tuple[str, str], list[Outcome]] = {}
            number = 0
            for kind, trials in all_trials.items():
                for point in trials.points(round(kills * _SHARES[kind]), seed):
                    outcome = trials.trial(number, point)
                    rows.setdefault((kind, point.sort), []).append(outcome)
                    number += 1
                    _tell(number, began, kind, point.name, outcome)
            filled, how = _on_full_disks(folder, all_trials, disks, number, began)
            rows |= filled
        finally:
            digest.close()
        wrong = _print(rows, how)
        if wrong and parent is not None:
            shutil.copytree(folder, parent / f"faults-{seed}", dirs_exist_ok=True)
            print(f"what was wrong lies in {parent / f'faults-{seed}'}")
    return 1 if wrong else 0


def _on_full_disks(
    folder: Path, all_trials: dict[str, RunTrials | BoardTrials | DigestTrials], disks: int, number: int, began: float
) -> tuple[dict[tuple[str, str], list[Outcome]], str]:
    rows: dict[tuple[str, str], list[Outcome]] = {}
    how = "none"
    shares = {"board": disks // 5, "digest": disks // 5}
    shares = {"run": disks - sum(shares.values()), **shares}
    for kind, trials in all_trials.items():
        for point in trials.places(shares[kind]) if shares[kind] else []:
            place = folder / f"disk-{number}"
            place.mkdir()
            with full_disk(place) as (described, fill, relieve):
                outcome = trials.trial(number, point, fill, place, relieve)
            how = described
            rows.setdefault((kind, "full disk"), []).append(outcome)
            number += 1
            _tell(number, began, kind, f"disk full {point.name}", outcome)
    return rows, how


def _tell(number: int, began: float, kind: str, where: str, outcome: Outcome) -> None:
    for fault in outcome.wrong:
        print(f"  WRONG {number} {kind}, {where}: {fault}", flush=True)
    if number % 20 == 0:
        print(f"{number} trials, {time.monotonic() - began:.0f} s", flush=True)


def _print(rows: dict[tuple[str, str], list[Outcome]], how: str) -> int:
    print(f"\n{'what':<8} {'where':<18} {'trials':>7} {'interrupted':>12} {'wrong':>6}  besides")
    wrong = 0
    for (kind, where), outcomes in rows.items():
        faulty = sum(bool(outcome.wrong) for outcome in outcomes)
        besides = Counter(what for outcome in outcomes for what in outcome.counted)
        told = ", ".join(f"{what}: {times}" for what, times in besides.items())
        interrupted = sum(outcome.interrupted for outcome in outcomes)
        print(f"{kind:<8} {where:<18} {len(outcomes):>7} {interrupted:>12} {faulty:>6}  {told}")
        wrong += faulty
    print(f"full disk: {how}\nwrong: {wrong} of {sum(map(len, rows.values()))} trials")
    return wrong
