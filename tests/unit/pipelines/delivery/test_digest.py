"""The weekly digest: sent through a real mail server and a real webhook on this machine, once to each recipient."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from email import message_from_bytes, policy
from email.message import EmailMessage
from html.parser import HTMLParser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword
from typer.testing import CliRunner

from lacuna.data_contracts.errors import NotDelivered, SettingsInvalid, StoreUnusable
from lacuna.pipelines.cli.main import app
from lacuna.pipelines.delivery.digest import MANAGERS, Message, digests
from lacuna.pipelines.delivery.send import Outcome, deliver
from lacuna.pipelines.delivery.weekly import send_digest, send_scheduled
from lacuna.pipelines.settings import Delivery, load_settings
from lacuna.pipelines.state.deliveries import Contact, remember_contacts
from lacuna.pipelines.state.repository import State, open_state
from tests.support import sample_run
from tests.support.lease_holder import lease_holder
from tests.support.small_store import publish
from tests.support.standins import BACKLOG_ROW

PEOPLE = {"o-1": Contact("Ana", "ana@shop.example"), "o-2": Contact("Ben", "ben@shop.example")}


class Mailbox:
    """A mail server's handler that keeps what it takes and refuses whom a test says."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.refused: set[str] = set()

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:  # noqa: N802
        """Take a recipient or refuse it."""
        if address in self.refused:
            return "550 no such box"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        """Keep a message."""
        self.mails.append(message_from_bytes(envelope.content, policy=policy.default))  # type: ignore[arg-type]
        return "250 OK"

    @property
    def to(self) -> list[str]:
        """Who has mail, in order."""
        return [str(mail["To"]) for mail in self.mails]


@pytest.fixture
def mailbox(free_tcp_port: int) -> Iterator[tuple[Mailbox, int]]:
    """A mail server that asks for no password, and its port."""
    box = Mailbox()
    controller = Controller(box, hostname="127.0.0.1", port=free_tcp_port)
    controller.start()
    yield box, free_tcp_port
    controller.stop()


@pytest.fixture
def hook() -> Iterator[tuple[list[dict[str, Any]], str, list[int]]]:
    """A webhook: what it got, its address, and the status that it answers with."""
    posts: list[dict[str, Any]] = []
    status = [200]

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if status[0] == 200:
                posts.append(json.loads(body))
            self.send_response(status[0])
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=http.serve_forever, args=(0.02,), daemon=True).start()
    yield posts, f"json://127.0.0.1:{http.server_address[1]}/a-secret-token", status
    http.shutdown()
    http.server_close()


@pytest.fixture
def state(tmp_path: Path) -> Iterator[State]:
    """An empty state database."""
    opened = open_state(load_settings(), tmp_path)
    yield opened
    opened.close()


def delivery(**over: Any) -> Delivery:
    """Settings of delivery."""
    return Delivery(**(load_settings().delivery.model_dump() | over))


def by_mail(port: int, **over: Any) -> Delivery:
    """Settings that send through the mail server of a test."""
    settings = {
        "smtp_host": "127.0.0.1", "smtp_port": port, "smtp_security": "none", "sender": "Lacuna <lacuna@shop.example>",
        "managers": ["boss@shop.example"], "timeout_seconds": 5.0,
    }  # fmt: skip
    return delivery(**(settings | over))


def row(rank: int, status: str, owner: str | None, **changes: Any) -> dict[str, Any]:
    """A gap as it stands now."""
    return BACKLOG_ROW | {
        "gap_id": f"g-{rank}", "rank": rank, "kind": "missing", "status": status, "title": f"Title {rank}",
        "owner_id": owner, "owner_name": owner and owner.upper(), "conversations": 10, "weekly_rate": 2.5,
        "reasons": [f"reason {rank}"], "status_note": "", "draft": f"drafts/x/g-{rank}.md",
        "falls_due": None, "overdue": 0, "escalated": False, **changes,
    }  # fmt: skip


ROWS = [
    row(1, "new", "o-1"), row(2, "open", "o-1", falls_due="2024-06-20", overdue=3), row(3, "published", "o-1"),
    row(4, "reopened", "o-2", status_note="it came back"), row(5, "new", None), row(6, "dismissed", "o-2"),
    row(7, "drafting", "o-2", falls_due="2024-07-20"), row(8, "verified", "o-3"),
]  # fmt: skip


def messages_of(rows: list[dict[str, Any]] = ROWS, board: str = "") -> dict[str, Message]:
    """The messages by recipient."""
    return {message.recipient: message for message in digests(rows, "2024-06-30", PEOPLE, board)}


def states(outcomes: list[Outcome]) -> list[tuple[str, str]]:
    """Who, and what became of it."""
    return [(item.message.recipient, item.state) for item in outcomes]


def test_each_owner_gets_own_gaps_and_the_managers_the_week() -> None:
    """One message an owner with gaps that wait, none for what is done; unowned gaps go to the managers."""
    messages = messages_of()
    assert list(messages) == [MANAGERS, "o-1", "o-2"]
    text = messages["o-1"].text
    for heading in ("Overdue", "New this week", "Published, waiting to be verified"):
        assert heading in text
    assert text.index("Title 2") < text.index("Title 1") < text.index("Title 3")
    assert "reason 1" in text
    assert "due 2024-06-20" in text
    assert "drafts/x/g-1.md" in text
    assert "Title 4" not in text
    assert "it came back" in messages["o-2"].text
    assert "Still open" in messages["o-2"].text
    assert "Title 6" not in messages["o-2"].text
    assert re.search(r"Nobody owns these\n-+\n5\. Title 5", messages[MANAGERS].text)
    assert "Title 7" not in messages[MANAGERS].text
    assert "owner O-2" in messages[MANAGERS].text


def test_what_is_overdue_for_long_goes_to_the_managers_first() -> None:
    """Owner and managers both read it, with the days; for the managers it stands before what is new."""
    late = row(2, "accepted", "o-1", falls_due="2024-06-01", overdue=29, escalated=True)
    messages = messages_of([row(1, "new", "o-2"), late])
    assert "due 2024-06-01, 29 days overdue" in messages["o-1"].text
    managers = messages[MANAGERS].text
    assert managers.index("Overdue for so long that the managers are told") < managers.index("Title 2")
    assert managers.index("Title 2") < managers.index("Title 1")


def test_what_is_too_small_is_asked_of_nobody() -> None:
    """The managers read how many there are; an owner with nothing else gets no message."""
    rows = [row(1, "new", "o-1"), row(2, "open", "o-2", too_small=True), row(3, "drafting", "o-1", too_small=True)]
    messages = messages_of(rows)
    assert list(messages) == [MANAGERS, "o-1"]
    assert "2 gaps wait in the run of 2024-06-30" in messages[MANAGERS].text
    assert "1 gap is too small to act on: it would avoid less than one human-handled" in messages[MANAGERS].text
    assert ("Title 2" in messages[MANAGERS].text, "Title 3" in messages["o-1"].text) == (False, True)


def test_a_first_run_calls_nothing_new_this_week() -> None:
    """Where no run was published before, what is new is new in this first run."""
    for run, heading in (({"previous_run": None}, "New in this first run"), ({"previous_run": "x"}, "New this week")):
        (_, own) = digests([row(1, "new", "o-1")], "2024-06-30", PEOPLE, run=run)
        assert f"\n{heading}\n" in own.text


def test_a_run_without_a_gap_tells_the_managers_why() -> None:
    """Where nothing was found the managers alone hear of it, with the reason; without one nobody does."""
    (message,) = digests([], "2024-06-30", PEOPLE, no_gap="Too few conversations failed: 3 of 90.")
    assert message.recipient == MANAGERS
    assert message.subject == "Knowledge gaps: the week of 2024-06-30, no gap was found"
    assert "No gap was found in the run of 2024-06-30. Too few conversations failed: 3 of 90." in message.text
    assert "3 of 90" in message.html
    assert digests([], "2024-06-30", PEOPLE) == []


def test_links_lead_to_the_board_where_there_is_one() -> None:
    """Each gap has its link, whatever its id; without a board there is none."""
    odd = messages_of([row(1, "new", "o-1", gap_id="g/1?x=<b>")], "https://gaps.example/")
    assert "https://gaps.example/gaps/g%2F1%3Fx%3D%3Cb%3E" in odd["o-1"].text
    assert 'href="https://gaps.example/gaps/g%2F1%3Fx%3D%3Cb%3E"' in odd["o-1"].html
    assert "href" not in messages_of()["o-1"].html


class Tags(HTMLParser):
    """Collects tags and attributes."""

    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element and its attributes."""
        self.names |= {tag, *(name for name, _ in attrs)}


@pytest.mark.parametrize("trick", ["<script>x</script>\"'", "a\r\nBcc: all@evil.example\r\n\r\nbody", "{{ 7*7 }}‮x"])
def test_tricks_in_titles_reach_nobody(mailbox: tuple[Mailbox, int], state: State, trick: str) -> None:
    """HTML, header and template tricks arrive as text; nobody else gets a copy."""
    box, port = mailbox
    rows = [row(1, "new", "o-1", title=trick, status_note=trick, owner_name=trick, draft=trick)]
    messages = digests(rows, "2024-06-30", PEOPLE, "", trick)
    deliver(messages, "2024-06-30", PEOPLE, by_mail(port), state, send=True)
    assert box.to == ["boss@shop.example", "ana@shop.example"]
    for mail in box.mails:
        assert mail["Bcc"] is None
        html = mail.get_body(("html",))
        assert html is not None
        tags = Tags()
        tags.feed(html.get_content())
        assert tags.names <= {"html", "lang", "body", "style", "p", "h2", "ul", "li", "br", "span", "strong", "code"}
        assert "49" not in html.get_content()
        text = mail.get_body(("plain",))
        assert text is not None
        assert "‮" not in text.get_content()


def test_nothing_is_sent_unless_told(mailbox: tuple[Mailbox, int], state: State) -> None:
    """The dry run says who would get it, sends nothing, and remembers nothing."""
    box, port = mailbox
    for _ in range(2):
        outcomes = deliver(list(messages_of().values()), "2024-06-30", PEOPLE, by_mail(port), state)
        assert states(outcomes) == [(MANAGERS, "would be sent"), ("o-1", "would be sent"), ("o-2", "would be sent")]
    assert box.mails == []


def test_a_digest_goes_once_to_each_recipient(mailbox: tuple[Mailbox, int], state: State) -> None:
    """Text and HTML arrive, a second call sends nothing, and the next run's digest goes out again."""
    box, port = mailbox
    messages = list(messages_of().values())
    assert {s for _, s in states(deliver(messages, "2024-06-30", PEOPLE, by_mail(port), state, True))} == {"sent"}
    assert box.to == ["boss@shop.example", "ana@shop.example", "ben@shop.example"]
    first = box.mails[1]
    assert first.get_content_type() == "multipart/alternative"
    assert [part.get_content_type() for part in first.iter_parts()] == ["text/plain", "text/html"]
    assert first["From"] == "Lacuna <lacuna@shop.example>"
    again = deliver(messages, "2024-06-30", PEOPLE, by_mail(port), state, True)
    assert {s for _, s in states(again)} == {"sent before"}
    assert len(box.mails) == 3
    deliver(messages, "2024-07-07", PEOPLE, by_mail(port), state, True)
    assert len(box.mails) == 6


def test_a_message_that_goes_twice_has_one_id(mailbox: tuple[Mailbox, int], state: State) -> None:
    """A process that is killed before it records a message sends it again; each message has an id of its own."""
    box, port = mailbox
    messages = list(messages_of().values())
    for run_id in ("2024-06-30", "another"):
        deliver(messages, run_id, PEOPLE, by_mail(port), state, True)
    ids = [str(mail["Message-ID"]) for mail in box.mails]
    assert ids[:3] == ids[3:]
    assert len(set(ids)) == 3


def test_nothing_goes_that_could_not_be_recorded(mailbox: tuple[Mailbox, int], state: State) -> None:
    """Whether it can be is asked before each message."""
    box, port = mailbox
    asked: list[int] = []

    def ready() -> None:
        asked.append(len(box.mails))
        if len(asked) == 3:
            raise StoreUnusable("the disk is full", "make room")

    with pytest.raises(StoreUnusable):
        deliver(list(messages_of().values()), "2024-06-30", PEOPLE, by_mail(port), state, True, ready)
    assert (asked, len(box.mails)) == ([0, 1, 2], 2)


def test_two_processes_do_not_send_one_digest_at_once(tmp_path: Path) -> None:
    """The second is told so; to look at what would be sent is free."""
    publish(tmp_path)
    with lease_holder(tmp_path, "digest/2024-06-30"):
        with pytest.raises(StoreUnusable, match="another run holds 'digest/2024-06-30'"):
            send_digest(tmp_path, load_settings(), send=True)
        send_digest(tmp_path, load_settings())


def test_one_failure_stops_nobody_and_is_all_that_is_tried_again(mailbox: tuple[Mailbox, int], state: State) -> None:
    """A refused recipient is told with the server's words; the retry sends that message alone."""
    box, port = mailbox
    box.refused = {"ana@shop.example"}
    messages = list(messages_of().values())
    outcomes = deliver(messages, "2024-06-30", PEOPLE, by_mail(port), state, True)
    assert states(outcomes) == [(MANAGERS, "sent"), ("o-1", "failed"), ("o-2", "sent")]
    assert "no such box" in outcomes[1].why
    box.refused = set()
    outcomes = deliver(messages, "2024-06-30", PEOPLE, by_mail(port), state, True)
    assert states(outcomes) == [(MANAGERS, "sent before"), ("o-1", "sent"), ("o-2", "sent before")]
    assert box.to == ["boss@shop.example", "ben@shop.example", "ana@shop.example"]


def test_a_mail_server_that_is_down_is_tried_once_and_chat_still_goes(
    hook: tuple[list[dict[str, Any]], str, list[int]], state: State
) -> None:
    """Mail fails for all with the reason; the webhook gets its messages, and only mail is left for the retry."""
    posts, url, _ = hook
    settings = by_mail(9, chat=[f"managers {url}", f"owners {url}"])
    outcomes = deliver(list(messages_of().values()), "2024-06-30", PEOPLE, settings, state, True)
    assert [outcome.state for outcome in outcomes] == ["failed", "sent"] * 3
    assert "not reached" in outcomes[0].why
    assert len(posts) == 3
    outcomes = deliver(list(messages_of().values()), "2024-06-30", PEOPLE, settings, state, True)
    assert [outcome.state for outcome in outcomes] == ["failed", "sent before"] * 3
    assert len(posts) == 3


def test_the_webhook_gets_who_it_is_for(
    hook: tuple[list[dict[str, Any]], str, list[int]], state: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An entry for one owner, from the environment, gets that owner's message; a failing hook is told without token."""
    posts, url, status = hook
    monkeypatch.setenv("CHAT_OF_A_TEST", f"\no-2 {url}\n")
    settings = delivery(chat_env="CHAT_OF_A_TEST")
    status[0] = 500
    outcomes = deliver(list(messages_of().values()), "2024-06-30", PEOPLE, settings, state, True)
    assert states(outcomes) == [(MANAGERS, "can't be sent"), ("o-1", "can't be sent"), ("o-2", "failed")]
    assert "a-secret-token" not in str(outcomes[2].why) + outcomes[2].channel.shown  # type: ignore[union-attr]
    status[0] = 200
    assert states(deliver(list(messages_of().values()), "2024-06-30", PEOPLE, settings, state, True))[2][1] == "sent"
    assert [message["title"] for message in posts] == [messages_of()["o-2"].subject]
    assert "Title 4" in posts[0]["message"]


def test_a_password_comes_from_the_environment(
    state: State, monkeypatch: pytest.MonkeyPatch, free_tcp_port: int
) -> None:
    """Signed in with the right password mail goes out; with a wrong one everybody is told why, without the password."""
    box = Mailbox()

    def authenticate(server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
        right = isinstance(data, LoginPassword) and data.password == b"right"
        return AuthResult(success=right, handled=right)

    controller = Controller(
        box,
        hostname="127.0.0.1",
        port=free_tcp_port,
        authenticator=authenticate,
        auth_required=True,
        auth_require_tls=False,
    )
    controller.start()
    try:
        settings = by_mail(free_tcp_port, smtp_user="lacuna", smtp_password_env="PASSWORD_OF_A_TEST")
        monkeypatch.setenv("PASSWORD_OF_A_TEST", "wrong-secret")
        outcomes = deliver(list(messages_of().values()), "2024-06-30", PEOPLE, settings, state, True)
        assert {outcome.state for outcome in outcomes} == {"failed"}
        assert "PASSWORD_OF_A_TEST" in outcomes[0].why
        assert "wrong-secret" not in outcomes[0].why
        monkeypatch.setenv("PASSWORD_OF_A_TEST", "right")
        assert {
            s for _, s in states(deliver(list(messages_of().values()), "2024-06-30", PEOPLE, settings, state, True))
        } == {"sent"}
    finally:
        controller.stop()
    assert len(box.mails) == 3


@pytest.mark.parametrize(
    ("over", "problem"),
    [
        ({"smtp_host": "mail.example", "sender": ""}, "sender"),
        ({"smtp_host": "mail.example", "sender": "no address"}, "sender"),
    ],
)
def test_settings_that_can_t_send_are_an_error_before_anything_goes(
    state: State, over: dict[str, Any], problem: str
) -> None:
    """A missing sender is named with its remedy, in a dry run as well."""
    with pytest.raises(SettingsInvalid, match=problem):
        deliver(list(messages_of().values()), "2024-06-30", PEOPLE, delivery(**over), state)


def test_a_wrong_entry_in_the_environment_is_named(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    """An address without who it is for is no entry, and its token is not printed."""
    monkeypatch.setenv("CHAT_OF_A_TEST", "slack://tokenA/tokenB")
    with pytest.raises(SettingsInvalid) as caught:
        deliver([], "2024-06-30", PEOPLE, delivery(chat_env="CHAT_OF_A_TEST"), state)
    assert "tokenB" not in str(caught.value)


def test_tokens_are_not_written_into_a_run() -> None:
    """What a run keeps of its settings shows that there is a chat, and nothing that lets anybody write there."""
    settings = load_settings()
    with_chat = settings.model_copy(update={"delivery": delivery(chat=["managers slack://tokenA/tokenB"])})
    assert with_chat.public()["delivery"]["chat"] == ["managers slack://…"]


def test_an_owner_without_an_address_is_told_of(state: State, mailbox: tuple[Mailbox, int]) -> None:
    """Nobody is left out in silence."""
    _, port = mailbox
    outcomes = deliver(list(messages_of().values()), "2024-06-30", {}, by_mail(port), state, True)
    assert states(outcomes)[1:] == [("o-1", "can't be sent"), ("o-2", "can't be sent")]


def test_the_command_prints_then_sends_then_has_nothing_to_do(
    tmp_path: Path, mailbox: tuple[Mailbox, int], hook: tuple[list[dict[str, Any]], str, list[int]]
) -> None:
    """`lacuna digest` shows what would be sent; with --send it goes out; again it says that it went before."""
    box, port = mailbox
    _, url, _ = hook
    store = tmp_path / "store"
    publish(store)
    owners = sample_run.sample_run().owners
    assert owners is not None
    state = open_state(load_settings(), store)
    remember_contacts(state, owners.assign(email="ana@shop.example"))
    state.close()
    config = tmp_path / "ours.toml"
    config.write_text(
        f'[delivery]\nsmtp_host = "127.0.0.1"\nsmtp_port = {port}\nsmtp_security = "none"\n'
        f'sender = "lacuna@shop.example"\nchat = ["managers {url}"]\n',
        encoding="utf-8",
    )
    call = ["digest", "--store", str(store), "--config", str(config), "--owner", "o-ana"]
    dry_run = CliRunner().invoke(app, call)
    assert dry_run.exit_code == 0, dry_run.output
    assert "would be sent" in dry_run.output
    assert "Subject:" in dry_run.output
    assert box.mails == []
    assert CliRunner().invoke(app, [*call, "--send"]).exit_code == 0
    assert len(box.mails) == 1
    assert "1 sent before" in CliRunner().invoke(app, [*call, "--send"]).output
    assert "due 20" in dry_run.output, "gaps fall due by [review], though nobody set a day"
    everybody = CliRunner().invoke(app, [*call[:5]])
    assert "managers by chat to json://…: would be sent" in everybody.output
    assert "a-secret-token" not in everybody.output
    box.refused = {"ana@shop.example"}
    failed = CliRunner().invoke(app, [*call[:5], "--send"])
    assert failed.exit_code == 2
    assert "no such box" in failed.output
    assert isinstance(CliRunner().invoke(app, [*call[:5], "--owner", "nobody"]).exception, Exception)


def test_the_schedule_sends_what_the_command_sends_and_again_only_what_failed(
    tmp_path: Path, mailbox: tuple[Mailbox, int], caplog: pytest.LogCaptureFixture
) -> None:
    """A dry run logs who would be told, without a body; what fails is an error, after which only that is sent."""
    box, port = mailbox
    store = tmp_path / "store"
    publish(store)
    owners = sample_run.sample_run().owners
    assert owners is not None
    state = open_state(load_settings(), store)
    remember_contacts(state, owners.assign(email=owners["owner_id"] + "@shop.example"))
    state.close()
    config = tmp_path / "ours.toml"
    config.write_text(
        f'[delivery]\nsmtp_host = "127.0.0.1"\nsmtp_port = {port}\nsmtp_security = "none"\n'
        f'sender = "lacuna@shop.example"\nmanagers = ["boss@shop.example"]\n',
        encoding="utf-8",
    )
    job = {"bundle": "b", "store": str(store), "start": "2024-06-03", "end": "2024-06-30", "config": str(config)}
    caplog.set_level("INFO")
    send_scheduled(job, send=False)
    assert box.mails == []
    assert "o-ana by email to o-ana@shop.example: would be sent" in caplog.text
    assert "would be sent. Nothing was sent: it was a dry run." in caplog.text
    assert not any(title in caplog.text for title in sample_run.sample_run().backlog["title"])
    box.refused = {"boss@shop.example"}
    with pytest.raises(NotDelivered, match=r"^1 of \d+ messages of the digest did not go out"):
        send_scheduled(job, send=True)
    assert "managers by email to boss@shop.example: failed: refused: 550 no such box" in caplog.text
    sent = len(box.mails)
    assert "o-ana@shop.example" in box.to
    box.refused = set()
    for _ in range(2):
        send_scheduled(job, send=True)
    assert box.to[sent:] == ["boss@shop.example"]
