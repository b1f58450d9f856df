"""Redact support texts: personal data becomes typed placeholders before anything is embedded, stored or shown."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence

from lacuna.models.redaction.emails import find_emails
from lacuna.models.redaction.identity import find_birth_dates, find_national_ids, find_plates
from lacuna.models.redaction.known_names import KnownNames, find_known_names, read_names, split_names
from lacuna.models.redaction.lexicon import Lexicon
from lacuna.models.redaction.names import find_names
from lacuna.models.redaction.numbers import (
    PHONE_REGIONS,
    find_cards,
    find_ibans,
    find_labelled_orders,
    find_orders,
    find_phones,
    has_long_number,
    hide_plain_numbers,
)
from lacuna.models.redaction.online import find_networks, find_urls, find_user_names
from lacuna.models.redaction.places import find_addresses
from lacuna.models.redaction.secrets import find_secrets
from lacuna.models.redaction.spans import KINDS, PLACEHOLDER, Span, blank, blank_matches

__all__ = [
    "KINDS",
    "PLACEHOLDER",
    "CustomerNames",
    "Lexicon",
    "learn_names",
    "names_by_conversation",
    "redact",
]

_DIGIT = re.compile(r"\d")
_MOST_ROUNDS = 10
_MOST_NAMES = 40

Finder = Callable[[str], Iterator[Span]]


def redact(
    texts: Sequence[str | None],
    known_names: Sequence[Sequence[str]] | None = None,
    *,
    lexicon: Lexicon | None = None,
    phone_regions: Sequence[str] = PHONE_REGIONS,
) -> tuple[list[str | None], dict[str, int]]:
    """Replace personal data in texts by typed placeholders such as ``<EMAIL>``.

    Finders: e-mail addresses, phones (``phonenumbers``), cards (Luhn), IBANs (remainder 97), IP and device addresses,
    links that could lead to a person, order and other reference numbers, postal addresses, labelled dates of birth,
    labelled secrets, names that a sentence shows or that are ``known_names``. Prices, dates, times, versions, amounts and
    error codes stay. Redacting twice gives what redacting once gives. The work grows linearly with a text's length.

    Parameters
    ----------
    texts
        Texts; null (None, NaN) stays null.
    known_names
        For each text, names known from its conversation (see `learn_names`).
    lexicon
        What the corpus teaches of words (see `learn_names`).
    phone_regions
        Countries (ISO 3166 codes) whose national phone numbers are recognised without a + prefix.

    Returns
    -------
    list of str or None
        The redacted texts, in order.
    dict of str to int
        Replacements by kind, kinds in alphabetical order, kinds that never occurred left out.

    Raises
    ------
    ValueError
        If ``known_names`` is not as long as ``texts``.

    Examples
    --------
    >>> redact(["Hi Anna, order #48213390 cost 39.90 €, mail me at jo@example.org"])
    (['Hi <NAME>, order <ORDER> cost 39.90 €, mail me at <EMAIL>'], {'EMAIL': 1, 'NAME': 1, 'ORDER': 1})
    """
    if known_names is not None and len(known_names) != len(texts):
        raise ValueError(f"known names for {len(known_names)} texts, but {len(texts)} texts")
    lexicon = lexicon or Lexicon()
    regions = tuple(phone_regions)
    counts: Counter[str] = Counter()
    spans_of: dict[str, list[Span]] = {}
    results: dict[tuple[str, KnownNames], tuple[str, Counter[str]]] = {}
    split: dict[tuple[str, ...], KnownNames] = {}
    redacted: list[str | None] = []
    for place, text in enumerate(texts):
        if not isinstance(text, str):
            redacted.append(None)
            continue
        names = tuple(known_names[place]) if known_names is not None else ()
        if names not in split:
            split[names] = split_names(names, lexicon)
        if text not in spans_of:
            spans_of[text] = _find(text, lexicon, regions)
        key = (text, split[names])
        if key not in results:
            results[key] = _redact_one(*key, spans_of[text], lexicon, regions)
        result, replaced = results[key]
        redacted.append(result)
        counts.update(replaced)
    return redacted, {kind: counts[kind] for kind in KINDS if counts[kind]}


def learn_names(
    conversation_ids: Sequence[Hashable],
    texts: Sequence[str | None],
    customers: Mapping[Hashable, Hashable] | None = None,
    *,
    keep: Iterable[str] = (),
) -> tuple[dict[Hashable, list[str]], Lexicon]:
    """The names that conversations show, and what their words teach about names.

    An agent's "Hi Anna," gives the customer's name, a customer's sign-off gives it too; `redact` then removes them
    from every message of that conversation, and of the customer's others, also where no sentence shows a name.

    A word that stands where names stand in several texts and seldom elsewhere is a first name here, whatever its
    language; one that is used all over is none, though somebody greeted it once.

    Parameters
    ----------
    conversation_ids, texts
        Of the same length, one entry a message.
    customers
        Conversation to its customer. An account that gathers the names of many people shares none of them.
    keep
        Words and phrases that are never names here, such as products.

    Returns
    -------
    dict
        Conversation to its names, in order of appearance; conversations without names are left out.
    Lexicon
        What the texts teach of words.
    """
    readings = read_names((text for text in texts if isinstance(text, str)), keep)
    names = names_by_conversation(conversation_ids, texts, readings.names)
    if customers:
        of_customers: dict[Hashable, dict[str, None]] = {}
        for conversation, shown in names.items():
            if customers.get(conversation) is not None:
                of_customers.setdefault(customers[conversation], {}).update(shown)
        names = CustomerNames(of_customers).shared(names, dict.fromkeys(conversation_ids), customers)
    return {conversation: list(found) for conversation, found in names.items()}, readings.lexicon


def names_by_conversation(
    conversation_ids: Sequence[Hashable], texts: Sequence[str | None], names: Mapping[str, Sequence[str]]
) -> dict[Hashable, dict[str, None]]:
    """The names that the texts of each conversation show, given those of each text, in order of appearance."""
    of_conversation: dict[Hashable, dict[str, None]] = {}
    for conversation, text in zip(conversation_ids, texts, strict=True):
        if isinstance(text, str) and names[text]:
            of_conversation.setdefault(conversation, {}).update(dict.fromkeys(names[text]))
    return of_conversation


class CustomerNames:
    """The names that customers' conversations show, to be shared between them.

    Parameters
    ----------
    names
        By customer, in order of appearance.
    """

    def __init__(self, names: Mapping[Hashable, Mapping[str, None]]) -> None:
        self._names = names

    def shared(
        self,
        names: Mapping[Hashable, dict[str, None]],
        conversations: Iterable[Hashable],
        customers: Mapping[Hashable, Hashable],
    ) -> dict[Hashable, dict[str, None]]:
        """Each conversation's names, then those of its customer's other conversations."""
        shared = {}
        for conversation in conversations:
            others = self._names.get(customers.get(conversation), {})
            own = names.get(conversation, {})
            if len(others) <= _MOST_NAMES:
                own = own | dict(others)
            if own:
                shared[conversation] = own
        return shared


def _redact_one(
    text: str, known_names: KnownNames, own_spans: list[Span], lexicon: Lexicon, regions: tuple[str, ...]
) -> tuple[str, Counter[str]]:
    counts: Counter[str] = Counter()
    # A replacement can bare something that its neighbour hid; repeating until nothing is found makes the result a
    # fixed point. Placeholders are never looked into, so every round has less text left.
    for _ in range(_MOST_ROUNDS):
        spans = own_spans
        if known_names:
            spans = sorted(
                (*own_spans, *find_known_names(blank(_without_placeholders(text), own_spans), known_names, lexicon))
            )
        if not spans:
            break
        counts.update(kind for _, _, kind in spans)
        pieces: list[str] = []
        at = 0
        for start, end, kind in spans:
            pieces += (text[at:start], f"<{kind}>")
            at = end
        text = "".join((*pieces, text[at:]))
        own_spans = _find(text, lexicon, regions)
    return text, counts


def _without_placeholders(text: str) -> str:
    return blank_matches(PLACEHOLDER, text) if "<" in text else text


def _find(text: str, lexicon: Lexicon, regions: tuple[str, ...]) -> list[Span]:
    """Every span to replace, in order of position; what an earlier finder took is blanked for the later ones."""
    text_left = _without_placeholders(text)
    digits = _DIGIT.search(text) is not None
    spans: list[Span] = []

    def take(finder: Finder, view: str | None = None) -> None:
        nonlocal text_left
        new_spans = _apart(finder(text_left if view is None else view))
        if new_spans:
            spans.extend(new_spans)
            text_left = blank(text_left, new_spans)

    take(find_urls)
    take(find_secrets)
    take(find_emails)
    take(find_user_names)
    if digits:
        long = has_long_number(text_left)
        if long:
            take(find_ibans)
        for finder in (find_birth_dates, find_national_ids, find_plates, find_labelled_orders):
            take(finder)
        take(find_networks)
        if long:
            take(find_cards)
        take(find_addresses)
        if long:
            take(lambda view: find_phones(view, regions), hide_plain_numbers(text_left))
            take(find_orders, hide_plain_numbers(text_left))
    elif "::" in text_left or text_left.count(":") > 6:
        take(find_networks)
    take(lambda view: find_names(view, lexicon))
    return sorted(spans)


def _apart(spans: Iterable[Span]) -> list[Span]:
    """Spans in order of position, an overlapping later one dropped."""
    apart: list[Span] = []
    for span in sorted(spans, key=lambda span: (span[0], -span[1])):
        if span[0] < span[1] and (not apart or span[0] >= apart[-1][1]):
            apart.append(span)
    return apart
