"""publish: the run folder, whole or not at all, and the memory of what was found."""

from __future__ import annotations

import json
import platform
from collections.abc import Sequence
from contextlib import nullcontext
from importlib import metadata
from pathlib import Path
from typing import Any

import pandas as pd

from lacuna.data_contracts.check import faults
from lacuna.data_contracts.contract import TABLES
from lacuna.data_contracts.errors import ContractBroken
from lacuna.data_contracts.step_tables import check_step_table, step_tables, with_aliases
from lacuna.models.backlog.owners import inactive
from lacuna.models.conversations.signals import TRIGGERS, trigger_shares
from lacuna.models.diagnosis.novelty import new_or_known
from lacuna.models.redaction.redact import redact
from lacuna.models.topics.edits import not_kept
from lacuna.pipelines.drafts import write_drafts
from lacuna.pipelines.drafts.polish import polish
from lacuna.pipelines.embedders.registry import embedder
from lacuna.pipelines.gaps.read import gaps_of
from lacuna.pipelines.io.publishing import publishing
from lacuna.pipelines.io.run_files import read_run
from lacuna.pipelines.io.run_folders import run_folder, run_place
from lacuna.pipelines.io.store import files_in, read_parquet, write_parquet
from lacuna.pipelines.presentation.spreadsheet import records
from lacuna.pipelines.report.render import render_report
from lacuna.pipelines.report.view import ReportData
from lacuna.pipelines.report.worth import render_worth
from lacuna.pipelines.runtime.job import CHOSEN_EMBEDDER, Job
from lacuna.pipelines.runtime.parts import part_costs
from lacuna.pipelines.runtime.runner import version
from lacuna.pipelines.state.checks import recorded_ahead
from lacuna.pipelines.state.deliveries import remember_contacts
from lacuna.pipelines.state.people_log import PEOPLE_LOGS, read_logs
from lacuna.pipelines.state.rebuild import REMEMBERED
from lacuna.pipelines.state.repository import open_state
from lacuna.pipelines.steps import STEPS
from lacuna.pipelines.steps.measure.searches import searches_by_topic
from lacuna.pipelines.steps.publish.golden_queries import golden_queries, golden_results, published_articles
from lacuna.pipelines.steps.publish.judged import subtopics_judged
from lacuna.pipelines.steps.publish.no_gap import no_gap
from lacuna.pipelines.steps.publish.not_yet_known import not_yet_known
from lacuna.pipelines.steps.publish.random_order import random_order
from lacuna.pipelines.steps.publish.search_texts import search_texts
from lacuna.pipelines.steps.publish.side_by_side import compared_sides
from lacuna.pipelines.steps.publish.topic_questions import subtopic_questions, topic_questions
from lacuna.pipelines.steps.publish.transcripts import transcripts
from lacuna.pipelines.steps.publish.workbook import to_csv, write_backlog
from lacuna.pipelines.steps.publish.worth import worth_of_fixes

# No file where nothing was fixed, compared, or done by people.
MAY_BE_ABSENT = ("impact", "worth", "side_by_side", "random_order", *PEOPLE_LOGS)
LIBRARIES = ("bertopic", "ctranslate2", "duckdb", "great-expectations", "numpy", "pandas", "pyarrow", "scikit-learn")


def publish(job: Job) -> None:
    """Write ``<store>/runs/<run_id>/`` and record the run's topics and gaps."""
    backlog = job.read("rank/backlog")
    owners = job.read("load/owners")
    tables = _published_tables(job, backlog, owners)
    tables["random_order"], wedge = random_order(job, backlog)
    tables["side_by_side"], compare_warnings = compared_sides(job)
    topics, accuracy, kpis = tables["topics"], tables["accuracy"], tables["kpis"]
    not_content = job.read_json("diagnose/not_content")
    hold = job.lease.hold if job.lease else nullcontext
    with publishing(job.store, job.run_id, hold) as folder:
        run = _run(job, backlog)
        texts, warnings = polish(gaps_of(backlog), job.settings.drafts, job.store)
        run |= {"random_order": wedge} if wedge else {}
        run["warnings"] += [*warnings, *compare_warnings]
        drafts = write_drafts(folder, backlog, job.read("load/articles"), run, run_folder(job.store, job.run_id), texts)
        backlog["draft"] = pd.array([drafts.get(gap) for gap in backlog.get("gap_id", [])], dtype="str")
        problems = faults("backlog", backlog) if len(backlog) else []
        if problems:
            raise ContractBroken("the backlog breaks its own contract: " + "; ".join(problems), "please report this")
        write_backlog(folder, gaps_of(backlog), run, topics, kpis, not_content, accuracy)
        for name, frame in tables.items():
            if len(frame) or name not in MAY_BE_ABSENT:
                _write_table(folder, name, frame)
        to_tag = job.read("rank/tag_next")
        _lines(folder / "not_content.jsonl", not_content)
        tree = job.read_json("understand/topic_tree")
        _json(folder / "topic_tree.json", tree)
        (folder / "tag_next.csv").write_bytes(_tag_sheet(to_tag))
        due, unowned = job.read("diagnose/due_for_verification"), job.read("diagnose/unowned_articles")
        watched = job.read("diagnose/watch_list")
        (folder / "watch_list.csv").write_bytes(_sheet(_with_days(watched, "since")))
        (folder / "due_for_verification.csv").write_bytes(_due_sheet(due))
        (folder / "unowned_articles.csv").write_bytes(_sheet(unowned.round({"failure_rate": 4})))
        quarantine = _quarantine(job, folder)
        report = ReportData(
            backlog, topics, tables["assignments"], kpis, accuracy, not_content, run, _previous(job), owners,
            quarantine, due=due, unowned=unowned, watched=watched, impact=tables["impact"], tag_next=to_tag,
            confusion=tables["intent_confusion"], suspects=tables["intent_suspects"],
            calibration=tables["accuracy_calibration"], topic_tree=tree, vendor_audit=tables["vendor_audit"],
            not_yet_known=tables["not_yet_known"],
            side_by_side=tables["side_by_side"], random_order=tables["random_order"],
        )  # fmt: skip
        if len(tables["worth"]):
            (folder / "worth.html").write_text(render_worth(tables["worth"], run), encoding="utf-8", newline="")
        (folder / "report.html").write_text(render_report(report), encoding="utf-8", newline="")
        _json(folder / "run.json", run)
    remember(job, backlog, run["input_hash"])


def _published_tables(job: Job, backlog: pd.DataFrame, owners: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """The tables of the run beside its backlog, by name: a step's table as it is, or made of several."""
    assignments = _assignments(job)
    gaps = gaps_of(backlog)
    queries = golden_queries(job, gaps)
    composed = {
        "topics": _topics(job, backlog),
        "assignments": assignments,
        "topic_questions": topic_questions(job, assignments),
        "subtopics_judged": subtopics_judged(job, backlog),
        "search_texts": search_texts(job, backlog, subtopic_questions(job, assignments)),
        "transcripts": transcripts(job, gaps),
        "worth": worth_of_fixes(job, [column.name for column in step_tables("published")["worth"].columns]),
        "not_yet_known": not_yet_known(job, backlog),
        "articles": published_articles(job),
        "golden_queries": queries,
        "golden_results": golden_results(job, queries, gaps),
        **_people_logs(job),
        "owners": owners[[name for name in TABLES["owners"].names if name in owners and name != "email"]],
    }
    return {
        name: composed[name] if name in composed else job.read(table.extends)
        for name, table in step_tables("published").items()
        if name in composed or table.extends
    }


def _people_logs(job: Job) -> dict[str, pd.DataFrame]:
    """What people have decided, tagged and edited so far: a lost state database gets it back from here."""
    regions = job.read_json("redact/phone_regions")["regions"]

    def redacted(texts: Sequence[str | None]) -> list[str | None]:
        return redact(texts, phone_regions=regions)[0]

    with open_state(job.settings, job.store) as state:
        return read_logs(state, job.run_id, redacted)


def _write_table(folder: Path, name: str, frame: pd.DataFrame) -> None:
    """Write a table of the run as `data_contracts/tables/outputs/published.toml` declares it."""
    table = step_tables("published")[name]
    check_step_table(table, frame)
    write_parquet(folder / table.file, with_aliases(table, frame))


def _topics(job: Job, backlog: pd.DataFrame) -> pd.DataFrame:
    topics = job.read("understand/topics")
    demand = job.read("measure/demand").set_index("topic_id")
    rate = [float(demand["failed"][t] / max(1, demand["reached"][t])) for t in topics["topic_id"]]
    topics["failure_rate"] = pd.array([round(r, 4) for r in rate], dtype="float64")
    topics["conversations"] = [int(demand["reached"][t] + demand["also"][t]) for t in topics["topic_id"]]
    gaps = backlog.groupby("topic_id")["gap_id"].agg(list).to_dict() if len(backlog) else {}
    topics["gap_ids"] = [gaps.get(t, []) for t in topics["topic_id"]]
    topics["subtopics"] = pd.Series(_subtopics(job, topics), index=topics.index, dtype="object")
    return _with_details(job, topics, demand["season"])


def _with_details(job: Job, topics: pd.DataFrame, season: pd.Series) -> pd.DataFrame:
    """The topics with why people leave the bot in each, what was searched in vain, whether it is new, its season."""
    needed = ["topic_id", "subtopic_id", "state", "cited_first", "agent_cited", "p_failed", "in_window", *TRIGGERS]
    facts = job.read("measure/facts", needed)
    inside = facts[facts["in_window"]]
    for state in ("core", "nearest"):
        of_state = inside.loc[inside["state"].eq(state), "topic_id"].value_counts()
        before = topics.columns.tolist().index("x")
        topics.insert(before, state, topics["topic_id"].map(of_state).fillna(0).astype("int64"))
    searched = searches_by_topic(job.read("measure/searches"), job.days)
    novelty = new_or_known(facts, job.read("diagnose/gaps"))
    topics = topics.merge(trigger_shares(inside).round(4), how="left", left_on="topic_id", right_index=True)
    topics = topics.merge(novelty, how="left", left_on="topic_id", right_index=True)
    topics = topics.merge(searched, how="left", left_on="topic_id", right_index=True)
    counts = {"served": 0, "searches": 0, "searches_a_week": 0.0}
    topics = topics.fillna(counts).astype({"served": "int64", "searches": "int64"})
    topics["queries"] = [queries if isinstance(queries, list) else [] for queries in topics["queries"]]
    topics["season"] = pd.Series([season[t] for t in topics["topic_id"]], index=topics.index, dtype="object")
    return topics


def _subtopics(job: Job, topics: pd.DataFrame) -> list[list[dict[str, Any]]]:
    """What each topic consists of, the largest first: subtopic_id, label, conversations and failed of the window."""
    parts = job.read("understand/subtopics")[["subtopic_id", "topic_id", "label"]]
    parts = parts.merge(job.read("measure/subtopic_demand"), on="subtopic_id")
    parts = parts.sort_values(["reached", "subtopic_id"], ascending=[False, True])
    by_topic: dict[str, list[dict[str, Any]]] = {}
    parts["conversations"] = parts["reached"] + parts["also"]
    parts["failed"] = parts["failed"].round(2)
    for row in records(parts[parts["conversations"] > 0]):
        subtopic = {name: row[name] for name in ("subtopic_id", "label", "conversations", "failed")}
        by_topic.setdefault(str(row["topic_id"]), []).append(subtopic)
    return [by_topic.get(topic, []) for topic in topics["topic_id"]]


def _assignments(job: Job) -> pd.DataFrame:
    facts = job.read("measure/facts", ["conversation_id", "in_window"])
    inside = set(facts.loc[facts["in_window"], "conversation_id"])
    assigned = job.read("understand/assignments").sort_values(["conversation_id", "question_number"])
    assigned = assigned[assigned["conversation_id"].isin(inside)].reset_index(drop=True)
    keys = job.read("understand/questions", ["conversation_id", "key"]).set_index("conversation_id")["key"]
    is_main = assigned["question_number"].eq(1)
    return assigned.assign(key=assigned["conversation_id"].map(keys).where(is_main).astype("str"))


def _run(job: Job, backlog: pd.DataFrame) -> dict[str, Any]:
    run_file, load_file = job.read_json("run"), job.read_json("load/load")
    redacted = job.read_json("redact/redact")
    model = embedder(job.embedder)
    steps = [json.loads(p.read_text(encoding="utf-8")) for p in files_in(job.path("steps"), "*.json")]
    kinds = backlog["kind"].value_counts().sort_index().to_dict() if len(backlog) else {}
    statuses = backlog["status"].value_counts().sort_index().to_dict() if len(backlog) else {}
    edits = job.read_json("understand/topic_edits")
    return {
        "run_id": job.run_id,
        "window": {"start": job.start.isoformat(), "end": job.end.isoformat(), "days": job.days},
        "lacuna_version": version(),
        "versions": {"python": platform.python_version()} | {name: metadata.version(name) for name in LIBRARIES},
        "inputs": load_file["inputs"],
        "tables": load_file["tables"],
        "settings": job.settings.public(),
        "seed": job.settings.run.seed,
        "embedder": {"name": model.name, "version": model.version} | _topics_found_by(job),
        "usual_scores": job.read_json("understand/usual_scores"),
        "steps": sorted(steps, key=lambda step: STEPS.index(step["name"]) if step["name"] in STEPS else 99),
        "parts": part_costs(job),
        "warnings": [
            *job.read_json("redact/warnings"),
            *job.read_json("understand/naming"),
            *job.read_json("understand/warnings"),
            *_clock_warning(job),
            *({"rule": "topic_edits", "message": not_kept(edit)} for edit in edits if not edit["kept"]),
        ],
        "redacted": redacted,
        "input_hash": run_file["input_hash"],
        "backlog": {
            "gaps": len(backlog),
            "by_kind": kinds,
            "by_status": statuses,
            "precision": job.read_json("rank/precision"),
        },
        "no_gap_reason": no_gap(job, len(backlog)),
        "data": job.read_json("load/data"),
        "previous_run": run_file["previous_run"],
    } | ({"topic_edits": edits} if edits else {})


def _clock_warning(job: Job) -> list[dict[str, str]]:
    with open_state(job.settings, job.store) as state, state.reading() as connection:
        ahead = recorded_ahead(connection)
    message = (
        f"the machine's clock was behind when this run was published: something had been recorded at {ahead} already."
        " Due dates count from when a run was published; set the clock right, and run again with --force"
    )
    return [{"rule": "clock", "message": message}] if ahead else []


def _topics_found_by(job: Job) -> dict[str, Any]:
    """By which embedder topics were found, and for which languages, where that was left to the texts."""
    if not job.exists(CHOSEN_EMBEDDER):
        return {}
    chosen = job.read_json(CHOSEN_EMBEDDER)
    return {"topics": chosen["name"], "languages": chosen["languages"]}


def _previous(job: Job) -> dict[str, Any] | None:
    before = job.read_json("run")["previous_run"]
    place = run_place(job.store, str(before)) if before else None
    return read_run(place) if place else None


def _quarantine(job: Job, folder: Path) -> list[dict[str, Any]]:
    """Copy the rejected rows into the run, and count them by table, rule and column."""
    counts: list[dict[Any, Any]] = []
    for path in files_in(job.path("redact/quarantine"), "*.parquet"):
        rows = read_parquet(path)
        (folder / "quarantine").mkdir(exist_ok=True)
        write_parquet(folder / "quarantine" / path.name, rows)
        if path.stem == "values":
            continue  # their rows were kept: they are among the warnings
        groups = rows.assign(column=rows["column"].fillna("")).groupby(["table", "rule", "column"], sort=True)
        counts += groups.size().reset_index(name="count").to_dict("records")
    return [{str(key): value for key, value in row.items()} for row in counts]


def _tag_sheet(rows: pd.DataFrame) -> bytes:
    """The conversations to tag next as a sheet that, filled in, is a table of outcomes of the next bundle."""
    shown = rows[["conversation_id", "question", "answer", "topic_label", "article_id", "chance", "worth"]].round(3)
    empty = dict.fromkeys(["outcome", "true_intent", "tagged_by", "tagged_at", "note"], "")
    return _sheet(shown.assign(**empty))


def _due_sheet(rows: pd.DataFrame) -> bytes:
    """Articles that nobody has looked at for long, as a sheet for whoever plans the work."""
    return _sheet(_with_days(rows, "checked_at"))


def _with_days(rows: pd.DataFrame, moment: str) -> pd.DataFrame:
    """The rows with a moment as a day, and the failures rounded."""
    days = pd.to_datetime(rows[moment], utc=True).dt.strftime("%Y-%m-%d")
    return rows.assign(**{moment: days, "failed": rows["failed"].round(2)})


def _sheet(frame: pd.DataFrame) -> bytes:
    cells = frame.astype(object).where(frame.notna(), None).to_dict("records")
    return to_csv([{str(k): v for k, v in row.items()} for row in cells], list(frame.columns))


def _lines(path: Path, rows: list[dict[str, Any]]) -> None:
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    path.write_text(text, encoding="utf-8", newline="")


def _json(path: Path, value: dict[str, Any]) -> None:
    path.write_text(json.dumps(value, ensure_ascii=False, indent=2) + "\n", encoding="utf-8", newline="")


def remember(job: Job, backlog: pd.DataFrame, input_hash: str) -> None:
    """Record the run's topics and gaps in the state database."""
    gaps = backlog[REMEMBERED] if len(backlog) else pd.DataFrame(columns=REMEMBERED)
    with open_state(job.settings, job.store) as state:
        topics, subtopics = (
            job.read(f"understand/{name}").assign(last_seen=job.run_id) for name in ("registry", "subtopic_registry")
        )
        events, subtopic_events = job.read("understand/events"), job.read("understand/subtopic_events")
        state.record_run(
            job.run_id, input_hash, topics, gaps, (job.start, job.end), events, subtopics, subtopic_events,
            edit_results=pd.DataFrame(job.read_json("understand/topic_edits")).rename(columns={"id": "edit_id"}),
            require=job.lease.require if job.lease else None,
        )  # fmt: skip
        if state.last_run() == job.run_id:
            owners = job.read("load/owners")
            remember_contacts(state, owners[~owners["owner_id"].isin(inactive(owners))])
