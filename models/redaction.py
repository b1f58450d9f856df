"""Personal data out of support texts: typed placeholders, before anything is embedded, stored or shown."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence

from models.pii.names import find_known_names, find_names, names_shown, split_names
from models.pii.numbers import (
    PHONE_REGIONS,
    find_cards,
    find_ibans,
    find_labelled_orders,
    find_orders,
    find_phones,
    has_long_number,
    hide_plain_numbers,
)
from models.pii.online import find_emails, find_networks, find_secrets, find_urls
from models.pii.places import find_addresses, find_birth_dates
from models.pii.spans import KINDS, PLACEHOLDER, Span, blank, blank_matches

__all__ = ["KINDS", "PLACEHOLDER", "conversation_names", "redact"]

_DIGIT = re.compile(r"\d")
_MOST_ROUNDS = 10

Finder = Callable[[str], Iterator[Span]]


def redact(
    texts: Sequence[str | None],
    known: Sequence[Sequence[str]] | None = None,
    *,
    keep: Iterable[str] = (),
    phone_regions: Sequence[str] = PHONE_REGIONS,
) -> tuple[list[str | None], dict[str, int]]:
    """Replace personal data in texts by typed placeholders such as ``<EMAIL>``.

    Finders: e-mail addresses, phones (``phonenumbers``), cards (Luhn), IBANs (remainder 97), IP and device addresses,
    links that could lead to a person, order and other reference numbers, postal addresses, labelled dates of birth,
    labelled secrets, names that a sentence shows or that are ``known``. Prices, dates, times, versions, amounts and
    error codes stay. Redacting twice gives what redacting once gives. The work grows linearly with a text's length.

    Parameters
    ----------
    texts
        Texts; null (None, NaN) stays null.
    known
        For each text, names known from its conversation (see `conversation_names`).
    keep
        Words that are never names here, such as products.
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
        If ``known`` is not as long as ``texts``.

    Examples
    --------
    >>> redact(["Hi Anna, order #48213390 cost 39.90 €, mail me at jo@example.org"])
    (['Hi <NAME>, order <ORDER> cost 39.90 €, mail me at <EMAIL>'], {'EMAIL': 1, 'NAME': 1, 'ORDER': 1})
    """
    if known is not None and len(known) != len(texts):
        raise ValueError(f"known names for {len(known)} texts, but {len(texts)} texts")
    kept = _words(keep)
    counts: Counter[str] = Counter()
    seen: dict[tuple[str, tuple[str, ...]], tuple[str, Counter[str]]] = {}
    parts: dict[tuple[str, ...], tuple[str, ...]] = {}
    redacted: list[str | None] = []
    for place, text in enumerate(texts):
        if not isinstance(text, str):
            redacted.append(None)
            continue
        names = tuple(known[place]) if known is not None else ()
        if names and names not in parts:
            parts[names] = split_names(names, kept)
        key = (text, parts[names] if names else ())
        if key not in seen:
            seen[key] = _redact_one(*key, kept, tuple(phone_regions))
        result, found = seen[key]
        redacted.append(result)
        counts.update(found)
    return redacted, {kind: counts[kind] for kind in KINDS if counts[kind]}


def conversation_names(
    conversation_ids: Sequence[Hashable], texts: Sequence[str | None], *, keep: Iterable[str] = ()
) -> dict[Hashable, list[str]]:
    """Names that each conversation's own messages show, whoever wrote them.

    An agent's "Hi Anna," gives the customer's name, a customer's sign-off gives it too; `redact` then removes them
    from every message of that conversation, also where no sentence shows that they are names.

    Parameters
    ----------
    conversation_ids, texts
        Of the same length, one entry a message.
    keep
        Words that are never names here, such as products.

    Returns
    -------
    dict
        Conversation to its names, in order of appearance; conversations without names are left out.
    """
    kept = _words(keep)
    by_text: dict[str, list[str]] = {}
    names: dict[Hashable, dict[str, None]] = {}
    for conversation, text in zip(conversation_ids, texts, strict=True):
        if not isinstance(text, str):
            continue
        if text not in by_text:
            by_text[text] = names_shown(text, kept)
        if by_text[text]:
            names.setdefault(conversation, {}).update(dict.fromkeys(by_text[text]))
    return {conversation: list(found) for conversation, found in names.items()}


def _words(keep: Iterable[str]) -> frozenset[str]:
    phrases = {str(phrase).lower() for phrase in keep}
    return frozenset(phrases | {word for phrase in phrases for word in phrase.split()})


def _redact_one(
    text: str, known: tuple[str, ...], keep: frozenset[str], regions: tuple[str, ...]
) -> tuple[str, Counter[str]]:
    counts: Counter[str] = Counter()
    # A replacement can bare something that its neighbour hid; repeating until nothing is found makes the result a
    # fixed point. Placeholders are never looked into, so every round has less text left.
    for _ in range(_MOST_ROUNDS):
        spans = _find(text, known, keep, regions)
        if not spans:
            break
        counts.update(kind for _, _, kind in spans)
        pieces: list[str] = []
        at = 0
        for start, end, kind in spans:
            pieces += (text[at:start], f"<{kind}>")
            at = end
        text = "".join((*pieces, text[at:]))
    return text, counts


def _find(text: str, known: tuple[str, ...], keep: frozenset[str], regions: tuple[str, ...]) -> list[Span]:
    """Every span to replace, in order of position; what an earlier finder took is blanked for the later ones."""
    rest = blank_matches(PLACEHOLDER, text) if "<" in text else text
    digits = _DIGIT.search(text) is not None
    spans: list[Span] = []

    def take(finder: Finder, view: str | None = None) -> None:
        nonlocal rest
        found = _apart(finder(rest if view is None else view))
        if found:
            spans.extend(found)
            rest = blank(rest, found)

    take(find_urls)
    take(find_secrets)
    take(find_emails)
    if digits:
        long = has_long_number(rest)
        if long:
            take(find_ibans)
        for finder in (find_birth_dates, find_labelled_orders):
            take(finder)
        take(find_networks)
        if long:
            take(find_cards)
        take(find_addresses)
        if long:
            take(lambda view: find_phones(view, regions), hide_plain_numbers(rest))
            take(find_orders, hide_plain_numbers(rest))
    elif "::" in rest or rest.count(":") > 6:
        take(find_networks)
    take(lambda view: find_names(view, keep))
    if known:
        take(lambda view: find_known_names(view, known))
    return sorted(spans)


def _apart(spans: Iterable[Span]) -> list[Span]:
    """Spans in order of position, an overlapping later one dropped."""
    apart: list[Span] = []
    for span in sorted(spans, key=lambda found: (found[0], -found[1])):
        if span[0] < span[1] and (not apart or span[0] >= apart[-1][1]):
            apart.append(span)
    return apart
