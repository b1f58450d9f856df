"""Who is asked to close a gap, and why that person."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

import pandas as pd

from lacuna.models.backlog.workload import Workload, with_others


@dataclass(frozen=True)
class Assignment:
    """An owner, or None, and the reason in plain words."""

    owner_id: str | None
    reason: str


def inactive(owners: pd.DataFrame) -> set[str]:
    """The owners who take no more gaps, by their ids; one of whom nothing is said does (owner_id, active)."""
    return set(owners.loc[owners["active"].eq(False).fillna(False).astype(bool), "owner_id"])


def approved(revisions: pd.DataFrame) -> pd.DataFrame:
    """The revisions that were not refused: one of which nobody says so counts (approved, bool or null)."""
    return revisions[revisions["approved"].ne(False).fillna(True).astype(bool)]


class OwnerBook:
    """Who owns what; inactive owners are passed over.

    Each gap that is given out counts as work of its owner, so the most important gap should be asked about first.

    Parameters
    ----------
    owners : DataFrame
        owner_id, name, areas (list of str), active.
    articles : DataFrame
        article_id, title, owner_id.
    revisions : DataFrame
        article_id, revised_at, author_id, approved.
    work : Workload
        What owners have in hand and can take; nobody is ever full where it is left out.
    """

    def __init__(
        self, owners: pd.DataFrame, articles: pd.DataFrame, revisions: pd.DataFrame, work: Workload | None = None
    ) -> None:
        self._work = work or Workload()
        rows = owners.sort_values("owner_id")
        self._names = {o: n if isinstance(n, str) else o for o, n in zip(rows["owner_id"], rows["name"], strict=True)}
        self._inactive = inactive(rows)
        self._areas = {
            owner: list(areas) if areas is not None and not isinstance(areas, float) else []
            for owner, areas in zip(rows["owner_id"], rows["areas"], strict=True)
        }
        known = articles.drop_duplicates("article_id")
        self._of_article = dict(zip(known["article_id"], known["owner_id"], strict=True))
        self._titles = dict(zip(known["article_id"], known["title"], strict=True))
        written = approved(revisions[revisions["author_id"].notna()])
        wrote = written.groupby(["article_id", "author_id"])["revised_at"].agg(["size", "max"]).reset_index()
        wrote = wrote.sort_values(["size", "max", "author_id"], ascending=[False, False, True])
        self._wrote: dict[str, list[tuple[str, int]]] = {}
        for article, author, times in zip(wrote["article_id"], wrote["author_id"], wrote["size"], strict=True):
            if self.active(author):
                self._wrote.setdefault(article, []).append((author, int(times)))

    def name(self, owner_id: str | None) -> str | None:
        """The owner's name, or the id where no name is known."""
        return self._names.get(owner_id, owner_id) if owner_id else None

    def active(self, owner: object) -> bool:
        """Whether there is an owner, who has not left."""
        return isinstance(owner, str) and owner != "" and owner not in self._inactive

    def for_article(self, article_id: str, intents: Mapping[str, float], products: Mapping[str, float]) -> Assignment:
        """The article's owner, however much he has in hand; else who owns its area, or revised it most; else nobody."""
        return self._given(self._for_article(article_id, intents, products))

    def chosen(self, owner_id: str | None) -> Assignment:
        """The owner that people chose, whose work it counts as."""
        return self._given(Assignment(owner_id, "assigned in review" if owner_id else "left unowned in review"))

    def _given(self, found: Assignment) -> Assignment:
        """Count the gap as the owner's work, and say what room that leaves, or that there was none."""
        if found.owner_id is None:
            return found
        room = self._work.room_in_words(found.owner_id)
        self._work.take(found.owner_id)
        return Assignment(found.owner_id, found.reason + room)

    def _for_article(self, article_id: str, intents: Mapping[str, float], products: Mapping[str, float]) -> Assignment:
        owner = self._of_article.get(article_id)
        title = self._titles.get(article_id, article_id)
        passed = ""
        if self.active(owner):
            return Assignment(owner, f"owns the article '{title}'")
        if isinstance(owner, str) and owner in self._inactive:
            passed = f"; its owner {self.name(owner)} is no longer active"
        exact = [o for o, areas in self._areas.items() if self.active(o) and _owns_article(areas, article_id)]
        if exact:
            return Assignment(exact[0], f"is responsible for the article '{title}'{passed}")
        wrote = self._wrote.get(article_id, [])
        by_area = self._by_area(intents, products, passed, dict(wrote))
        if by_area.owner_id:
            return by_area
        if wrote:
            author, times = wrote[0]
            often = f"revised '{title}' most often ({times} times)" if times > 1 else f"revised '{title}'"
            return Assignment(author, f"{often}; nobody owns it, or its area alone{passed}")
        return Assignment(None, f"unowned: nobody active owns '{title}' or its area, or revised it{passed}")

    def for_topic(
        self,
        intents: Mapping[str, float],
        products: Mapping[str, float],
        nearest: Sequence[str],
        close: Collection[str] | None = None,
    ) -> Assignment:
        """Who owns the area of a missing article: by intent, by product, by the articles near enough to count.

        Where several own the area, it is the one who keeps the ``nearest`` articles, however near they are; only
        those that are ``close`` (all of them where None) make an owner where nobody owns the area. Who is full
        is passed over for another who owns the area.
        """
        return self._given(self._for_topic(intents, products, nearest, close))

    def _for_topic(
        self,
        intents: Mapping[str, float],
        products: Mapping[str, float],
        nearest: Sequence[str],
        close: Collection[str] | None,
    ) -> Assignment:
        keepers = [(article, keeper) for article in nearest if (keeper := self._keeper(article))]
        near: dict[str, float] = {}
        for place, (_, keeper) in enumerate(keepers):
            near[keeper] = near.get(keeper, 0.0) + 1 / (1 + place)
        by_area = self._by_area(intents, products, "", near)
        known = next((pair for pair in keepers if close is None or pair[0] in close), None)
        if by_area.owner_id or known is None:
            return by_area
        article, keeper = known
        does = "owns" if self._of_article.get(article) == keeper else "revises"
        return Assignment(keeper, f"{does} the nearest article, '{self._titles.get(article, article)}'")

    def _keeper(self, article_id: str) -> str | None:
        """Who owns an article, or else revised it most often."""
        owner = self._of_article.get(article_id)
        if self.active(owner):
            return str(owner)
        wrote = self._wrote.get(article_id)
        return wrote[0][0] if wrote else None

    def _by_area(
        self, intents: Mapping[str, float], products: Mapping[str, float], passed: str, near: Mapping[str, float]
    ) -> Assignment:
        """Who owns the area; of several, who is nearest, and nobody where only others are near.

        ``near`` says how much each person has to do with the matter.
        """
        for what, shares in (("intent", intents), ("product", products)):
            for area, share in sorted(shares.items(), key=lambda item: (-item[1], item[0])):
                if share < 0.3:
                    break
                owners = [o for o, areas in self._areas.items() if self.active(o) and area in areas]
                if len(owners) > 1 and near and not any(owner in near for owner in owners):
                    continue
                if owners:
                    owner = min(owners, key=lambda o: self._order(o, near))
                    shared = with_others(len(owners) - 1)
                    return Assignment(
                        owner, f"owns the {what} '{area}'{shared} ({share:.0%} of the conversations){passed}"
                    )
        first = next(iter(sorted(intents, key=lambda a: (-intents[a], a))), None)
        return Assignment(None, f"unowned: nobody active owns the intent '{first}'{passed}" if first else "unowned")

    def _order(self, owner: str, near: Mapping[str, float]) -> tuple[bool, float, int, int, str]:
        """Of several who own an area, who comes first: not full, nearest, with fewest weeks of work.

        Then whoever owns the fewest areas, who knows each best.
        """
        work = self._work
        return work.full(owner), -near.get(owner, 0), int(work.weeks(owner)), len(self._areas[owner]), owner


def _owns_article(areas: Sequence[str], article_id: str) -> bool:
    globs = [area.removeprefix("article:") for area in areas if area.startswith("article:")]
    return any(fnmatchcase(article_id, glob) for glob in globs)
