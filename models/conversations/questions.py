"""From a conversation to the one question it is about."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Set

import pandas as pd

from lacuna.models.text.boilerplate import asides, templates, without_asides, without_boilerplate, without_lines
from lacuna.models.text.lexicon import STOP_WORDS

MAX_WORDS = 220
ENOUGH_WORDS = 4

_PLACEHOLDER = re.compile(r"<[A-Z_]{2,}>|\[(?:name|user|email|link|phone|number)\]")
_GREETING = re.compile(
    r"^\s*(?:(?:hi|hiya|hello|hey|dear|good (?:morning|afternoon|evening|day)|greetings|hallo|moin|servus|grüezi|"
    r"guten (?:morgen|tag|abend)|sehr geehrte\w*(?: damen und herren)?|liebe[rs]?)\b(?!-\w)"
    r"(?:[ ,]+(?:there|all|team|everyone|folks|support|zusammen|ihr|sir|madam|or)\b)*[\s,.!:–-]*)+",
    re.I,
)
_THANKS = (
    r"(?:(?:many |best |kind |warm )?(?:thanks|thank you|thx|cheers|regards|best wishes|"
    r"sincerely|yours)|(?:viele|liebe|beste|freundliche|herzliche) (?:grüße|grüsse)|mit freundlichen grüßen|"
    r"vielen dank|danke(?: schön| im voraus)?|lg|mfg)\b"
)
# Behind a sentence it takes what follows along; at the front, a name or so, since a longer message is a message.
_SIGN_OFF = re.compile(rf"(?<=[.!?\n])\s*{_THANKS}[^.?!\n]{{0,40}}[.!]*\s*\Z", re.I)
_ONLY_A_SIGN_OFF = re.compile(rf"\s*{_THANKS}(?:[\s,]+[^\s.?!]+){{0,2}}[\s.!,]*\Z", re.I)
_SIGNED_BY = 120  # characters before the last marks and spaces in which a sign-off begins
_WORD = re.compile(r"\w{2,}")
_UNSPACED = re.compile(r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff]")


def clean(text: str, *, keep_lines: bool = False, idle: Set[str] = frozenset()) -> str:
    """One customer message without boilerplate, greeting, sign-off and placeholders; on one line unless lines are kept.

    What stands in ``idle`` (:func:`models.text.boilerplate.asides`) goes too.

    Examples
    --------
    >>> clean("Hi there, my tent pole snapped. Thanks, <NAME>")
    'my tent pole snapped.'
    """
    text = without_boilerplate(text[:20_000])
    if "<" in text or "[" in text:
        text = _PLACEHOLDER.sub(" ", text)
    if greeting := _GREETING.match(text):
        text = text[greeting.end() :]
    for _ in range(2):
        text = _unsigned(text)
    text = without_asides(text, idle)
    if keep_lines:
        return text.strip(" ,;-–\n")
    most = MAX_WORDS - text[:1].isspace()  # what was cut off the front leaves a space, which counts
    return " ".join(text.split()[:most]).strip(" ,;-–")


def _unsigned(text: str) -> str:
    """``text`` without the sign-off that it ends in; nothing where it is one."""
    found = _SIGN_OFF.search(text, max(0, len(text.rstrip(" .!\n\t")) - _SIGNED_BY))
    if found:
        return text[: found.start()]
    return "" if _ONLY_A_SIGN_OFF.match(text) else text


def questions(messages: pd.DataFrame) -> pd.DataFrame:
    """The question of every conversation that has customer text.

    The first message of the customer that says something; what follows is added until there is enough to go by. Lines
    of a form, which many messages share, are no question, nor is what customers say beside anything.

    Parameters
    ----------
    messages : DataFrame
        conversation_id, position, role, text.

    Returns
    -------
    DataFrame
        conversation_id, question (str), key (str, hash of the question's folded text), by conversation_id.
    """
    said = messages[messages["role"] == "customer"].sort_values(["conversation_id", "position"])
    form = templates(list(said.drop_duplicates("conversation_id")["text"].astype(str)))
    texts_of = {
        str(c): [without_lines(str(t), form) for t in texts] for c, texts in said.groupby("conversation_id")["text"]
    }
    idle = asides([clean(texts[0], keep_lines=True) for texts in texts_of.values()])
    rows = []
    for conversation_id, texts in sorted(texts_of.items()):
        question = main_question(texts, idle=idle)
        if question:
            rows.append((conversation_id, question, key_of(question)))
    return pd.DataFrame(rows, columns=["conversation_id", "question", "key"]).astype("str")


def asks_something(question: str) -> bool:
    """Whether a question says what it is about: in two words of weight, or in a script that sets no spaces.

    Examples
    --------
    >>> [asks_something(text) for text in ("ok", "? this is useless", "refund status", "返金はいつですか")]
    [False, False, True, True]
    """
    weighty = {word for word in _WORD.findall(question.lower()) if word not in STOP_WORDS}
    return len(weighty) >= 2 or _UNSPACED.search(question) is not None


def shortened(text: str, length: int) -> str:
    """A text on one line of at most ``length`` characters, cut between words and marked with ``…``.

    Examples
    --------
    >>> shortened("My tent  pole snapped", 14)
    'My tent pole…'
    """
    text = " ".join(text.split())
    return text if len(text) <= length else text[: length - 1].rsplit(" ", 1)[0] + "…"


def key_of(text: str) -> str:
    """A content key: 16 hex digits that equal texts share, whatever their case and spacing."""
    folded = " ".join(text.casefold().split())
    return hashlib.blake2b(folded.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


def main_question(texts: list[str], *, keep_lines: bool = False, idle: Set[str] = frozenset()) -> str:
    """What the customer's messages, in order, are about, without what is ``idle``; empty where they say nothing."""
    parts: list[str] = []
    for text in texts:
        part = clean(str(text), keep_lines=keep_lines, idle=idle)
        if part:
            parts.append(part)
        if sum(len(_WORD.findall(p)) for p in parts) >= ENOUGH_WORDS:
            break
    if idle and not asks_something(" ".join(parts)):
        return main_question(texts, keep_lines=keep_lines)
    return ("\n" if keep_lines else " ").join(parts)
