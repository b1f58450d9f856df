"""The embedder that topics are found by, where the setting leaves it to the texts."""

from __future__ import annotations

from dataclasses import asdict

import pandas as pd

from lacuna.models.text.languages import languages_of
from lacuna.pipelines.embedders.choice import AUTO, choose
from lacuna.pipelines.presentation import progress
from lacuna.pipelines.runtime.job import CHOSEN_EMBEDDER, Job
from lacuna.pipelines.steps.understand.matching import language_codes

__all__ = ["choose_embedder", "languages_asked"]

SAMPLE = 1_000  # questions that show which languages there are


def choose_embedder(job: Job) -> None:
    """Write understand/embedder.json: by which embedder topics are found, where the setting is ``auto``."""
    if job.settings.embedder.name != AUTO:
        return
    choice = choose(_sample(job))
    job.write_json(CHOSEN_EMBEDDER, asdict(choice))
    languages = ", ".join(choice.languages) or "too few questions to say"
    progress.say(f"  topics are found by {choice.name}, for the languages of the questions: {languages}")


def languages_asked(job: Job, asked: pd.DataFrame) -> list[str]:
    """The code of the language of each question; where the data say none, it is read from the text.

    It is read only where the run's questions are in several languages, and is "" otherwise. The embedder has been
    chosen for these (:func:`choose_embedder`).

    Parameters
    ----------
    asked
        question, language (str, which may be null).
    """
    codes = language_codes(asked["language"], "")
    among = tuple(job.read_json(CHOSEN_EMBEDDER)["languages"])
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
