"""`lacuna why` and `mcp`: whether something is a gap, for people and for assistants."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from lacuna.pipelines.cli.options import Config, Store, out
from lacuna.pipelines.presentation.terminal import write

if TYPE_CHECKING:
    from lacuna.pipelines.ask.why import Answer, Subject

__all__ = ["mcp", "why"]


def why(
    text: Annotated[str, typer.Argument(metavar="TEXT", help="Words, a customer's question, or an id.")],
    store: Store,
    run: Annotated[str | None, typer.Option(metavar="ID", help="Which run; the latest by default.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the answer with all its figures as JSON.")] = False,
    config: Config = None,
) -> None:
    """Say whether something is a gap, and why or why not, by the figures of a run.

    The words are looked up by meaning among gaps, topics and customers' questions. Where it is none, the answer says
    how often it was asked and failed, which rule did not hold, and what would have to change.

    For example:

    `lacuna why "refund" --store store`

    `lacuna why "how do I move my licence to a new phone?" --store store --run 2024-06-23`
    """
    from lacuna.pipelines.ask.why import AskedRun
    from lacuna.pipelines.gaps.decisions import backlog_now, decided
    from lacuna.pipelines.gaps.read import gaps_of
    from lacuna.pipelines.io.runs import whole_run
    from lacuna.pipelines.settings import load_settings
    from lacuna.pipelines.state.dead_runs import open_store

    settings = load_settings(config)
    with whole_run(store, run) as folder, open_store(settings, store) as state:
        gaps = gaps_of(backlog_now(store, state, settings, folder.name))
        answer = AskedRun(folder).why(text, gaps, decided(state))
    if as_json:
        write(sys.stdout, json.dumps(answer.as_dict(), ensure_ascii=False, indent=2) + "\n")
    else:
        _print(answer)


def _print(answer: Answer) -> None:
    out.print(Text(answer.headline, style="bold"))
    subject = answer.subject
    if subject:
        for sentence in subject.sentences:
            out.print(Text(sentence))
        place = f"Topic “{subject.topic_label}” ({subject.topic_id}), subtopic {subject.subtopic_id}"
        near = f"how near it is to what you asked: {subject.score:.2f} of 1"
        out.print(Text(f"{place}; {near}; run {answer.run_id}, {answer.window}.", style="dim"))
        for gap in subject.gaps:
            out.print(Text(f"More: lacuna explain {gap.gap_id}", style="dim"))
        if subject.quotes:
            out.print(Text("What customers wrote", style="bold"))
            for quote in subject.quotes:
                out.print(Text(f"  “{quote['text']}”  ({quote['conversation_id']})"))
    if answer.others:
        out.print(Text("Also near" if subject else "The nearest topics", style="bold"))
        for other in answer.others:
            out.print(Text(f"  {_line(other)}"))


def _line(subject: Subject) -> str:
    of_topic = f" (topic “{subject.topic_label}”)" if subject.topic_label != subject.label else ""
    return f"“{subject.label}”{of_topic}: {subject.verdict}"


def mcp(store: Store, config: Config = None) -> None:
    """Serve the run's views to an assistant, by the Model Context Protocol on standard input and output.

    Its tools only read: list_gaps, get_gap, search, why, list_topics and kpis. Where people sign in to the board, the
    environment variable LACUNA_MCP_TOKEN holds the token of the person it reads for (`lacuna token`). Texts of
    customers come redacted and marked as data. Needs the extra `lacuna-kb[mcp]`.

    For example, as the command of a server in an assistant's settings:

    `lacuna mcp --store store`
    """
    from lacuna.pipelines.assistants.server import serve
    from lacuna.pipelines.settings import load_settings

    serve(store, load_settings(config))
