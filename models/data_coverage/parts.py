"""The parts of its input that Lacuna makes use of: what each is good for, what its absence costs, how to supply it."""

from __future__ import annotations

from dataclasses import dataclass

from lacuna.models.accuracy.groups import ENOUGH_A_SIDE

__all__ = ["ENOUGH_TAGS", "PARTS", "PartOfData"]

# From these shares on a part counts as there. What every row should carry …
MOST = 0.9
# … what about half of them can be expected to carry (a bot greets and falls back without citing an article) …
HALF = 0.5
# … what few carry even in a full export (of ten agents, one cites; a bot takes part in some channels only) …
SOME = 0.1
# … and what one customer in twenty answers.
SURVEYED = 0.05

ENOUGH_TAGS = 40  # fewer tell the model of accuracy nothing (docs/accuracy.md)


@dataclass(frozen=True)
class PartOfData:
    """One part of the input, in words.

    Parameters
    ----------
    name
        Key, as it stands in run.json.
    label
        What it is called in a list.
    unit
        What it is counted in: "12 of 90 conversations".
    unknown
        What nobody can know without it: the end of a sentence that begins with "This run can't know".
    cost
        What its absence means for the backlog, in one or two sentences.
    step
        The cheapest way to supply it.
    share
        From this share of its unit on it counts as there; 0: a single one will do.
    least
        From this many on it counts as there; decides where it is more than 0.
    needs
        Parts without any of which this one makes no sense.
    """

    name: str
    label: str
    unit: str
    unknown: str
    cost: str
    step: str
    share: float = MOST
    least: int = 0
    needs: tuple[str, ...] = ()


# What helps the backlog most comes first.
PARTS = (
    PartOfData(
        "questions", "customers' messages", "conversations", "what customers asked",
        "A conversation in which the customer says nothing belongs to no topic and shows no gap.",
        "give what customers wrote the `role` customer (table messages)",
    ),
    PartOfData(
        "articles", "published articles", "articles", "what the knowledge base answers",
        "Every gap is a missing article: none can be seen to be stale, incomplete, contradictory or unfindable.",
        "export the articles that customers and the bot can read, with `status` published or empty",
        share=0.0,
    ),
    PartOfData(
        "bot", "the bot's messages", "conversations", "which answers of a bot failed",
        "No answer can be judged: a gap is demand that people handle, and agents' replies and the articles' texts say "
        "of which kind it is.",
        "if a bot answers first, export what it said with the `role` bot (table messages)",
        share=SOME,
    ),
    PartOfData(
        "citations", "articles cited by the bot", "conversations that the bot answered",
        "whether the bot reached an article",
        "An article that the bot never reaches can't be told from a missing one by what the bot did: agents' replies "
        "and the articles' texts decide. Stale and incomplete articles hardly show.",
        "export `article_ids` of the bot's messages: what each answer was taken from",
        share=HALF, needs=("bot", "articles"),
    ),
    PartOfData(
        "not_escalated", "conversations without a person", "conversations", "what goes well without a person",
        "Where people handle nearly all conversations, failure can't be compared with a healthy rest: topics are "
        "compared with one another and with the articles.",
        "export the conversations that nobody took over too, with `escalated` false",
        share=SOME,
    ),
    PartOfData(
        "escalated", "conversations that people handled", "conversations", "which conversations needed a person",
        "Failure shows only in fallbacks, CSAT and tags, and what a gap costs is a guess.",
        "set `escalated` to true wherever a person took over or a ticket was opened",
        share=0.0,
    ),
    PartOfData(
        "outcomes", "tagged outcomes", "conversations", "how often answers are right",
        "How often answers are right is guessed from escalation, fallbacks and CSAT alone. Incomplete articles and "
        "wrong intents hardly show.",
        "tag the 20 conversations in the run's tag_next.csv, or under “Tag next” on the board",
        least=ENOUGH_TAGS, needs=("bot",),
    ),
    PartOfData(
        "random_sample", "tags of a random sample", "tagged conversations",
        "how often answers are right where nobody complains",
        "The tags speak for the conversations that somebody chose to tag; of all others accuracy is an estimate.",
        "tag 20 conversations drawn by lot as well, with `sample` random",
        least=ENOUGH_A_SIDE, needs=("outcomes",),
    ),
    PartOfData(
        "agent_replies", "agents' replies", "conversations that people handled", "what agents answered",
        "Drafts have no agents' answers to start from, and an article that agents answer from and the bot passes over "
        "stays unseen.",
        "export what agents wrote with the `role` agent (table messages)",
        share=HALF, needs=("escalated",),
    ),
    PartOfData(
        "customers", "customer ids", "conversations", "how many customers are behind a gap",
        "One loud customer can count many times, and a customer who comes back counts as a new one.",
        "give `customer_id` any stable pseudonym (table conversations)",
    ),
    PartOfData(
        "fallbacks", "the bot's fallback flags", "conversations that the bot answered", "when the bot had no answer",
        "That the bot had no answer is read from its words alone, and missed where it puts that in an unusual way.",
        "set `is_fallback` on messages in which the bot said that it has no answer",
        share=HALF, needs=("bot",),
    ),
    PartOfData(
        "intents", "intents", "conversations", "which intent the bot took a question for",
        "A question that the bot takes for another one passes for a gap, and no owner is found by intent.",
        "export the bot's `predicted_intent` (table conversations)",
        share=HALF, needs=("bot",),
    ),
    PartOfData(
        "agent_citations", "articles cited by agents", "conversations with an agent's reply",
        "which articles agents answered from",
        "Which article an agent answered from is guessed from the words of the reply.",
        "export `article_ids` of agents' messages, for example from the links in them",
        share=SOME, needs=("agent_replies", "articles"),
    ),
    PartOfData(
        "owners", "owners of articles", "published articles", "who should write or revise",
        "No gap has an owner: somebody has to hand out each one.",
        "fill `owner_id` of articles, or list who owns which intents and products in the table owners (`areas`)",
        needs=("articles",),
    ),
    PartOfData(
        "languages", "languages", "conversations", "which language a question is in",
        "Words are read as English ones: questions in other languages match their articles less well.",
        "fill `language`, for example en or de (table conversations)",
    ),
    PartOfData(
        "products", "products", "conversations", "which product a gap is about",
        "Figures can't be split by product, and no owner is found by product.",
        "fill `product` (table conversations)",
        share=HALF,
    ),
    PartOfData(
        "article_dates", "dates of articles' changes", "published articles", "how old an article is",
        "No article is due for verification, and that a gap was closed is known only where somebody says so.",
        "export `updated_at` of articles",
        needs=("articles",),
    ),
    PartOfData(
        "revisions", "articles' revisions", "published articles", "who changed an article, and when",
        "Of each article only the last change is known, and nobody is proposed as its owner for having revised it.",
        "export the articles' history as the table article_revisions",
        share=0.0, needs=("articles",),
    ),
    PartOfData(
        "searches", "searches", "searches", "what was searched for in vain",
        "What people look for in vain shows only once somebody asks, and a title in their own words is harder to find.",
        "export the help centre's search log as the table searches",
        share=0.0,
    ),
    PartOfData(
        "csat", "CSAT", "conversations", "how content customers were",
        "Who left without a word counts neither as helped nor as let down.",
        "export `csat`, 1 to 5, of the conversations that were rated",
        share=SURVEYED,
    ),
    PartOfData(
        "handle_seconds", "handling times", "conversations that people handled",
        "how long a conversation takes a person",
        "Every human-handled conversation costs the same, `[cost] per_escalation` of the settings.",
        "export `handle_seconds`, or set `[cost] per_escalation` to your own figure",
        share=SOME, needs=("escalated",),
    ),
    PartOfData(
        "releases", "releases", "releases", "which release made an article stale",
        "That an article went stale can't be put down to a release.",
        "list your product's versions and their days as the table releases",
        share=0.0, needs=("articles",),
    ),
)  # fmt: skip
