"""What a scheduler should do about an error."""

from __future__ import annotations

from lacuna.data_contracts.errors import BundleUnreadable, LacunaError, NotDelivered, StoreUnusable
from lacuna.pipelines.io.addresses import worth_a_retry
from lacuna.pipelines.runtime.runner import BundleChanging

__all__ = ["retry_mends"]


def retry_mends(error: LacunaError) -> bool:
    """Whether the same task may succeed in a while, with nothing changed by a person.

    So it is where somebody else is in the way (a lock, a full disk, a busy database), where the bundle is being written
    or its server does not answer, and where a message was not taken. Broken contracts, empty windows and wrong settings
    stay as they are.
    """
    if isinstance(error, BundleUnreadable):
        return isinstance(error, BundleChanging) or worth_a_retry(error)
    return isinstance(error, StoreUnusable | NotDelivered)
