"""Which parts of the input a bundle has, counted part by part, and what each absent part costs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from lacuna.models.data_coverage.parts import PARTS, PartOfData

__all__ = ["ABSENT", "PARTLY", "STATES", "THERE", "Coverage", "data_coverage", "lacking", "messages_carry", "unknown"]

THERE, PARTLY, ABSENT = "there", "partly", "absent"
STATES = (ABSENT, PARTLY, THERE)  # in the order in which they are listed

# One "customer" with more than half of the conversations, of at least so many, is a placeholder such as "guest".
PLACEHOLDER_SHARE, PLACEHOLDER_LEAST = 0.5, 20

Tables = Mapping[str, pd.DataFrame]
Count = tuple[int, int | None]  # how many carry a part, and of how many


@dataclass(frozen=True)
class Coverage:
    """How complete one part of the input is.

    Parameters
    ----------
    name, label, unit, unknown, cost, step
        As in :class:`models.data_coverage.parts.PartOfData`.
    state
        ``there``, ``partly`` or ``absent``.
    count, of
        How many carry it, and of how many; ``of`` is None where it is rows of a table of their own that count.
    with_it
        Labels of the parts that are absent because this one is.
    """

    name: str
    label: str
    state: str
    count: int
    of: int | None
    unit: str
    unknown: str
    cost: str
    step: str
    with_it: tuple[str, ...] = ()

    @property
    def share(self) -> float | None:
        """Share of the rows that have the part, 0 to 1; None where there are no rows."""
        return self.count / self.of if self.of else None

    @property
    def figures(self) -> str:
        """How many rows have the part, in words.

        Examples
        --------
        >>> Coverage("csat", "CSAT", PARTLY, 3, 90, "conversations", "", "", "").figures
        '3 of 90 conversations'
        """
        if self.of is None:
            return f"{self.count:,} {self.unit}" if self.count else "none"
        return f"{self.count:,} of {self.of:,} {self.unit}" if self.of else f"no {self.unit}"


def data_coverage(tables: Tables) -> tuple[Coverage, ...]:
    """How complete each part of a bundle is: absent parts first, and in each state what helps the backlog most first.

    A part that needs another, absent one is listed below that one (``with_it``): without a bot, its citations are
    absent too, and get no line of their own.

    Parameters
    ----------
    tables
        The contract's input tables by name, after their contract. A table or column that isn't there reads as empty.

    Examples
    --------
    >>> said = pd.DataFrame({"conversation_id": ["c1", "c1"], "role": ["customer", "agent"], "text": ["help", "done"]})
    >>> told = data_coverage({
    ...     "conversations": pd.DataFrame({"conversation_id": ["c1"], "escalated": [True]}),
    ...     "messages": said,
    ...     "articles": pd.DataFrame({"article_id": ["kb-1"]}),
    ... })
    >>> told[0].label, told[0].with_it[:2]
    ("the bot's messages", ('articles cited by the bot', 'tagged outcomes'))
    >>> [part.label for part in told if part.state == "there"]
    ["customers' messages", 'published articles', 'conversations that people handled', "agents' replies"]
    """
    counted = _counts(tables)
    covered = {part.name: _covered(part, *counted[part.name]) for part in PARTS}
    parents = _absent_parents(covered)
    listed = []
    for name, part in covered.items():
        if name not in parents:
            children = tuple(covered[child].label for child, root in parents.items() if root == name)
            listed.append(Coverage(**vars(part) | {"with_it": children}))
    return tuple(sorted(listed, key=lambda part: STATES.index(part.state)))


def messages_carry(messages: pd.DataFrame) -> pd.DataFrame:
    """As few rows of messages as carry the same: one for each conversation, role, and what it holds."""
    rows = _table({"messages": messages}, "messages")[list(_COLUMNS["messages"])]
    cites = rows["article_ids"].map(_filled).astype(bool)
    role = rows["role"].astype("str")
    few = ~pd.DataFrame(
        {"id": rows["conversation_id"], "role": role, "cites": cites, "fallback": rows["is_fallback"].astype("boolean")}
    ).duplicated()
    lists = pd.Series([_CITED if one else None for one in cites[few]], index=rows.index[few], dtype="object")
    return rows[few].assign(article_ids=lists)


_CITED = ("an article",)


def lacking(parts: Iterable[Coverage]) -> list[Coverage]:
    """The parts that are absent or there only in part."""
    return [part for part in parts if part.state != THERE]


def unknown(parts: Iterable[Coverage], n_named: int = 2) -> str:
    """One sentence on what nobody can know from these data; the first ``n_named`` absent parts by name.

    Examples
    --------
    >>> absent = [Coverage(str(n), "", ABSENT, 0, 9, "", f"thing {n}", "", "") for n in range(4)]
    >>> unknown(absent)
    "This run can't know thing 0, thing 1 and 2 more things."
    >>> unknown(absent[:1])
    "This run can't know thing 0."
    >>> unknown([])
    'The data carry everything that Lacuna makes use of.'
    """
    parts = list(parts)
    absent = [part.unknown for part in parts if part.state == ABSENT]
    partly = [part.unknown for part in parts if part.state == PARTLY]
    if not absent and not partly:
        return "The data carry everything that Lacuna makes use of."
    if not absent:
        return f"This run knows only in part {_listed(partly, n_named)}."
    also = f"; {len(partly)} more it knows only in part" if partly else ""
    return f"This run can't know {_listed(absent, n_named)}{also}."


def _listed(names: Sequence[str], n_named: int) -> str:
    """Names as in a sentence: "a, b and 3 more things"; one more than ``n_named`` is named as well."""
    if len(names) > n_named + 1:
        names = [*names[:n_named], f"{len(names) - n_named} more things"]
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def _covered(part: PartOfData, count: int, of: int | None) -> Coverage:
    enough = part.least or part.share * (of or 0)
    state = ABSENT if not count else THERE if count >= enough else PARTLY
    return Coverage(part.name, part.label, state, count, of, part.unit, part.unknown, part.cost, part.step)


def _absent_parents(covered: Mapping[str, Coverage]) -> dict[str, str]:
    """Each part that is absent because a part that it needs is absent, with the first such part."""
    roots: dict[str, str] = {}
    for part in PARTS:
        absent = next((need for need in part.needs if covered[need].state == ABSENT), None)
        if absent is not None and covered[part.name].state == ABSENT:
            roots[part.name] = roots.get(absent, absent)
    return roots


def _counts(tables: Tables) -> dict[str, Count]:
    """For each part, how many rows have it, and out of how many."""
    conversations = _table(tables, "conversations")
    tables_of_their_own = {name: (len(_table(tables, name)), None) for name in ("searches", "releases")}
    return {
        **_of_conversations(conversations),
        **_of_messages(conversations, _table(tables, "messages")),
        **_of_outcomes(conversations, _table(tables, "outcomes")),
        **_of_articles(_table(tables, "articles"), _table(tables, "article_revisions"), _table(tables, "owners")),
        **tables_of_their_own,
    }


def _of_conversations(conversations: pd.DataFrame) -> dict[str, Count]:
    n = len(conversations)
    columns = {"intents": "predicted_intent", "languages": "language", "products": "product", "csat": "csat"}
    filled: dict[str, Count] = {name: (int(conversations[column].count()), n) for name, column in columns.items()}
    return {"customers": (_customers(conversations["customer_id"]), n), **filled}


def _of_messages(conversations: pd.DataFrame, messages: pd.DataFrame) -> dict[str, Count]:
    ids = set(conversations["conversation_id"])
    cites = messages["article_ids"].map(_filled).astype(bool)
    by_bot, by_agent = _true(messages["role"].eq("bot")), _true(messages["role"].eq("agent"))

    def having(rows: pd.Series) -> set[str]:
        return ids & set(messages.loc[rows, "conversation_id"])

    def those(rows: pd.Series) -> set[str]:
        return set(conversations.loc[rows, "conversation_id"])

    bot, agent, cited = having(by_bot), having(by_agent), having(by_bot & cites)
    # Where the bot fell back and cited nothing there was nothing to cite.
    fell_back = having(by_bot & _true(messages["is_fallback"])) - cited
    # In a forum nobody marks as escalated what people answer anyway.
    handled = those(_true(conversations["escalated"])) | (agent - bot)
    timed = handled & those(conversations["handle_seconds"].notna())
    return {
        "questions": (len(having(_true(messages["role"].eq("customer")))), len(ids)),
        "bot": (len(bot), len(ids)),
        "citations": (len(cited), len(bot - fell_back)),
        "fallbacks": (len(having(by_bot & messages["is_fallback"].notna())), len(bot)),
        "escalated": (len(handled), len(ids)),
        "not_escalated": (len(ids - handled), len(ids)),
        "handle_seconds": (len(timed), len(handled)),
        "agent_replies": (len(agent & handled), len(handled)),
        "agent_citations": (len(having(by_agent & cites)), len(agent)),
    }


def _of_outcomes(conversations: pd.DataFrame, outcomes: pd.DataFrame) -> dict[str, Count]:
    ids = set(conversations["conversation_id"])
    tagged = ids & set(outcomes.loc[outcomes["outcome"].notna(), "conversation_id"])
    by_lot = tagged & set(outcomes.loc[_true(outcomes["sample"].eq("random")), "conversation_id"])
    return {"outcomes": (len(tagged), len(ids)), "random_sample": (len(by_lot), len(tagged))}


def _of_articles(articles: pd.DataFrame, revisions: pd.DataFrame, owners: pd.DataFrame) -> dict[str, Count]:
    live = articles[articles["status"].fillna("published").eq("published")]
    revised = live["article_id"].astype("object").isin(set(revisions["article_id"].dropna()))
    dated = live["updated_at"].notna() | live["verified_at"].notna() | revised
    # Who owns areas owns what is written about them: no article needs an owner of its own.
    owned = len(live) if owners["areas"].map(_filled).any() else int(live["owner_id"].notna().sum())
    return {
        "articles": (len(live), len(articles)),
        "owners": (owned, len(live)),
        "article_dates": (int(dated.sum()), len(live)),
        "revisions": (int(revised.sum()), len(live)),
    }


_COLUMNS = {
    "conversations": (
        "conversation_id", "escalated", "customer_id", "predicted_intent", "language", "product", "csat",
        "handle_seconds",
    ),
    "messages": ("conversation_id", "role", "article_ids", "is_fallback"),
    "articles": ("article_id", "status", "owner_id", "updated_at", "verified_at"),
    "outcomes": ("conversation_id", "outcome", "sample"),
    "article_revisions": ("article_id",),
    "owners": ("owner_id", "areas"),
    "searches": (),
    "releases": (),
}  # fmt: skip


def _table(tables: Tables, name: str) -> pd.DataFrame:
    """A table with every column that is looked at; a column that isn't there is all null."""
    frame = tables.get(name, pd.DataFrame())
    absent = [column for column in _COLUMNS[name] if column not in frame.columns]
    return frame.assign(**{column: pd.Series(None, index=frame.index, dtype="object") for column in absent})


def _true(values: pd.Series) -> pd.Series:
    """A column of flags as plain bool, null as False."""
    return values.eq(True).fillna(False).astype(bool)


def _filled(value: object) -> bool:
    """Whether a list field holds anything."""
    return hasattr(value, "__len__") and len(value) > 0


def _customers(customers: pd.Series) -> int:
    """How many conversations name a customer; one with most of them all is a placeholder, and names nobody."""
    counts = customers.value_counts()
    if len(counts) and counts.iloc[0] > PLACEHOLDER_SHARE * len(customers) and len(customers) >= PLACEHOLDER_LEAST:
        return int(counts.iloc[1:].sum())
    return int(counts.sum())
