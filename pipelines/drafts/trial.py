"""A draft tried against the articles and golden queries of a published run."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import pandas as pd

from lacuna.data_contracts.errors import LacunaError
from lacuna.models.arrays import F32
from lacuna.models.backlog.gap import Gap
from lacuna.models.retrieval.article_match import Usual
from lacuna.models.retrieval.draft_trial import Trial, Usually, article_scores, try_article
from lacuna.models.text import markup
from lacuna.pipelines.embedders.choice import AUTO, ENGLISH
from lacuna.pipelines.io.addresses import StorePath
from lacuna.pipelines.io.published import read_published
from lacuna.pipelines.io.runs import read_run
from lacuna.pipelines.io.vector_cache import embed
from lacuna.pipelines.presentation.format import plural, record

__all__ = ["DraftArticle", "TriedRun", "article_parts", "language_code", "match_articles", "sentences"]

DRAFT = "this draft"  # its id among the articles; no article's own id has a blank
_HEAD = re.compile(r"\A---\n.*?\n---\n", re.DOTALL)
_NOTES = re.compile(r"^\[\^\d+\]:.*$", re.MULTILINE)
_MARK = re.compile(r"\s*\[\^\d+\]")
_AFTER = re.compile(
    r"^## (?:To settle before it is published|Ask the expert these questions|Evidence)\s*$", re.MULTILINE
)
_LANGUAGE = re.compile(r"^## In (\w+): (.+)$", re.MULTILINE)
_TITLE = re.compile(r"^# (.+)$", re.MULTILINE)
_QUOTED = re.compile(r"^>.*$", re.MULTILINE)
# The chapters of a draft that amend an article without a diff, and their lines that would stand in it.
_AMENDS = re.compile(
    r"^## (?:What to change in the article|What agents tell customers now|Words to add)$(.*?)(?=^## |^\[\^|\Z)",
    re.MULTILINE | re.DOTALL,
)
_ADDED = re.compile(r"^(?:- |Title in customers' words: )")
_DIFF = re.compile(r"^```diff\n(.*?)\n```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class DraftArticle:
    """An article that a draft would publish.

    Attributes
    ----------
    title, body
        Its own; a draft that amends has no body.
    changes
        Pairs of old and new text of today's article; the old one is empty for what is added.
    amends
        Whether the draft holds changes to today's article alone.
    """

    title: str
    body: str
    changes: tuple[tuple[str, str], ...] = ()
    amends: bool = False


def language_code(language: object) -> str:
    """The code of a language, such as "de" of "de-AT"; "en" where none is known, as a run has it."""
    return language[:2] if isinstance(language, str) and language else "en"


def match_articles(
    articles: pd.DataFrame, questions: pd.DataFrame, embedder: str, store: StorePath, usual_scores: Mapping[str, Any]
) -> F32:
    """How well each article matches each question, float32 (questions, articles), vectors by the store's cache.

    Parameters
    ----------
    articles
        article_id, title, body.
    questions
        question, language.
    usual_scores
        ``understand/usual_scores`` of the run.
    """
    texts = questions["question"].astype(str).tolist()
    languages = [language_code(language) for language in questions["language"]]
    to_vectors = partial(embed, name=embedder, store=store, label="embedding a draft")
    return article_scores(articles, texts, languages, to_vectors(texts), to_vectors, _usually(usual_scores))


def _usually(scores: Mapping[str, Any]) -> Usually:
    return int(scores.get("drawn") or 0), {way: Usual(**of) for way, of in record(scores.get("usual")).items()}


def article_parts(text: str) -> list[DraftArticle]:
    r"""What a draft would publish: its article, one more for each further language, or its changes to today's article.

    Front matter, the box with the task, footnotes, what is to settle and the evidence are no part of it.

    Examples
    --------
    >>> article_parts("# How do I return it?\n\nOpen **Orders**.[^1]\n\n[^1]: c-1.\n\n## Evidence\n\nmore")
    [DraftArticle(title='How do I return it?', body='Open **Orders**.', changes=(), amends=False)]
    """
    text = text.removeprefix("\ufeff").replace("\r\n", "\n")
    head = _HEAD.match(text)
    is_ours = head is not None and "\ngap_id:" in head[0]
    text = text[head.end() :] if head else text
    changes = _changes([line for diff in _DIFF.findall(text) for line in diff.splitlines()])
    added = _AMENDS.findall(text) if is_ours else []
    changes += [("", _bare(line)) for chapter in added for line in chapter.splitlines() if _ADDED.match(line)]
    title_found = _TITLE.search(text)
    title = title_found[1].strip() if title_found else next(iter(text.strip().splitlines()), "")
    body = _DIFF.sub("", text[title_found.end() :] if title_found else text)
    cut = _AFTER.search(body)
    body = _NOTES.sub("", body[: cut.start()] if cut else body)
    if is_ours:
        body = _QUOTED.sub("", body)
    main, *others = _LANGUAGE.split(_MARK.sub("", body))
    amends = bool(changes or added)
    parts = [DraftArticle(title, "" if amends else _tidy(main), tuple(changes), amends)]
    parts += [DraftArticle(named.strip(), _tidy(own)) for _, named, own in zip(*[iter(others)] * 3, strict=True)]
    return parts


def _bare(line: str) -> str:
    return _MARK.sub("", _ADDED.sub("", line)).strip()


def _tidy(body: str) -> str:
    return re.sub(r"\n{3,}", "\n\n", body).strip()


def _changes(diff: list[str]) -> list[tuple[str, str]]:
    """Pairs of old and new text: what is replaced, what goes, and, with an empty old one, what is added."""
    pairs: list[tuple[str, str]] = []
    for sign, line in ((line[:1], _MARK.sub("", line[1:]).strip()) for line in diff):
        if sign == "-":
            pairs.append((line, ""))
        elif sign == "+":
            if pairs and pairs[-1][0] and not pairs[-1][1]:
                pairs[-1] = (pairs[-1][0], line)
            else:
                pairs.append(("", line))
    return pairs


class TriedRun:
    """A published run against which drafts are tried.

    Parameters
    ----------
    folder
        The run's folder.
    store
        Its store, whose cache has the vectors.

    Raises
    ------
    LacunaError
        The run was made by a version that kept no golden queries.
    """

    def __init__(self, folder: Path, store: StorePath) -> None:
        self.run_id = folder.name
        self._store = store
        self._queries, self._articles = (read_published(folder, name) for name in ("golden_queries", "articles"))
        if not len(self._queries.columns):
            raise LacunaError(
                f"run {folder.name} was made by an earlier version, which kept no golden queries",
                "run that week again with --force",
            )
        run = read_run(folder)
        chosen = str(record(record(run.get("settings")).get("embedder")).get("name") or AUTO)
        self._embedder = ENGLISH if chosen == AUTO else chosen
        self._usual_scores = record(run.get("usual_scores"))

    @cached_property
    def titles(self) -> dict[str, str]:
        """The title of each live article, by its id."""
        return dict(zip(self._articles["article_id"].astype(str), self._articles["title"].astype(str), strict=True))

    def try_draft(self, gap: Gap, text: str) -> Trial:
        """Try a draft of a gap: its golden queries with and without it, and again with the words that it lacks.

        Parameters
        ----------
        gap
            The gap; where it names an article, the draft takes its place.
        text
            Markdown: a draft of Lacuna's, or an article.

        Raises
        ------
        LacunaError
            The run has no golden queries of the gap, or the draft is empty.
        """
        asked = self._queries[self._queries["gap_id"] == gap.gap_id].reset_index(drop=True)
        if not len(asked):
            raise LacunaError(f"run {self.run_id} keeps no golden queries of gap {gap.gap_id}", "choose another gap")
        parts = article_parts(text)
        if not any(part.body or part.changes for part in parts):
            raise LacunaError("there is no article in the draft yet, nor a change to one", "write one, and try again")
        trial = self._tried(gap, asked, parts)
        if not trial.lacking:
            return trial
        added = ", ".join(trial.lacking)
        main = parts[0]
        with_words = (
            replace(main, changes=(*main.changes, ("", added)))
            if main.amends
            else replace(main, body=f"{main.body}\n\n{added}")
        )
        richer = [with_words, *parts[1:]]
        return replace(trial, won_with_words=self._tried(gap, asked, richer).won)

    def _tried(self, gap: Gap, asked: pd.DataFrame, parts: list[DraftArticle]) -> Trial:
        articles, ids = self._with_draft(gap, parts)
        before = self._scores(self._articles, asked)
        after = self._scores(articles, asked)
        rows = articles[articles["article_id"].isin(ids)]
        text = "\n".join(f"{row.title}. {markup.plain(str(row.body))}" for row in rows.itertuples())
        return try_article(
            asked, before, self._articles["article_id"].astype(str).tolist(),
            after, articles["article_id"].astype(str).tolist(), ids, text,
        )  # fmt: skip

    def _scores(self, articles: pd.DataFrame, asked: pd.DataFrame) -> F32:
        return match_articles(articles, asked, self._embedder, self._store, self._usual_scores)

    def _with_draft(self, gap: Gap, parts: list[DraftArticle]) -> tuple[pd.DataFrame, list[str]]:
        """The articles with the draft among them, and the ids under which it is there."""
        ids = [str(gap.article_id) if gap.article_id else DRAFT]
        ids += [f"{DRAFT} {number}" for number in range(2, len(parts) + 1)]
        today = self._articles[self._articles["article_id"] == ids[0]]
        rows = []
        for key, part in zip(ids, parts, strict=True):
            old = today.iloc[0] if key == ids[0] and part.amends and len(today) else {"title": part.title, "body": ""}
            body = _changed(str(old["body"]), part) if part.amends else part.body
            rows.append({"article_id": key, "title": str(old["title"]), "body": body})
        others = self._articles[self._articles["article_id"] != ids[0]]
        both = pd.concat([others[["article_id", "title", "body"]], pd.DataFrame(rows).astype("str")])
        return both.sort_values("article_id").reset_index(drop=True), ids


def _changed(body: str, part: DraftArticle) -> str:
    """Today's text with the proposed changes; what can't be found in it, and what is only added, stands at its end."""
    body, added = markup.plain(body), list[str]()
    for old, new in part.changes:
        pattern = r"\s+".join(map(re.escape, old.split()))
        found = re.search(pattern, body) if old else None
        if found:
            body = body[: found.start()] + new + body[found.end() :]
        elif new:
            added.append(new)
    return "\n\n".join([body, *added])


def sentences(trial: Trial, replaces: str | None = None) -> list[str]:
    """What a trial found, in plain words: what is won, what is missed, what is stolen.

    Parameters
    ----------
    trial
        The trial.
    replaces
        The title of the article that the draft takes the place of.
    """
    today = f"; “{replaces}” as it is today for {trial.won_before:,}" if replaces else ""
    own = plural(trial.own, "failed question")
    told = [f"It would be the best match for {trial.won:,} of the gap's {own}{today}."]
    if trial.neighbours:
        near = plural(trial.neighbours, "failed question")
        told.append(f"It would also be the best match for {trial.neighbours_won:,} of {near} near the gap.")
    if trial.missed:
        told.append(f"{plural(len(trial.missed), 'question')} of the gap would still find another article first.")
    if trial.lacking:
        told.append(f"Words of these that it lacks: {', '.join(trial.lacking)}.")
    if trial.won_with_words is not None:
        told.append(f"With these words in its text it would win {trial.won_with_words:,} of {trial.own:,}.")
    if trial.healthy:
        healthy = plural(trial.healthy, "question")
        told.append(f"Of {healthy} near it that articles answer well today, it would steal {len(trial.stolen):,}.")
    else:
        told.append("No question near it is answered well today, so it can't be told whether it would steal any.")
    return told
