"""Finder of personal names where a text shows one: greetings, sign-offs, introductions, titles, signatures.

Nothing here guesses that a capitalised word is a name: product names and German nouns would go with it. What a
conversation shows once is removed from the rest of it by `known_names`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import NamedTuple

from lacuna.models.redaction.labels import parts_of
from lacuna.models.redaction.lexicon import Lexicon, one_typo_apart
from lacuna.models.redaction.name_cues import CUES
from lacuna.models.redaction.name_patterns import (
    A_WORD,
    ABOVE_CONTACT,
    CLOSING_WORDS,
    FIRST_AND_LAST,
    FOOTER,
    HELLO_WORDS,
    ORGANISATION,
    RULES,
    SAINT,
    SIGNATURE_MARK,
    SMALL_WORD,
    TAG,
    TAIL,
    TAIL_LOW,
    Before,
    Level,
)
from lacuna.models.redaction.spans import Span, words_of
from lacuna.models.redaction.words import ALSO_WORDS, CLEAR_NAMES, NEVER_NAMES, NO_FIRST_WORDS, NO_SURNAMES, NOT_ALONE

__all__ = ["Place", "find_names", "names_at", "places"]


class Place(NamedTuple):
    """Where a name may stand, what is needed of it, and whether the name ends where the place does."""

    start: int
    end: int
    level: Level
    complete: bool


_WORD = re.compile(r"[^\s\u00a0]+")
_LAST = re.compile(r"(?<!\S)[^\w\s]{0,3}(\w\S*)(?: x{1,3})?[^\w\x00(]{0,20}\Z")
_LAST_WORD = re.compile(r"([^\W\d_]+)[ \t,.!;:–—-]{0,4}\s{0,4}\Z")
_WINDOW = 160
_LONGEST = 60
_OTHER_ALPHABET = "\u0370"
_OTHER_LETTER = re.compile(r"[\u0370-\u1cff\u3041-\ud7a3]")
_CASELESS = "\u0590"
_PARTICLES = frozenset(["da", "das", "de", "den", "der", "do", "du", "vom", "von", "zu", "zur"])
_IN_SURNAMES = _PARTICLES | frozenset("del della di dos el het 't la las le los mac te ten ter van vande y".split())
_LOOKS_VERBAL = ("ed", "ing", "ly")
_LONG_VERB = 7
_SAINT = 8  # letters in which what makes a place of a name stands before it
_GREETED = ("there", "team", "guys", "folks", "everyone", "everybody", "people", "support", "zusammen", "leute")
_BY_WORD: dict[str, list[int]] = {}
_EVERY = (*RULES, *CUES)
for _number, _rule in enumerate(_EVERY):
    for _word in _rule.words:
        _BY_WORD.setdefault(_word, []).append(_number)
_NEED_A_NAME = frozenset(number for number, rule in enumerate(_EVERY) if max(rule.capital, rule.small) <= Level.LISTED)


def find_names(text: str, lexicon: Lexicon) -> Iterator[Span]:
    """Names in greetings, sign-offs, introductions ("my name is", "ich heiße"), after titles, and in signatures."""
    return names_at(text, places(text, lexicon), lexicon)


def names_at(text: str, candidates: Iterable[Place], lexicon: Lexicon) -> Iterator[Span]:
    """The names at those of ``candidates`` that hold one, without overlaps."""
    covered_to = -1
    for place in sorted(candidates, key=lambda place: (place.start, -place.end)):
        if place.start >= covered_to:
            end = _end_of_name(text, place, lexicon)
            if end:
                covered_to = end
                yield place.start, end, "NAME"


def places(text: str, lexicon: Lexicon) -> Iterator[Place]:
    """Places where a name may stand, each with the level of certainty that its word must have."""
    words, gates = parts_of(text)
    text = TAG.sub(lambda tag: "\n" * len(tag.group()), text) if "</" in text or "<br" in text else text
    named = not lexicon.sure.isdisjoint(words)
    listed = named or not ALSO_WORDS.isdisjoint(words)
    for number in sorted({number for word in words & _BY_WORD.keys() for number in _BY_WORD[word]}):
        rule = _EVERY[number]
        if (number in _NEED_A_NAME and not listed) or (rule.phrases and not rule.phrases.among(words, gates)):
            continue
        for match in rule.pattern.finditer(text):
            if _is_place(text, match.start(), rule.before):
                for group in rule.groups:
                    if match[group]:
                        level = rule.small if group == "low" else Level.SURE if group == "two" else rule.capital
                        yield Place(*match.span(group), level, rule.complete)
    if named:
        yield from _first_names(text, lexicon)
    if "\x00" in text:
        for match in ABOVE_CONTACT.finditer(text):
            yield Place(*match.span("name"), Level.LIKELY, complete=False)
    if "--" in text:
        for match in SIGNATURE_MARK.finditer(text):
            yield Place(*match.span("name"), Level.SURE, complete=True)
    yield from _signature(text, lexicon)


def _is_place(text: str, start: int, before: Before) -> bool:
    """Whether the text before a place is as its rule requires."""
    if before is Before.ANYTHING:
        return True
    lead = text[max(0, start - 12) : start].rstrip(" \t>*-" if before is Before.BREAK else " \t>*")
    last = lead[-1:]
    if not last:
        return start < 12
    if before is Before.BREAK:
        return not (last.isalnum() or last in "'’_")
    return last in ".!?¡¿\n\r\x00" or (before is Before.CLAUSE and last in ",;|:")


def _first_names(text: str, lexicon: Lexicon) -> Iterator[Place]:
    """First names that need nothing to show them: those before a surname, and those that are nothing besides."""
    for match in A_WORD.finditer(text):
        word = match.group().lower().removesuffix("'s").removesuffix("’s")
        if word not in lexicon.sure and word.partition("-")[0] not in lexicon.sure:
            continue
        start, end = match.start(), match.start() + len(word)
        if end < match.end() and text[match.end() + 1 : match.end() + 2].isupper():
            continue  # Sam's Club
        if SAINT.search(text, max(0, start - _SAINT), start):
            continue
        if match.group()[0].isupper():
            if last := FIRST_AND_LAST.match(text, start):
                yield from _first_and_last(last, lexicon)
            if word in NOT_ALONE:
                continue
        elif word in CLEAR_NAMES or word in lexicon.names:
            last = SMALL_WORD.match(text, match.end())
            end = last.end() if last and not _a_word(last["low"], lexicon) else end
        else:
            continue
        yield Place(start, end, Level.UNAMBIGUOUS, complete=False)


def _first_and_last(match: re.Match[str], lexicon: Lexicon) -> Iterator[Place]:
    """A first name and the capital words behind it, up to the first that is no surname."""
    end = 0
    for word in _WORD.finditer(match.string, *match.span("last")):
        low = word.group().lower()
        if low in _IN_SURNAMES:
            continue
        if _no_surname(low, lexicon):
            break
        end = word.end()
    if end:
        yield Place(match.start(), end, Level.UNAMBIGUOUS, complete=False)


def _a_word(small: str, lexicon: Lexicon) -> bool:
    """Whether a small word behind a first name is none of a surname."""
    return small in NO_FIRST_WORDS or small.endswith(_LOOKS_VERBAL) or _no_surname(small, lexicon)


def _no_surname(word: str, lexicon: Lexicon) -> bool:
    return word in NO_SURNAMES or word in lexicon.words or lexicon.never(word)


def _signature(text: str, lexicon: Lexicon) -> Iterator[Place]:
    """The words that a message ends in, where they are set apart from it."""
    end = len(text)
    if "\n" in text[-_WINDOW:]:
        footer = FOOTER.search(text, max(0, end - _WINDOW))
        end = footer.start() if footer else end
    begin = max(0, end - _WINDOW)
    window = text[begin:end]
    last = _LAST.search(window[-_LONGEST:])
    if last is None:
        return
    if last[1] != last[1].lower() or last[1][0] >= _CASELESS:
        match = TAIL.search(window)
        if match:
            level, start = _tail_level(window, match.start("name"), match["name"], lexicon)
            if level is not None:
                yield Place(begin + start, begin + match.end("name"), level, complete=True)
    else:
        match = TAIL_LOW.search(window, max(0, window.rstrip().rfind("\n")))
        if match and match.start("low"):
            yield Place(begin + match.start("low"), begin + match.end("low"), Level.LISTED, complete=True)


def _tail_level(window: str, start: int, run: str, lexicon: Lexicon) -> tuple[Level | None, int]:
    """What the place of a message's last words needs of them, and where the name in them begins."""
    lead = window[:start]
    closing = _LAST_WORD.search(lead)
    if closing and _closes(closing[1].lower(), lexicon):
        return Level.SURE, start
    words = list(_WORD.finditer(run))
    if _closes(words[-1].group().lower(), lexicon):
        return None, start
    if run[0] >= _OTHER_ALPHABET and _OTHER_LETTER.search(lead):
        return None, start  # the end of a sentence in that script, for all that is known here
    for word, after in pairwise(words):
        if _closes(word.group().lower(), lexicon):
            return Level.SURE, start + after.start()
    bare = lead.rstrip(" \t>")
    several = len(words) > 1
    if bare.endswith("\n"):
        line = bare.rstrip().rpartition("\n")[2].strip()
        salutation = line.endswith((",", ":")) and not words_of(line).isdisjoint(HELLO_WORDS.split())
        return (Level.LIKELY if line and not (salutation or line.endswith(":")) else Level.LISTED), start
    if bare[-1:] in ("-", "–", "—", "~", "/"):
        before = bare.rstrip("-–—~/").rstrip(" \t")
        line = before.rstrip().rpartition("\n")[2].strip()
        apart = before.endswith(("\n", ".", "!", "?")) and not line.startswith(("-", "–", "*"))
        return (Level.LIKELY if apart else Level.UNAMBIGUOUS), start
    if bare.endswith((".", "!", "?")) and several:
        return Level.LIKELY, start
    for word in words:
        at = start + word.start()
        if word.group().lower() in lexicon.sure and not SAINT.search(window, max(0, at - _SAINT), at):
            return Level.UNAMBIGUOUS, at
    return None, start


def _closes(word: str, lexicon: Lexicon) -> bool:
    """Whether a word closes a message, one slip of the finger allowed."""
    if word in CLOSING_WORDS or len(word) < 4 or word in NEVER_NAMES or word in lexicon.words:
        return word in CLOSING_WORDS
    return any(word[0] == closing[0] and one_typo_apart(word, closing) for closing in CLOSING_WORDS)


def _end_of_name(text: str, place: Place, lexicon: Lexicon) -> int:
    """Where the name ends that stands at a place; 0 where none does."""
    start, end, level, complete = place
    words = list(_WORD.finditer(text, start, end))
    bare = [word.group().strip(".,'’").lower() for word in words]
    at = next((i for i, word in enumerate(bare) if len(word) > 1 or not words[i].group().endswith(".")), None)
    if level >= Level.SURE and at is not None:
        while bare[at] in _IN_SURNAMES and at + 1 < len(bare):
            at += 1  # Herr Van den Broeck
    if at is None:
        return 0
    first, small = bare[at], words[at].group()[0].islower()
    if level is not Level.CERTAIN:
        if (
            lexicon.never(first)
            or first in NO_FIRST_WORDS
            or ORGANISATION.match(text, end)
            or ORGANISATION.search(text, start, end)
        ):
            return 0
        if not _enough(first, level, small, lexicon):
            return 0
        if complete:
            doubtful = small or level is Level.LIKELY
            strange = doubtful and any(lexicon.never(word) for word in bare if word not in _PARTICLES)
            return 0 if strange else end
    return _until(words, bare, at + 1, lexicon)


def _enough(first: str, level: Level, small: bool, lexicon: Lexicon) -> bool:
    """Whether a name's first word is as certain as its place requires."""
    stem = first.partition("-")[0]
    if level is Level.UNAMBIGUOUS:
        return first in lexicon.sure or stem in lexicon.sure
    if lexicon.listed(first) or lexicon.listed(stem):
        return True
    if level is Level.LISTED or (level is Level.LIKELY and first in lexicon.words):
        return False
    verbal = "-" not in first and first.endswith(_LOOKS_VERBAL)
    if verbal and level is Level.LIKELY and len(first) >= _LONG_VERB:
        return False
    return not (small and (verbal or any(one_typo_apart(first, group) for group in _GREETED)))


def _until(words: list[re.Match[str]], bare: list[str], at: int, lexicon: Lexicon) -> int:
    """Where a name ends that may run into the sentence: before the first word that is never one."""
    while at < len(words) and (bare[at] in _IN_SURNAMES or not lexicon.never(bare[at]) or bare[at - 1] in _IN_SURNAMES):
        at += 1
    while bare[at - 1] in _IN_SURNAMES:
        at -= 1
    return words[at - 1].end()
