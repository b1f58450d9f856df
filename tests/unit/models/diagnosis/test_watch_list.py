"""The watch list: an article that a release makes wrong is named with its passage; what was checked since is not."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import pytest

from lacuna.models.arrays import F32
from lacuna.models.diagnosis.watch_list import watch_list
from lacuna.pipelines.embedders.registry import embedder

TODAY = pd.Timestamp("2024-06-30", tz="UTC")
ARTICLES = {
    "kb-collect": ("Collect your order in a shop", "Order online.\nWe keep your order for 7 days in the shop."),
    "kb-gift": ("Gift cards", "A gift card is valid for three years.\nEnter its code at the checkout."),
    "kb-return": ("Return an item", "You may return an item within 30 days.\nPrint the label and bring the parcel."),
    "kb-size": ("Exchange an item for another size", "Exchange an item within 30 days.\nPrint the label."),
    "kb-refund": ("Refund of an item that came back", "The refund of an item takes five days.\nPrint the label first."),
}
ABOUT = np.eye(3, dtype=np.float32)[[0, 1, 2, 2, 2]]  # the last three articles are about the same


def embed(texts: Sequence[str]) -> F32:
    return embedder("lexical").embed(list(texts))


def days(**by_article: str) -> pd.Series:
    """When articles were last looked at; all others long ago."""
    known = dict.fromkeys(ARTICLES, "2023-01-01") | {f"kb-{name}": day for name, day in by_article.items()}
    return pd.Series({name: pd.Timestamp(day, tz="UTC") for name, day in known.items()})


def watched(
    notes: str = "", checked: pd.Series | None = None, revised: Sequence[tuple[str, str]] = (), product: str = "shop"
) -> pd.DataFrame:
    articles = pd.DataFrame(
        [(name, title, body, "shop", "o-1") for name, (title, body) in ARTICLES.items()],
        columns=["article_id", "title", "body", "product", "owner_id"],
    )
    releases = pd.DataFrame(
        [(product, "2.0", pd.Timestamp("2024-06-03", tz="UTC"), notes)] if notes else [],
        columns=["product", "version", "released_at", "notes"],
    ).astype({"released_at": "datetime64[us, UTC]"})
    revisions = pd.DataFrame(
        [(article, pd.Timestamp(day, tz="UTC"), True) for article, day in revised],
        columns=["article_id", "revised_at", "approved"],
    ).astype({"revised_at": "datetime64[us, UTC]"})
    cited = pd.DataFrame({"cited_first": ["kb-collect", "kb-collect", "kb-gift"], "p_failed": [0.5, 0.1, 0.2]})
    last_looks = days() if checked is None else checked
    return watch_list(articles, last_looks, releases, revisions, cited, ABOUT, embed, TODAY, 90)


def test_a_release_names_the_passage_that_it_makes_wrong() -> None:
    """The article is listed with the passage, the sentence of the notes, and how often customers meet it."""
    (row,) = watched("Faster search. We keep your order for 3 days in the shop now.").to_dict("records")
    assert (row["article_id"], row["cause"]) == ("kb-collect", "release")
    assert row["passage"] == "We keep your order for 7 days in the shop."
    assert "“We keep your order for 3 days in the shop now.”" in row["why"]
    assert (row["cited"], row["failed"]) == (2, pytest.approx(0.6))


@pytest.mark.parametrize(
    ("notes", "checked", "product"),
    [
        ("We keep your order for 3 days in the shop now.", days(collect="2024-06-10"), "shop"),  # somebody looked
        ("No change to how long we keep your order in the shop.", None, "shop"),
        ("We keep your order for 3 days in the shop now.", None, "bikes"),  # another product's
        ("Dark mode, faster maps.", None, "shop"),
    ],
)
def test_what_a_release_does_not_touch_is_not_listed(notes: str, checked: pd.Series | None, product: str) -> None:
    """Checked since, said not to change, of another product, or about nothing that an article tells."""
    assert watched(notes, checked, product=product).empty


def test_an_article_whose_neighbours_were_changed_is_listed() -> None:
    """Two of the nearest were changed since it was last looked at; with one of them, or changes long ago, it is not."""
    both = [("kb-return", "2024-06-05"), ("kb-size", "2024-06-12")]
    near = watched(checked=days(**{"return": "2024-06-05", "size": "2024-06-12"}), revised=both)
    assert near["article_id"].tolist() == ["kb-refund"]
    assert near["since"].tolist() == [pd.Timestamp("2024-06-12", tz="UTC")]
    assert "“Exchange an item for another size” (2024-06-12)" in near["why"].iloc[0]
    assert watched(revised=both[:1]).empty
    assert watched(revised=[("kb-return", "2023-12-05"), ("kb-size", "2023-12-12")]).empty
    assert np.isfinite(near["failed"]).all()
