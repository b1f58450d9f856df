"""A bundle in a vendor's words, read as the settings say: columns, words and times."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from lacuna.data_contracts.errors import BundleUnreadable, SettingsInvalid
from lacuna.pipelines.settings import load_settings
from lacuna.pipelines.steps.load.step import CheckResult, check_bundle
from tests.support.bundles import CONVERSATIONS, MESSAGES, write_bundle
from tests.support.standins import Lacuna

VENDOR: dict[str, Any] = {
    "conversations": [
        {"conversation_id": c["conversation_id"], "started_at": 1717400000000 + n, "state": ["open", "closed"][n % 2]}
        for n, c in enumerate(CONVERSATIONS)
    ],
    "messages": [
        {"conversation_id": m["conversation_id"], "position": m["position"], "body": m["text"],
         "role": "user" if m["role"] == "customer" else "admin"}
        for m in MESSAGES
    ],
}  # fmt: skip
OURS = """
[input.columns.messages]
body = "text"
[input.columns.conversations]
state = "escalated"
[input.values.conversations.escalated]
open = true
closed = false
[input.values.messages.role]
user = "customer"
admin = "agent"
[input.times.conversations]
started_at = "epoch_ms"
"""


def checked(tmp_path: Path, lines: str, **files: Any) -> CheckResult:
    (tmp_path / "ours.toml").write_text(lines, encoding="utf-8")
    settings = load_settings(str(tmp_path / "ours.toml"))
    return check_bundle(write_bundle(tmp_path / "b", **(files or VENDOR)), mapped=settings.input)


def test_a_declared_mapping_reads_a_vendors_export(tmp_path: Path) -> None:
    """Columns, words and numbers become the contract's."""
    result = checked(tmp_path, OURS)
    assert result.ok, (result.problems, result.findings)
    assert result.warnings == ()


def test_words_are_never_guessed(tmp_path: Path) -> None:
    """Without a mapping the roles found are named with their counts, and the lines that are missing are printed."""
    lines = OURS.replace('user = "customer"\nadmin = "agent"\n', "").replace("[input.values.messages.role]\n", "")
    found = next(f for f in checked(tmp_path, lines).findings if f.rule == "allowed")
    assert found.message == "role must be one of customer, bot, agent, not 'user'; found: 'user' (3), 'admin' (1)"
    said = found.remedy.split("\n", 1)[1]
    assert said.splitlines() == [
        "[input.values.messages.role]",
        'user = "?"    # customer, bot, agent',
        'admin = "?"    # customer, bot, agent',
    ]
    with pytest.raises(SettingsInvalid, match=r"messages\.role takes one of customer, bot, agent"):
        checked(tmp_path, said)


def test_check_prints_the_lines_and_reads_them(lacuna: Lacuna, tmp_path: Path) -> None:
    """What check prints, filled in and given with --config, makes check content."""
    bundle = write_bundle(tmp_path / "b", messages=[{**m, "role": f"{m['role']} user"} for m in MESSAGES])
    code, told, _ = lacuna("check", bundle)
    assert code == 1
    start = told.index("[input.values.messages.role]")
    lines = told[start : told.index("\n\n", start) if "\n\n" in told[start:] else None].splitlines()[:3]
    filled = [line.replace('"?"', f'"{line.split()[0][1:]}"') for line in lines]
    (tmp_path / "ours.toml").write_text("\n".join(filled), encoding="utf-8")
    assert lacuna("check", bundle, "--config", str(tmp_path / "ours.toml"))[0] == 0


@pytest.mark.parametrize(
    ("lines", "problem"),
    [
        ('[input.values.mesages.role]\nuser = "customer"', "there is no table 'mesages'; did you mean 'messages'?"),
        ('[input.values.messages.rolle]\nuser = "customer"', "there is no column 'rolle' in messages; did you mean"),
        ('[input.columns.messages]\nbody = "txt"', "there is no column 'txt' in messages; did you mean 'text'?"),
        ('[input.times.conversations]\nstarted_at = "ms"', "takes one of epoch_s, epoch_ms"),
        ('[input.times.messages]\nrole = "epoch_s"', "messages.role holds no times"),
        ("[input.columns]\nmessages = 3", "input.columns.messages"),
        ('[input]\nfoo = "x"', "unknown setting 'input.foo'"),
    ],
)
def test_a_mistake_in_the_mapping_is_named(tmp_path: Path, lines: str, problem: str) -> None:
    """An unknown table, column or unit is an error that names it."""
    with pytest.raises(SettingsInvalid) as caught:
        checked(tmp_path, lines)
    assert problem in str(caught.value)


def test_a_mapping_of_a_column_that_is_not_there_is_told(tmp_path: Path) -> None:
    """A column that no file has is a warning; one whose new name is taken is an error."""
    result = checked(tmp_path, '[input.columns.messages]\nbody = "text"', messages=MESSAGES)
    assert result.warnings == ("[input.columns.messages] names 'body', a column that no file of the table has",)
    both = [{**m, "body": "b"} for m in MESSAGES]
    with pytest.raises(BundleUnreadable, match="has both 'body' and 'text'"):
        checked(tmp_path, '[input.columns.messages]\nbody = "text"', messages=both)
