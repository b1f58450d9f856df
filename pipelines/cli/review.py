"""`lacuna review` and `lacuna token`: the review board, and who may use it."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from lacuna.data_contracts.errors import SettingsInvalid
from lacuna.pipelines.cli.options import Config, Store, err, out
from lacuna.pipelines.presentation.terminal import write

__all__ = ["review", "token"]


def review(
    store: Store,
    host: Annotated[str, typer.Option(metavar="ADDRESS", help="Where to listen.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="On which port.")] = 8765,
    who: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Who decides where nobody signs in; default: $LACUNA_USER or login."),
    ] = None,
    minutes: Annotated[
        str | None,
        typer.Option(
            metavar="SINCE",
            help="Print minutes as Markdown instead: of the `last` meeting, or of all that was decided since a day or "
            "a moment (UTC) such as 2024-07-01T14:00.",
        ),
    ] = None,
    config: Config = None,
) -> None:
    """Open the review board: the backlog in a browser, to be triaged, written from and tagged.

    It is for this machine alone unless people sign in; `lacuna token` lets them. Runs may publish meanwhile. The key
    `m` opens the review meeting.

    For example:

    `lacuna review --store store`

    `lacuna review --store store --host 0.0.0.0 --config ours.toml`

    `lacuna review --store store --minutes last > minutes.md`
    """
    if minutes is not None:
        _print_minutes(store, minutes, config)
        return
    from lacuna.pipelines.board import serve
    from lacuna.pipelines.gaps.decisions import whoami
    from lacuna.pipelines.settings import load_settings

    def ready() -> None:
        printed = f"[{host}]" if ":" in host else host
        err.print(f"The board is on http://{printed}:{port} until you stop it with Ctrl-C.", highlight=False)

    serve(store, load_settings(config), host, port, whoami(who), ready)


def _print_minutes(store: Path, since: str, config: str | None) -> None:
    from lacuna.pipelines.gaps.minutes import minutes_since
    from lacuna.pipelines.io.runs import find_run
    from lacuna.pipelines.settings import load_settings
    from lacuna.pipelines.state.dead_runs import open_store

    find_run(store)
    settings = load_settings(config)
    with open_store(settings, store) as state:
        write(sys.stdout, minutes_since(store, state, settings, since))


def token(
    name: Annotated[str, typer.Option(metavar="NAME", help="Whose it is; decisions carry this name.")],
    role: Annotated[
        str, typer.Option(help="viewer (reads), writer (accepts, drafts, publishes own gaps, tags), manager.")
    ],
    owner: Annotated[str | None, typer.Option(metavar="OWNER", help="The owner_id whose gaps are theirs.")] = None,
) -> None:
    """Make a token for the review board, and the entry that goes into the file of `[board] people`.

    The token is shown once and stored nowhere; the entry holds its hash alone. Behind a sign-in proxy
    (`[board] proxy_header`) write login = "…" in place of the hash.

    For example:

    `lacuna token --name "Ana Pereira" --role writer --owner o-ana >> people.toml`
    """
    from lacuna.pipelines.board.roles import ROLES, hashed, new_token

    if role not in ROLES:
        raise SettingsInvalid(f"there is no role '{role}'", f"choose one of {', '.join(ROLES)}")
    if role == "writer" and not owner:
        problem = f"{name} can tag and nothing else: a writer accepts, drafts and publishes the gaps of an owner."
        remedy = 'say whose they are with --owner OWNER_ID, or add owner = "…" to the entry'
        err.print(f"{problem}\n  → {remedy}", highlight=False, soft_wrap=True, markup=False)
    made = new_token()
    err.print(f"token for {name}: {made}", highlight=False, soft_wrap=True, markup=False)
    lines = ["[[people]]", f"name = {json.dumps(name)}", f'role = "{role}"']
    lines += [f"owner = {json.dumps(owner)}"] if owner else []
    out.print(
        "\n".join([*lines, f'token_sha256 = "{hashed(made)}"', ""]), highlight=False, markup=False, soft_wrap=True
    )
