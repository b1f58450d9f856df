"""The demo's conversations: who writes when, what the bot answers, how it ends."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from random import Random

from lacuna.pipelines.demo.bot import answer, fall_back, first_answer, second_try
from lacuna.pipelines.demo.chat import CORRECT, MISCLASSIFIED, NO_ANSWER, PARTIAL, WRONG, Conversation, Message
from lacuna.pipelines.demo.demand import WEEKDAY, Calendar, demand, moment, poisson, spread
from lacuna.pipelines.demo.fixes import NO_FIXES, Fixes, mended
from lacuna.pipelines.demo.talk import Customer, Speaker
from lacuna.pipelines.demo.world import Shop, Topic

ESCALATES = {CORRECT: 0.06, PARTIAL: 0.5, WRONG: 0.8, NO_ANSWER: 0.9, MISCLASSIFIED: 0.8}
CSAT_MEAN = {CORRECT: 4.5, PARTIAL: 3.3, WRONG: 2.1, NO_ANSWER: 2.2, MISCLASSIFIED: 2.0}
JUNK_WEEKLY = 24


def topic_conversations(
    topic: Topic, shop: Shop, people: Sequence[Customer], calendar: Calendar, seed: int, fixes: Fixes = NO_FIXES
) -> list[Conversation]:
    """Every conversation that has ``topic`` as its first problem. Each topic draws its own luck."""
    rng = Random(f"{seed}:{topic.name}")
    crowd = _crowd(topic, people, rng)
    days = calendar.days
    counts = spread(topic.total, len(days), rng) if topic.total else demand(topic, calendar, rng)
    others = [other for other in shop.topics.values() if other.kind == "healthy" and other.name != topic.name]
    return [
        _conversation(mended(topic, fixes, day), shop, crowd, day, calendar, others, rng)
        for day, count in zip(days, counts, strict=True)
        for _ in range(count)
    ]


def junk_conversations(shop: Shop, people: Sequence[Customer], calendar: Calendar, seed: int) -> list[Conversation]:
    """Greetings, tests, other shops' customers and questions that nobody else asks."""
    rng = Random(f"{seed}:junk")
    intents = sorted({topic.intent for topic in shop.topics.values()})
    near = sorted({article for topic in shop.topics.values() for article in topic.near})
    out = []
    for day in calendar.days:
        for _ in range(poisson(JUNK_WEEKLY / 7 * WEEKDAY[day.weekday()], rng)):
            customer = rng.choice(people)
            talk = Conversation(
                topic=None,
                also=None,
                customer=customer,
                started_at=moment(day, rng),
                channel=_channel(rng),
                language=customer.language,
                region=customer.region,
                product=None,
                intent="other",
                predicted_intent=rng.choice([*intents, "other", "other", "other"]),
                intent_confidence=round(rng.uniform(0.2, 0.6), 3),
            )
            speaker = Speaker(shop.words, customer, None, talk.language, rng)
            text = speaker.pick(shop.words["junk"])
            first = speaker.say(text) if rng.random() < 0.8 else speaker.opening(text, talk.channel)
            talk.messages.append(Message("customer", first, 0))
            if rng.random() < 0.75:
                fall_back(talk, speaker)
            else:
                answer(talk, rng.choice(near), speaker, shop, text)
                talk.quality = WRONG
            talk.escalated = rng.random() < 0.2
            _finish(talk, shop.words["agent_junk"][talk.language], speaker, shop, rng, (0.0, None))
            out.append(talk)
    return out


def _conversation(
    topic: Topic,
    shop: Shop,
    crowd: Mapping[str, Sequence[Customer]],
    day: date,
    calendar: Calendar,
    others: Sequence[Topic],
    rng: Random,
) -> Conversation:
    german = rng.random() < topic.german
    language = "de" if german else "en"
    customer = rng.choice(crowd[language])
    product = rng.choice(topic.products) if topic.products else None
    uncovered = rng.random() < topic.uncovered_share
    region = customer.region
    if uncovered and topic.uncovered_regions:
        region = rng.choice(topic.uncovered_regions)
    elif region not in topic.regions:
        region = rng.choice(topic.regions)
    predicted, confidence = _predict(topic, shop, rng)
    talk = Conversation(
        topic=topic.name,
        also=None,
        customer=customer,
        started_at=moment(day, rng),
        channel=_channel(rng),
        language=language,
        region=region,
        product=product,
        intent=topic.intent,
        predicted_intent=predicted,
        intent_confidence=confidence,
        uncovered=uncovered,
    )
    speaker = Speaker(shop.words, customer, product, language, rng)
    question = speaker.ask(topic.uncovered if uncovered else topic.customer)
    opening_text = question
    if topic.kind != "loud" and rng.random() < 0.035:
        second = rng.choice(others)
        if language in second.customer:
            talk.also = second.name
            opening_text = (
                f"{question.rstrip('.')}. {speaker.pick(shop.words['joiners'])} {speaker.ask(second.customer)}"
            )
    talk.messages.append(Message("customer", speaker.opening(opening_text, talk.channel), 0))
    uncovered = talk.uncovered = uncovered and topic.kind != "healthy"

    changed = calendar.since(topic.changed_days_ago, day)
    open_gap = topic.kind == "missing" and not calendar.since(topic.opens_days_ago, day)
    first_answer(talk, topic, speaker, shop, question, changed, open_gap, rng)
    talk.escalated = rng.random() < (0.97 if talk.handed_over else ESCALATES[talk.quality])
    if not talk.handed_over and talk.quality != CORRECT:
        second_try(talk, topic, speaker, shop, changed, rng)
    replies = topic.agent
    if changed and topic.after:
        replies = topic.after
    elif uncovered:
        replies = topic.agent_uncovered
    cites = _agents_cite(topic, changed, uncovered, open_gap)
    _finish(talk, replies.get(language) or replies["en"], speaker, shop, rng, cites)
    return talk


def _finish(
    talk: Conversation,
    replies: Sequence[str],
    speaker: Speaker,
    shop: Shop,
    rng: Random,
    cites: tuple[float, str | None],
) -> None:
    """How the conversation ends: with an agent, with thanks, or in silence."""
    helped = talk.quality == CORRECT
    if talk.escalated:
        _agent(talk, replies, speaker, shop, rng, cites)
    elif helped and rng.random() < 0.3:
        _adds(talk, speaker, "thanks", rng.randrange(30, 300))
    elif not helped and rng.random() < 0.2:
        _adds(talk, speaker, "frustrated", rng.randrange(10, 90))
    if talk.escalated:
        talk.resolved = True if rng.random() < 0.85 else None
    elif helped:
        talk.resolved = True if rng.random() < 0.35 else None
    else:
        talk.resolved = False if rng.random() < 0.2 else None
    if rng.random() < 0.25:
        rescued = talk.escalated and not helped
        mean = CSAT_MEAN[CORRECT if talk.handed_over else talk.quality] + (0.5 if rescued else 0.0)
        talk.csat = float(min(5, max(1, round(rng.gauss(mean, 0.8)))))
    talk.personal = speaker.said


def _agent(
    talk: Conversation,
    replies: Sequence[str],
    speaker: Speaker,
    shop: Shop,
    rng: Random,
    cites: tuple[float, str | None],
) -> None:
    way = rng.random()
    if not talk.handed_over and way < 0.3:
        _adds(talk, speaker, "human", rng.randrange(8, 90))
    elif not talk.handed_over and way < 0.5:
        _adds(talk, speaker, "frustrated", rng.randrange(8, 90))
    wait = rng.randrange(120, 900) if talk.channel != "email" else rng.randrange(1800, 30000)
    so_far = sum(message.after for message in talk.messages)
    talk.escalated_at = talk.started_at + timedelta(seconds=so_far + rng.randrange(5, 60))
    if rng.random() < 0.3:
        talk.messages.append(Message("agent", speaker.pick(shop.words["agent_ask"]), wait))
        _adds(talk, speaker, "agent_wait", rng.randrange(20, 200))
        wait = rng.randrange(60, 400)
    share, article = cites
    cited = (shop.in_language(article, talk.language),) if article and rng.random() < share else ()
    answers = rng.sample(replies, 2 if rng.random() < 0.15 else 1)
    talk.messages.append(Message("agent", speaker.agent_says(" ".join(answers)), wait, cited))
    if rng.random() < 0.5:
        _adds(talk, speaker, "thanks", rng.randrange(30, 600))
    talk.handle_seconds = float(round(min(7200.0, rng.lognormvariate(math.log(560), 0.6))))
    chances = {talk.intent: 0.4, "callback": 0.05, "vip": 0.03}
    talk.tags = tuple(tag for tag, chance in chances.items() if rng.random() < chance)


def _adds(talk: Conversation, speaker: Speaker, what: str, after: int) -> None:
    talk.messages.append(Message("customer", speaker.say(speaker.pick(speaker.words[what])), after))


def _agents_cite(topic: Topic, changed: bool, uncovered: bool, open_gap: bool) -> tuple[float, str | None]:
    """How often agents link an article in their reply, and which."""
    if not topic.articles or open_gap:
        return 0.0, None
    if topic.kind == "unfindable":
        return 0.5, topic.articles[0]
    if topic.kind == "contradictory":
        return 0.3, topic.right
    return (0.05 if changed or uncovered else 0.25), topic.articles[0]


def _predict(topic: Topic, shop: Shop, rng: Random) -> tuple[str, float]:
    if topic.predicted_as and rng.random() < 0.85:
        return topic.predicted_as, round(min(0.99, max(0.3, rng.gauss(0.74, 0.1))), 3)
    if rng.random() < 0.03:
        intents = sorted({other.intent for other in shop.topics.values()} - {topic.intent})
        return rng.choice(intents), round(min(0.95, max(0.2, rng.gauss(0.52, 0.13))), 3)
    return topic.intent, round(min(0.99, max(0.3, rng.gauss(0.84, 0.09))), 3)


def _crowd(topic: Topic, people: Sequence[Customer], rng: Random) -> dict[str, Sequence[Customer]]:
    """Who may write about ``topic``, by language; a third of the conversations come from people who write often."""
    crowd: dict[str, Sequence[Customer]] = {}
    for language in ("en", "de"):
        able = [person for person in people if person.language == language]
        if topic.kind == "loud":
            able = [rng.choice([person for person in able if person.region in topic.regions])]
        regulars = able[: max(1, len(able) // 12)]
        crowd[language] = able + regulars * 6
    return crowd


def _channel(rng: Random) -> str:
    return rng.choices(("chat", "email", "app"), (55, 25, 20))[0]
