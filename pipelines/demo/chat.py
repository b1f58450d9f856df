"""The records of the demo's conversations: what was said, and what only the world knows of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from lacuna.pipelines.demo.talk import Customer, Personal

CORRECT, PARTIAL, WRONG, NO_ANSWER, MISCLASSIFIED = "correct", "partial", "wrong", "no_answer", "misclassified"


@dataclass
class Message:
    """One message; ``after`` seconds since the one before."""

    role: str
    text: str
    after: int
    article_ids: tuple[str, ...] = ()
    is_fallback: bool = False


@dataclass
class Conversation:
    """One conversation as it happened, with what only the world knows of it (``quality``, ``topic``)."""

    topic: str | None
    also: str | None
    customer: Customer
    started_at: datetime
    channel: str
    language: str
    region: str
    product: str | None
    intent: str
    predicted_intent: str
    intent_confidence: float
    quality: str = NO_ANSWER
    escalated: bool = False
    escalated_at: datetime | None = None
    handed_over: bool = False
    uncovered: bool = False
    cited: str | None = None
    resolved: bool | None = None
    csat: float | None = None
    handle_seconds: float | None = None
    tags: tuple[str, ...] = ()
    messages: list[Message] = field(default_factory=list)
    personal: list[Personal] = field(default_factory=list)
