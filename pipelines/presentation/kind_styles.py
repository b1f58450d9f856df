"""The colours of the kinds of gaps, as CSS."""

from __future__ import annotations

from lacuna.models.backlog.gap_kinds import GAP_KINDS

__all__ = ["kind_styles"]


def kind_styles() -> str:
    """CSS: for each kind the variables ``--<kind>`` and ``--<kind>-bg``, for light and dark pages, and its classes."""
    light = "".join(f"--{k.name}:{k.light[0]};--{k.name}-bg:{k.light[1]};" for k in GAP_KINDS.values())
    dark = "".join(f"--{k.name}:{k.dark[0]};--{k.name}-bg:{k.dark[1]};" for k in GAP_KINDS.values())
    classes = "".join(
        f".k-{name}{{color:var(--{name});background:var(--{name}-bg)}}.fill.k-{name}{{fill:var(--{name})}}\n"
        for name in GAP_KINDS
    )
    return f":root{{{light}}}\n@media (prefers-color-scheme:dark){{:root{{{dark}}}}}\n{classes}"
