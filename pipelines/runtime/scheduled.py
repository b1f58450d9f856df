"""What a scheduler should do about an error, and what it need not hear."""

from __future__ import annotations

import logging

from lacuna.data_contracts.errors import BundleUnreadable, LacunaError, NotDelivered, StoreUnusable
from lacuna.pipelines.io.addresses import worth_a_retry
from lacuna.pipelines.runtime.runner import BundleChanging

__all__ = ["quiet", "retry_mends"]


def retry_mends(error: LacunaError) -> bool:
    """Whether the same task may succeed in a while, with nothing changed by a person.

    True for a lock, a full disk or a busy database, for a bundle that is being written or whose server does not answer,
    and for a message that was not accepted. Broken contracts, empty windows and wrong settings need a person.
    """
    if isinstance(error, BundleUnreadable):
        return isinstance(error, BundleChanging) or worth_a_retry(error)
    return isinstance(error, StoreUnusable | NotDelivered)


def quiet() -> None:
    """Keep out of a task's log what Great Expectations says of itself while it is imported, hundreds of lines."""
    logging.getLogger("great_expectations").setLevel(logging.ERROR)
    # This one sets a level of its own when it is imported: only a filter lasts.
    logging.getLogger("great_expectations.data_context.types.base").addFilter(_grave)


def _grave(record: logging.LogRecord) -> bool:
    return record.levelno >= logging.ERROR
