"""A small shop's bundle in which every column of every table holds personal data of its own, to be searched for later.

Each value that is planted is a canary: a word or a number that stands in one place of the bundle alone.
"""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from stdnum import luhn

from lacuna.data_contracts.contract import INPUTS, TABLES
from tests.worlds.fixed_shop import FAILING, write_shop

DAY = "2024-07-07"
FORMS = ("mail", "phone", "card", "name")
CATEGORIES = {
    "conversations": ("channel", "language", "product", "region", "predicted_intent", "tags"),
    "outcomes": ("true_intent",),
    "searches": ("language",),
}
TYPED = ("timestamp", "bool", "float", "int")
_SYLLABLES = [consonant + vowel for consonant in "bdfgklmnprstvz" for vowel in "aeiou"]


@dataclass(frozen=True)
class Canary:
    """One planted value: where it stands, what it is, and what is searched for."""

    table: str
    column: str
    form: str  # mail, phone, card, name, or word: a plain value of a small group
    where: str  # kept, rejected, or shared: by so many customers that it is no person's
    needle: str


class Planted:
    """All canaries of a bundle."""

    def __init__(self) -> None:
        self.canaries: list[Canary] = []

    def value(self, table: str, column: str, form: str, where: str = "kept") -> str:
        """A new canary as the text that stands in the bundle."""
        number = len(self.canaries)
        word = "Qu" + "".join(_SYLLABLES[number // 70**place % 70] for place in range(2)) + "xum"
        digits = f"{4_000_000 + 7_919 * number:07}"
        needle, text = {
            "mail": (word, f"{word.lower()}@example.org"),
            "phone": (f"4930{digits}", f"+49 30 {digits}"),
            "card": (card := f"45{number:05}77{number:05}2", f"{card}"),
            "name": (word, f"Tamika {word}"),
            "word": (word, word),
        }[form]
        if form == "card":
            needle = text = card + luhn.calc_check_digit(card)
        self.canaries.append(Canary(table, column, form, where, needle.casefold()))
        return text

    def sentence(self, table: str, column: str, where: str = "kept") -> str:
        """A sentence with one canary of each form, as a customer might write it."""
        mail, phone, card, name = (self.value(table, column, form, where) for form in FORMS)
        return f"My name is {name}, write to {mail} or call {phone}, my card is {card}."

    def found_in(self, text: str) -> set[Canary]:
        """The canaries that a text holds, whatever their case and however their digits are parted."""
        plain = text.casefold()
        joined = re.sub(r"(?<=\d)[ ()./-]+(?=\d)", "", plain)
        return {
            one
            for one in self.canaries
            if one.needle in plain or (one.form in ("phone", "card") and one.needle in joined)
        }


def plant(folder: Path) -> Planted:
    """Write the bundle: rows that keep the contract, rows that break it, a line that is no row, and extra columns."""
    planted = Planted()
    bundle = write_shop(
        folder, date.fromisoformat(DAY), works=(), published=(), weekly=4, tagged=4,
        failing={topic: FAILING[topic] for topic in ("customs", "points")}, stale={"washing": date(2024, 6, 14)},
        owners=[{"owner_id": "o-ana", "name": "Ana", "areas": ["customs"]}],
    )  # fmt: skip
    rows = {name: _read(bundle / f"{name}.jsonl") for name in INPUTS}
    failing = [
        row for row in rows["conversations"] if row["predicted_intent"] in ("customs", "washing") and row["escalated"]
    ]
    _plant_conversations(planted, rows, failing[-24:])
    _plant_small_groups(planted, rows, [row for row in failing[:-24] if row["predicted_intent"] == "washing"][-6:])
    _plant_others(planted, rows, failing[-24:])
    for name in INPUTS:
        _plant_rejected(planted, name, rows[name])
        (bundle / f"{name}.jsonl").unlink(missing_ok=True)
        broken = planted.sentence(name, "(no row)", "rejected")
        text = "".join(json.dumps(row) + "\n" for row in rows[name]) + f'{{"note": "{broken}\n'
        (bundle / f"{name}.jsonl.gz").write_bytes(gzip.compress(text.encode(), mtime=0))
    return planted


def _read(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()] if path.exists() else []


def _plant_conversations(planted: Planted, rows: dict[str, list[dict[str, Any]]], chosen: list[dict[str, Any]]) -> None:
    """Ids, customers, categories and extra columns of conversations that gaps will be about; and what they wrote."""
    messages: dict[str, list[dict[str, Any]]] = {}
    for message in rows["messages"]:
        messages.setdefault(message["conversation_id"], []).append(message)
    # The whole shop sells one product in one region, so that it is no small group.
    for row in rows["conversations"]:
        row |= {"product": "Outdoor", "region": "north", "language": "en", "channel": "chat", "tags": ["shop"]}
    for row in chosen[::4]:
        for message in (messages[row["conversation_id"]][0], messages[row["conversation_id"]][-1]):
            message["text"] += f" {planted.sentence('messages', 'text')}"
    left = iter(chosen)
    for form in ("mail", "phone"):
        row = next(left)
        own = messages[row["conversation_id"]]
        row["conversation_id"] = planted.value("conversations", "conversation_id", form)
        for message in own:
            message["conversation_id"] = row["conversation_id"]
        own[1]["article_ids"] = [*own[1].get("article_ids", ()), planted.value("messages", "article_ids", form)]
    for form in FORMS:
        row = next(left)
        row |= {column: planted.value("conversations", column, form) for column in ("customer_id", "visitor")}
        messages[row["conversation_id"]][0]["author"] = planted.value("messages", "author", form)
    for form in (*FORMS, "word"):
        row = next(left)
        row |= {column: planted.value("conversations", column, form) for column in CATEGORIES["conversations"]}
        row["tags"] = [row["tags"], "shop"]
    row = next(left)
    for column in ("escalated_at", "resolved", "intent_confidence", "csat", "vendor_score", "handle_seconds"):
        row[column] = planted.value("conversations", column, "mail")
    for column in ("sent_at", "is_fallback"):
        messages[row["conversation_id"]][0][column] = planted.value("messages", column, "mail")
    _plant_outcomes(planted, rows["outcomes"], [row["conversation_id"] for row in left])


def _plant_outcomes(planted: Planted, outcomes: list[dict[str, Any]], conversations: list[str]) -> None:
    """Notes, reviewers and intents of tags, and tags on what is not in the bundle."""
    for form, conversation in zip((*FORMS, "word"), conversations, strict=False):
        columns = ("true_intent", "tagged_by", "reviewer")
        outcome = {"conversation_id": conversation, "outcome": "wrong", "sample": "random"}
        outcome |= {column: planted.value("outcomes", column, form) for column in columns}
        outcomes.append(outcome | {"note": planted.sentence("outcomes", "note")})
    wrong = {"conversation_id": conversations[-1], "outcome": "wrong"}
    for form in ("mail", "phone"):
        outcomes += [
            wrong | {name: planted.value("outcomes", name, form)} for name in ("article_id", "conversation_id")
        ]
    outcomes += [wrong | {name: planted.value("outcomes", name, "mail")} for name in ("tagged_at", "sample")]


def _plant_small_groups(planted: Planted, rows: dict[str, list[dict[str, Any]]], chosen: list[dict[str, Any]]) -> None:
    """Many conversations of one loud customer, whose values no other has; and a region that is small in some weeks."""
    loud = {column: planted.value("conversations", column, "word") for column in CATEGORIES["conversations"][:-1]}
    for row in chosen:
        row |= {"customer_id": "u-loud", **loud}
    rows["owners"][0]["areas"] += [loud["product"], loud["predicted_intent"]]
    for number, row in enumerate(rows["conversations"]):
        if row["region"] == "north" and (number < 40 or number % 25 == 0):
            row["region"] = "south"


def _plant_others(planted: Planted, rows: dict[str, list[dict[str, Any]]], chosen: list[dict[str, Any]]) -> None:
    """Searches, owners, releases, revisions, and what an article holds besides its text."""
    when = "2024-06-20T10:00:00Z"
    asked = ["customs charge on my parcel", "loyalty points gone", "wash the down jacket"]
    for number in range(12):
        search = {"searched_at": when.replace("10:00", f"10:{number:02}"), "results": 0, "query": asked[number % 3]}
        if number < 3:
            search["query"] += f" {planted.sentence('searches', 'query')}"
        if number < 2:
            form = FORMS[number]
            search |= {"clicked_article_id": planted.value("searches", "clicked_article_id", form)}
            search |= {"conversation_id": planted.value("searches", "conversation_id", form)}
        elif number < 7:
            search |= {"language": planted.value("searches", "language", (*FORMS, "word")[number - 2])}
            search |= {"visitor": planted.value("searches", "visitor", (*FORMS, "word")[number - 2])}
        elif number < 8:
            search["results"] = planted.value("searches", "results", "mail")
        else:
            search["conversation_id"] = chosen[number]["conversation_id"]
        rows["searches"].append(search)
    for form in FORMS:
        rows["owners"].append(
            {"owner_id": f"o-{form}", "areas": [planted.value("owners", "areas", form)]}
            | {column: planted.value("owners", column, form) for column in ("name", "team", "email", "mobile")}
        )
    rows["owners"].append(
        {"owner_id": "o-typed"}
        | {column: planted.value("owners", column, "mail") for column in ("weekly_capacity", "active")}
    )
    for number, article in enumerate(rows["articles"]):
        article |= {"product": "Outdoor", "language": "en"}
        if article["article_id"] == "kb-washing":
            article["body"] += f"\n\nAsk {planted.value('articles', 'body', 'mail')}."
        if number < 4:
            article["author"] = planted.value("articles", "author", FORMS[number])
    columns = ("created_at", "updated_at", "verified_at", "views", "helpful", "unhelpful")
    rows["articles"].append(
        {"article_id": "kb-typed", "title": "Opening hours of the cafe", "body": "From nine to five."}
        | {column: planted.value("articles", column, "mail") for column in columns}
    )
    rows["articles"].append(
        {
            "article_id": "kb-draft",
            "title": "Draft",
            "status": "draft",
            "body": planted.sentence("articles", "body (draft)"),
        }
    )
    for form in FORMS:
        rows["article_revisions"].append(
            {
                "article_id": "kb-washing",
                "revised_at": when,
                "approved": True,
                "summary": planted.sentence("article_revisions", "summary"),
            }
            | {column: planted.value("article_revisions", column, form) for column in ("author_id", "editor")}
        )
        rows["releases"].append(
            {"product": "Outdoor", "version": f"1.{FORMS.index(form)}", "released_at": "2024-06-13T00:00:00Z"}
            | {"notes": f"Down jacket: new washing label. {planted.value('releases', 'notes', form)}"}
            | {"manager": planted.value("releases", "manager", form)}
        )
    rows["article_revisions"].append(
        {"article_id": planted.value("article_revisions", "article_id", "mail"), "revised_at": when,
         "approved": planted.value("article_revisions", "approved", "mail")}
    )  # fmt: skip


def _plant_rejected(planted: Planted, name: str, rows: list[dict[str, Any]]) -> None:
    """For each form a row that breaks the contract, each of its columns with a canary."""
    table = TABLES[name]
    columns = [column for column in table.columns if column.name != "conversation_id"]
    breaking = next((c.name for c in table.columns if c.required and c.type in TYPED), None)
    breaking = breaking or {"articles": "status", "outcomes": "outcome", "owners": "owner_id"}[name]
    for number, form in enumerate(FORMS):
        row: dict[str, Any] = (
            {"conversation_id": f"rejected-{number}"} if name in ("conversations", "messages", "outcomes") else {}
        )
        for column in columns:
            if column.type == "text":
                row[column.name] = planted.sentence(name, column.name, "rejected")
            elif column.type not in TYPED or column.name == breaking:
                value = planted.value(name, column.name, form, "rejected")
                row[column.name] = [value] if column.type in ("list", "ids") else value
        row["visitor"] = planted.value(name, "visitor", form, "rejected")
        if breaking == "owner_id":
            del row["owner_id"]
        rows.append(row)


def texts_of(folder: Path) -> Iterable[tuple[str, str]]:
    """Each file below a folder, its name and all text in it: what is packed is unpacked."""
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.stat().st_size:
            yield path.relative_to(folder).as_posix(), f"{path.name}\n{_text(path)}"


def _text(path: Path) -> str:
    import pyarrow.parquet as pq

    if path.suffix == ".parquet":
        return str(pq.read_table(path).to_pydict())
    if path.suffix == ".xlsx":
        import zipfile

        with zipfile.ZipFile(path) as book:
            return "\n".join(book.read(name).decode() for name in book.namelist())
    if path.suffix == ".gz":
        return gzip.decompress(path.read_bytes()).decode("utf-8", "replace")
    return path.read_bytes().decode("latin-1" if path.suffix == ".db" else "utf-8", "replace")
