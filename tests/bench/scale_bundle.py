"""A bundle of any size: real questions as long as there are some, then made-up ones; written in parts as it is made.

What is planted, as shares of the subjects (:mod:`tests.bench.scale_texts`): some have no article, of some the bot's
search does not reach the article, of some it went stale in the middle of the window, of some it is incomplete. The bot
answers with the subject's article with a planted chance, else with one that a plain word search lists for the subject.
All luck comes from the seed and the number of the part: a week that is added leaves what was written as it is.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from tests.bench.scale_texts import SEARCHED, Corpus, Ints, Rng, joined

PART = 50_000  # conversations that are made at a time
ROW_GROUP = 25_000
WEEK = pd.Timedelta(days=7)
START = pd.Timestamp("2024-01-01", tz="UTC")

# Shares of the subjects.
KINDS = {"missing": 0.10, "unfindable": 0.06, "stale": 0.06, "incomplete": 0.05}
CITES_RIGHT = {"healthy": 0.82, "missing": 0.0, "unfindable": 0.15, "stale": 0.82, "incomplete": 0.82}
CITES_WRONG = 0.6  # of the others, how many answers cite another article; the rest is a fallback
RANKS = np.array([0.5, 0.2, 0.12, 0.08, 0.06, 0.04])  # where in the search's list the wrong article stands
OUTCOMES = np.array(["correct", "partial", "wrong", "no_answer", "misclassified"])
# What an answer is worth, as shares of OUTCOMES[:3].
WORTH = {
    "right": (0.85, 0.10, 0.05), "stale": (0.05, 0.15, 0.80), "incomplete": (0.25, 0.65, 0.10),
    "other": (0.05, 0.20, 0.75),
}  # fmt: skip
# By what the answer was worth: chance of escalation, of having been resolved without one, and mean satisfaction.
ESCALATED = np.array([0.07, 0.55, 0.80, 0.93])
RESOLVED = np.array([0.97, 0.60, 0.40, 0.10])
CSAT = np.array([4.4, 3.2, 2.1, 2.3])
TAGGED_RANDOM, TAGGED_ESCALATED = 0.03, 0.15
CONFUSED = 0.10  # share of the conversations of which the bot took the intent for another
AGENT_CITES = 0.4
PERSONAL = 0.03  # share of the questions that name an e-mail address and a telephone number

BOT_OPENS = ("This may help:", "Here is what I have on that:", "I looked it up for you:", "Please try this:")
FALLBACK = ("Sorry, I don't have an answer to that.", "I could not find anything on that, sorry.")
AGENT_OPENS = (
    "Hi, thanks for writing to us.", "Hello, sorry for the trouble.", "Hi there, I had a look.", "Good day,",
    "Thanks for your patience.",
)  # fmt: skip
AGENT_CLOSES = (
    "Let me know whether it works.", "Does that help?", "Please write again if it comes back.", "Best regards, Sam",
    "Have a nice day.",
)  # fmt: skip
GLAD = ("Thanks, that worked.", "Great, thank you!", "That helped.", "Solved, thanks.")
SORRY = (
    "That did not help.", "This is not what I asked.", "I tried this already and it still does not work.",
    "Can I talk to a person?", "No, the problem is still there.",
)  # fmt: skip
CHANNELS = np.array(["chat", "email", "web", "app"])
REGIONS = np.array(["eu", "us", "apac"])

STRING = pa.string()
TIME = pa.timestamp("us", tz="UTC")
SCHEMAS = {
    "conversations": pa.schema(
        [
            ("conversation_id", STRING), ("started_at", TIME), ("escalated", pa.bool_()), ("channel", STRING),
            ("language", STRING), ("product", STRING), ("region", STRING), ("customer_id", STRING),
            ("escalated_at", TIME), ("resolved", pa.bool_()), ("predicted_intent", STRING),
            ("intent_confidence", pa.float64()), ("csat", pa.float64()), ("handle_seconds", pa.float64()),
        ]
    ),
    "messages": pa.schema(
        [
            ("conversation_id", STRING), ("position", pa.int32()), ("role", STRING), ("text", STRING),
            ("sent_at", TIME), ("article_ids", pa.list_(STRING)), ("is_fallback", pa.bool_()),
        ]
    ),
    "outcomes": pa.schema(
        [
            ("conversation_id", STRING), ("outcome", STRING), ("tagged_at", TIME), ("tagged_by", STRING),
            ("sample", STRING), ("true_intent", STRING), ("article_id", STRING),
        ]
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Plan:
    """A bundle to be written.

    Attributes
    ----------
    corpus
        What its texts are made of; one article a subject, but for those that are planted as missing.
    conversations
        How many.
    weeks
        How long they last.
    seed
        Of all luck.
    kind
        What each subject is, by name of :data:`KINDS` or ``healthy``.
    """

    corpus: Corpus
    conversations: int
    weeks: int = 26
    seed: int = 7
    kind: NDArray[np.str_] = field(init=False)

    def __post_init__(self) -> None:
        subjects = len(self.corpus.topic)
        names = [name for name, share in KINDS.items() for _ in range(round(share * subjects))]
        kind = np.array([*names, *["healthy"] * (subjects - len(names))])
        object.__setattr__(self, "kind", np.random.default_rng([self.seed, 2]).permutation(kind))

    @property
    def end(self) -> pd.Timestamp:
        """The first instant after the last week."""
        return START + self.weeks * WEEK

    @property
    def articles(self) -> Ints:
        """The subjects that have an article."""
        return np.flatnonzero(self.kind != "missing")


def subjects_for(articles: int) -> int:
    """How many subjects there must be for so many to have an article."""
    subjects = articles
    while subjects - round(KINDS["missing"] * subjects) < articles:
        subjects += 1
    return subjects


def write_bundle(plan: Plan, folder: Path) -> int:
    """Write the bundle; gives the number of its real questions."""
    _write_articles(plan, folder)
    return _write_conversations(plan, folder, 0, plan.conversations, START, plan.weeks)


def write_week(plan: Plan, folder: Path, new: int) -> int:
    """Write ``new`` more conversations, of the week after, in files of their own; gives the number of real ones."""
    return _write_conversations(plan, folder, plan.conversations, new, plan.end, 1)


def _write_conversations(plan: Plan, folder: Path, first: int, n: int, start: pd.Timestamp, weeks: int) -> int:
    """Write conversations ``first`` to ``first + n`` in parts; the real questions lie evenly among the made-up ones."""
    order = np.random.default_rng([plan.seed, 3]).permutation(len(plan.corpus.questions))
    order = order[min(first, len(order)) :][:n]
    for begin in range(0, n, PART):
        rows = np.arange(begin, min(begin + PART, n), dtype=np.int64)
        before = rows * len(order) // n
        real = (rows + 1) * len(order) // n > before
        rng = np.random.default_rng([plan.seed, 4, first + begin])
        places = np.where(real, order[np.minimum(before, len(order) - 1)], -1) if len(order) else np.full(len(rows), -1)
        passed = (rows + rng.random(len(rows))) / n * weeks * WEEK.total_seconds()
        tables = _part(plan, first + rows, places, start + pd.to_timedelta(passed, "s"), rng)
        for name, table in tables.items():
            (folder / name).mkdir(parents=True, exist_ok=True)
            with pq.ParquetWriter(folder / name / f"part-{first + begin:09}.parquet", SCHEMAS[name]) as writer:
                writer.write_table(table, row_group_size=ROW_GROUP)
    return len(order)


def _part(plan: Plan, number: Ints, real: Ints, started: pd.DatetimeIndex, rng: Rng) -> dict[str, pa.Table]:
    """The three tables of some conversations; ``real`` is the place of the real question, or -1."""
    n, corpus = len(number), plan.corpus
    subject, texts = corpus.made_up(n, rng)
    asked = corpus.questions.iloc[np.maximum(real, 0)]
    subject = np.where(real >= 0, asked["subject"].to_numpy(), subject)
    texts = pc.if_else(pa.array(real >= 0), pa.array(asked["text"], STRING), texts)
    texts = _with_personal_data(texts, number, rng)
    made = np.char.add("made-", (number * 5 // 6).astype(str))
    customer = np.where(real >= 0, asked["customer_id"].to_numpy(str), made)
    ids = pa.array(np.char.add("c-", np.char.zfill(number.astype(str), 9)), STRING)

    cited, worth = _bot(plan, subject, started, rng)
    escalated = rng.random(n) < ESCALATED[worth]
    resolved = np.where(escalated, rng.random(n) < 0.85, rng.random(n) < RESOLVED[worth])
    answered = cited >= 0
    times = {
        "bot": started + pd.to_timedelta(5, "s"),
        "customer": started + pd.to_timedelta(rng.integers(30, 300, n), "s"),
        "agent": started + pd.to_timedelta(rng.integers(600, 20_000, n), "s"),
    }
    topic = corpus.topic[subject]
    confused = rng.random(n) < CONFUSED
    intent = np.where(confused, (topic + rng.integers(1, max(2, len(corpus.topics)), n)) % len(corpus.topics), topic)
    names = np.array(corpus.topics)
    csat = np.clip(np.round(rng.normal(CSAT[worth], 0.7)), 1, 5)
    conversations = {
        "conversation_id": ids, "started_at": _times(started), "escalated": escalated,
        "channel": CHANNELS[rng.integers(0, len(CHANNELS), n)], "language": np.full(n, "en"),
        "product": np.full(n, "firefox"), "region": REGIONS[rng.integers(0, len(REGIONS), n)], "customer_id": customer,
        "escalated_at": pc.if_else(pa.array(escalated), _times(times["agent"]), None),
        "resolved": resolved, "predicted_intent": names[intent],
        "intent_confidence": np.round(rng.beta(8, np.where(confused, 6, 2)), 3),
        "csat": pa.array(csat, mask=rng.random(n) >= 0.25),
        "handle_seconds": pa.array(np.round(600 * rng.lognormal(0, 0.7, n)), mask=~escalated),
    }  # fmt: skip

    audited = rng.random(n) < TAGGED_RANDOM
    tagged = audited | (escalated & (rng.random(n) < TAGGED_ESCALATED))
    wrong_intent = confused & (worth == 2) & (rng.random(n) < 0.5)
    outcomes = {
        "conversation_id": ids, "outcome": OUTCOMES[np.where(wrong_intent, 4, worth)],
        "tagged_at": _times(times["agent"] + pd.Timedelta(days=1)),
        "tagged_by": np.char.add("reviewer-", rng.integers(1, 9, n).astype(str)),
        "sample": np.where(audited, "random", "escalated"), "true_intent": names[topic],
        "article_id": pa.array(article_ids(cited), STRING, mask=~answered),
    }  # fmt: skip
    messages = _messages(plan, ids, subject, texts, cited, escalated, resolved, started, times, rng)
    return {
        "conversations": pa.table(conversations, schema=SCHEMAS["conversations"]),
        "messages": messages,
        "outcomes": pa.table(outcomes, schema=SCHEMAS["outcomes"]).filter(pa.array(tagged)),
    }


def _bot(plan: Plan, subject: Ints, started: pd.DatetimeIndex, rng: Rng) -> tuple[Ints, Ints]:
    """The subject whose article the bot answers with (-1: a fallback), and the answer's worth by OUTCOMES."""
    n, kind = len(subject), plan.kind[subject]
    right = rng.random(n) < pd.Series(kind).map(CITES_RIGHT).to_numpy()
    listed = plan.corpus.nearest[subject, rng.choice(SEARCHED, n, p=RANKS)]
    usable = (plan.kind[listed] != "missing") & (listed != subject)
    wrong = ~right & usable & (rng.random(n) < CITES_WRONG)
    cited = np.where(right, subject, np.where(wrong, listed, -1))
    late = np.asarray(started >= START + plan.weeks * WEEK / 2)
    how = np.select(
        [wrong, (kind == "stale") & late, kind == "incomplete"], ["other", "stale", "incomplete"], default="right"
    )
    chances = np.cumsum(pd.DataFrame(WORTH).T.loc[how].to_numpy(), axis=1)
    worth = np.minimum((rng.random(n)[:, None] > chances).sum(axis=1), 2)
    return cited, np.where(cited >= 0, worth, 3)


def _messages(
    plan: Plan, ids: pa.Array, subject: Ints, texts: pa.Array, cited: Ints, escalated: NDArray[np.bool_],
    resolved: NDArray[np.bool_], started: pd.DatetimeIndex, times: dict[str, pd.DatetimeIndex], rng: Rng,
) -> pa.Table:  # fmt: skip
    """The customer asks, the bot answers, the customer says what that was worth, an agent answers after a handoff."""
    n, corpus = len(subject), plan.corpus
    every, answered = np.arange(n), cited >= 0
    openings = pa.array(corpus.articles["title"] + ". " + corpus.articles["opening"], STRING)
    quoted = _sentence(_drawn(BOT_OPENS, n, rng), openings.take(pa.array(np.maximum(cited, 0))))
    bot = pc.if_else(pa.array(answered), quoted, _drawn(FALLBACK, n, rng))
    # Whom the bot failed says so, or asks again in other words.
    again = corpus.sentences.strings.take(pa.array(corpus.sentences.drawn(subject, rng)))
    complaint = pc.if_else(pa.array(rng.random(n) < 0.5), again, _drawn(SORRY, n, rng))
    reply = pc.if_else(pa.array(resolved & ~escalated), _drawn(GLAD, n, rng), complaint)
    replies = np.flatnonzero(rng.random(n) < np.where(escalated, 0.7, 0.4))
    handed = np.flatnonzero(escalated)
    steps = np.sort(corpus.steps.drawn(np.repeat(subject[handed], 3), rng).reshape(-1, 3), axis=1).ravel()
    advice = joined(corpus.steps.strings.take(pa.array(steps)), np.full(len(handed), 3), " ")
    agent = _sentence(_drawn(AGENT_OPENS, len(handed), rng), advice, _drawn(AGENT_CLOSES, len(handed), rng))
    has_article = plan.kind[subject[handed]] != "missing"
    agent_cites = np.where(has_article & (rng.random(len(handed)) < AGENT_CITES), subject[handed], -1)
    none = np.full(n, -1)
    after = np.zeros(n, dtype=np.int64)
    after[replies] = 1
    blocks = [
        ("customer", every, np.zeros(n), texts, started, none),
        ("bot", every, np.ones(n), bot, times["bot"], cited),
        ("customer", replies, np.full(len(replies), 2), reply.take(pa.array(replies)), times["customer"][replies],
         none[replies]),
        ("agent", handed, 2 + after[handed], agent, times["agent"][handed], agent_cites),
    ]  # fmt: skip
    row = np.concatenate([block[1] for block in blocks])
    position = np.concatenate([block[2] for block in blocks]).astype(np.int32)
    role = np.concatenate([np.full(len(block[1]), block[0], dtype="<U8") for block in blocks])
    cites = np.concatenate([block[5] for block in blocks])
    by_bot = role == "bot"
    offsets = np.concatenate([[0], np.cumsum(cites >= 0)]).astype(np.int32)
    lists = pa.ListArray.from_arrays(pa.array(offsets), pa.array(article_ids(cites[cites >= 0]), STRING))
    table = pa.table(
        {
            "conversation_id": ids.take(pa.array(row)), "position": position, "role": role,
            "text": pa.concat_arrays([block[3] for block in blocks]),
            "sent_at": _times(pd.DatetimeIndex(np.concatenate([block[4].to_numpy() for block in blocks]), tz="UTC")),
            "article_ids": lists, "is_fallback": pa.array(by_bot & (cites < 0), mask=~by_bot),
        },
        schema=SCHEMAS["messages"],
    )  # fmt: skip
    return table.take(pa.array(np.lexsort((position, row))))


def _with_personal_data(texts: pa.Array, number: Ints, rng: Rng) -> pa.Array:
    """The texts, of which a few end with an address and a telephone number, so that there is something to redact."""
    telephones = rng.integers(1_000_000, 9_999_999, len(number))
    named = [
        f"My e-mail is customer{who}@example.org, my number +49 30 {telephone}."
        for who, telephone in zip(number.tolist(), telephones.tolist(), strict=True)
    ]
    return pc.if_else(pa.array(rng.random(len(number)) < PERSONAL), _sentence(texts, pa.array(named, STRING)), texts)


def _write_articles(plan: Plan, folder: Path) -> None:
    """Write articles, revisions and owners; one owner a topic."""
    rng, subjects = np.random.default_rng([plan.seed, 5]), plan.articles
    n, topic = len(subjects), plan.corpus.topic[subjects]
    created = START - pd.to_timedelta(rng.integers(200, 900, n), "D")
    revised = created + pd.to_timedelta(rng.integers(1, 190, n), "D")
    owners = np.char.add("owner-", plan.corpus.topics)
    articles = plan.corpus.articles.iloc[subjects]
    folder.mkdir(parents=True, exist_ok=True)
    pd.DataFrame(
        {
            "article_id": article_ids(subjects), "title": articles["title"].to_numpy(),
            "body": articles["body"].to_numpy(), "status": "published", "language": "en", "product": "firefox",
            "owner_id": owners[topic], "created_at": created, "updated_at": revised, "verified_at": revised,
            "views": rng.integers(100, 100_000, n), "helpful": rng.integers(0, 500, n),
            "unhelpful": rng.integers(0, 200, n),
        }
    ).to_parquet(folder / "articles.parquet", index=False)  # fmt: skip
    pd.DataFrame(
        {
            "article_id": np.tile(article_ids(subjects), 2), "revised_at": created.append(revised),
            "author_id": np.tile(owners[topic], 2), "approved": True,
            "summary": np.repeat(["first version", "wording"], n),
        }
    ).to_parquet(folder / "article_revisions.parquet", index=False)  # fmt: skip
    pd.DataFrame(
        {
            "owner_id": owners, "name": [f"Owner of {topic}" for topic in plan.corpus.topics],
            "email": np.char.add(owners, "@example.org"), "team": "support",
            "areas": [[topic] for topic in plan.corpus.topics], "weekly_capacity": 3, "active": True,
        }
    ).to_parquet(folder / "owners.parquet", index=False)  # fmt: skip


def article_ids(subjects: Ints) -> NDArray[np.str_]:
    """The ids of the articles on these subjects."""
    return np.char.add("kb-", np.char.zfill(np.asarray(subjects).astype(str), 5))


def _drawn(phrases: tuple[str, ...], n: int, rng: Rng) -> pa.Array:
    return pa.array(phrases, STRING).take(pa.array(rng.integers(0, len(phrases), n)))


def _sentence(*parts: pa.Array) -> pa.Array:
    return pc.binary_join_element_wise(*parts, pa.scalar(" ", STRING))


def _times(times: pd.DatetimeIndex) -> pa.Array:
    return pa.Array.from_pandas(times.floor("s").as_unit("us"), type=TIME)
