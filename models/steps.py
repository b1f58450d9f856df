"""What agents told customers to do, where several of them told it: the steps that an answer has so far."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import TypedDict

import numpy as np
from numpy.typing import NDArray
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import pdist
from sklearn.feature_extraction.text import TfidfVectorizer

from models.label_words import STOP_WORDS
from models.phrases import is_german, stem

__all__ = ["Step", "distil", "instructions"]

AT_LEAST = 2  # different conversations that must say a step
MOST_STEPS, SHOWN_IDS = 8, 3
ALIKE = 0.35  # mean cosine within a group of sentences that say the same
SENTENCES = 800  # per gap; the agreement of more is no better known
SHORTEST, LONGEST = 3, 45  # words of a sentence that can be a step

_SENTENCE = re.compile(r"(?<=[.!?])[\"”)]?\s+|\s*\n+\s*(?:[-*•]\s+|\d{1,2}[.)]\s+)?|^\s*(?:[-*•]\s+|\d{1,2}[.)]\s+)")
_GREETING = re.compile(
    r"^\W*(?:hi|hello|hey|dear|good (?:morning|afternoon|evening|day)|thanks for [\w ]+|hallo|guten (?:tag|morgen|abend)|liebe[rs]?"
    r"|sehr geehrte[rs]?)\b(?: (?:<[A-Z_]+>|[A-ZÄÖÜ][\w-]+|there|zusammen|frau|herr))*[,!:–-]\s*",
    re.I,
)
_LEAD = re.compile(
    r"^(?:(?:please|kindly|just|simply|then|and|also|next|first(?:ly)?|second(?:ly)?|third(?:ly)?|finally|lastly|now|so|again|instead|"
    r"always|step \d+|try to|be sure to|make sure (?:to|you)|remember to|you(?:'ll| will)? (?:can|could|need to|have to|must|should|may|want to)"
    r"|you will need to|bitte|dann|danach|zuerst|jetzt|nun|und|anschließend|zum schluss|einfach|noch|:"
    r"|(?:in|on|at|under|from|after|for) (?:(?:the|your|our) )?\w+)\s+)+",
    re.I,
)
_DO = (
    "accept activate add allow apply ask attach book bring buy cancel change charge check choose claim clean clear click "
    "close collect compare complete confirm connect contact copy create cut deactivate delete deselect disable disconnect "
    "download drag drop empty enable enter exit export fill find fix fold follow forward give go hand highlight hit hold "
    "import insert install keep launch leave locate log look loosen make mark measure move navigate note open order pack "
    "pair paste pay pick place plug press print pull push put quit quote read rebuild recharge reconnect register release "
    "reinstall remove rename repair replace report request reset restart restore return review right-click rinse run save "
    "scan schedule scroll search select send set sign slide start stick stop store stretch submit swap switch take tap "
    "tape test thread tick tighten toggle try tumble turn type uncheck uninstall unlock unplug untick update upgrade upload "
    "use verify visit wait wash wipe write"
)
_TU = (
    "öffne gehe geh klicke klick wähle tippe drücke gib scanne sende schicke schick lade installiere prüfe nimm nutze "
    "verwende füge entferne lösche stelle schalte melde starte warte fülle lege halte trenne verbinde bestelle drucke "
    "trage ziehe setze reinige wasche messe miss"
)
_IMPERATIVE = re.compile(
    rf"^(?:do not|don't|never|nicht)?\s*(?:{_DO.replace(' ', '|')}|{_TU.replace(' ', '|')})\b(?!-)(?! (?:is|are|was|were|will|has|can|ist|sind)\b)",
    re.I,
)
_TOLD_DE = re.compile(
    r"\b(?:bitte\b.*\w+en\b|[a-zäöü]+en sie\b(?! sich (?:gern|jederzeit|bitte,? falls))|sie (?:müssen|sollten|können|brauchen)\b.*\w+en\b)",
    re.I,
)
_TOLD_EN = re.compile(
    r"\b(?:you|one|customers?) (?:just |only |also |first |then )?(?:need to|have to|must|should)\b", re.I
)
_PATH = re.compile(r"[\w)\]\"”']\s*(?:>|→|➜|->|»)\s*[\w(\[\"“']")
# What an agent says to keep the talk going: no step of an article.
_TALK = re.compile(
    r"let (?:me|us) know|anything else|hope (?:this|that|it) helps|have a (?:good|nice|great)|feel free|reply (?:here|to this)|"
    r"(?:create|post|open|start) (?:a )?(?:new )?(?:question|support request|thread|topic|ticket|post)|post (?:your|a|the|back)|"
    r"tell (?:me|us)|thank you|thanks for|sorry|regards|sincerely|mark (?:this|it) as|screen ?shot|more info|take care|(?:in|into|with) your (?:reply|post|answer)|"
    r"melden sie sich|einen schönen|viele grüße|entschuldig|danke|sagen sie uns",
    re.I,
)
_WORD = re.compile(r"[^\W_][\w'’-]*")
_PLACEHOLDER = re.compile(r"<[A-Z_]{2,}>")


class Step(TypedDict):
    """A step in an agent's words, how many conversations hold it, and up to three of them."""

    text: str
    count: int
    conversation_ids: list[str]


def distil(replies: Sequence[tuple[str, str]]) -> list[Step]:
    """Steps that agents of at least two conversations gave, in the order in which they gave them.

    Sentences that tell the customer what to do are grouped by likeness (TF-IDF of stems, average linkage); a group
    stands where two conversations hold it, in the words that are most like the others', at the mean place that it has
    within replies. Nothing is rephrased or added: no agreement, no step.

    Parameters
    ----------
    replies
        Conversation id and text of each reply, a conversation's replies in order.

    Returns
    -------
    list of Step
        At most eight, those that most conversations hold.

    Examples
    --------
    >>> said = [("c1", "Open Orders. Then press Return."), ("c2", "Please open Orders. After that press Return. Bye!")]
    >>> [(step["text"], step["count"]) for step in distil(said)]
    [('Open Orders.', 2), ('After that press Return.', 2)]
    """
    told = _told(replies)
    if len(told) < AT_LEAST:
        return []
    vectors = _vectors([text for _, text, _ in told])
    group = _groups(vectors)
    said = Counter(conversation for conversation, _, _ in told)  # who gives one instruction says nothing about order
    found = []
    for number in sorted(set(group)):
        rows = np.flatnonzero(group == number)
        ids = sorted({told[i][0] for i in rows})
        if len(ids) < AT_LEAST:
            continue
        middle = vectors[rows].mean(axis=0)
        best = min(rows, key=lambda i: (_lacks(told[i][1]), -round(float(vectors[i] @ middle), 6), told[i][1]))
        ordered = [told[i][2] for i in rows if said[told[i][0]] > 1]
        place = float(np.mean(ordered)) if ordered else 0.5
        found.append((place, Step(text=told[best][1], count=len(ids), conversation_ids=ids[:SHOWN_IDS])))
    kept = sorted(found, key=lambda f: (-f[1]["count"], f[0], f[1]["text"]))[:MOST_STEPS]
    return [step for _, step in sorted(kept, key=lambda f: (round(f[0], 6), -f[1]["count"], f[1]["text"]))]


def instructions(text: str) -> list[tuple[str, float]]:
    """Sentences of ``text`` that tell what to do, each with its place in the text, 0 to 1.

    Examples
    --------
    >>> instructions("Hi Ada, sorry about that. Go to Settings > Phone and scan the code. Does it work?")
    [('Go to Settings > Phone and scan the code.', 0.5)]
    """
    sentences = [" ".join(part.split()) for part in _SENTENCE.split(text) if part and part.strip()]
    last = max(1, len(sentences) - 1)
    found = []
    for place, sentence in enumerate(sentences):
        told = _GREETING.sub("", sentence)
        if _instructs(told):
            found.append((told[:1].upper() + told[1:], place / last))
    return found


def _lacks(sentence: str) -> bool:
    """Whether something was taken out of a sentence, or should follow it."""
    return _PLACEHOLDER.search(sentence) is not None or sentence.endswith(":")


def _instructs(sentence: str) -> bool:
    sentence = _PLACEHOLDER.sub("X", sentence)  # its brackets are no menu path
    words = len(_WORD.findall(sentence))
    if not SHORTEST <= words <= LONGEST and not (words == SHORTEST - 1 and _IMPERATIVE.match(sentence)):
        return False
    if sentence.rstrip('"”) ').endswith("?") or _TALK.search(sentence):
        return False
    parts = re.split(r"[,;:]\s+|\s[–-]\s|\b(?:and|then|und|dann)\s+", sentence)
    if any(_IMPERATIVE.match(_LEAD.sub("", part.strip())) for part in parts if " " in part.strip()):
        return True
    return any(pattern.search(sentence) for pattern in (_PATH, _TOLD_EN, _TOLD_DE))


def _told(replies: Sequence[tuple[str, str]]) -> list[tuple[str, str, float]]:
    """Conversation, sentence and place of each instruction, each said once a conversation."""
    joined: dict[str, str] = {}
    for conversation, text in replies:
        joined[conversation] = f"{joined[conversation]}\n{text}" if conversation in joined else text
    found: dict[tuple[str, str], float] = {}
    for conversation in sorted(joined):
        for sentence, place in instructions(joined[conversation]):
            found.setdefault((conversation, sentence), place)
    rows = [(conversation, sentence, place) for (conversation, sentence), place in found.items()]
    if len(rows) <= SENTENCES:
        return rows
    step = len(rows) / SENTENCES
    return [rows[int(i * step)] for i in range(SENTENCES)]


def _stems(text: str) -> list[str]:
    words = [word for word in _WORD.findall(text.casefold().replace("’", "'")) if not _PLACEHOLDER.fullmatch(word)]
    german = is_german(words)
    return [
        stem(word, german)
        for word in words
        if word not in STOP_WORDS or word in ("not", "no", "nicht", "kein", "don't")
    ]


def _vectors(texts: Sequence[str]) -> NDArray[np.float64]:
    """TF-IDF of stems, rows of length 1, or 0 where a text has no word of weight."""
    try:
        counted = TfidfVectorizer(analyzer=_stems, sublinear_tf=True).fit_transform(texts)
    except ValueError:  # no word is left
        return np.zeros((len(texts), 1))
    return np.round(counted.toarray(), 9)


def _groups(vectors: NDArray[np.float64]) -> NDArray[np.int64]:
    far = np.nan_to_num(pdist(vectors, "cosine"), nan=1.0).clip(0, 2)
    return fcluster(linkage(far, "average"), 1 - ALIKE, "distance").astype(np.int64)
