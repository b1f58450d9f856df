"""The main question of each conversation."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter

import pandas as pd

from lacuna.models.text.boilerplate import asides, templates, without_asides, without_boilerplate, without_lines
from lacuna.models.text.courtesies import without_greeting, without_sign_off
from lacuna.models.text.lexicon import STOP_WORDS
from lacuna.models.text.markup import ENTITY
from lacuna.models.text.words import ANY_WORD

MAX_WORDS = 220
ENOUGH_WORDS = 4

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
        text = ENTITY.sub(" ", text)
    text = without_greeting(text)
    for _ in range(2):
        text = without_sign_off(text)
    text = without_asides(text, idle)
    if keep_lines:
        return text.strip(" ,;-–\n")
    most = MAX_WORDS - text[:1].isspace()  # what was cut off the front leaves a space, which counts
    return " ".join(text.split()[:most]).strip(" ,;-–")


@dataclass(frozen=True)
class StockText:
    """What many customers write alike and no question is about.

    Attributes
    ----------
    form_lines
        Lines of forms (:func:`models.text.boilerplate.templates`).
    sentences
        Stock sentences (:func:`models.text.boilerplate.asides`).
    """

    form_lines: frozenset[str] = frozenset()
    sentences: frozenset[str] = frozenset()

    @classmethod
    def of(cls, first_messages: Sequence[str]) -> StockText:
        """Learn it from customers' first messages, one a conversation."""
        form = templates(first_messages)
        return cls(form, asides([clean(without_lines(text, form), keep_lines=True) for text in first_messages]))


def first_messages(messages: pd.DataFrame) -> pd.Series:
    """The customer's first message of each conversation that has one: text by conversation_id, sorted by it."""
    of_customers = messages[messages["role"] == "customer"].sort_values(["conversation_id", "position"])
    first = of_customers.drop_duplicates("conversation_id").set_index("conversation_id")["text"]
    return first.astype(str)


def questions(messages: pd.DataFrame, stock: StockText | None = None) -> pd.DataFrame:
    """The question of every conversation that has customer text.

    The customer's first message with content; later messages are added until there are :data:`ENOUGH_WORDS` words.

    Parameters
    ----------
    messages : DataFrame
        conversation_id, position, role, text.
    stock
        What is left out of questions; learnt from these messages by default.

    Returns
    -------
    DataFrame
        conversation_id, question (str), key (str, hash of the question's folded text), by conversation_id.
    """
    stock = stock or StockText.of(list(first_messages(messages)))
    rows = []
    for conversation_id, texts in customers_texts(messages):
        own = [without_lines(text, stock.form_lines) for text in texts]
        question = main_question(own, idle=stock.sentences)
        if question:
            rows.append((conversation_id, question, key_of(question)))
    return pd.DataFrame(rows, columns=["conversation_id", "question", "key"]).astype("str")


def customers_texts(messages: pd.DataFrame) -> Iterator[tuple[str, list[str]]]:
    """The customer's messages of each conversation that has some, in order; conversations sorted by their ids."""
    of_customers = messages[(messages["role"] == "customer") & messages["conversation_id"].notna()]
    of_customers = of_customers.sort_values(["conversation_id", "position"])
    rows = zip(of_customers["conversation_id"].tolist(), of_customers["text"].tolist(), strict=True)
    for conversation_id, own in groupby(rows, key=itemgetter(0)):
        yield str(conversation_id), [str(text) for _, text in own]


def asks_something(question: str) -> bool:
    """Whether a question has content: two words that are no stop words, or text in a script without spaces.

    Examples
    --------
    >>> [asks_something(text) for text in ("ok", "? this is useless", "refund status", "返金はいつですか")]
    [False, False, True, True]
    """
    weighty = {word for word in ANY_WORD.findall(question.lower()) if word not in STOP_WORDS}
    return len(weighty) >= 2 or _UNSPACED.search(question) is not None


def key_of(text: str) -> str:
    """A content key: 16 hex digits that equal texts share, whatever their case and spacing."""
    folded = " ".join(text.casefold().split())
    return hashlib.blake2b(folded.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


def main_question(texts: list[str], *, keep_lines: bool = False, idle: Set[str] = frozenset()) -> str:
    """The main question of a customer's messages, given in order, without ``idle`` sentences; "" without content."""
    parts: list[str] = []
    for text in texts:
        part = clean(str(text), keep_lines=keep_lines, idle=idle)
        if part:
            parts.append(part)
        if sum(len(ANY_WORD.findall(p)) for p in parts) >= ENOUGH_WORDS:
            break
    if idle and not asks_something(" ".join(parts)):
        return main_question(texts, keep_lines=keep_lines)
    return ("\n" if keep_lines else " ").join(parts)
