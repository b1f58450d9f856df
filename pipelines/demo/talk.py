"""How people in the demo write: templates with choices and slots, and the mess of real typing."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

_CHOICE = re.compile(r"\[([^\[\]]*)\]")
_WORD = re.compile(r"[^\W\d_]{4,}(?![^\s]*[{}@\d])")
_PERSONAL_SLOT = re.compile(r"\{(first\} \{last|first|last|email|phone|address|card|iban)\}")
# Keys beside each other on the keyboard, row by row.
_ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
_NEIGHBOURS = {row[at]: row[max(at - 1, 0) : at] + row[at + 1 : at + 2] for row in _ROWS for at in range(len(row))}
_MAIL_ENDS = ("com", "org", "net")
CARDS = ("4111 1111 1111 1111", "5555 5555 5555 4444", "4242 4242 4242 4242")
IBANS = ("DE89 3704 0044 0532 0130 00", "AT61 1904 3002 3457 3201", "GB82 WEST 1234 5698 7654 32")


@dataclass(frozen=True)
class Customer:
    """Somebody who writes in, with the personal data that may end up in a message."""

    customer_id: str
    language: str
    region: str
    first: str
    last: str
    email: str
    phone: str
    address: str


@dataclass(frozen=True)
class Personal:
    """A piece of personal data that was written into a message."""

    kind: str
    text: str


def make_customers(words: Mapping[str, Any], rng: Random, count: int) -> list[Customer]:
    """``count`` people; phone numbers and mail domains are from the ranges kept free for fiction."""
    customers = []
    for number, token in enumerate(rng.sample(range(16**6), count)):
        language = "de" if rng.random() < 0.3 else "en"
        region = rng.choices(("eu", "uk", "us"), (90, 5, 5) if language == "de" else (25, 48, 27))[0]
        first, last = rng.choice(words["names"][language]["first"]), rng.choice(words["names"][language]["last"])
        customers.append(
            Customer(
                customer_id=f"cu-{token:06x}",
                language=language,
                region=region,
                first=first,
                last=last,
                email=f"{_ascii(first)}{rng.choice('._-')}{_ascii(last)}{number % 97}@example.{rng.choice(_MAIL_ENDS)}",
                phone=rng.choice(words["phones"][region]).replace("{h}", f"{rng.randrange(10, 99)}"),
                address=rng.choice(words["places"][region]).replace("{h}", str(rng.randrange(2, 98))),
            )
        )
    return customers


class Speaker:
    """Turns templates into what one person writes in one conversation.

    Slots about the shop are filled with the conversation's facts, so that order and item stay the same throughout;
    personal slots with the customer's data, which is kept in ``said`` for the truth.
    """

    def __init__(self, words: Mapping[str, Any], customer: Customer, product: str | None, language: str, rng: Random):
        self.words, self.customer, self.language, self.rng = words, customer, language, rng
        self.said: list[Personal] = []
        self.agent = rng.choice(words["agents"]["names"])
        order = f"WB-{rng.randrange(180000, 260000)}" if rng.random() < 0.4 else f"#{rng.randrange(48000000, 49999999)}"
        self.used: set[str] = set()
        self.facts = {
            "{order}": order,
            "{item}": rng.choice(words["items"][language][product or "bikes"]),
            "{agent}": self.agent,
            "{day}": rng.choice(words["days"][language]),
            "{n}": str(rng.randrange(2, 9)),
        }
        self.lowers = rng.random() < 0.2
        self.careless = rng.random() < 0.3
        self.bare = rng.random() < 0.15

    def pick(self, texts: Mapping[str, Sequence[str]]) -> str:
        """One of ``texts`` in the conversation's language, choices made and the shop's slots filled."""
        choices = texts.get(self.language) or texts["en"]
        template = self.rng.choice([text for text in choices if text not in self.used] or choices)
        self.used.add(template)
        return self.compose(template)

    def ask(self, texts: Mapping[str, Sequence[str]]) -> str:
        """One of ``texts`` in words of the customer's own: synonyms, and a run-up such as "quick question"."""
        rng, text = self.rng, self.pick(texts)
        for group in self.words["synonyms"][self.language]:
            phrase_here = next(
                (phrase for phrase in group if phrase in text and re.search(rf"\b{phrase}\b", text)), None
            )
            if phrase_here and rng.random() < 0.6:
                text = re.sub(rf"\b{phrase_here}\b", rng.choice(group), text, count=1)
        if rng.random() < 0.3:
            text = rng.choice(self.words["run_up"][self.language]) + text
        return text

    def compose(self, template: str) -> str:
        """``template`` with its choices made and the shop's slots filled; personal slots stay."""
        rng = self.rng
        text = _CHOICE.sub(lambda match: rng.choice(match[1].split("|")), template)
        for slot, fact in self.facts.items():
            text = text.replace(slot, fact)
        return text

    def opening(self, question: str, channel: str) -> str:
        """A first message around ``question``: greeting, circumstances, sign-off, all of them optional."""
        rng, long = self.rng, channel == "email"
        parts = [self._sentence(question)]
        if rng.random() < (0.5 if long else 0.2):
            parts.insert(0, self.pick(self.words["context"]))
        if rng.random() < (0.5 if long else 0.18):
            parts.append(self.pick(self.words["context"]))
        if rng.random() < (0.15 if long else 0.05):
            parts.append(self.pick(self.words["personal"]))
        if rng.random() < (0.9 if long else 0.35):
            parts.append(("\n" if long else "") + self.pick(self.words["closings"]))
        if rng.random() < (0.95 if long else 0.4):
            parts.insert(0, self.pick(self.words["greetings"]) + (",\n" if long else rng.choice((",", "!", ".", ""))))
        return self.say(" ".join(parts))

    def say(self, text: str) -> str:
        """``text`` as this customer types it, with personal data filled in after the typing mistakes."""
        rng = self.rng
        if self.lowers:
            text = re.sub(r"(?<![\w{])[^\W\d_][^\s{}]*", lambda word: word[0].lower(), text)
        if self.careless and (len(text) > 30 or rng.random() < 0.3):
            text = mistype(text, rng, 1 + (rng.random() < 0.4) + (rng.random() < 0.2))
        if self.bare:
            text = re.sub(r"[,.?!](?=\s|$)", "", text)
        if rng.random() < 0.07:
            text += " " + rng.choice(self.words["emoji"]["any"])
        return self.fill(text).strip()

    def fill(self, text: str) -> str:
        """``text`` with the customer's own data in the personal slots, which is noted in ``said``."""
        who = self.customer
        data = {"first": who.first, "last": who.last, "email": who.email, "phone": who.phone, "address": who.address}

        def put(match: re.Match[str]) -> str:
            slot = match[1]
            if slot == "card":
                value = self.rng.choice(CARDS)
            elif slot == "iban":
                value = self.rng.choice(IBANS)
            else:
                value = f"{who.first} {who.last}" if " " in slot else data[slot]
            kind = "name" if " " in slot else {"first": "first_name", "last": "last_name"}.get(slot, slot)
            self.said.append(Personal(kind, value))
            return value

        return _PERSONAL_SLOT.sub(put, text)

    def agent_says(self, answer: str) -> str:
        """``answer`` with a greeting and a close, as the agent of this conversation would write it."""
        parts = [self.pick(self.words["agent_hello"]), self.compose(answer), self.pick(self.words["agent_bye"])]
        return self.fill(" ".join(part for part in parts if part))

    def _sentence(self, text: str) -> str:
        return text if text[-1] in "?!." or self.rng.random() < 0.5 else text + "."


def mistype(text: str, rng: Random, count: int) -> str:
    """``text`` with ``count`` slips of the finger, none in a slot, a number or an address."""
    words = list(_WORD.finditer(text))
    for word in sorted(rng.sample(words, min(count, len(words))), key=lambda match: -match.start()):
        letters, at = list(word[0]), rng.randrange(1, len(word[0]) - 1)
        way = rng.random()
        if way < 0.35:
            del letters[at]
        elif way < 0.65:
            letters[at], letters[at + 1] = letters[at + 1], letters[at]
        elif way < 0.85:
            letters[at] = rng.choice(_NEIGHBOURS.get(letters[at], letters[at]))
        else:
            letters.insert(at, letters[at])
        text = text[: word.start()] + "".join(letters) + text[word.end() :]
    return text


def _ascii(name: str) -> str:
    name = name.lower()
    for umlaut, letters in (("ä", "ae"), ("ö", "oe"), ("ü", "ue"), ("ß", "ss")):
        name = name.replace(umlaut, letters)
    return name
