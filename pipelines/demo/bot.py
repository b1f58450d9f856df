"""The demo's bot: it finds a section of an article, or says that it has no answer, and is right more or less often."""

from __future__ import annotations

import re
from functools import cache
from random import Random

from lacuna.pipelines.demo.chat import CORRECT, MISCLASSIFIED, NO_ANSWER, PARTIAL, WRONG, Conversation, Message
from lacuna.pipelines.demo.talk import Speaker
from lacuna.pipelines.demo.world import Article, Shop, Topic

CITES_RIGHT = 0.9
CITES_UNFINDABLE = 0.15


def first_answer(
    talk: Conversation,
    topic: Topic,
    speaker: Speaker,
    shop: Shop,
    question: str,
    changed: bool,
    open_gap: bool,
    rng: Random,
) -> None:
    """The bot's first answer, and how good it is."""
    misled = talk.predicted_intent != topic.intent
    if topic.kind == "handoff" and rng.random() < 0.8:
        talk.handed_over = True
        talk.quality = rng.choice((CORRECT, NO_ANSWER))
        talk.messages.append(Message("bot", speaker.pick(topic.policy), rng.randrange(2, 6)))
        return
    chance = CITES_RIGHT
    if topic.kind in ("handoff", "loud") or open_gap:
        chance = 0.0
    elif topic.kind == "unfindable":
        chance = CITES_UNFINDABLE
    elif misled:
        chance = 0.06 if topic.kind == "misrouted" else 0.35
    if rng.random() < chance:
        article = rng.choice(topic.articles) if topic.kind == "contradictory" else topic.articles[0]
        talk.quality = _quality_of_right(topic, article, changed, talk.uncovered, rng)
        answer(talk, article, speaker, shop, question)
    elif rng.random() < 0.52:
        fall_back(talk, speaker)
        talk.quality = NO_ANSWER
    else:
        answer(talk, rng.choice(topic.near), speaker, shop, question)
        talk.quality = PARTIAL if rng.random() < 0.06 else WRONG
    if misled and talk.quality in (WRONG, NO_ANSWER) and rng.random() < 0.8:
        talk.quality = MISCLASSIFIED


def _quality_of_right(topic: Topic, article: str, changed: bool, uncovered: bool, rng: Random) -> str:
    weights = (94, 4, 2)
    if changed:
        weights = (6, 22, 72)
    elif uncovered:
        weights = (6, 80, 14)
    elif topic.kind == "contradictory":
        weights = (62, 24, 14) if article == topic.right else (10, 28, 62)
    return rng.choices((CORRECT, PARTIAL, WRONG), weights)[0]


def second_try(talk: Conversation, topic: Topic, speaker: Speaker, shop: Shop, changed: bool, rng: Random) -> None:
    """What a customer does who was not helped: say it again, complain, or nothing."""
    if rng.random() > (0.55 if talk.escalated else 0.3):
        return
    if topic.again and rng.random() < 0.6 and _complains(talk, topic, changed):
        text = speaker.pick(topic.again)
    else:
        question = speaker.ask(topic.uncovered if talk.uncovered else topic.customer)
        text = speaker.pick(shop.words["rephrase"]) + question
    talk.messages.append(Message("customer", speaker.say(text), rng.randrange(20, 240)))
    if rng.random() < 0.6:
        fall_back(talk, speaker)
    else:
        answer(talk, talk.cited or rng.choice(topic.near), speaker, shop, text)


def _complains(talk: Conversation, topic: Topic, changed: bool) -> bool:
    """Whether the bot said what the topic's customers complain about."""
    right = talk.cited in topic.articles
    if topic.kind in ("stale", "incomplete", "contradictory"):
        return right and (changed or talk.uncovered or topic.kind == "contradictory")
    return topic.kind == "loud" or (talk.cited is not None and not right)


def answer(talk: Conversation, article_id: str, speaker: Speaker, shop: Shop, question: str) -> None:
    """Let the bot quote ``article_id``, in the customer's language if there is a translation."""
    article = shop.articles[shop.in_language(article_id, talk.language)]
    lead = speaker.pick(shop.words["lead"]).replace("{title}", article.title)
    text = lead + excerpt(article, question)
    talk.messages.append(Message("bot", text, speaker.rng.randrange(2, 7), (article.article_id,)))
    talk.cited = article.article_id


def fall_back(talk: Conversation, speaker: Speaker) -> None:
    """Let the bot say that it has no answer."""
    talk.messages.append(Message("bot", speaker.pick(speaker.words["fallback"]), speaker.rng.randrange(2, 7), (), True))


def excerpt(article: Article, question: str, length: int = 320) -> str:
    """The section of ``article`` that shares most words with ``question``, as a retrieval bot would quote it."""
    question_stems = _stems(question)
    best = max(_passages(article), key=lambda passage: len(question_stems & passage[1]))[0]
    if len(best) <= length:
        return best
    cut = best[:length]
    stop = max(cut.rfind(". "), cut.rfind("; "))
    # A cut just behind the number of the next step would leave the number standing.
    return re.sub(r"\s\d+\.$", "", cut[: stop + 1]) if stop > length // 3 else cut[: cut.rfind(" ")] + " …"


@cache
def _passages(article: Article) -> list[tuple[str, frozenset[str]]]:
    out = []
    for section in re.split(r"^## ", article.body, flags=re.MULTILINE):
        lines = [line for line in section.splitlines() if line.strip() and not line.startswith("|---")]
        tidy = [re.sub(r"\s*\|\s*", " · ", line.strip("| ")) if line.startswith("|") else line for line in lines]
        text = " ".join(tidy[1:] if section is not article.body and len(tidy) > 1 else tidy).replace("**", "")
        out.append((text, _stems(section)))
    return out


def _stems(text: str) -> frozenset[str]:
    return frozenset(word[:6] for word in re.findall(r"[^\W\d_]{4,}", text.lower()))
