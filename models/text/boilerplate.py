"""Boilerplate of messages: text that mail programs, help desks and disclaimers add, and customers' stock sentences."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Sequence, Set
from functools import lru_cache
from itertools import chain

from lacuna.models.text.lexicon import STOP_WORDS

__all__ = ["asides", "templates", "without_asides", "without_boilerplate", "without_lines"]

_QUOTED_LINE = re.compile(r"^\s*>.*$", re.M)
# From here on, everything is somebody else's: the mail that is answered or forwarded.
_BEFORE = re.compile(
    r"^[ \t]*(?:-{3,}\s*(?:original message|forwarded message|ursprüngliche nachricht|weitergeleitete nachricht)"
    r"|begin forwarded message:|anfang der weitergeleiteten nachricht:"
    r"|(?:on|am|le)\b[^\n]{4,160}\n?[^\n]{0,120}\b(?:wrote|schrieb|a écrit)\b[^\n]{0,100}:[ \t]*$"
    r"|\*?(?:from|von):\*?[^\n]*\n(?:[^\n]*\n){0,2}?[ \t]*\*?(?:sent|gesendet|date|datum|to|an|subject|betreff):).*\Z",
    re.M | re.I | re.S,
)
_LINE = re.compile(
    r"^[ \t]*(?:\W*(?:please )?(?:type|write) your reply above this line\W*|\W*bitte (?:antworten sie )?über dieser "
    r"(?:zeile|linie)(?: antworten)?\W*|sent from (?:my|mail|outlook|yahoo)\b[^\n]{0,50}|get outlook for [^\n]{0,20}"
    r"|von meine[mr] [^\n]{0,40}gesendet|gesendet (?:von|mit|aus)\b[^\n]{0,60}"
    r"|diese nachricht wurde von meinem [^\n]{0,60})$",
    re.M | re.I,
)
_SUBJECT = re.compile(r"^[ \t]*(?:subject|betreff):[ \t]*(?:(?:re|fwd?|aw|wg):[ \t]*)*", re.M | re.I)
_SIGNATURE = re.compile(r"^--[ \t]*$.*\Z", re.M | re.S)
_PARAGRAPH = re.compile(r"\n[ \t]*\n")
_ABOUT_MAIL = re.compile(
    r"\b(?:this|the|diese[rs]?) (?:e-?mail|message|mail|communication|transmission|nachricht)\b|\bdisclaimer\b", re.I
)
_LEGAL = re.compile(
    r"\b(?:confidential|privileged|intended (?:solely |only |exclusively )?for|intended recipient|before printing|"
    r"vertraulich\w*|ausschließlich für|bestimmungsgemäße\w*|nicht der (?:richtige|beabsichtigte) \w+|unbefugt\w*)",
    re.I,
)
_SIGNED = re.compile(
    r"^[ \t]*(?:(?:many |best |kind |warm |with kind )?(?:thanks|regards|wishes)|thank you|sincerely|yours(?: \w+)?"
    r"|cheers|(?:viele|liebe|beste|freundliche|herzliche) (?:grüße|grüsse)|"
    r"mit (?:freundlichen|besten) grüßen|vielen dank|lg|mfg)"
    r"[ \t,.!]*$",
    re.M | re.I,
)
# Every match of a pattern above holds one of these, in lower case: other texts need not be matched, which saves time.
_BEFORE_MARKS = ("---", "begin forwarded", "anfang der", "wrote", "schrieb", "a écrit", "from:", "von:")
_LINE_MARKS = ("above this line", "bitte", "sent from", "get outlook", "gesendet", "diese nachricht")
_MAIL_MARKS = ("mail", "message", "communication", "transmission", "nachricht", "disclaimer")
_SIGNED_MARKS = ("thank", "regards", "wishes", "sincerely", "yours", "cheers", "grüße", "grüsse", "dank", "lg", "mfg")
_SIGNATURE_WORDS = 9  # of a line below a sign-off; longer ones say something

FEWEST, SHARE = 12, 0.03  # least number and share of the conversations that hold a template line word for word
SHORTEST, LONGEST = 3, 16  # words of an aside that is recognised within a sentence
FRAME = 4  # least words of an aside besides the names and numbers in which it varies
ALONE, TOO_OFTEN = 0.05, 0.5  # most often that an aside is the whole text, and that any one word occurs with it
_SENTENCE = re.compile(r"(?<=[.!?:])\s+|\n+")
_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)?")


def without_boilerplate(text: str) -> str:
    r"""A message without quoted and forwarded mail, signature, disclaimers and what the mail program adds.

    Where nothing else would be left, what was quoted stays.

    Examples
    --------
    >>> without_boilerplate("It still leaks.\n\nOn Mon, 3 Jun 2024, Support wrote:\nPlease dry the tent.")
    'It still leaks.'
    """
    text = text.replace("\r\n", "\n")
    low = text.lower()
    own = unquoted = _QUOTED_LINE.sub("", text) if ">" in text else text
    if any(mark in low for mark in _BEFORE_MARKS):
        own = _BEFORE.sub("", own)
    if "--" in own:
        own = _SIGNATURE.sub("", own)
    text = own if own.strip() else unquoted
    if any(mark in low for mark in _LINE_MARKS):
        text = _LINE.sub("", text)
    if "subject:" in low or "betreff:" in low:
        text = _SUBJECT.sub("", text)
    parts = _PARAGRAPH.split(text)
    if any(mark in low for mark in _MAIL_MARKS):
        parts = [part for part in parts if not _is_disclaimer(part)]
    text = "\n\n".join(parts)
    return (_unsigned(text) if any(mark in low for mark in _SIGNED_MARKS) else text).strip()


def _is_disclaimer(part: str) -> bool:
    return bool("?" not in part and _ABOUT_MAIL.search(part) and _LEGAL.search(part))


def _unsigned(text: str) -> str:
    """``text`` up to a sign-off on a line of its own that only short lines follow: names, roles, numbers."""
    for sign_off in _SIGNED.finditer(text):
        below = text[sign_off.end() :]
        if "?" not in below and all(len(line.split()) <= _SIGNATURE_WORDS for line in below.splitlines()):
            return text[: sign_off.start()] if text[: sign_off.start()].strip() else text
    return text


def templates(messages: Sequence[str]) -> frozenset[str]:
    """Lines of forms: those in many messages word for word, among other lines and never as the whole text.

    Parameters
    ----------
    messages
        One text a conversation.
    """
    counts: Counter[str] = Counter()
    alone = set()
    for text in messages:
        lines = {_folded(line) for line in text.splitlines()} - {""}
        if len(lines) > 1:
            counts.update(lines)
        else:
            alone |= lines
    least = max(FEWEST, SHARE * len(messages))
    return frozenset(line for line, count in counts.items() if count >= least and line not in alone)


def without_lines(text: str, lines: frozenset[str]) -> str:
    """``text`` without the lines of a form; unless nothing would be left."""
    if not lines:
        return text
    own_lines = [line for line in text.splitlines() if _folded(line) not in lines]
    return "\n".join(own_lines) if any(map(_folded, own_lines)) else text


def _folded(line: str) -> str:
    return " ".join(line.casefold().split())


def asides(messages: Sequence[str]) -> frozenset[str]:
    """Stock sentences: those that many customers write word for word, hardly ever alone, and with varying other text.

    "I've tried twice already" occurs with any problem; "the app doesn't find my bike" names one, and is often the whole
    message. A single word is never an aside, since "Returns:" may name the problem. Names and numbers may differ: "I
    ordered the Grit 27 a while ago". No list of phrases is used, so that this works in any language.

    Parameters
    ----------
    messages
        One text a conversation, its sentences ended and its lines kept.

    Returns
    -------
    frozenset of str
        The sentences' words in small letters, one space between them, ``_`` for names and numbers.

    Examples
    --------
    >>> asks = ["tent leaks", "lamp flickers", "stove hisses", "rope frays", "boots pinch", "mat deflates"]
    >>> asides([f"Quick question. {ask}!" for ask in asks + [f"my {ask}" for ask in asks]])
    frozenset({'quick question'})
    """
    forms_by_text = [_forms_of(text) for text in messages]
    times = Counter(form for forms in forms_by_text for form in dict.fromkeys(chain.from_iterable(forms)))
    rests_of: dict[str, list[set[str]]] = defaultdict(list)
    alone: Counter[str] = Counter()
    for forms in forms_by_text:
        for often in {form for form in chain.from_iterable(forms) if times[form] >= FEWEST and " " in form}:
            others = [words for words, *frame in forms if often != words and often not in frame]
            if others:
                rests_of[often].append({word for words in others for word in words.split()} - STOP_WORDS)
            else:
                alone[often] += 1
    return frozenset(form for form, rests in rests_of.items() if _is_aside(rests, alone[form]))


def _forms_of(text: str) -> list[tuple[str, ...]]:
    """The forms of each sentence: its words, and these with ``_`` for names and numbers where that differs."""
    parts = {words: part for part in _SENTENCE.split(text) if (words := _words_of(part))}
    return [tuple(dict.fromkeys((words, _frame_of(part) or words))) for words, part in parts.items()]


def _is_aside(rests: Sequence[set[str]], alone: int) -> bool:
    if len(rests) < FEWEST or alone > ALONE * len(rests):
        return False
    near = Counter(word for rest in rests for word in rest)
    return max(near.values(), default=len(rests)) <= TOO_OFTEN * len(rests)


def without_asides(text: str, idle: Set[str]) -> str:
    """``text`` without asides: whole sentences, and parts of a sentence that are long enough to be recognised.

    Examples
    --------
    >>> without_asides("I hope you can help the mat is flat. Thanks, all!", {"i hope you can help", "thanks all"})
    'the mat is flat.'
    """
    if not idle:
        return text
    lines = []
    for line in text.split("\n"):
        own_parts = [part for part in _SENTENCE.split(line) if not {_words_of(part), _frame_of(part)} & idle]
        lines.append(" ".join(_cut(part, idle) for part in own_parts).strip())
    return "\n".join(line for line in lines if line)


def _cut(sentence: str, idle: Set[str]) -> str:
    """A sentence without the asides inside it that no punctuation sets off."""
    lengths_of = _lengths_by_first_word(frozenset(idle))
    matches = list(_WORD.finditer(sentence))
    words = [match[0].lower() for match in matches]
    if lengths_of.keys().isdisjoint(words):
        return sentence
    out, start, i = "", 0, 0
    while i < len(words):
        lengths = lengths_of.get(words[i], ())
        length = next((n for n in lengths if " ".join(words[i : i + n]) in idle and i + n <= len(words)), 0)
        if length:
            out += sentence[start : matches[i].start()]
            start = matches[i + length - 1].end()
        i += length or 1
    return out + sentence[start:]


@lru_cache(maxsize=16)
def _lengths_by_first_word(idle: frozenset[str]) -> dict[str, list[int]]:
    """How many words the asides have that are recognised within a sentence, by their first word, the longest first."""
    lengths: defaultdict[str, set[int]] = defaultdict(set)
    for aside in idle:
        words = aside.split(" ")
        if SHORTEST <= len(words) <= LONGEST:
            lengths[words[0]].add(len(words))
    return {word: sorted(of, reverse=True) for word, of in lengths.items()}


def _words_of(sentence: str) -> str:
    return " ".join(_WORD.findall(sentence.lower()))


def _frame_of(sentence: str) -> str:
    """A sentence's words with ``_`` for its names and numbers; empty where too little would be left."""
    words = _WORD.findall(sentence)
    out = words[:1]
    for word in words[1:]:
        slot = word[0].isdigit() or (word[0].isupper() and not word.startswith("I"))
        if not (slot and out[-1] == "_"):
            out.append("_" if slot else word)
    return " ".join(out).lower() if len(out) - out.count("_") >= FRAME else ""
