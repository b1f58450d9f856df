"""Finder of personal names where a sentence shows one: greetings, sign-offs, introductions, titles.

Nothing here guesses that a capitalised word is a name: product names and German nouns would go with it. What a
conversation shows once, `names_shown` hands on, so that it can be removed from the rest of that conversation.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from models.pii.first_names import AMBIGUOUS_NAMES, FIRST_NAMES
from models.pii.spans import Span, words_of

__all__ = ["find_known_names", "find_names", "names_shown", "split_names"]

_WORD = r"(?-i:[A-ZÀ-ÖØ-ÞŁŚŠČŽİ][a-zß-öø-ÿāăąćčďđēęěğğıłńňőœřśşšťūůűźžż]{1,24}+(?:['’-][A-ZÀ-ÖØ-Þ][a-zà-öø-ÿ]{1,24}+)?|(?:O['’]|Mc|Mac|De|Di|Van)[A-Z][a-z]{1,24}+)"
_INITIAL = r"(?-i:[A-Z]\.)"
_PARTICLE = r"(?:(?-i:von der|van der|van den|von|van|zu|de la|de|del|di|da|bin|al) )?"
_FULL = r"(?:" + _INITIAL + r" ?){0,2}" + _WORD + r"(?: " + _INITIAL + r")?(?: " + _PARTICLE + _WORD + r"){0,2}"
_TITLE = r"(?:mr|mrs|ms|miss|mx|dr|prof|professor|herrn?|frau)"
_LOWER = r"[^\W\d_]{2,20}+"
_EOL = r"[ \t]{0,3}(?:[,;.!:)]|[-–—]|\n|$)"

_GREETING = re.compile(
    r"(?:^|(?<=[.!?\n>] )|(?<=[.!?\n>]))[ \t>*]{0,6}(?:hi|hello|hey|dear|good (?:morning|afternoon|evening|day)|hallo"
    r"|guten (?:tag|morgen|abend)|liebe[rs]?|moin|servus|grüezi|grüß gott|grüß dich|sehr geehrte[rs]?|thanks|thank you|danke|cheers|sorry|hola|bonjour|ciao)"
    r"(?: (?:again|there|dear|nochmal|nochmals|vielmals|so much|very much|schön))?,?[ \t]{1,3}(?:"
    + _TITLE
    + r"\.? ){0,2}"
    r"(?P<name>" + _FULL + r"|" + _LOWER + r")(?: (?:and|und|&) (?P<other>" + _WORD + r"))?(?=" + _EOL + r")",
    re.IGNORECASE | re.MULTILINE,
)
_CLOSING = re.compile(
    r"(?:^|(?<=[.!?,\n]))[ \t>*-]{0,6}(?:(?:with |my )?(?:best|kind(?:est)?|warm(?:est)?|many|with)? ?(?:regards|wishes)|regards|thanks?(?: (?:again|in advance|so much|a lot|you))*(?: and (?:best|kind)? ?regards)?"
    r"|many thanks|thank you(?: (?:again|in advance|very much|so much))*|cheers|sincerely(?: yours)?|best|all the best|yours(?: (?:truly|sincerely|faithfully))?|take care|br|rgds|thx|love"
    r"|(?:viele|liebe|beste|herzliche|freundliche|schöne|sonnige)[nr]? gr(?:ü|ue)(?:ß|ss)e(?: aus "
    + _WORD
    + r")?|mit (?:besten|freundlichen|lieben|herzlichen|vielen) gr(?:ü|ue)(?:ß|ss)en"
    r"|gr(?:ü|ue)(?:ß|ss)e?|mfg|lg|vg|bg|gruß|(?:vielen |besten |herzlichen )?dank(?:e)?(?: (?:im voraus|euch|ihnen|und (?:viele |liebe )?grüße))?|hochachtungsvoll)"
    r"[ \t]{0,3}[,.!;:–—-]{0,2}[ \t\n]{1,6}(?:(?:from|ihr|ihre|dein|deine|your|von) )?(?:"
    + _TITLE
    + r"\.? )?(?P<name>"
    + _FULL
    + r"|"
    + _LOWER
    + r")[ \t]{0,3}[.!,;:)]{0,2}[ \t]{0,3}(?=\n|$|\x00|\()",
    re.IGNORECASE | re.MULTILINE,
)
_INTRODUCTION = re.compile(
    r"(?<!\w)(?:my (?:full |real )?name(?: is|'s|’s|:)|the name(?: is|'s|’s)|full name:|customer name:|mein (?:voller )?name (?:ist|lautet)|ich hei(?:ß|ss)e|call me"
    r"|account holder(?: is|:)|kontoinhaber(?:in)?(?: ist|:)|in the name of|under the name(?: of)?|auf den namen|addressed to)[ \t]{1,3}(?:"
    + _TITLE
    + r"\.? )?"
    r"(?P<name>" + _FULL + r"|" + _LOWER + r"(?: " + _LOWER + r")?)",
    re.IGNORECASE,
)
_PRESENCE = re.compile(
    r"(?<!\w)(?:(?:[Ii] am|[Ii]['’]m|[Tt]his is|[Ii]t['’]s|[Ii]ch bin|[Hh]ier (?:ist|schreibt|spricht)|[Hh]ere is) (?P<two>"
    + _WORD
    + r" "
    + _PARTICLE
    + _WORD
    + r"(?: "
    + _WORD
    + r")?)(?=[ \t]{0,2}(?:[,.!;\n(]|$|from|here|and|und|aus|von|vom|with|at|writing))"
    r"|(?:[Ii] am|[Ii]['’]m|[Tt]his is|[Ii]t['’]s|[Ii]ch bin|[Hh]ier (?:ist|schreibt)) (?P<one>"
    + _WORD
    + r")(?= (?:from|here|again|aus|vom?|and I|und ich)\b|[,.!\n]|$)|(?:(?<=^)|(?<=[.!\n] ))(?P<here>"
    + _WORD
    + r") (?:here|hier)(?=[.,! ]))",
    re.MULTILINE,
)
_PRESENCE_LOWER = re.compile(
    r"(?<!\w)(?:i am|i['’]?m|this is|it['’]?s|ich bin|hier ist|hier schreibt) (?P<name>(?P<first>"
    + _LOWER
    + r")(?: "
    + _LOWER
    + r")??)(?= (?:from|here|and|aus|vo[nm]|und)\b|[,.!\n]|$)",
    re.IGNORECASE | re.MULTILINE,
)
_THANKED = re.compile(
    r"(?<!\w)(?:[Tt]hanks|[Tt]hank you|[Dd]anke|[Hh]i|[Hh]ello|[Hh]ey|[Hh]allo),? (?P<name>" + _WORD + r")(?!\w)"
)
_FIRST_AND_LAST = re.compile(
    r"(?<![\w.@-])(?P<name>(?P<first>"
    + _WORD
    + r") (?:"
    + _INITIAL
    + r" ){0,2}"
    + _PARTICLE
    + r"(?P<last>"
    + _WORD
    + r")(?: "
    + _WORD
    + r")?)(?!\w)"
)
_LABELLED_LINE = re.compile(
    r"^[ \t>*]{0,6}(?:name|customer|client|contact|my order|order|kunde|kundin|bestellung|meine bestellung"
    r"|ansprechpartner(?:in)?|absender)[ \t]?:[ \t]{1,3}(?P<name>"
    + _WORD
    + r" (?:"
    + _INITIAL
    + r" ){0,2}"
    + _PARTICLE
    + _WORD
    + r")[ \t,.;]{0,5}$",
    re.IGNORECASE | re.MULTILINE,
)
# A message that ends in two capitalised words on their own is signed; better a product lost than a person shown.
_SIGNED = re.compile(
    r"(?:\n|[.!?,] )[ \t]{0,3}(?P<name>" + _WORD + r" " + _PARTICLE + _WORD + r")[ \t]{0,3}[.,]?\s{0,5}\Z"
)
_TITLED = re.compile(
    r"(?<!\w)(?-i:Mr|Mrs|Ms|Miss|Mx|Dr|Prof|Herrn?|Frau)\.?(?: (?-i:Dr|Prof)\.?){0,2} (?P<name>(?:"
    + _INITIAL
    + r" )?"
    + _PARTICLE
    + _WORD
    + r"(?: "
    + _WORD
    + r")?)"
)
_DASHED = re.compile(r"(?:\n|[.!?] )[ \t]{0,3}(?:[-–—~/]{1,3})[ \t]{0,3}(?P<name>" + _FULL + r")[ \t]{0,3}\.?\s{0,5}\Z")
_ABOVE_CONTACT = re.compile(
    r"(?:^|\n)[ \t]{0,3}(?P<name>"
    + _WORD
    + r"(?: "
    + _INITIAL
    + r")?(?: "
    + _PARTICLE
    + _WORD
    + r"){1,2})[ \t]{0,3}\n[ \t]{0,3}(?=\x00|<(?:EMAIL|PHONE|ADDRESS)>)"
)

_NOT_A_NAME = frozenset(
    [
        "a",
        "about",
        "account",
        "actually",
        "admin",
        "after",
        "again",
        "agent",
        "all",
        "alle",
        "alles",
        "also",
        "always",
        "an",
        "and",
        "android",
        "another",
        "any",
        "anyone",
        "app",
        "apple",
        "as",
        "assistant",
        "at",
        "aus",
        "auf",
        "aber",
        "bank",
        "beste",
        "bester",
        "because",
        "before",
        "best",
        "bitte",
        "bot",
        "both",
        "brother",
        "but",
        "by",
        "can",
        "chat",
        "colleague",
        "colleagues",
        "community",
        "company",
        "computer",
        "could",
        "customer",
        "customers",
        "da",
        "damen",
        "danke",
        "das",
        "dass",
        "dear",
        "der",
        "detail",
        "details",
        "dear",
        "der",
        "did",
        "die",
        "do",
        "does",
        "doesn",
        "done",
        "ein",
        "eine",
        "er",
        "es",
        "euch",
        "every",
        "everybody",
        "everyone",
        "everything",
        "experte",
        "experts",
        "facebook",
        "firefox",
        "firma",
        "first",
        "folks",
        "for",
        "forum",
        "freunde",
        "friend",
        "friends",
        "from",
        "für",
        "gentlemen",
        "gerne",
        "getting",
        "going",
        "good",
        "google",
        "great",
        "gruppe",
        "guys",
        "hab",
        "habe",
        "haben",
        "hallo",
        "happy",
        "have",
        "having",
        "he",
        "hello",
        "help",
        "helpdesk",
        "her",
        "herren",
        "hi",
        "hier",
        "him",
        "his",
        "how",
        "however",
        "huawei",
        "i",
        "ich",
        "if",
        "ihnen",
        "ihr",
        "in",
        "in",
        "incorrect",
        "instagram",
        "iphone",
        "is",
        "ist",
        "it",
        "its",
        "ja",
        "jemand",
        "just",
        "kein",
        "keine",
        "kollegen",
        "kollege",
        "kolleginnen",
        "kunde",
        "kunden",
        "kundendienst",
        "kundenservice",
        "ladies",
        "leute",
        "linux",
        "looking",
        "loved",
        "mac",
        "madam",
        "mail",
        "man",
        "mate",
        "me",
        "mein",
        "meine",
        "microsoft",
        "miss",
        "mit",
        "mods",
        "moderator",
        "moderators",
        "mozilla",
        "my",
        "myself",
        "na",
        "nach",
        "name",
        "nein",
        "new",
        "nice",
        "no",
        "nobody",
        "nope",
        "not",
        "nothing",
        "now",
        "of",
        "office",
        "ok",
        "okay",
        "on",
        "one",
        "or",
        "our",
        "outlook",
        "paypal",
        "people",
        "perfect",
        "please",
        "problem",
        "product",
        "question",
        "regards",
        "reply",
        "robot",
        "samsung",
        "sehr",
        "seit",
        "sending",
        "service",
        "shop",
        "sie",
        "sir",
        "sirs",
        "so",
        "sofort",
        "solved",
        "some",
        "someone",
        "sorry",
        "staff",
        "still",
        "super",
        "support",
        "team",
        "thank",
        "thanks",
        "that",
        "the",
        "their",
        "them",
        "then",
        "there",
        "therefore",
        "these",
        "they",
        "this",
        "thunderbird",
        "to",
        "today",
        "tomorrow",
        "too",
        "trying",
        "uns",
        "und",
        "unfortunately",
        "us",
        "user",
        "users",
        "very",
        "volunteers",
        "von",
        "vorab",
        "voraus",
        "waiting",
        "was",
        "way",
        "we",
        "webshop",
        "welcome",
        "well",
        "what",
        "when",
        "where",
        "which",
        "why",
        "wie",
        "will",
        "windows",
        "wir",
        "wird",
        "with",
        "without",
        "working",
        "world",
        "would",
        "wrong",
        "yeah",
        "yes",
        "you",
        "your",
        "zum",
        "zur",
        "zusammen",
        "problemlos",
        "soweit",
        "everyhting",
        "displayed",
        "spelled",
        "misspelled",
        "printed",
        "shown",
        "correct",
        "misprinted",
        "missing",
        "required",
        "listed",
        "invalid",
        "nicht",
        "falsch",
        "richtig",
        "fehlt",
        "einer",
        "einem",
        "monday",
        "tuesday",
        "wednesday",
        "thursday",
        "friday",
        "saturday",
        "sunday",
        "january",
        "february",
        "march",
        "april",
        "june",
        "july",
        "september",
        "october",
        "november",
        "december",
        "montag",
        "dienstag",
        "mittwoch",
        "donnerstag",
        "freitag",
        "samstag",
        "sonntag",
        "januar",
        "februar",
        "märz",
        "juni",
        "juli",
        "oktober",
        "dezember",
        "dr",
        "mr",
        "mrs",
        "ms",
        "prof",
        "frau",
        "herr",
        "herrn",
        "alexa",
        "siri",
        "cortana",
        "bixby",
        "gemini",
        "lucky",
        "advance",
        "kindly",
        "bye",
        "tschüss",
        "greetings",
        "love",
        "kind",
    ]
)
_ORGANISATION = re.compile(
    r"(?:[ -](?:team|support|community|service|help|kundenservice|kundendienst|customer|care|forum|developers?|devs|group"
    r"|folks|users?|staff|inc|gmbh|ltd|ag|shop|store))\b",
    re.IGNORECASE,
)
_GREETING_WORDS = frozenset(
    [
        "hi",
        "hello",
        "hey",
        "dear",
        "good",
        "hallo",
        "guten",
        "liebe",
        "lieber",
        "liebes",
        "moin",
        "servus",
        "grüezi",
        "grüß",
        "sehr",
        "thanks",
        "thank",
        "danke",
        "cheers",
        "sorry",
        "hola",
        "bonjour",
        "ciao",
    ]
)
_CLOSING_WORDS = frozenset(
    [
        "regards",
        "wishes",
        "thank",
        "thanks",
        "cheers",
        "sincerely",
        "best",
        "yours",
        "care",
        "gruß",
        "grüße",
        "grüsse",
        "gruesse",
        "gruss",
        "grüßen",
        "grüssen",
        "gruessen",
        "mfg",
        "lg",
        "vg",
        "bg",
        "dank",
        "danke",
        "br",
        "rgds",
        "thx",
        "love",
        "hochachtungsvoll",
    ]
)
_INTRO_WORDS = frozenset(
    [
        "name",
        "name's",
        "name’s",
        "namen",
        "heiße",
        "heisse",
        "call",
        "holder",
        "kontoinhaber",
        "kontoinhaberin",
        "addressed",
    ]
)
_THANKED_WORDS = frozenset(["thanks", "thank", "danke", "hi", "hello", "hey", "hallo"])
_SURE_FIRST_NAMES = FIRST_NAMES - AMBIGUOUS_NAMES
# Second halves of what only looks like a first and a last name.
_BRAND_PARTS = frozenset(
    [
        "kors",
        "klein",
        "wolfskin",
        "hilfiger",
        "daniels",
        "gaultier",
        "smith's",
        "avenue",
        "street",
        "road",
        "square",
        "station",
        "airport",
        "university",
        "hotel",
        "bank",
        "house",
        "rechnung",
        "bestellung",
        "konto",
        "paket",
        "account",
    ]
)
_PRESENCE_WORDS = frozenset(["am", "im", "i'm", "i’m", "its", "this", "it's", "it’s", "bin", "hier", "here"])


def _is_name(words: str, keep: frozenset[str], sure: bool) -> bool:
    """Whether what stands where a name would is one; ``sure`` where the sentence leaves little else."""
    parts = words.replace(".", " ").replace("-", " ").split()
    if not parts or parts[0].lower() in _NOT_A_NAME or words.lower() in keep or parts[0].lower() in keep:
        return False
    if words[0].isupper():
        return not any(part.lower() in _NOT_A_NAME for part in parts)
    return words.lower() in FIRST_NAMES or (sure and parts[0].lower() in FIRST_NAMES)


def _positions(text: str) -> Iterator[tuple[int, int, bool]]:
    words = words_of(text)
    if not _GREETING_WORDS.isdisjoint(words):
        for match in _GREETING.finditer(text):
            start, end = match.span("name")
            if not _ORGANISATION.match(text, end):
                yield start, end, False
            if match["other"]:
                yield *match.span("other"), False
    if not _CLOSING_WORDS.isdisjoint(words):
        for match in _CLOSING.finditer(text):
            yield *match.span("name"), False
    if not _INTRO_WORDS.isdisjoint(words):
        for match in _INTRODUCTION.finditer(text):
            start, end = match.span("name")
            # "my name is anna and I …": only the first of two lower-case words is sure to be the name.
            if text[start].islower():
                second = text[start:end].partition(" ")[2]
                if second and (second.lower() in _NOT_A_NAME or len(second) < 3):
                    end = start + text[start:end].index(" ")
            yield start, end, True
    if not _PRESENCE_WORDS.isdisjoint(words):
        for match in _PRESENCE.finditer(text):
            group = match.lastgroup or "two"
            start, end = match.span(group)
            # One capitalised word after "I am" may be a nationality or a German noun: only a known first name counts.
            if group == "two" or text[start:end].lower() in FIRST_NAMES:
                first = text[start:end].split()[0].lower()
                german_noun = group == "two" and "ich bin" in match.group().lower() and first not in FIRST_NAMES
                if not (
                    german_noun
                    or _ORGANISATION.match(text, end)
                    or ("this" in match.group().lower()[:4] and first not in FIRST_NAMES)
                ):
                    yield start, end, False
        for match in _PRESENCE_LOWER.finditer(text):
            if match["first"].lower() in _SURE_FIRST_NAMES:
                yield *match.span("name"), True
    if not _THANKED_WORDS.isdisjoint(words):
        for match in _THANKED.finditer(text):
            if match["name"].lower() in _SURE_FIRST_NAMES:
                yield *match.span("name"), False
    if not _SURE_FIRST_NAMES.isdisjoint(words):
        for match in _FIRST_AND_LAST.finditer(text):
            if (
                match["first"].partition("-")[0].lower() in _SURE_FIRST_NAMES
                and match["last"].lower() not in _BRAND_PARTS
            ):
                yield *match.span("name"), False
    if ":" in text:
        for match in _LABELLED_LINE.finditer(text):
            yield *match.span("name"), False
    for match in _SIGNED.finditer(text[-120:]):
        start = max(0, len(text) - 120)
        yield start + match.start("name"), start + match.end("name"), False
    if "M" in text or "Dr" in text or "Prof" in text or "Herr" in text or "Frau" in text:
        for match in _TITLED.finditer(text):
            yield *match.span("name"), False
    if "\n" in text or "-" in text or "–" in text:
        for pattern in (_DASHED, _ABOVE_CONTACT):
            for match in pattern.finditer(text):
                yield *match.span("name"), False


def find_names(text: str, keep: frozenset[str] = frozenset()) -> Iterator[Span]:
    """Names in greetings, sign-offs, introductions ("my name is", "ich heiße") and after titles.

    ``keep`` holds lower-case words that are never names here, such as products ("Hi Thunderbird,").
    """
    taken = -1
    for start, end, sure in sorted(_positions(text), key=lambda found: (found[0], -found[1])):
        if start >= taken and _is_name(text[start:end], keep, sure):
            taken = end
            yield start, end, "NAME"


_MAILBOX = re.compile(r"(?<![\w.+-])([^\W\d_]{3,20})[._]([^\W\d_]{3,20})\d{0,4}@[\w-]")
_ROLE_MAILBOX = frozenset(
    [
        "account",
        "accounts",
        "admin",
        "billing",
        "bot",
        "contact",
        "customer",
        "do",
        "donotreply",
        "email",
        "example",
        "help",
        "hello",
        "info",
        "invoice",
        "kontakt",
        "kunden",
        "kundenservice",
        "mail",
        "marketing",
        "my",
        "name",
        "news",
        "newsletter",
        "no",
        "noreply",
        "not",
        "office",
        "order",
        "orders",
        "post",
        "reply",
        "return",
        "returns",
        "sales",
        "service",
        "shop",
        "support",
        "team",
        "test",
        "the",
        "user",
        "users",
        "web",
        "your",
    ]
)


def names_shown(text: str, keep: frozenset[str] = frozenset()) -> list[str]:
    """Names that a text shows by its sentences or by an address such as anna.schmidt@…, in order of appearance."""
    names = [text[start:end] for start, end, _ in find_names(text, keep)]
    if "@" in text:
        for first, last in _MAILBOX.findall(text):
            if not {first.lower(), last.lower()} & (_ROLE_MAILBOX | keep):
                names.append(f"{first.title()} {last.title()}")
    return names


def split_names(names: Iterable[str], keep: frozenset[str] = frozenset()) -> tuple[str, ...]:
    """Full names and those of their parts that are safe to replace on their own, longest first.

    A part that is also a word ("Mark", "Will") or has fewer than three letters is left to the full name.
    """
    found: set[str] = set()
    for name in names:
        name = " ".join(name.split()).strip(" .,;:!")
        if len(name) < 2 or name.lower() in keep:
            continue
        parts = name.split()
        if len(parts) > 1:
            found.add(name)
        for part in parts:
            safe = part.lower() not in AMBIGUOUS_NAMES and part.lower() not in _NOT_A_NAME
            if len(part.strip(".")) >= 3 and safe and part.lower() not in keep:
                found.add(part if part[0].isupper() else part.title())
    return tuple(sorted(found, key=lambda name: (-len(name), name)))


def find_known_names(text: str, known: tuple[str, ...]) -> Iterator[Span]:
    """Where known names stand as whole words, with a capital or in capitals; ``known`` comes from `split_names`."""
    taken: list[tuple[int, int]] = []
    for name in known:
        for form in (name, name.upper()):
            at = text.find(form)
            while at >= 0:
                end = at + len(form)
                outside = not (text[at - 1 : at].isalnum() or text[end : end + 1].isalnum())
                if outside and not any(start < end and at < stop for start, stop in taken):
                    taken.append((at, end))
                    yield at, end, "NAME"
                at = text.find(form, end)
