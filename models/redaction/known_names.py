"""Names that a conversation has shown, found again in all of its texts."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from lacuna.models.redaction.lexicon import Lexicon, one_typo_apart
from lacuna.models.redaction.names import Place, names_at, places
from lacuna.models.redaction.spans import Span, blank, words_of
from lacuna.models.redaction.words import ALSO_WORDS, NO_FIRST_WORDS, ROLE_MAILBOXES

__all__ = ["KnownNames", "Readings", "WordCounts", "find_known_names", "names_shown", "read_names", "split_names"]

_MAILBOX = re.compile(r"(?<![\w.+-])([^\W\d_]{3,20})[._]([^\W\d_]{3,20})\d{0,4}@[\w-]")
_LONG_WORD = re.compile(r"(?<![\w@.])[^\W\d_]{5,25}(?![\w@])")
_UMLAUTS = (("ä", "ae"), ("ö", "oe"), ("ü", "ue"), ("ß", "ss"), ("ø", "oe"), ("å", "aa"))
_ENDS_SENTENCE = '.!?:;\n\x00>"“„»'
_ANY_CASE = 4  # letters from which a part is known whatever its case
_WITHOUT_SPACES = "\u3041"  # from here on, Japanese and Chinese
_SLIPS = 6  # letters from which a part is known in spite of a slip


@dataclass(frozen=True)
class KnownNames:
    """Names split by how safe they are to replace.

    Parameters
    ----------
    anywhere
        In lower case, longest first: replaced whatever their case.
    exact
        Short ones: replaced as they are written, or in capitals.
    inside
        Words too: replaced as they are written, inside of a sentence only.
    """

    anywhere: tuple[str, ...]
    exact: tuple[str, ...]
    inside: tuple[str, ...]

    def __bool__(self) -> bool:
        """Whether there is any."""
        return bool(self.anywhere or self.exact or self.inside)


@dataclass(frozen=True)
class Readings:
    """What is learned from a corpus: the names that each text shows, and the lexicon of all its texts."""

    names: dict[str, list[str]]
    lexicon: Lexicon


def read_names(texts: Iterable[str], keep: Iterable[str] = ()) -> Readings:
    """Names that texts show by their sentences or by an address such as anna.schmidt@…, in order of appearance.

    The texts are read once without knowing anything of their words; what that teaches is then used to read them.
    """
    keep, texts = list(keep), list(dict.fromkeys(texts))
    counts = WordCounts()
    plain = counts.add(texts, keep)
    lexicon = counts.lexicon(keep)
    return Readings(dict(zip(texts, names_shown(texts, plain, lexicon), strict=True)), lexicon)


@dataclass
class WordCounts:
    """In how many texts each word is the first of a name, in a name, and there at all: summed part by part.

    A corpus too large for memory is read in parts: count the words of each, make the lexicon of all, then read the
    names of each part (:func:`names_shown`).
    """

    first: Counter[str] = field(default_factory=Counter)
    named: Counter[str] = field(default_factory=Counter)
    used: Counter[str] = field(default_factory=Counter)

    def add(
        self, texts: Sequence[str], keep: Iterable[str], counted: Sequence[bool] | None = None
    ) -> list[list[Place]]:
        """Count the words of texts that differ; where names may stand in each, read without a lexicon.

        ``counted`` says which texts count; others were counted with another part. All of them by default.
        """
        plain = Lexicon.of({}, {}, {}, keep)
        found = []
        for number, text in enumerate(texts):
            there = list(places(text, plain))
            found.append(there)
            if counted is not None and not counted[number]:
                continue
            self.used.update(words_of(text))
            names = [text[start:end].lower().split() for start, end, _ in names_at(text, there, plain)]
            parts = [[part for part in name if len(part.strip(".")) > 1] for name in names]
            self.first.update({name[0] for name in parts if name})
            self.named.update({part for name in parts for part in name})
        return found

    def by_name(self) -> dict[str, Counter[str]]:
        """The three counts by name: first, named, used."""
        return {"first": self.first, "named": self.named, "used": self.used}

    def lexicon(self, keep: Iterable[str]) -> Lexicon:
        """What all texts together teach of words."""
        return Lexicon.of(self.first, self.named, self.used, keep)


def names_shown(texts: Sequence[str], plain: Iterable[Iterable[Place]], lexicon: Lexicon) -> list[list[str]]:
    """The names that each text shows, in order of appearance, given its places from :meth:`WordCounts.add`."""
    names = []
    for text, before in zip(texts, plain, strict=True):
        # Only a word that has become a name can open new places.
        there = before if lexicon.names.isdisjoint(words_of(text)) else places(text, lexicon)
        shown = [" ".join(text[start:end].split()) for start, end, _ in names_at(text, there, lexicon)]
        names.append([*shown, *_mailbox_names(text, lexicon)])
    return names


def _mailbox_names(text: str, lexicon: Lexicon) -> Iterator[str]:
    for first, last in _MAILBOX.findall(text) if "@" in text else ():
        if not {first.lower(), last.lower()} & (ROLE_MAILBOXES | lexicon.kept):
            yield f"{first.title()} {last.title()}"


def split_names(names: Iterable[str], lexicon: Lexicon) -> KnownNames:
    """Full names and their parts, by how safe they are to replace on their own."""
    anywhere: set[str] = set()
    exact: set[str] = set()
    inside: set[str] = set()
    for name in names:
        parts = [part for part in name.strip(" .,;:!").split() if len(part.strip(".")) > 1]
        if not parts or name.lower() in lexicon.kept:
            continue
        if len(parts) > 1:
            anywhere.update(_spellings(name.strip(" .,;:!").lower()))
        for part in parts:
            low = part.lower()
            particle = part[0].islower() and len(parts) > 1 and len(low) < _ANY_CASE
            if particle or not part[0].isalpha() or lexicon.never(low):
                continue
            spelling = part if not part[0].islower() else part.title()
            if low in ALSO_WORDS or low in NO_FIRST_WORDS or low in lexicon.words:
                inside.add(spelling)
            elif len(low) < _ANY_CASE and low.isascii():
                exact.add(spelling)
            else:
                anywhere.update(_spellings(low))
    return KnownNames(
        *(tuple(sorted(group, key=lambda name: (-len(name), name))) for group in (anywhere, exact, inside))
    )


def _spellings(name: str) -> set[str]:
    """A lower-case name with and without its accents: jürgen, juergen, jurgen."""
    apart, together = name, name
    for letter, letters in _UMLAUTS:
        apart, together = apart.replace(letter, letters), together.replace(letters, letter)
    unaccented = "".join(char for char in unicodedata.normalize("NFD", name) if not unicodedata.combining(char))
    return {unicodedata.normalize("NFC", name), apart, together, unaccented}


def find_known_names(text: str, known_names: KnownNames, lexicon: Lexicon) -> Iterator[Span]:
    """Where known names stand as whole words, a genitive s and, in a learned lexicon, a slip of the finger allowed."""
    low = text.lower()
    if len(low) != len(text):
        low = "".join(char if len(char.lower()) != 1 else char.lower() for char in text)
    exact = [form for name in known_names.exact for form in (name, name.upper())]
    for names, any_case, inside in (
        (known_names.anywhere, True, False),
        (exact, False, False),
        (known_names.inside, False, True),
    ):
        for name in names:
            spans = [(*span, "NAME") for span in _whole_words(low if any_case else text, name)]
            if inside:
                spans = [span for span in spans if _inside_sentence(text, span[0])]
            if spans:
                yield from spans
                text, low = blank(text, spans), blank(low, spans)
    long = [name for name in known_names.anywhere if len(name) >= _SLIPS and " " not in name] if lexicon.words else []
    for match in _LONG_WORD.finditer(text) if long else ():
        if _a_slip(match.group().lower(), long, lexicon):
            yield *match.span(), "NAME"


def _whole_words(text: str, name: str) -> Iterator[tuple[int, int]]:
    spaced = name[0] < _WITHOUT_SPACES
    at = text.find(name)
    while at >= 0:
        end = at + len(name)
        if spaced and len(name) >= _ANY_CASE and text[end : end + 1] in ("s", "S"):
            end += not text[end + 1 : end + 2].isalnum()
        if not spaced or not (text[at - 1 : at].isalnum() or text[end : end + 1].isalnum()):
            yield at, end
        at = text.find(name, end)


def _inside_sentence(text: str, start: int) -> bool:
    before = text[max(0, start - 12) : start].rstrip(" \t")
    return bool(before) and before[-1] not in _ENDS_SENTENCE


def _a_slip(word: str, names: Iterable[str], lexicon: Lexicon) -> bool:
    if word in lexicon.words or lexicon.never(word) or lexicon.listed(word):
        return False
    return any(word[0] == name[0] and one_typo_apart(word, name) for name in names)
