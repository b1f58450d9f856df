"""Benchmarks: how fast Lacuna is, and how good its findings are. ``python -m tests.bench --help`` lists them.

Most need the data that lies beside the repository in ../shared and is not part of it; without it they say so and stop.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from tests.bench import topics
from tests.bench.audit import audit
from tests.bench.board import board
from tests.bench.common import REPLAY, SHARED
from tests.bench.coverage import coverage
from tests.bench.demo_gaps import demo_gaps
from tests.bench.drafts import drafts
from tests.bench.embedding import embedding
from tests.bench.faults import faults
from tests.bench.impact import impact
from tests.bench.labels import labels
from tests.bench.order import order
from tests.bench.pictures import pictures
from tests.bench.power import power
from tests.bench.redaction import redaction
from tests.bench.replays import SIGNALS, ablations, replays, tickets
from tests.bench.representations import representations
from tests.bench.scale import scale
from tests.bench.schedule import schedule
from tests.bench.simulated import simulated
from tests.bench.sources import sources
from tests.bench.stability import stability
from tests.bench.startup import startup
from tests.bench.steps import steps
from tests.bench.trial import trial
from tests.bench.watch import watch


def parse(words: Sequence[str] | None = None) -> argparse.Namespace:
    """Which benchmark is asked for, and with which options; that of the steps where none is named."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    which = parser.add_subparsers(dest="what", metavar="WHAT")
    which.add_parser("steps", help="time and memory of each step on the replay, and how they grow (the default)")
    scored = which.add_parser("replays", help="score of the backlogs of the five draws and the control")
    scored.add_argument("--tags", type=float, default=1.0, metavar="SHARE", help="leave only this share of the tags")
    scored.add_argument("--without", choices=list(SIGNALS), default="", help="take this out of the bundles")
    which.add_parser("tickets", help="the same where the replays are tickets: no bot, no tags, escalated alone")
    which.add_parser("ablations", help="what is left of that score without each signal")
    draws_command = which.add_parser(
        "simulated", help="score over many more draws like the replays, with other gaps planted"
    )
    draws_command.add_argument("--draws", type=int, default=30, metavar="N", help="how many")
    draws_command.add_argument(
        "--first", type=int, default=31, metavar="SEED", help="1 to 30 are those that rules are made on"
    )
    draws_command.add_argument("--store", type=Path, help="where vectors are kept from one time to the next")
    which.add_parser("board", help="how fast the review board answers at 5,000 gaps")
    which.add_parser("stability", help="how well topics keep their ids from run to run")
    which.add_parser("labels", help="write docs/replay-topics.md and docs/topic-names.md anew")
    compared = which.add_parser("names", help="names of topics beside BERTopic's representations of the same topics")
    compared.add_argument("set", nargs="?", default="dstc11-insurance", help="demo, banking77 or a file of intents")
    begins = which.add_parser("startup", help="how long the light commands take, from the shell to the answer")
    begins.add_argument("--store", type=Path, help="whose backlog; that of the demo, made anew, by default")
    covers = which.add_parser("coverage", help="how often the intervals of answer accuracy hold the truth")
    covers.add_argument("--draws", type=int, default=60, help="made-up deployments for each way of tagging")
    which.add_parser("redaction", help="what is found of personal data by kind and language, beside Presidio")
    which.add_parser("drafts", help="write docs/drafts.md anew")
    of_demo = which.add_parser("demo-gaps", help="how well the demo's planted problems become gaps, a row a draw")
    of_demo.add_argument("--seeds", type=numbers, default=[7, 8, 9, 10], metavar="N,N", help="which draws")
    which.add_parser("watch", help="how many stale articles of the replays the watch list names in advance")
    which.add_parser("pictures", help="take the pictures in docs/ anew")
    embedders = which.add_parser(
        "embedding", help="how well and how fast embedders work, as a share of what the processor can do"
    )
    embedders.add_argument("names", nargs="*", metavar="NAME", help="more of them, by name or folder")
    embedders.add_argument("--store", type=Path, help="where vectors are kept from one time to the next")
    worlds = which.add_parser("impact", help="how sure the measured effect of a fix is, in planted worlds")
    worlds.add_argument("--times", type=int, default=1000, metavar="N", help="worlds of each sort")
    audited = which.add_parser(
        "audit", help="how often the audit of a vendor's metric holds the truth, in planted worlds"
    )
    audited.add_argument("--times", type=int, default=400, metavar="N", help="worlds of each sort")
    drawn = which.add_parser("order", help="the effect of fixes whose order was drawn by lot, in planted queues")
    drawn.add_argument("--times", type=int, default=400, metavar="N", help="queues of each sort")
    thin = which.add_parser("power", help="whether what is too thin to judge can be judged when it was foretold")
    thin.add_argument("--times", type=int, default=400, metavar="N", help="worlds of each sort")
    topics_command = which.add_parser("topics", help="topics of texts beside BERTopic as it comes")
    topics_command.add_argument("--embedder", default="minilm", help="whose vectors both are given")
    topics_command.add_argument("--store", type=Path, help="where vectors are kept from one time to the next")
    topics_command.add_argument("--sizes", type=int, nargs="*", default=topics.SIZES, help="how many questions")
    tried = which.add_parser("trial", help="drafts tried on the replays: true texts, own drafts and bad ones")
    tried.add_argument("--store", type=Path, help="a folder of runs that are used again where they are there")
    pulled = which.add_parser("sources", help="the demo pulled through each vendor's fake, and its backlog")
    pulled.add_argument("--messages", type=int, default=1_000_000, help="of a pull from Parquet; 0 leaves it out")
    sized = which.add_parser("scale", help="time and memory of each step as conversations grow, and of a weekly rerun")
    sized.add_argument("--conversations", type=numbers, default=[10_000, 40_000], metavar="N,N", help="how many")
    sized.add_argument("--articles", type=int, default=500, metavar="N", help="how many")
    sized.add_argument("--weeks", type=int, default=26, metavar="N", help="how long they last")
    sized.add_argument(
        "--write", type=Path, metavar="DIR", help="write the first size's bundle here and measure nothing"
    )
    sized.add_argument("--folder", type=Path, help="where bundles and stores lie meanwhile; a temporary one by default")
    broken = which.add_parser("faults", help="kills and full disks, and whether a restart puts all right")
    broken.add_argument("--kills", type=int, default=500, metavar="N", help="of runs, the board and digests")
    broken.add_argument("--disks", type=int, default=10, metavar="N", help="that are full")
    broken.add_argument(
        "--seed", type=int, default=1, metavar="N", help="draws the moments; another one for another portion"
    )
    broken.add_argument("--light", action="store_true", help="runs of three steps alone, for a quick look")
    broken.add_argument("--folder", type=Path, help="where stores lie meanwhile, and stay where something is wrong")
    planned = which.add_parser(
        "schedule", help="a weekly run on several workers, simulated from run.json of measured runs"
    )
    planned.add_argument("files", nargs="+", type=Path, metavar="RUN.json", help="of runs of different sizes")
    arguments = parser.parse_args(words)
    arguments.what = arguments.what or "steps"
    return arguments


def numbers(text: str) -> list[int]:
    """Sizes from the command line, such as ``10000,40000``."""
    return [int(part.replace("_", "")) for part in text.split(",") if part]


def main() -> int:
    """Run the benchmark that is asked for and print its figures."""
    arguments = parse()
    without_data = {
        "embedding": lambda: embedding(["minilm", "use", "lexical", *arguments.names], arguments.store),
        "impact": lambda: impact(arguments.times),
        "audit": lambda: audit(arguments.times),
        "power": lambda: power(arguments.times),
        "order": lambda: order(arguments.times),
        "coverage": lambda: coverage(arguments.draws),
        "board": board,
        "redaction": redaction,
        "faults": lambda: faults(arguments.kills, arguments.disks, arguments.seed, arguments.light, arguments.folder),
    }
    if arguments.what == "schedule":
        return schedule(arguments.files)
    if arguments.what in without_data:
        return without_data[arguments.what]()
    on_the_demo = {
        "pictures": pictures,
        "startup": lambda folder: startup(folder, arguments.store),
        "demo-gaps": lambda folder: demo_gaps(folder, arguments.seeds),
    }
    if arguments.what in on_the_demo:
        with tempfile.TemporaryDirectory(prefix="lacuna-bench-") as name:
            return on_the_demo[arguments.what](Path(name))
    if arguments.what == "sources":
        return sources(arguments.messages)
    if arguments.what == "scale":
        size = (arguments.conversations, arguments.articles, arguments.weeks)
        return scale(SHARED / "data", *size, parent=arguments.folder, into=arguments.write)
    if not REPLAY.is_dir():
        print(f"{REPLAY} is not there: nothing to measure")
        return 0
    if arguments.what == "topics":
        return topics.main(SHARED / "data", arguments.embedder, arguments.store, tuple(arguments.sizes))
    with tempfile.TemporaryDirectory(prefix="lacuna-bench-") as name:
        folder = Path(name)
        if arguments.what == "stability":
            return stability(folder, REPLAY / "bundle")
        if arguments.what == "replays":
            return replays(folder, arguments.tags, arguments.without)
        if arguments.what == "simulated":
            return simulated(folder, arguments.draws, arguments.first, arguments.store)
        if arguments.what == "names":
            return representations(folder, arguments.set)
        named = {
            "trial": partial(trial, kept=getattr(arguments, "store", None)),
            "steps": steps,
            "labels": labels,
            "ablations": ablations,
            "tickets": tickets,
            "drafts": drafts,
            "watch": watch,
        }
        return named[arguments.what](folder)


if __name__ == "__main__":
    raise SystemExit(main())
