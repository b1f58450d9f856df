"""Resolution steps: what several agents told customers to do or explained, taken from their replies."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TypedDict

import numpy as np

from lacuna.models.arrays import F64, Ints
from lacuna.models.text.courtesies import REPLY_GREETING
from lacuna.models.text.lexicon import STOP_WORDS
from lacuna.models.text.markup import PLACEHOLDER
from lacuna.models.text.salience import Salience
from lacuna.models.text.words import REPLY_SENTENCE_END, WORD_OR_NUMBER, is_german, stem

__all__ = ["ResolutionStep", "distil", "instructions", "statements"]

AT_LEAST = 2  # different conversations that a step must occur in
MOST_STEPS, MOST_WAYS, SHOWN_IDS = 12, 6, 3
TOGETHER = 0.45  # least cosine of the sets of conversations of two steps that belong to one answer (Ochiai 1957)
IN_ORDER = 0.75  # least share of the conversations with both steps in which the two come in the same order
INSTRUCTS, STATES = 0.3, 1.0  # least salience of an instruction, and of another sentence
ALIKE = 0.35  # least mean cosine within a group of sentences that say the same
SAME = 0.7  # the same, where one reply holds several sentences of a group
SENTENCES = 800  # most sentences of a gap that are compared; more make the result no better
SHORTEST, LONGEST = 3, 45  # words of a sentence that can be a step

# A line that ends in a colon, or whose next begins small, is no sentence yet.
_GOES_ON = re.compile(r"(?<=:)\s*\n+\s*(?![-*•\d])|(?<![.!?\s])[ \t]*\n+[ \t]*(?=[a-zäöüß])")
# The same where steps are looked for: a short line is one of a list, and only a long one was wrapped.
_WRAPPED = re.compile(r"(?<=:)\s*\n+\s*(?![-*•\d])|(?<=[^\n]{50})(?<![.!?\s])[ \t]*\n[ \t]*(?=[a-zäöüß])")
_LEAD_IN = re.compile(r"^[^:]{0,60}\b(?:below|following|these|steps|instructions)\b[^:]{0,20}:\s+", re.I)
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
_IMPERATIVE_DE = re.compile(
    r"\b(?:bitte\b.*\w+en\b|[a-zäöü]+en sie\b(?! sich (?:gern|jederzeit|bitte,? falls))|sie (?:müssen|sollten|können|brauchen)\b.*\w+en\b)",
    re.I,
)
_IMPERATIVE_EN = re.compile(
    r"\b(?:you|one|customers?) (?:just |only |also |first |then )?(?:need to|have to|must|should)\b", re.I
)
_PATH = re.compile(r"[\w)\]\"”']\s*(?:>|→|➜|->|»)\s*[\w(\[\"“']")
# What an agent says to keep the talk going: no step of an article.
_TALK = re.compile(
    r"let (?:me|us) know|anything else|hope (?:this|that|it) helps|have a (?:good|nice|great)|feel free|reply (?:here|to this)|"
    r"(?:create|post|open|start) (?:a )?(?:new )?(?:question|support request|thread|topic|ticket|post)|post (?:your|a|the|back)|"
    r"tell (?:me|us)|thank you|thanks for|sorry|regards|sincerely|mark (?:this|it) as|screen ?shot|more info|take care|(?:in|into|with) your (?:reply|post|answer)|"
    r"(?:in|at|on|see|from|follow|read|with) (?:(?:this|these) (?:\w+ )?(?:article|link|page|instructions?)|the (?:article|link|thread))|"
    r"melden sie sich|einen schönen|viele grüße|entschuldig|danke|sagen sie uns",
    re.I,
)
# What an agent says of one customer's case or of himself: no line of an article either.
_PERSONAL = re.compile(
    r"\b(?:i|i've|i'm|i'll|i'd|my|me|yours|ich|mir|mein\w*|"
    r"(?:your|this|the) (?:order|parcel|case|account|question|post|problem|issue) (?:is|was|has|will)|"
    r"what (?:version|is|are)|are you|did you|do you|have you|you(?:'re| are) (?:right|welcome|correct))\b",
    re.I,
)


class ResolutionStep(TypedDict):
    """One step, in an agent's words.

    It occurs in ``count`` conversations, also those that ended badly; ``worked`` of them are known to have ended well.
    Up to three are listed, none that ended badly.
    ``way`` numbers the answers from 1: steps from the same conversations belong to one answer, and different answers
    are alternatives. ``order`` is the step's place in an answer whose steps have an order, else 0.
    """

    text: str
    count: int
    worked: int
    conversation_ids: list[str]
    way: int
    order: int


def distil(
    replies: Sequence[tuple[str, str]],
    worked: Collection[str] = frozenset(),
    salience: Salience | None = None,
    failed: Sequence[tuple[str, str]] = (),
) -> list[ResolutionStep]:
    """Find the steps that agents gave in at least two conversations, answer by answer.

    Sentences that tell the customer what to do, and with ``salience`` also sentences that are about the gap, are
    grouped by likeness (TF-IDF of stems, average linkage). A group found in two conversations or more is a step. Its
    text is the sentence most like the others, its place the mean place within the replies. Steps that mostly occur in
    the same conversations make one answer. Nothing is rephrased or added.

    Parameters
    ----------
    replies
        Conversation id and text of each reply, a conversation's replies in order.
    worked
        Conversations that are known to have ended well.
    salience
        Weights of the stems that set the gap's replies apart from other replies.
    failed
        Replies of conversations that ended badly. They make no step; they count as tries of a step that they gave.

    Returns
    -------
    list of ResolutionStep
        At most twelve in six answers: the steps of most conversations, and the most frequent answer first.

    Examples
    --------
    >>> replies = [("c1", "Open Orders. Then press Return."), ("c2", "Please open Orders. After that press Return.")]
    >>> [(step["text"], step["count"], step["way"], step["order"]) for step in distil(replies)]
    [('Open Orders.', 2, 1, 1), ('After that press Return.', 2, 1, 2)]
    """
    candidates = _candidates(replies, salience)
    if len(candidates) < AT_LEAST:
        return []
    in_vain = _candidates(failed, salience)
    vectors, vectors_in_vain = _vectors([one.text for one in candidates], [one.text for one in in_vain])
    group = _apart(candidates, vectors, _groups(vectors, ALIKE))
    shared = _shared(candidates, vectors, group, _tries(in_vain, vectors_in_vain, vectors, group))
    best_shared = sorted(shared, key=lambda f: (-len(f.ids), f.place, f.text))[:MOST_STEPS]
    steps: list[ResolutionStep] = []
    ways = sorted(_ways(best_shared), key=lambda way: (-max(len(f.ids) for f in way), -len(way), way[0].text))
    for number, way in enumerate(ways[:MOST_WAYS], start=1):
        way = sorted(way, key=lambda f: (round(f.place, 6), -len(f.ids), f.text))
        ordered = len(way) > 1 and 2 * sum(f.instructs for f in way) > len(way) and _in_order(way)
        for place, one in enumerate(way, start=1):
            ids = sorted(one.ids, key=lambda c: (c not in worked, c))
            steps.append(
                ResolutionStep(
                    text=one.text, count=len(ids) + len(one.failed), worked=sum(c in worked for c in ids),
                    conversation_ids=ids[:SHOWN_IDS], way=number, order=place if ordered else 0,
                )
            )  # fmt: skip
    return steps


@dataclass(frozen=True)
class _Sentence:
    """A sentence, its conversation, where in the reply it is (0 to 1), and whether it tells what to do."""

    conversation: str
    text: str
    place: float
    instructs: bool


@dataclass(frozen=True)
class _Shared:
    """A step that several conversations share; ``places`` is its place in the reply (0 to 1) by conversation."""

    text: str
    place: float
    places: dict[str, float]
    instructs: bool
    failed: frozenset[str]  # conversations with the step that ended badly

    @property
    def ids(self) -> set[str]:
        return set(self.places)


def _tries(in_vain: Sequence[_Sentence], vectors_in_vain: F64, vectors: F64, group: Ints) -> dict[int, set[str]]:
    """By group, the conversations that ended badly after a sentence that says the same as the group."""
    tries: dict[int, set[str]] = {}
    if not in_vain:
        return tries
    numbers = sorted(set(group))
    middles = np.stack([vectors[group == number].mean(axis=0) for number in numbers])
    # The product of a row with a group's mean is the row's mean cosine with the group's sentences.
    for sentence, likeness in zip(in_vain, np.round(vectors_in_vain @ middles.T, 9), strict=True):
        nearest = int(likeness.argmax())
        if likeness[nearest] >= ALIKE:
            tries.setdefault(int(numbers[nearest]), set()).add(sentence.conversation)
    return tries


def _shared(candidates: Sequence[_Sentence], vectors: F64, group: Ints, tries: Mapping[int, set[str]]) -> list[_Shared]:
    n_sentences = Counter(sentence.conversation for sentence in candidates)  # a single sentence has no order
    shared = []
    for number in sorted(set(group)):
        rows = [int(i) for i in np.flatnonzero(group == number)]
        places: dict[str, float] = {}
        for i in rows:
            places.setdefault(candidates[i].conversation, candidates[i].place)
        if len(places) < AT_LEAST:
            continue
        middle = vectors[rows].mean(axis=0)
        instructs = 2 * sum(candidates[i].instructs for i in rows) > len(rows)
        best = min(
            rows,
            key=lambda i: (
                _lacks(candidates[i].text),
                not candidates[i].instructs,
                -round(float(vectors[i] @ middle), 6),
                candidates[i].text,
            ),
        )
        ordered = [place for conversation, place in places.items() if n_sentences[conversation] > 1]
        place = float(np.mean(ordered)) if ordered else 0.5
        failed = frozenset(tries.get(int(number), ())) - places.keys()
        shared.append(_Shared(candidates[best].text, place, places, instructs, failed))
    return shared


def _ways(shared: Sequence[_Shared]) -> list[list[_Shared]]:
    """The steps grouped into answers: those that mostly occur in the same conversations are together."""
    if len(shared) < 2:
        return [list(shared)] if shared else []
    far = [
        1 - len(one.ids & other.ids) / (len(one.ids) * len(other.ids)) ** 0.5 for one, other in combinations(shared, 2)
    ]
    from scipy.cluster.hierarchy import fcluster, linkage

    way = fcluster(linkage(np.round(far, 9), "average"), 1 - TOGETHER, "distance")
    return [[one for one, own in zip(shared, way, strict=True) if own == number] for number in sorted(set(way))]


def _in_order(way: Sequence[_Shared]) -> bool:
    """Whether most conversations that have two of the steps have them in this order."""
    right = both = 0
    for one, other in combinations(way, 2):
        for conversation in one.ids & other.ids:
            both += 1
            right += one.places[conversation] < other.places[conversation]
    return right >= IN_ORDER * both


def instructions(text: str) -> list[tuple[str, float]]:
    """Sentences of ``text`` that tell what to do, each with its place in the text, 0 to 1.

    Examples
    --------
    >>> instructions("Hi Ada, sorry about that. Go to Settings > Phone and scan the code. Does it work?")
    [('Go to Settings > Phone and scan the code.', 0.5)]
    """
    return [(sentence, place) for sentence, place, instructs in _sentences(text) if instructs]


def statements(text: str) -> list[str]:
    """Sentences of ``text`` with content, without greetings, thanks and small talk.

    Examples
    --------
    >>> statements("Hi Ada, thanks for waiting. It comes on Monday. Anything else I can do? Regards, Bo")
    ['It comes on Monday.']
    """
    return [sentence for sentence, _, _ in _sentences(text)]


def _sentences(text: str, goes_on: re.Pattern[str] = _GOES_ON) -> list[tuple[str, float, bool]]:
    """Sentences with content, each with its place in the text (0 to 1) and whether it is an instruction.

    ``goes_on`` matches the line breaks that end no sentence.
    """
    text = goes_on.sub(" ", text)
    sentences = [" ".join(part.split()) for part in REPLY_SENTENCE_END.split(text) if part and part.strip()]
    last = max(1, len(sentences) - 1)
    kept = []
    for place, sentence in enumerate(sentences):
        core = REPLY_GREETING.sub("", sentence)
        while (shorter := REPLY_GREETING.sub("", core)) != core:
            core = shorter
        core = _LEAD_IN.sub("", core)
        sentence_shown = core[:1].upper() + core[1:]
        if _instructs(core):
            kept.append((sentence_shown, place / last, True))
        elif _states(core):
            kept.append((sentence_shown, place / last, False))
    return kept


def _lacks(sentence: str) -> bool:
    """Whether a sentence is incomplete: it has a placeholder, or ends in a colon."""
    return PLACEHOLDER.search(sentence) is not None or sentence.endswith(":")


def _instructs(sentence: str) -> bool:
    sentence = PLACEHOLDER.sub("X", sentence)  # its brackets are no menu path
    words = len(WORD_OR_NUMBER.findall(sentence))
    if not SHORTEST <= words <= LONGEST and not (words == SHORTEST - 1 and _IMPERATIVE.match(sentence)):
        return False
    if sentence.rstrip('"”) ').endswith("?") or _TALK.search(sentence):
        return False
    parts = re.split(r"[,;:]\s+|\s[–-]\s|\b(?:and|then|und|dann)\s+", sentence)
    if any(_IMPERATIVE.match(_LEAD.sub("", part.strip())) for part in parts if " " in part.strip()):
        return True
    return any(pattern.search(sentence) for pattern in (_PATH, _IMPERATIVE_EN, _IMPERATIVE_DE))


def _states(sentence: str) -> bool:
    """Whether a sentence by its form is a statement with content, and not about one customer's case."""
    if "<NAME>" in sentence:
        return False
    masked = PLACEHOLDER.sub("X", sentence)
    if not SHORTEST <= len(WORD_OR_NUMBER.findall(masked)) <= LONGEST or masked.rstrip('"”) ').endswith(("?", ":")):
        return False
    return not _TALK.search(masked) and not _PERSONAL.search(masked)


def _candidates(replies: Sequence[tuple[str, str]], salience: Salience | None) -> list[_Sentence]:
    """The replies' sentences that may be steps, each once a conversation; evenly sampled if there are many."""
    joined: dict[str, str] = {}
    for conversation, text in replies:
        joined[conversation] = f"{joined[conversation]}\n{text}" if conversation in joined else text
    by_text: dict[tuple[str, str], _Sentence] = {}
    for conversation in sorted(joined):
        for sentence, place, instructs in _sentences(joined[conversation], _WRAPPED):
            if instructs if salience is None else salience.worth(sentence) >= (INSTRUCTS if instructs else STATES):
                by_text.setdefault((conversation, sentence), _Sentence(conversation, sentence, place, instructs))
    rows = list(by_text.values())
    if len(rows) <= SENTENCES:
        return rows
    step = len(rows) / SENTENCES
    return [rows[int(i * step)] for i in range(SENTENCES)]


def _stems(text: str) -> list[str]:
    words = [
        word for word in WORD_OR_NUMBER.findall(text.casefold().replace("’", "'")) if not PLACEHOLDER.fullmatch(word)
    ]
    german = is_german(words)
    return [
        stem(word, german)
        for word in words
        if word not in STOP_WORDS or word in ("not", "no", "nicht", "kein", "don't")
    ]


def _vectors(texts: Sequence[str], others: Sequence[str]) -> tuple[F64, F64]:
    """TF-IDF of stems, rows of length 1, or 0 where a text has only stop words; ``others`` by the weights of ``texts``."""
    try:
        # Imported late: it takes a second, and listing or copying drafts does not need it.
        from sklearn.feature_extraction.text import TfidfVectorizer

        weights = TfidfVectorizer(analyzer=_stems, sublinear_tf=True)
        counted = weights.fit_transform(texts)
    except ValueError:  # no word is left
        return np.zeros((len(texts), 1)), np.zeros((len(others), 1))
    counted_others = weights.transform(others).toarray() if others else np.zeros((0, counted.shape[1]))
    return np.round(counted.toarray(), 9), np.round(counted_others, 9)


def _apart(candidates: Sequence[_Sentence], vectors: F64, group: Ints) -> Ints:
    """Groups of which most conversations hold two sentences, cut finer: one reply does not say the same twice."""
    group = group.copy()
    for number in sorted(set(group)):
        rows = np.flatnonzero(group == number)
        held = Counter(candidates[int(i)].conversation for i in rows)
        if 2 * sum(n > 1 for n in held.values()) > len(held):
            group[rows] = group.max() + _groups(vectors[rows], SAME)
    return group


def _groups(vectors: F64, alike: float) -> Ints:
    from scipy.cluster.hierarchy import fcluster, linkage
    from scipy.spatial.distance import pdist

    far = np.nan_to_num(pdist(vectors, "cosine"), nan=1.0).clip(0, 2)
    return fcluster(linkage(far, "average"), 1 - alike, "distance").astype(np.int64)
