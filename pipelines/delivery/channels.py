"""The channels for messages: e-mail (SMTP), and the chats and webhooks that apprise supports."""

from __future__ import annotations

import hashlib
import logging
import os
import smtplib
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from email.errors import HeaderParseError
from email.headerregistry import Address
from email.message import EmailMessage

from lacuna.data_contracts.errors import SettingsInvalid
from lacuna.pipelines.delivery.digest import MANAGERS, Message
from lacuna.pipelines.settings import Delivery
from lacuna.pipelines.state.deliveries import Contact

__all__ = ["Channel", "NotSentError", "Post", "channels_of", "check"]

OWNERS = "owners"


class NotSentError(Exception):
    """A message was not sent; the error's text gives the reason, without secrets."""


@dataclass(frozen=True)
class Channel:
    """One way to one recipient: an e-mail address or an apprise URL. ``shown`` holds no secret."""

    kind: str
    address: str

    @property
    def shown(self) -> str:
        """The address as it may be printed."""
        return self.address if self.kind == "email" else f"{self.address.split('://')[0]}://…"

    @property
    def key(self) -> str:
        """The channel's key in the state database: a hash, since an address may contain a token."""
        return f"{self.kind}:{hashlib.blake2b(self.address.encode(), digest_size=12).hexdigest()}"


def channels_of(recipient: str, people: Mapping[str, Contact], settings: Delivery) -> list[Channel]:
    """All channels to a recipient: an owner_id, or ``managers``."""
    mails: list[str] = []
    if settings.smtp_host:
        email = people[recipient].email if recipient in people else None
        mails = list(settings.managers) if recipient == MANAGERS else [email] if email else []
    names = {recipient} if recipient == MANAGERS else {recipient, OWNERS}
    chats = [address for name, address in _chats(settings) if name in names]
    return [Channel("email", m) for m in dict.fromkeys(mails)] + [Channel("chat", c) for c in dict.fromkeys(chats)]


def check(settings: Delivery) -> None:
    """Check that the settings are complete enough to send.

    Raises
    ------
    SettingsInvalid
        E-mail is set without a valid sender, or a chat entry is not "recipient url".
    """
    if settings.smtp_host and not _parsed(settings.sender):
        raise SettingsInvalid(
            f"'delivery.sender' is no e-mail address ({settings.sender!r})",
            'write for example "Lacuna <lacuna@shop.example>"',
        )
    _chats(settings)


def _chats(settings: Delivery) -> list[tuple[str, str]]:
    entries = []
    for line in [*settings.chat, *os.environ.get(settings.chat_env, "").splitlines()]:
        if not line.strip():
            continue
        name, _, address = line.strip().partition(" ")
        if "://" not in address:
            raise SettingsInvalid(
                f"an entry for chat begins with {name[:20]!r} and names no address after it",
                'write who and where, such as "managers slack://…"; see [delivery] chat',
            )
        entries.append((name, address.strip()))
    return entries


class Post:
    """Sends messages; a mail server that could not be reached is not tried again."""

    def __init__(self, settings: Delivery) -> None:
        self._settings = settings
        self._down = ""

    def send(self, message: Message, channel: Channel) -> None:
        """Send a message through one channel.

        Raises
        ------
        NotSentError
            It was not sent.
        """
        if channel.kind == "email":
            self._mail(message, channel.address)
        else:
            self._chat(message, channel.address)

    def _mail(self, message: Message, address: str) -> None:
        if self._down:
            raise NotSentError(self._down)
        sender, to = _parsed(self._settings.sender), _parsed(address)
        if sender is None or to is None:
            raise NotSentError("no e-mail address")
        mail = EmailMessage()
        mail["Subject"], mail["From"], mail["To"] = message.subject, sender, to
        mail["Auto-Submitted"] = "auto-generated"
        # The same for the same message to the same address: mail programs show it once, should it come twice.
        mail["Message-ID"] = f"<{_digest(message.subject, message.text, address)}@{sender.domain}>"
        mail.set_content(message.text)
        mail.add_alternative(message.html, subtype="html")
        try:
            with self._server() as server:
                server.send_message(mail)
        except smtplib.SMTPRecipientsRefused as error:
            code, answer = next(iter(error.recipients.values()))
            raise NotSentError(f"refused: {code} {_text(answer)}") from None
        except smtplib.SMTPResponseException as error:
            raise NotSentError(f"the mail server said {error.smtp_code} {_text(error.smtp_error)}") from None
        except (OSError, smtplib.SMTPException) as error:
            raise NotSentError(f"mail: {type(error).__name__}") from None

    @contextmanager
    def _server(self) -> Iterator[smtplib.SMTP]:
        settings = self._settings
        context = ssl.create_default_context()
        try:
            if settings.smtp_security == "tls":
                server: smtplib.SMTP = smtplib.SMTP_SSL(
                    settings.smtp_host, settings.smtp_port, timeout=settings.timeout_seconds, context=context
                )
            else:
                server = smtplib.SMTP(settings.smtp_host, settings.smtp_port, timeout=settings.timeout_seconds)
            if settings.smtp_security == "starttls":
                server.starttls(context=context)
            if settings.smtp_user:
                server.login(settings.smtp_user, os.environ.get(settings.smtp_password_env, ""))
        except smtplib.SMTPAuthenticationError:
            self._down = f"the mail server takes no sign-in as {settings.smtp_user}: see ${settings.smtp_password_env}"
            raise NotSentError(self._down) from None
        except (OSError, smtplib.SMTPException) as error:
            self._down = (
                f"the mail server {settings.smtp_host}:{settings.smtp_port} is not reached ({type(error).__name__})"
            )
            raise NotSentError(self._down) from None
        with server:
            yield server

    def _chat(self, message: Message, address: str) -> None:
        import apprise

        logging.getLogger("apprise").setLevel(logging.CRITICAL)  # it would print addresses with their tokens
        notifier = apprise.Apprise(asset=apprise.AppriseAsset(app_id="Lacuna", app_desc="Knowledge gaps"))
        if not notifier.add(address):
            raise NotSentError("apprise does not know this kind of address")
        if not notifier.notify(body=message.text, title=message.subject, body_format=apprise.NotifyFormat.TEXT):
            raise NotSentError("not taken there, or not reached")


def _parsed(value: str) -> Address | None:
    """An address as ``Name <box@host>`` or ``box@host``; None for anything else."""
    from email.utils import parseaddr

    name, spec = parseaddr(value)
    if spec.count("@") != 1 or any(c in value for c in "\r\n\0"):
        return None
    try:
        return Address(display_name=name, addr_spec=spec)
    except (ValueError, IndexError, HeaderParseError):
        return None


def _digest(*texts: str) -> str:
    return hashlib.blake2b("\0".join(texts).encode(), digest_size=16).hexdigest()


def _text(answer: bytes | str) -> str:
    return " ".join((answer.decode("utf-8", "replace") if isinstance(answer, bytes) else answer).split())[:200]
