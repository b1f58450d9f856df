"""Assign gaps to owners, each with a reason."""

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
    """Ids of the owners who are not active (columns owner_id, active); null counts as active."""
    return set(owners.loc[owners["active"].eq(False).fillna(False).astype(bool), "owner_id"])


def approved(revisions: pd.DataFrame) -> pd.DataFrame:
    """The revisions that were not refused (column approved, bool or null); null counts as approved."""
    return revisions[revisions["approved"].ne(False).fillna(True).astype(bool)]


class OwnerBook:
    """Who owns which articles and areas; inactive owners get no gaps.

    Each assigned gap counts as work of its owner, so gaps should be assigned by importance, the most important first.

    Parameters
    ----------
    owners : DataFrame
        owner_id, name, areas (list of str), active.
    articles : DataFrame
        article_id, title, owner_id.
    revisions : DataFrame
        article_id, revised_at, author_id, approved.
    work : Workload
        The owners' current work and capacity; without it nobody is ever full.
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
        distinct = articles.drop_duplicates("article_id")
        self._of_article = dict(zip(distinct["article_id"], distinct["owner_id"], strict=True))
        self._titles = dict(zip(distinct["article_id"], distinct["title"], strict=True))
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
        """Whether ``owner`` is the id of an owner who is not inactive."""
        return isinstance(owner, str) and owner != "" and owner not in self._inactive

    def for_article(self, article_id: str, intents: Mapping[str, float], products: Mapping[str, float]) -> Assignment:
        """The article's owner, however full; else who owns its area, or revised it most; else nobody."""
        return self._given(self._for_article(article_id, intents, products))

    def chosen(self, owner_id: str | None) -> Assignment:
        """The owner that people chose; the gap counts as his work."""
        return self._given(Assignment(owner_id, "assigned in review" if owner_id else "left unowned in review"))

    def _given(self, assignment: Assignment) -> Assignment:
        """Count the gap as the owner's work, and add to the reason how much room that leaves."""
        if assignment.owner_id is None:
            return assignment
        room = self._work.room_in_words(assignment.owner_id)
        self._work.take(assignment.owner_id)
        return Assignment(assignment.owner_id, assignment.reason + room)

    def _for_article(self, article_id: str, intents: Mapping[str, float], products: Mapping[str, float]) -> Assignment:
        owner = self._of_article.get(article_id)
        title = self._titles.get(article_id, article_id)
        inactive_owner = ""
        if self.active(owner):
            return Assignment(owner, f"owns the article “{title}”")
        if isinstance(owner, str) and owner in self._inactive:
            inactive_owner = f"; its owner {self.name(owner)} is no longer active"
        exact = [o for o, areas in self._areas.items() if self.active(o) and _owns_article(areas, article_id)]
        if exact:
            return Assignment(exact[0], f"is responsible for the article “{title}”{inactive_owner}")
        wrote = self._wrote.get(article_id, [])
        by_area = self._by_area(intents, products, inactive_owner, dict(wrote))
        if by_area.owner_id:
            return by_area
        if wrote:
            author, times = wrote[0]
            often = f"revised “{title}” most often ({times} times)" if times > 1 else f"revised “{title}”"
            return Assignment(author, f"{often}; nobody owns it, or its area alone{inactive_owner}")
        return Assignment(None, f"unowned: nobody active owns “{title}” or its area, or revised it{inactive_owner}")

    def for_topic(
        self,
        intents: Mapping[str, float],
        products: Mapping[str, float],
        nearest: Sequence[str],
        close: Collection[str] | None = None,
    ) -> Assignment:
        """Assign a missing article by the owner of its intent or product, else by the nearest article.

        Of several owners of the area, those who are not full come first, then whoever owns or revises the ``nearest``
        articles. Where nobody owns the area, it is the keeper of the nearest article that is ``close`` (of any article
        where None).
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
        nearest_keeper = next((pair for pair in keepers if close is None or pair[0] in close), None)
        if by_area.owner_id or nearest_keeper is None:
            return by_area
        article, keeper = nearest_keeper
        does = "owns" if self._of_article.get(article) == keeper else "revises"
        return Assignment(keeper, f"{does} the nearest article, “{self._titles.get(article, article)}”")

    def _keeper(self, article_id: str) -> str | None:
        """Who owns an article, or else revised it most often."""
        owner = self._of_article.get(article_id)
        if self.active(owner):
            return str(owner)
        wrote = self._wrote.get(article_id)
        return wrote[0][0] if wrote else None

    def _by_area(
        self,
        intents: Mapping[str, float],
        products: Mapping[str, float],
        inactive_owner: str,
        near: Mapping[str, float],
    ) -> Assignment:
        """Assign by area: of several owners, the one with the highest ``near``; nobody where none of them has any.

        ``near`` is how closely each person is related to the gap, by articles that the person owns or revised.
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
                        owner, f"owns the {what} “{area}”{shared} ({share:.0%} of the conversations){inactive_owner}"
                    )
        first = next(iter(sorted(intents, key=lambda a: (-intents[a], a))), None)
        return Assignment(
            None, f"unowned: nobody active owns the intent “{first}”{inactive_owner}" if first else "unowned"
        )

    def _order(self, owner: str, near: Mapping[str, float]) -> tuple[bool, float, int, int, str]:
        """Sort key of an area's owners: not full, nearest, fewest weeks of work, then fewest areas."""
        work = self._work
        return work.full(owner), -near.get(owner, 0), int(work.weeks(owner)), len(self._areas[owner]), owner


def _owns_article(areas: Sequence[str], article_id: str) -> bool:
    globs = [area.removeprefix("article:") for area in areas if area.startswith("article:")]
    return any(fnmatchcase(article_id, glob) for glob in globs)
