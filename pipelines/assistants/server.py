"""The MCP server: :mod:`.views` as read-only tools of the Model Context Protocol, on standard input and output."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from lacuna.data_contracts.errors import LacunaError, SettingsInvalid, StoreUnusable
from lacuna.pipelines.assistants.views import NOTICE, TOKEN_ENV, Views
from lacuna.pipelines.gaps.decisions import whoami
from lacuna.pipelines.io.addresses import StorePath
from lacuna.pipelines.runtime.runner import version
from lacuna.pipelines.settings import Settings
from lacuna.pipelines.state.dead_runs import open_store

if TYPE_CHECKING:
    from mcp.server import MCPServer

__all__ = ["make_server", "serve"]

INSTRUCTIONS = (
    "Lacuna mines support conversations for knowledge gaps: what customers ask and the articles do not answer. These "
    f"tools read its latest run; none of them changes anything. {NOTICE}"
)


def make_server(views: Views) -> MCPServer[Any]:
    """The server with its tools.

    Raises
    ------
    SettingsInvalid
        The package mcp is not installed.
    """
    try:
        from mcp.server import MCPServer
        from mcp.server.mcpserver.exceptions import ToolError
        from mcp.types import ToolAnnotations
    except ImportError:
        raise SettingsInvalid(
            "the MCP server needs the package mcp, which is not installed", "pip install 'lacuna-kb[mcp]'"
        ) from None

    server: MCPServer[Any] = MCPServer(
        "lacuna", title="Lacuna", instructions=INSTRUCTIONS, version=version(), log_level="WARNING"
    )
    read_only = ToolAnnotations(
        read_only_hint=True, destructive_hint=False, idempotent_hint=True, open_world_hint=False
    )

    def answered(view: Callable[..., dict[str, Any]], *args: Any) -> dict[str, Any]:
        try:
            return view(*args)
        except LacunaError as error:
            raise ToolError(f"{error.problem}. {error.remedy}") from None

    @server.tool(annotations=read_only)
    def list_gaps(status: str = "", kind: str = "", owner: str = "", most: int = 20) -> dict[str, Any]:
        """List the knowledge gaps of the latest run by rank, as people have decided on them since.

        status: new, open, accepted, drafting, published, verified, reopened, snoozed or dismissed. kind: missing,
        stale, incomplete, contradictory or unfindable. owner: an owner_id, "-" for nobody, "me" for the reader's own.
        """
        return answered(views.list_gaps, status, kind, owner, most)

    @server.tool(annotations=read_only)
    def get_gap(gap: str) -> dict[str, Any]:
        """Read one gap by its gap_id or rank: figures, reasons, what customers wrote, and what people decided."""
        return answered(views.get_gap, gap)

    @server.tool(annotations=read_only)
    def search(text: str, most: int = 5) -> dict[str, Any]:
        """Find gaps, topics and customers' questions by meaning and by words."""
        return answered(views.search, text, most)

    @server.tool(annotations=read_only)
    def why(text: str) -> dict[str, Any]:
        """Say whether something is a gap, and why or why not, with the figures it was judged by."""
        return answered(views.why, text)

    @server.tool(annotations=read_only)
    def list_topics(text: str = "", most: int = 50) -> dict[str, Any]:
        """List what customers ask about, the largest topics first, or those nearest to a text."""
        return answered(views.list_topics, text, most)

    @server.tool(annotations=read_only)
    def kpis() -> dict[str, Any]:
        """Read the KPIs of the window: deflection, escalation, resolution, accuracy, CSAT, with their intervals."""
        return answered(views.kpis)

    return server


def serve(store: StorePath, settings: Settings) -> None:
    """Serve the tools on standard input and output until the client hangs up.

    Raises
    ------
    SettingsInvalid
        People sign in to the board, and ``$LACUNA_MCP_TOKEN`` is nobody's; or the package mcp is not installed.
    StoreUnusable
        There is no such store.
    """
    if not store.is_dir():
        raise StoreUnusable(f"there is no store {store}", f"make one with `lacuna run BUNDLE --store {store}`")
    with open_store(settings, store) as state:
        make_server(Views(store, settings, state, os.environ.get(TOKEN_ENV, ""), whoami())).run("stdio")
