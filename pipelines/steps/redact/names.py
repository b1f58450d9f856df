"""The names that a run's conversations show, learnt shard by shard; what all texts teach of words is learnt between."""

from __future__ import annotations

import hashlib
from collections.abc import Hashable, Iterator, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from lacuna.models.redaction.known_names import WordCounts, names_shown
from lacuna.models.redaction.lexicon import WatchedLexicon
from lacuna.models.redaction.name_patterns import Level
from lacuna.models.redaction.names import Place
from lacuna.models.redaction.redact import CustomerNames, Lexicon, names_by_conversation
from lacuna.models.redaction.regions import regions_of, without_regions
from lacuna.models.text.languages import common, language_of
from lacuna.pipelines.steps.redact.quarantine import conversations_elsewhere

if TYPE_CHECKING:
    from lacuna.pipelines.runtime.job import Job

__all__ = [
    "agrees", "choose_texts", "count_words", "distinct_texts", "hash_texts", "learn_lexicon", "names_of_shard",
    "read_lexicon", "share_names", "show_names", "words_used",
]  # fmt: skip

# Texts whose languages are looked at, and the share of conversations from which on a stated language counts.
SAMPLE, RARE = 1_000, 0.005
NamesOf = dict[Hashable, list[str]]


def hash_texts(job: Job, shard: str | None) -> None:
    """Write a shard of redact/texts."""
    texts = distinct_texts(job.read_shard("load/messages", shard, ["text"])["text"])
    hashes = np.array([_hash(text) for text in texts], dtype=np.int64)
    job.write_shard("redact/texts", shard, pd.DataFrame({"hash": hashes}))


def choose_texts(job: Job) -> None:
    """Write redact/first_texts: a text that several shards hold counts in the first of them alone; and the products."""
    products: dict[str, None] = {}
    for rows in job.read_shards("load/conversations", ["product"]):
        products |= dict.fromkeys(rows["product"].dropna().unique().tolist())
    job.write_json("redact/products", list(products))
    before = np.empty(0, dtype=np.int64)
    for shard in job.shards_of("redact/texts"):
        hashes = job.read_shard("redact/texts", shard)["hash"].to_numpy()
        is_first = ~np.isin(hashes, before)
        job.write_shard("redact/first_texts", shard, pd.DataFrame({"is_first": is_first}))
        before = np.union1d(before, hashes)


def count_words(job: Job, shard: str | None) -> None:
    """Write a shard of redact/words and redact/places: a first reading, without a lexicon."""
    texts = distinct_texts(job.read_shard("load/messages", shard, ["text"])["text"])
    is_first = job.read_shard("redact/first_texts", shard)["is_first"].tolist()
    counts = WordCounts()
    places = counts.add(texts, job.read_json("redact/products"), is_first)
    words = sorted(counts.used | counts.named | counts.first)
    job.write_shard("redact/languages", shard, _languages(job, shard, texts, is_first))
    columns = {name: [count[word] for word in words] for name, count in counts.by_name().items()}
    table = pd.DataFrame({"word": pd.array(words, dtype="str")} | columns)
    job.write_shard("redact/words", shard, table.astype(dict.fromkeys(columns, "int64")))
    rows = np.array([(text, *place) for text, there in enumerate(places) for place in there], dtype=np.int64)
    table = pd.DataFrame(rows.reshape(-1, 5), columns=["text", "start", "end", "level", "complete"])
    job.write_shard("redact/places", shard, table.astype({"complete": bool}))


def learn_lexicon(job: Job) -> None:
    """Write redact/lexicon.json and redact/phone_regions.json: what the texts of all shards teach."""
    counts = WordCounts()
    for table in job.read_shards("redact/words"):
        words = table["word"].tolist()
        for name, count in counts.by_name().items():
            count.update({word: n for word, n in zip(words, table[name].tolist(), strict=True) if n})
    lexicon = counts.lexicon(job.read_json("redact/products"))
    parts = {"names": lexicon.names, "words": lexicon.words, "kept": lexicon.kept}
    job.write_json("redact/lexicon", {name: sorted(words) for name, words in parts.items()})
    job.write_json("redact/phone_regions", _phone_regions(job))


def _languages(job: Job, shard: str | None, texts: Sequence[str], is_first: Sequence[bool]) -> pd.DataFrame:
    """The languages of those texts of a shard whose hashes are the lowest: a sample that no cut into shards changes."""
    hashes = job.read_shard("redact/texts", shard)["hash"].tolist()
    chosen = sorted((of, text) for of, text, first in zip(hashes, texts, is_first, strict=True) if first)[:SAMPLE]
    columns = {"hash": [of for of, _ in chosen], "language": [language_of(text) for _, text in chosen]}
    return pd.DataFrame(columns).astype({"hash": "int64", "language": "str"})


def _phone_regions(job: Job) -> dict[str, list[str]]:
    """Countries whose phone numbers are looked for: those of the settings, or all that the languages suggest."""
    sampled = pd.concat([*job.read_shards("redact/languages")]).sort_values("hash").head(SAMPLE)
    read = common(sampled["language"].tolist())
    stated = pd.Series(job.read_json("load/languages"), dtype="int64")
    # A language that a few conversations in a thousand are said to be in is as likely a slip.
    languages = sorted({*read, *stated[stated >= RARE * stated.sum()].index})
    # Numbers are looked for in the languages of a few customers too, and these are named nowhere.
    shared = set(job.read("load/conversations", ["language"])["language"].dropna())
    named = [code for code in languages if code in read or code in shared]
    regions = job.settings.privacy.phone_regions
    return {
        "regions": list(regions or regions_of(languages)),
        "named_languages": named,
        "named_regions": list(regions or regions_of(named)),
        "without": [] if regions else without_regions(named),
    }


def read_lexicon(job: Job) -> Lexicon:
    """Read what :func:`learn_lexicon` wrote."""
    return Lexicon(**{name: frozenset(words) for name, words in job.read_json("redact/lexicon").items()})


def words_used(lexicon: WatchedLexicon) -> dict[str, Any]:
    """What a lexicon said when asked, by hashes: the words are of texts that are not redacted yet."""
    said: dict[str, Any] = {}
    for name, words, asked in (
        ("names", lexicon.names, lexicon.asked_names),
        ("words", lexicon.words, lexicon.asked_words),
    ):
        is_one = {word for word in asked if frozenset.__contains__(words, word)}
        said[name] = sorted(map(_hash_of_word, is_one))
        said[f"no_{name}"] = sorted(map(_hash_of_word, asked - is_one))
    # Whether any words are known at all makes a difference too.
    return said | {"knows_words": len(lexicon.words) > 0}


def agrees(lexicon: Lexicon, used: dict[str, Any]) -> bool:
    """Whether a lexicon says what another one said of the words that it was asked for (:func:`words_used`)."""
    for name, words in (("names", lexicon.names), ("words", lexicon.words)):
        hashes = set(map(_hash_of_word, words))
        if not hashes.issuperset(used[name]) or not hashes.isdisjoint(used[f"no_{name}"]):
            return False
    return bool(used["knows_words"]) == (len(lexicon.words) > 0)


def _hash_of_word(word: str) -> str:
    return hashlib.blake2b(word.encode("utf-8", "surrogatepass"), digest_size=10).hexdigest()


def show_names(job: Job, shard: str | None) -> None:
    """Write a shard of redact/names: a second reading, with the lexicon."""
    messages = job.read_shard("load/messages", shard, ["conversation_id", "text"])
    texts = distinct_texts(messages["text"])
    shown = names_shown(texts, _places(job, shard, len(texts)), read_lexicon(job))
    own = names_by_conversation(
        messages["conversation_id"].tolist(), messages["text"].tolist(), dict(zip(texts, shown, strict=True))
    )
    job.write_shard("redact/names", shard, _table("conversation_id", own))


def share_names(job: Job) -> None:
    """Write redact/customer_names: what customers with several conversations show in any of them.

    And redact/conversations_elsewhere.json: those whose names other tables than messages need.
    """
    job.write_json("redact/conversations_elsewhere", sorted(conversations_elsewhere(job)))
    ids = [rows["customer_id"] for rows in job.read_shards("load/conversations") if "customer_id" in rows]
    customers = pd.concat(ids).dropna() if ids else pd.Series([], dtype="str")
    several = set(customers[customers.duplicated()])
    names: dict[Hashable, dict[str, None]] = {}
    for shard in job.shards_of("redact/names"):
        customer_of = {of: who for of, who in _customers(job, shard).items() if who in several}
        for conversation, name in job.read_shard("redact/names", shard).itertuples(index=False):
            if conversation in customer_of:
                names.setdefault(customer_of[conversation], {})[name] = None
    job.write("redact/customer_names", _table("customer_id", names))


def names_of_shard(job: Job, shard: str | None, conversation_ids: Sequence[Hashable]) -> NamesOf:
    """The names of a shard's conversations, those of their customers' other conversations included."""
    own = _names(job.read_shard("redact/names", shard))
    customers = CustomerNames(_names(job.read("redact/customer_names")))
    shared = customers.shared(own, dict.fromkeys(conversation_ids), _customers(job, shard))
    return {conversation: list(names) for conversation, names in shared.items()}


def distinct_texts(texts: pd.Series) -> list[str]:
    """The texts, each once, in order of appearance."""
    return list(dict.fromkeys(text for text in texts if isinstance(text, str)))


def _customers(job: Job, shard: str | None) -> dict[Hashable, Hashable]:
    """Conversation to its customer, where one is given."""
    conversations = job.read_shard("load/conversations", shard)
    if "customer_id" not in conversations:
        return {}
    with_customer = conversations[["conversation_id", "customer_id"]].dropna()
    return dict(zip(with_customer["conversation_id"].tolist(), with_customer["customer_id"].tolist(), strict=True))


def _hash(text: str) -> int:
    digest = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, signed=True)


def _places(job: Job, shard: str | None, texts: int) -> Iterator[list[Place]]:
    rows = job.read_shard("redact/places", shard).to_numpy(dtype=np.int64)
    starts = np.searchsorted(rows[:, 0], np.arange(texts + 1))
    for start, end in pairwise(starts):
        yield [Place(at, to, Level(level), bool(whole)) for _, at, to, level, whole in rows[start:end].tolist()]


def _table(key: str, names: dict[Hashable, dict[str, None]]) -> pd.DataFrame:
    pairs = [(of, name) for of, shown in names.items() for name in shown]
    return pd.DataFrame(pairs, columns=[key, "name"], dtype="str")


def _names(table: pd.DataFrame) -> dict[Hashable, dict[str, None]]:
    names: dict[Hashable, dict[str, None]] = {}
    for of, name in table.itertuples(index=False):
        names.setdefault(of, {})[name] = None
    return names
