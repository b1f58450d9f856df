"""The weekly review report: one self-contained HTML file, which loads nothing from elsewhere."""

from __future__ import annotations

import base64
import hashlib
from importlib import resources

from markupsafe import Markup

from lacuna.pipelines.presentation.kind_styles import kind_styles
from lacuna.pipelines.report.templates import template
from lacuna.pipelines.report.view import STATUSES, ReportData, build_view

__all__ = ["render_report"]

_SCRIPTS = ("report.js", "panel.js", "tree.js")


def render_report(run: ReportData) -> str:
    """Render a run as one self-contained HTML page.

    The page carries its own style, script and data; its content security policy allows only the style and the script
    with the given hashes, so that no text from a conversation can run and nothing is loaded from a network. With
    scripts turned off, the KPIs, the summary and the first rows of the backlog are still readable.

    Parameters
    ----------
    run : ReportData
        The run's tables.

    Returns
    -------
    str
        HTML; the same run gives the same text.
    """
    style = _asset("report.css") + kind_styles()
    script = "\n".join(_asset(name) for name in _SCRIPTS)
    view = build_view(run)
    return template("template.html.jinja").render(
        view,
        statuses=STATUSES,
        style=Markup(style),
        script=Markup(script),
        style_hash=_hash(style),
        script_hash=_hash(script),
        data_rows=Markup(view["rows_json"]),
        data_pages=Markup(view["pages_json"]),
    )


def _asset(name: str) -> str:
    return resources.files(__package__).joinpath(name).read_text(encoding="utf-8").replace("\r\n", "\n").strip()


def _hash(content: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(content.encode("utf-8")).digest()).decode("ascii")
