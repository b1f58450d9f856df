"""The review board: the week's backlog in a browser, for managers who triage and writers who fix.

Pages are made on the server and work without scripts; HTMX and one small script of ours add the keyboard. Every change
is a decision or a tag in the state database, where the command line and the next run read it.
"""

from __future__ import annotations

from lacuna.pipelines.board.app import make_app, serve

__all__ = ["make_app", "serve"]
