"""Sending a digest: each message once per run, recipient and channel, whether or not others fail."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lacuna.pipelines.delivery.channels import Channel, NotSentError, Post, channels_of, check
from lacuna.pipelines.delivery.digest import Message
from lacuna.pipelines.settings import Delivery
from lacuna.pipelines.state.deliveries import Contact, mark, reached

if TYPE_CHECKING:
    from lacuna.pipelines.state.repository import State

__all__ = ["Outcome", "deliver", "summary"]


@dataclass(frozen=True)
class Outcome:
    """The result for a message on one channel; ``state``: would be sent, sent, sent before, failed or can't be sent."""

    message: Message
    channel: Channel | None
    state: str
    why: str = ""

    @property
    def line(self) -> str:
        """Recipient, channel and state in one line, without secrets and without the message's content."""
        where = f" by {self.channel.kind} to {self.channel.shown}" if self.channel else ""
        return f"{self.message.recipient}{where}: {self.state}{f': {self.why}' if self.why else ''}"


def deliver(
    messages: Sequence[Message],
    run_id: str,
    people: Mapping[str, Contact],
    settings: Delivery,
    state: State,
    send: bool = False,
    ready: Callable[[], object] = bool,
) -> list[Outcome]:
    """Send the messages that were not sent before; without ``send``, only report what would be sent.

    A message is recorded as sent once its server has accepted it, so that another call sends only what failed. If the
    process dies between the two, that one message is sent twice, under the same Message-ID. ``ready`` is called before
    each, and raises where it could not be recorded, or is no longer this process's to send.

    Raises
    ------
    SettingsInvalid
        The settings are not complete enough to send.
    StoreUnusable
        The state database can't be used.
    """
    check(settings)
    already_sent = reached(state, run_id)
    post = Post(settings)
    outcomes = []
    for message in messages:
        channels = channels_of(message.recipient, people, settings)
        if not channels:
            why = "no address is known" if settings.smtp_host else "neither [delivery] smtp_host nor a chat is set"
            outcomes.append(Outcome(message, None, "can't be sent", why))
        for channel in channels:
            if (message.recipient, channel.key) in already_sent:
                outcomes.append(Outcome(message, channel, "sent before"))
            elif not send:
                outcomes.append(Outcome(message, channel, "would be sent"))
            else:
                ready()
                outcomes.append(_send(post, message, channel, run_id, state))
    return outcomes


def summary(outcomes: Sequence[Outcome]) -> str:
    """The number of messages by state, in words.

    Examples
    --------
    >>> summary([])
    'nothing waits for anybody'
    """
    counts = Counter(outcome.state for outcome in outcomes)
    return ", ".join(f"{count} {state}" for state, count in counts.items()) or "nothing waits for anybody"


def _send(post: Post, message: Message, channel: Channel, run_id: str, state: State) -> Outcome:
    try:
        post.send(message, channel)
    except NotSentError as error:
        return Outcome(message, channel, "failed", str(error))
    mark(state, run_id, message.recipient, channel.key)
    return Outcome(message, channel, "sent")
