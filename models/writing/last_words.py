"""Whether a customer's last words say that the problem is still there."""

from __future__ import annotations

import re

from lacuna.models.conversations.signal_phrases import SOLVED

__all__ = ["says_unsolved"]

_NOT = r"(?:n't|n’t| not| cannot)"
_STILL = re.compile(
    rf"\b(?:(?:do|does|did|is|has|have|was){_NOT} (?:\w+ )?(?:work\w*|help\w*|solved?|fixed|changed?|resolved?)"
    rf"|still (?:\w+ )?(?:do|does|did|is|are|ca|can|wo|will|has|have|could){_NOT}"
    r"|still (?:not|no|nothing|the same|broken|getting|happen\w*|fail\w*|says|shows?|there|missing|stuck|waiting)"
    r"|not (?:work\w*|helpful|solved|fixed|resolved)"
    r"|no (?:luck|change|difference|success|joy|better)|same (?:problem|issue|error|thing|result|message)"
    r"|(?:problem|issue|error) (?:is back|remains|persists|came back|comes back|again)|to no avail|in vain"
    r"|(?:already )?tried (?:that|this|it|all)(?: already)?(?: before)?[.!,]"
    r"|(?:geht|funktioniert|klappt|hilft|läuft|ging|klappte|funktionierte)(?: \w+){0,3} nicht|nicht (?:geholfen|gelöst)"
    r"|(?:immer noch|noch immer|weiterhin|nach wie vor)(?: \w+){0,2} (?:nicht|kein\w*|nichts|da|das gleiche|dasselbe)"
    r"|(?:gleiche[sr]?|selbe[sr]?) (?:problem|fehler)|dasselbe problem|keine (?:änderung|besserung)"
    r"|nichts (?:geändert|gebracht))",
    re.I,
)


def says_unsolved(text: str) -> bool:
    """Whether a message says that an answer did not help; what it says last of the matter counts.

    Examples
    --------
    >>> says_unsolved("Thanks, but it still doesn't work."), says_unsolved("It didn't work at first, it works now.")
    (True, False)
    >>> says_unsolved("Geht leider immer noch nicht"), says_unsolved("Thank you!")
    (True, False)
    """
    folded = " ".join(text.replace("’", "'").split()).lower()
    last = max((match.start() for match in _STILL.finditer(folded)), default=-1)
    if last < 0:
        return False
    kept = SOLVED.unless.sub(lambda match: " " * len(match[0]), folded) if SOLVED.unless else folded
    return all(match.start() < last for match in SOLVED.pattern.finditer(kept))
