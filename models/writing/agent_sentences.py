"""Sentences of agents' replies: cut, without courtesies, and told apart into instructions and statements."""

from __future__ import annotations

import re
from typing import NamedTuple

from lacuna.models.text.courtesies import REPLY_GREETING
from lacuna.models.text.markup import PLACEHOLDER
from lacuna.models.text.words import REPLY_SENTENCE_END, WORD_OR_NUMBER
from lacuna.models.writing.reply_lists import unfolded

__all__ = [
    "AgentSentence", "agent_sentences", "core_of", "instructions", "instructs", "is_talk", "statements",
    "without_condition",
]  # fmt: skip

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
    "scan schedule scroll search select send set show sign slide start stick stop store stretch submit swap switch take tap "
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


# What an answer holds for, in an agent's words: a clause at the start or the end, or a short question before it.
_IF = r"(?:if|in case|unless|when you(?:'ve|'re| have| are)|wenn|falls|sofern|without|ohne)"
_FOR = r"(?:for|für|bei) (?!example|instance|now|tonight|today|more|help|further|that|this|fragen|mich|uns)"
_CONDITION_FIRST = re.compile(
    rf"^((?:{_IF}|(?:as|since|because) you|{_FOR}(?:[^\s,]+ ){{0,6}})\b[^,.:;?!]{{3,90}})[,:]\s+(?:then\s+|dann\s+)?(?!please,|bitte,)(?=\S)",
    re.I,
)
_CONDITION_LAST = re.compile(r"[^,;]{8,}\s((?:if|unless|wenn|falls|sofern)\b[^,.:;?!]{6,90})[.!]?$", re.I)
CONDITION_WORDS = 9  # most words of a question that is a condition ("Paid already?")
_ASKS_BACK = re.compile(
    r"\b(?:what|which|how|why|where|who|can you|could you|would you|does|is there|any|please|number|bitte|nummer|was|welche\w*|wie|wo|können sie)\b",
    re.I,
)


class AgentSentence(NamedTuple):
    """A sentence of a reply, its place in it (0 to 1), whether it instructs, and the condition it is under, else ""."""

    text: str
    place: float
    instructs: bool
    condition: str


def instructions(text: str) -> list[tuple[str, float]]:
    """Sentences of ``text`` that tell what to do, each with its place in the text, 0 to 1.

    Examples
    --------
    >>> instructions("Hi Ada, sorry about that. Go to Settings > Phone and scan the code. Does it work?")
    [('Go to Settings > Phone and scan the code.', 0.5)]
    """
    return [(sentence.text, sentence.place) for sentence in agent_sentences(text, _GOES_ON) if sentence.instructs]


def statements(text: str) -> list[str]:
    """Sentences of ``text`` with content, without greetings, thanks and small talk.

    Examples
    --------
    >>> statements("Hi Ada, thanks for waiting. It comes on Monday. Anything else I can do? Regards, Bo")
    ['It comes on Monday.']
    """
    return [sentence.text for sentence in agent_sentences(text, _GOES_ON)]


def agent_sentences(text: str, goes_on: re.Pattern[str] = _WRAPPED) -> list[AgentSentence]:
    """Sentences of a reply with content, in order; ``goes_on`` matches the line breaks that end no sentence.

    Examples
    --------
    >>> [(s.text, s.condition) for s in agent_sentences("Paid already? Send the receipt. If you have not, don't pay.")]
    [('Send the receipt.', 'Paid already'), ("If you have not, don't pay.", 'If you have not')]
    """
    text = goes_on.sub(" ", unfolded(text))
    sentences = [" ".join(part.split()) for part in REPLY_SENTENCE_END.split(text) if part and part.strip()]
    last = max(1, len(sentences) - 1)
    kept = []
    asked = ""
    for place, sentence in enumerate(sentences):
        core = core_of(sentence)
        shown = core[:1].upper() + core[1:]
        tells = instructs(core)
        if tells or _states(core):
            kept.append(AgentSentence(shown, place / last, tells, _condition(shown) or asked))
        is_condition = core.endswith("?") and len(core.split()) <= CONDITION_WORDS and not _ASKS_BACK.search(core)
        asked = core.rstrip("? ") if is_condition and not _TALK.search(core) else ""
    return kept


def core_of(sentence: str) -> str:
    """A sentence without the greeting and the announcement of steps that it begins with."""
    core = REPLY_GREETING.sub("", sentence)
    while (shorter := REPLY_GREETING.sub("", core)) != core:
        core = shorter
    return _LEAD_IN.sub("", core).lstrip("-–*• ")


def without_condition(sentence: str) -> str:
    """A sentence without the condition that it begins with.

    Examples
    --------
    >>> without_condition("If you have paid, then send us the receipt.")
    'Send us the receipt.'
    """
    rest = _CONDITION_FIRST.sub("", sentence)
    return rest[:1].upper() + rest[1:]


def _condition(sentence: str) -> str:
    match = _CONDITION_FIRST.match(sentence) or _CONDITION_LAST.search(sentence)
    return match[1].strip() if match else ""


def is_talk(sentence: str) -> bool:
    """Whether a sentence keeps the talk going, names somebody, or is about one customer's case or the agent himself."""
    masked = PLACEHOLDER.sub("X", sentence)
    return "<NAME>" in sentence or _TALK.search(masked) is not None or _PERSONAL.search(masked) is not None


def instructs(sentence: str) -> bool:
    """Whether a sentence tells the customer what to do."""
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
