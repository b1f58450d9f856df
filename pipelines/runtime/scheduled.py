"""What a scheduler should do about an error."""

from __future__ import annotations

from lacuna.data_contracts.errors import BundleUnreadable, LacunaError, NotDelivered, StoreUnusable
from lacuna.pipelines.io.addresses import worth_a_retry
from lacuna.pipelines.runtime.runner import BundleChanging

__all__ = ["retry_mends"]


def retry_mends(error: LacunaError) -> bool:
    """Whether the same task may succeed in a while, with nothing changed by a person.

    True for a lock, a full disk or a busy database, for a bundle that is being written or whose server does not answer,
    and for a message that was not accepted. Broken contracts, empty windows and wrong settings need a person.
    """
    if isinstance(error, BundleUnreadable):
        return isinstance(error, BundleChanging) or worth_a_retry(error)
    return isinstance(error, StoreUnusable | NotDelivered)
