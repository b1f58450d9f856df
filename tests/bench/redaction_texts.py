"""Texts with made-up personal data in seven languages: sentences of our own, values of Faker, always the same ones."""

from __future__ import annotations

import random
import string
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from faker import Faker
from stdnum.iso7064 import mod_11_10

__all__ = ["LANGUAGES", "Labelled", "made_up_texts"]

LANGUAGES = ("en", "de", "fr", "es", "nl", "pt", "it")
_LOCALES = {"en": ("en_GB", "en_US"), "de": ("de_DE", "de_AT"), "fr": ("fr_FR",), "es": ("es_ES", "es_MX"), "nl": ("nl_NL", "nl_BE"),
            "pt": ("pt_PT", "pt_BR"), "it": ("it_IT",)}  # fmt: skip
_SENTENCES = Path(__file__).with_name("redaction_texts.toml")
_KINDS = (
    "email",
    "phone",
    "card",
    "iban",
    "ip",
    "secret",
    "national_id",
    "url",
    "address",
    "name",
    "birth_date",
    "username",
    "plate",
)
_MONTHS = {
    "en": "January February March April May June July August September October November December",
    "de": "Januar Februar März April Mai Juni Juli August September Oktober November Dezember",
    "fr": "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
    "es": "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
    "nl": "januari februari maart april mei juni juli augustus september oktober november december",
    "pt": "janeiro fevereiro março abril maio junho julho agosto setembro outubro novembro dezembro",
    "it": "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre",
}
_SIGNS = {"en": ("at", "dot"), "de": ("at", "punkt"), "fr": ("arobase", "point"), "es": ("arroba", "punto"), "nl": ("apenstaartje", "punt"),
          "pt": ("arroba", "ponto"), "it": ("chiocciola", "punto")}  # fmt: skip
_PHONES = {
    "en": ("020 79## ####", "077## ######", "0161 496 0###", "(312) 55#-01##", "+44 7700 900###", "+1-415-555-01##"),
    "de": ("030 2312####", "0170 #######", "089/1234####", "0221-98765##", "+49 151 2345####", "0043 1 58858##"),
    "fr": (
        "06 ## ## ## ##",
        "01.4#.##.##.##",
        "07########",
        "+33 1 4# ## ## ##",
        "04-9#-##-##-##",
        "0033 6 12 ## ## ##",
    ),
    "es": ("91 4## ## ##", "6## ### ###", "93 2## ####", "+34 6########", "0034 91 5## ## ##", "6## ## ## ##"),
    "nl": ("06-1#######", "020 6######", "06 4#######", "+31 6 2#######", "0031 10 2######", "010-4######"),
    "pt": (
        "21# ### ###",
        "91# ### ###",
        "93#######",
        "+351 96# ### ###",
        "(11) 9#### ####".replace("9####", "98###"),
        "22 2## ## ##",
    ),
    "it": ("06 698# ####", "347 ### ####", "02 72## ####", "+39 333 #######", "0039 055 23####", "338 #######"),
}
_KEYS: tuple[tuple[str, str, int], ...] = (
    ("ghp_", string.ascii_letters + string.digits, 36), ("glpat-", string.ascii_letters + string.digits, 20),
    ("sk_live_", string.ascii_letters + string.digits, 24), ("AKIA", string.ascii_uppercase + "234567", 16),
    ("sk-ant-api03-", string.ascii_letters + string.digits, 60), ("xoxb-", string.digits, 24), ("AIza", string.ascii_letters + string.digits, 35),
    ("hf_", string.ascii_letters, 34), ("npm_", string.ascii_letters + string.digits, 36), ("shpat_", "0123456789abcdef", 32),
    ("", "0123456789abcdef", 40), ("", string.ascii_letters + string.digits + "+/", 40), ("dop_v1_", "0123456789abcdef", 64),
    ("pypi-AgEI", string.ascii_letters + string.digits, 80), ("SG.", string.ascii_letters + string.digits, 50),
)  # fmt: skip


@dataclass(frozen=True)
class Labelled:
    """A text, what of it must go, and whether nothing may."""

    language: str
    kind: str
    form: str
    text: str
    value: str
    parts: tuple[str, ...]
    harmless: bool


class _Values:
    """Values of one language, drawn from a seed."""

    def __init__(self, language: str, seed: int) -> None:
        self.language = language
        self.draw = random.Random(f"{language} {seed}")
        self.fakers = [Faker(locale) for locale in _LOCALES[language]]
        for number, faker in enumerate(self.fakers):
            faker.seed_instance(f"{language} {seed} {number}")

    @property
    def fake(self) -> Faker:
        return self.draw.choice(self.fakers)

    def digits(self, pattern: str) -> str:
        return "".join(self.draw.choice(string.digits) if char == "#" else char for char in pattern)

    def email(self) -> tuple[str, str]:
        user = self.draw.choice((self.fake.user_name(), f"{self.fake.user_name()}.{self.draw.randint(60, 99)}"))
        host, ending = self.draw.choice(
            (("example", "com"), ("gmail", "com"), ("web", "de"), ("posteo", "net"), ("example", "org"))
        )
        at, dot = _SIGNS[self.language]
        form, text = self.draw.choice((
            ("plain", f"{user}@{host}.{ending}"), ("plain", f"{user}+news@mail.{host}.{ending}"), ("plain", f"{user}@{host}.{ending}".upper()),
            ("spelt", f"{user} [at] {host} [dot] {ending}"), ("spelt", f"{user}(at){host}.{ending}"), ("spelt", f"{user} {at} {host} {dot} {ending}"),
            ("spelt", f"{user} @ {host} . {ending}"), ("spelt", f"{user}[{at}]{host}.{ending}"), ("spelt", f"{user} ({at}) {host} ({dot}) {ending}"),
        ))  # fmt: skip
        return form, text

    def phone(self) -> tuple[str, str]:
        value = self.digits(self.draw.choice(_PHONES[self.language]))
        return ("international" if value.startswith(("+", "00")) else "national"), value

    def card(self) -> tuple[str, str]:
        cards = Faker("en_US")
        cards.seed_instance(self.draw.random())
        digits = cards.credit_card_number(self.draw.choice(("visa16", "mastercard", "amex")))
        sign = self.draw.choice(("", " ", "-"))
        return {"": "bare", " ": "spaced", "-": "dashed"}[sign], sign.join(
            digits[at : at + 4] for at in range(0, len(digits), 4)
        )

    def iban(self) -> tuple[str, str]:
        value = Faker({"en": "en_GB", "pt": "pt_PT"}.get(self.language, _LOCALES[self.language][0]))
        value.seed_instance(self.draw.random())
        code = value.iban()
        return self.draw.choice(
            (("bare", code), ("spaced", " ".join(code[at : at + 4] for at in range(0, len(code), 4))))
        )

    def ip(self) -> tuple[str, str]:
        return self.draw.choice((("v4", self.fake.ipv4_public()), ("v6", self.fake.ipv6())))

    def secret_labelled(self) -> tuple[str, str]:
        word = self.draw.choice(("Drache", "maison", "Perro", "fiets", "Verao", "gatto", "Winter", "cobalt"))
        return "labelled", self.draw.choice(
            (
                f"{word}{self.digits('##')}!",
                f"{word}#{self.digits('####')}",
                f"{self.digits('##')}{word}{self.digits('#')}",
                f"{word}-{self.digits('###')}$x",
            )
        )

    def secret_code(self) -> tuple[str, str]:
        return "code", self.digits(self.draw.choice(("####", "######")))

    def secret_key(self) -> tuple[str, str]:
        start, letters, length = self.draw.choice(_KEYS)
        return "key", start + "".join(self.draw.choice(letters) for _ in range(length))

    def national_id(self) -> tuple[str, str]:
        return self._ids()

    def _ids(self) -> tuple[str, str]:
        if self.language == "en":
            ssn = Faker("en_US")
            ssn.seed_instance(self.draw.random())
            nino = (
                "".join(self.draw.choice("ABCEHJKLM") for _ in range(2))
                + self.digits("######")
                + self.draw.choice("ABCD")
            )
            return self.draw.choice(
                (
                    ("SSN", ssn.ssn()),
                    ("NINO", nino),
                    ("NINO", f"{nino[:2]} {nino[2:4]} {nino[4:6]} {nino[6:8]} {nino[8]}"),
                )
            )
        if self.language == "de":
            body = self.draw.choice("123456789") + self.digits("#########")
            code = body + mod_11_10.calc_check_digit(body)
            card = (
                self.draw.choice("LMPTVWXY")
                + "".join(self.draw.choice("CFGHJKLMNPRTVWXYZ0123456789") for _ in range(6))
                + "X4"
            )
            return self.draw.choice(
                (
                    ("tax id", code),
                    ("tax id", f"{code[:2]} {code[2:5]} {code[5:8]} {code[8:]}"),
                    ("identity card", card),
                )
            )
        if self.language == "fr":
            body = (
                self.draw.choice("12")
                + self.digits("##")
                + self.draw.choice(("03", "11", "07"))
                + "75"
                + self.digits("######")
            )
            code = f"{body}{97 - int(body) % 97:02d}"
            return self.draw.choice(
                (
                    ("NIR", code),
                    ("NIR", f"{code[0]} {code[1:3]} {code[3:5]} {code[5:7]} {code[7:10]} {code[10:13]} {code[13:]}"),
                )
            )
        if self.language == "es":
            number = int(self.digits("########"))
            letters = "TRWAGMYFPDXBNJZSQVHLCKE"
            nie = self.draw.choice((0, 1, 2)) * 10_000_000 + int(self.digits("#######"))
            return self.draw.choice((
                ("DNI", f"{number:08d}{letters[number % 23]}"), ("DNI", f"{number:08d}-{letters[number % 23]}"),
                ("NIE", f"{'XYZ'[nie // 10_000_000]}{nie % 10_000_000:07d}{letters[nie % 23]}"),
            ))  # fmt: skip
        if self.language == "nl":
            while True:
                code = self.digits("#########")
                if (
                    code[0] != "0"
                    and (sum(int(digit) * (9 - at) for at, digit in enumerate(code[:8])) - int(code[8])) % 11 == 0
                ):
                    return "BSN", self.draw.choice((code, f"{code[:4]}.{code[4:6]}.{code[6:]}"))
        if self.language == "pt":
            body = self.draw.choice("123") + self.digits("#######")
            rest = sum(int(digit) * (9 - at) for at, digit in enumerate(body)) % 11
            brazil = Faker("pt_BR")
            brazil.seed_instance(self.draw.random())
            return self.draw.choice((("NIF", f"{body}{0 if rest < 2 else 11 - rest}"), ("CPF", brazil.cpf())))
        return "codice fiscale", self.fake.ssn()

    def url(self) -> tuple[str, str]:
        token = "".join(self.draw.choice(string.ascii_letters + string.digits) for _ in range(22))
        return self.draw.choice((
            ("scheme", f"https://my.example.org/invoices/view?sig={token}"), ("scheme", f"https://example.net/u/{token}/confirm"),
            ("scheme", f"https://portal.example.com/#/login?code={token}"), ("no scheme", f"my.example.org/reset?t={token}"),
            ("no scheme", f"www.example.org/track/{token}"), ("scheme", f"http://admin:{token}@cloud.example.com/"),
        ))  # fmt: skip

    def address(self) -> tuple[str, str]:
        lines = [line.strip() for line in self.fake.address().split("\n") if line.strip()]
        return "street and town", ", ".join(lines[:3])

    def name(self, form: str) -> tuple[str, str]:
        fake = self.fake
        last = fake.last_name()
        if form == "greeting":
            return (
                form,
                last
                if self.draw.random() < 0.25
                else f"{fake.first_name()} {last}"
                if self.draw.random() < 0.5
                else fake.first_name(),
            )
        if form == "signature" and self.draw.random() < 0.5:
            return form, fake.first_name()
        return form, f"{fake.first_name()} {last}"

    def birth_date(self) -> tuple[str, str]:
        year, month, day = self.draw.randint(1940, 2006), self.draw.randint(1, 12), self.draw.randint(1, 28)
        word = _MONTHS[self.language].split()[month - 1]
        of = " de " if self.language in ("es", "pt") else " "
        return self.draw.choice((
            ("figures", f"{day:02d}/{month:02d}/{year}"), ("figures", f"{day}.{month}.{year}"), ("figures", f"{year}-{month:02d}-{day:02d}"),
            ("figures", f"{day:02d}-{month:02d}-{year}"), ("words", f"{day}{'.' if self.language == 'de' else ''}{of}{word}{of}{year}"),
        ))  # fmt: skip

    def username(self) -> tuple[str, str]:
        name = self.fake.user_name()
        return self.draw.choice(
            (
                ("with digits", f"{name}{self.digits('##')}"),
                ("with signs", f"{name}_{self.draw.choice(('x', 'fan', 'tv'))}"),
                ("handle", f"@{name}"),
            )
        )

    def plate(self) -> tuple[str, str]:
        def up(count: int) -> str:
            return "".join(self.draw.choice("BCDFGHJKLMNPRSTVWXYZ") for _ in range(count))

        forms: dict[str, Callable[[], str]] = {
            "en": lambda: f"{up(2)}{self.digits('##')} {up(3)}", "de": lambda: f"{up(self.draw.choice((1, 2)))}-{up(2)} {self.digits('###')}",
            "fr": lambda: f"{up(2)}-{self.digits('###')}-{up(2)}", "es": lambda: f"{self.digits('####')} {up(3)}",
            "nl": lambda: self.draw.choice((f"{up(2)}-{self.digits('###')}-{up(1)}", f"{self.digits('##')}-{up(2)}-{up(2)}")),
            "pt": lambda: f"{up(2)}-{self.digits('##')}-{up(2)}", "it": lambda: f"{up(2)}{self.digits('###')}{up(2)}",
        }  # fmt: skip
        return "plate", forms[self.language]()


def made_up_texts(rounds: int = 3, seed: int = 7) -> list[Labelled]:
    """Texts of all languages and kinds, ``rounds`` values to each sentence; the same for the same seed."""
    sentences = tomllib.loads(_SENTENCES.read_text(encoding="utf-8"))
    texts = []
    for language in LANGUAGES:
        values = _Values(language, seed)
        for key, lines in sentences[language].items():
            if key == "kept":
                texts += [Labelled(language, "harmless", "harmless", line, "", (), harmless=True) for line in lines]
                continue
            kind, _, form = key.partition("_") if key not in _KINDS else (key, "", "")
            for line in lines:
                for _ in range(rounds):
                    sub, value = values.name(form) if kind == "name" else getattr(values, key)()
                    texts.append(
                        Labelled(
                            language,
                            kind,
                            sub,
                            line.replace("{v}", value),
                            value,
                            _parts(kind, sub, value),
                            harmless=False,
                        )
                    )
    return texts


def _parts(kind: str, form: str, value: str) -> tuple[str, ...]:
    """What of a value must not be left: each part of a name, an address's first line, the mailbox, the token of a link."""
    if kind == "name":
        return tuple(part for part in value.split() if len(part) > 3 and part[0].isupper())
    if kind == "address":
        return (value.split(",")[0],)
    if kind == "email":
        return (value.split("@")[0].split("+")[0].split(" ")[0].split("(")[0].split("[")[0],)
    if kind == "url":
        return (max(value.replace("/", " ").replace("=", " ").replace("@", " ").replace(":", " ").split(), key=len),)
    return (value.removeprefix("@"),)
