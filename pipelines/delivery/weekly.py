"""The digest of the latest run, as sent by `lacuna digest` and by the schedule."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from lacuna.data_contracts.errors import LacunaError, NotDelivered
from lacuna.models.backlog.lifecycle import IN_PROGRESS
from lacuna.models.diagnosis.no_gap_reason import why_no_gap
from lacuna.models.impact.random_order import suggested_order
from lacuna.pipelines.delivery.digest import digests
from lacuna.pipelines.delivery.send import Outcome, deliver, summary
from lacuna.pipelines.gaps.decisions import backlog_now
from lacuna.pipelines.io.addresses import StorePath
from lacuna.pipelines.io.runs import read_run, whole_run
from lacuna.pipelines.presentation.spreadsheet import records
from lacuna.pipelines.runtime.job import Job
from lacuna.pipelines.settings import Settings
from lacuna.pipelines.state.dead_runs import open_store
from lacuna.pipelines.state.deliveries import contacts
from lacuna.pipelines.state.leases import lease

__all__ = ["send_digest", "send_scheduled"]

_log = logging.getLogger(__name__)


def send_digest(store: StorePath, settings: Settings, *, owner: str | None = None, send: bool = False) -> list[Outcome]:
    """Send the messages of the latest run's digest that were not sent before, or report what would be sent.

    Parameters
    ----------
    store, settings
        The store of the run; ``[delivery]`` sets the channels.
    owner
        Only this owner's message; ``managers`` for the managers'.
    send
        Without it, nothing goes out.

    Raises
    ------
    SettingsInvalid
        The settings are not complete enough to send.
    StoreUnusable, LacunaError
        There is no run, its state can't be used, nothing waits for this owner, or another process sends this digest.
    """
    with open_store(settings, store) as state:
        people = contacts(state)
        with whole_run(store) as run:
            rows = records(backlog_now(store, state, settings, run.name))
            run_json = read_run(run)
        in_work = [str(row["gap_id"]) for row in rows if row["status"] in IN_PROGRESS]
        places = suggested_order(in_work, settings.run.seed) if settings.impact.randomise else {}
        messages = digests(
            rows, run.name, people, settings.delivery.board_url, settings.report.title, why_no_gap(run_json), run_json,
            places,
        )  # fmt: skip
        recipients = [message.recipient for message in messages]
        if owner is not None and owner not in recipients:
            raise LacunaError(
                f"nothing waits for '{owner}'", f"there are messages for: {', '.join(recipients) or 'nobody'}"
            )
        chosen = [message for message in messages if owner in (None, message.recipient)]
        if not send:
            return deliver(chosen, run.name, people, settings.delivery, state)
        with lease(settings, store, f"digest/{run.name}") as held:

            def ready() -> None:
                if not held.renew(settings.state.lease_seconds):
                    held.check()

            return deliver(chosen, run.name, people, settings.delivery, state, send, ready)


def send_scheduled(job_data: Mapping[str, str | None], send: bool) -> None:
    """Send the digest as a scheduled task, or log who would get it; no message's body is logged.

    It is always the latest run's digest, each message once: a late run of an older week sends nothing.

    Parameters
    ----------
    given
        The job, as plain data.
    send
        Without it, nothing goes out.

    Raises
    ------
    NotDelivered
        A message was not sent; another call sends only what failed.
    LacunaError
        As :func:`send_digest`.
    """
    job = Job.from_json(dict(job_data))
    outcomes = send_digest(job.store, job.settings, send=send)
    for outcome in outcomes:
        _log.info("%s (%s)", outcome.line, outcome.message.subject)
    _log.info("%s.%s", summary(outcomes), "" if send else " Nothing was sent: it was a dry run.")
    failed = sum(outcome.state == "failed" for outcome in outcomes)
    if failed:
        raise NotDelivered(
            f"{failed} of {len(outcomes)} messages of the digest did not go out",
            "see above why, put [delivery] right and run this again: it sends only those",
        )
