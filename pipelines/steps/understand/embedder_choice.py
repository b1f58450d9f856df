"""The embedder of the run, where the setting leaves it to the texts: one for a store, from week to week."""

from __future__ import annotations

from dataclasses import asdict

import pandas as pd

from lacuna.models.text.languages import languages_of
from lacuna.pipelines.embedders.choice import AUTO, choose, kind_of
from lacuna.pipelines.presentation import progress
from lacuna.pipelines.runtime.job import CHOSEN_EMBEDDER, Job
from lacuna.pipelines.state.repository import open_state
from lacuna.pipelines.steps.understand.matching import language_codes

__all__ = ["choose_embedder", "languages_asked"]

SAMPLE = 1_000  # questions that show which languages there are


def choose_embedder(job: Job) -> None:
    """Write understand/embedder.json: which embedder ``auto`` stands for in this run."""
    if job.settings.embedder.name != AUTO:
        return
    with open_state(job.settings, job.store) as state:
        before = state.embedder_of(state.previous_run(job.run_id))
    choice = choose(_sample(job), before, job.settings.topics.migrate_from)
    job.write_json(CHOSEN_EMBEDDER, asdict(choice))
    languages = ", ".join(choice.languages) or "too few questions to say"
    progress.say(f"  embedder: {choice.name}, for the languages of the questions: {languages}")
    if choice.instead:
        progress.log.warning(
            "the questions are in %s, for which %s is better, but the topics so far were made with %s, which stays;"
            ' to change over with all ids kept, set [topics] migrate_from = "%s"',
            languages, choice.instead, choice.name, kind_of(choice.name),
        )  # fmt: skip


def languages_asked(job: Job, asked: pd.DataFrame) -> list[str]:
    """The code of the language of each question; where the data say none, it is read from the text.

    It is read only where the run's questions are in several languages, and is "" otherwise.

    Parameters
    ----------
    asked
        question, language (str, which may be null).
    """
    codes = language_codes(asked["language"], "")
    among = tuple(job.read_json(CHOSEN_EMBEDDER)["languages"]) if job.exists(CHOSEN_EMBEDDER) else ()
    if len(among) < 2:
        return codes
    missing = [row for row, code in enumerate(codes) if not code]
    texts = asked["question"].iloc[missing].tolist()
    for row, code in zip(missing, languages_of(texts, among), strict=True):
        codes[row] = code
    return codes


def _sample(job: Job) -> list[str]:
    """Distinct questions, the first by their content keys."""
    few = pd.DataFrame({"key": [], "question": []}, dtype="str")
    for shard in job.read_shards("understand/questions", ["key", "question"]):
        few = pd.concat([few, shard]).drop_duplicates("key").sort_values("key", ignore_index=True)[:SAMPLE]
    return list(few["question"])
