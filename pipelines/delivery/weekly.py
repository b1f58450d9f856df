"""The digest of the latest run: what `lacuna digest` and the schedule both send."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from lacuna.data_contracts.errors import LacunaError, NotDelivered
from lacuna.models.diagnosis.no_gap_reason import why_no_gap
from lacuna.pipelines.delivery.digest import digests
from lacuna.pipelines.delivery.send import Outcome, deliver, summed
from lacuna.pipelines.gaps.decisions import backlog_now
from lacuna.pipelines.io.addresses import StorePath
from lacuna.pipelines.io.runs import find_run, read_run
from lacuna.pipelines.presentation.spreadsheet import records
from lacuna.pipelines.runtime.job import Job
from lacuna.pipelines.settings import Settings
from lacuna.pipelines.state.deliveries import contacts
from lacuna.pipelines.state.repository import open_state

__all__ = ["send_digest", "send_scheduled"]

_log = logging.getLogger(__name__)


def send_digest(store: StorePath, settings: Settings, *, owner: str | None = None, send: bool = False) -> list[Outcome]:
    """Send what has not been sent of the latest run's digest, or say what would be.

    Parameters
    ----------
    store, settings
        Whose run it is; ``[delivery]`` says how messages go out.
    owner
        Only this owner's message, or ``managers`` for the summary.
    send
        Without it, nothing goes out.

    Raises
    ------
    SettingsInvalid
        The settings can't send what they name.
    StoreUnusable, LacunaError
        There is no run, its state can't be used, or nothing waits for this owner.
    """
    run = find_run(store)
    with open_state(settings, store) as state:
        people = contacts(state)
        rows = records(backlog_now(store, state, settings, run.name))
        why = why_no_gap(read_run(run))
        found = digests(rows, run.name, people, settings.delivery.board_url, settings.report.title, why)
        known = [message.recipient for message in found]
        if owner is not None and owner not in known:
            raise LacunaError(f"nothing waits for '{owner}'", f"there are messages for: {', '.join(known) or 'nobody'}")
        chosen = [message for message in found if owner in (None, message.recipient)]
        return deliver(chosen, run.name, people, settings.delivery, state, send)


def send_scheduled(given: Mapping[str, str | None], send: bool) -> None:
    """Send the digest as a task of a schedule, or log who would be told; no message's body goes to the log.

    It is always the latest run's digest, each message once: a week that is mined late sends no old news.

    Parameters
    ----------
    given
        The job, as plain data.
    send
        Without it, nothing goes out.

    Raises
    ------
    NotDelivered
        Something did not go out; another call sends only that.
    LacunaError
        As :func:`send_digest`.
    """
    job = Job.from_json(dict(given))
    outcomes = send_digest(job.store, job.settings, send=send)
    for outcome in outcomes:
        _log.info("%s (%s)", outcome.told, outcome.message.subject)
    _log.info("%s.%s", summed(outcomes), "" if send else " Nothing was sent: it was a dry run.")
    failed = sum(outcome.state == "failed" for outcome in outcomes)
    if failed:
        raise NotDelivered(
            f"{failed} of {len(outcomes)} messages of the digest did not go out",
            "see above why, put [delivery] right and run this again: it sends only those",
        )
