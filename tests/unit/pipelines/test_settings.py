"""Settings: every default in one commented file, any key overridden, every mistake named with its remedy."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from lacuna.data_contracts.contract import INPUTS, TABLES
from lacuna.data_contracts.errors import SettingsInvalid
from lacuna.pipelines.settings import Settings, default_text, load_settings


def test_defaults_are_valid_and_none_is_in_the_code() -> None:
    """The shipped file alone makes valid settings, and no field has a default that could contradict it."""
    load_settings()

    def fields(model: type[BaseModel]) -> list[Any]:
        inner = [f.annotation for f in model.model_fields.values() if isinstance(f.annotation, type)]
        below = [x for m in inner if issubclass(m, BaseModel) for x in fields(m)]
        return [*model.model_fields.values(), *below]

    assert all(field.is_required() for field in fields(Settings))


def test_every_key_has_a_comment() -> None:
    """Each key of the shipped file is explained on its line, or its section is."""
    explained = False
    for line in default_text().splitlines():
        if line.startswith("["):
            explained = "#" in line
        elif "=" in line and not line.lstrip().startswith("#"):
            assert explained or "#" in line, line


def test_limits_agree_with_the_contract() -> None:
    """The default limits are those that the contract's tables declare, one for every input table."""
    assert load_settings().contract.limits == {name: TABLES[name].limit for name in INPUTS}


def test_a_file_overrides_only_what_it_names(tmp_path: Path) -> None:
    """A key in the user's file wins; all others keep their default."""
    config = tmp_path / "ours.toml"
    config.write_text("[cost]\nagent_hour = 45\n[contract.limits]\nmessages = 0.5\n", encoding="utf-8")
    changed, shipped = load_settings(str(config)), load_settings()
    assert changed.cost.agent_hour == 45
    assert changed.cost.currency == shipped.cost.currency
    assert changed.contract.limits == {**shipped.contract.limits, "messages": 0.5}


def test_the_shipped_file_can_be_used_as_a_users_file(tmp_path: Path) -> None:
    """What ``lacuna settings`` prints is itself a valid file, with a byte-order mark too."""
    config = tmp_path / "ours.toml"
    config.write_text(default_text(), encoding="utf-8-sig")
    assert load_settings(str(config)) == load_settings()


@pytest.mark.parametrize(
    ("text", "problem", "remedy"),
    [
        ("[window]\ndayz = 3", "unknown setting 'window.dayz'", "did you mean 'window.days'?"),
        ("[windw]\ndays = 3", "unknown setting 'windw'", "did you mean 'window'?"),
        ("days = 3", "unknown setting 'days'", "did you mean 'window.days'?"),
        ("[contract.limits]\nmesages = 0.1", "'contract.limits.mesages'", "'contract.limits.messages'?"),
        ("[cost]\nqqq = 1", "unknown setting 'cost.qqq'", "[cost] knows: agent_hour"),
        ("[window]\ndays = 'x'", "'window.days' = 'x'", "the default is 28"),
        ("[window]\ndays = 0", "'window.days' = 0", "the default is 28"),
        ("[window]\ndays = true", "'window.days' = True", "the default is 28"),
        ("[contract.limits]\nmessages = 3", "'contract.limits.messages' = 3", "the default is 0.2"),
        ("window = 3", "'window' is a section", "[window]"),
        ("[cost]\nagent_hour = nan", "'cost.agent_hour' = nan", "the default is 32"),
        ("[report]\nconversation_url = 'https://desk.example/42'", "has {id} after its host", "the default is ''"),
        ("[report]\nconversation_url = 'javascript:x({id})'", "http(s) address", "the default is ''"),
        ("[report]\nconversation_url = 'https://{id}.example/'", "after its host", "the default is ''"),
        ("[report]\nconversation_url = 'https://ada:x@desk.example/{id}'", "without a password", "the default is ''"),
        ("[report]\nconversation_url = 'https://desk.example/a b/{id}'", "percent-encoded", "the default is ''"),
        ("[report]\nconversation_url = 7", "'report.conversation_url' = 7", "the default is ''"),
        ("[cost\n", "is not valid TOML", "lacuna settings"),
    ],
)
def test_a_mistake_is_named_with_its_remedy(tmp_path: Path, text: str, problem: str, remedy: str) -> None:
    """An unknown key, a wrong type and a value out of range each name the file, the key and what to do."""
    config = tmp_path / "ours.toml"
    config.write_text(text, encoding="utf-8")
    with pytest.raises(SettingsInvalid) as caught:
        load_settings(str(config))
    assert str(config) in caught.value.problem
    assert problem in caught.value.problem
    assert remedy in caught.value.remedy


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    """A missing settings file is an error, never silently the defaults."""
    with pytest.raises(SettingsInvalid, match=r"nope\.toml can't be read"):
        load_settings(str(tmp_path / "nope.toml"))


def test_a_password_is_not_published(tmp_path: Path) -> None:
    """What is written into a run hides the password of the database, and nothing else."""
    config = tmp_path / "ours.toml"
    config.write_text('[state]\nurl = "postgresql+psycopg://ada:geheim@db/lacuna"\n', encoding="utf-8")
    public = load_settings(str(config)).public()
    assert "geheim" not in str(public)
    assert public["state"]["url"] == "postgresql+psycopg://ada:***@db/lacuna"
    assert public["cost"] == tomllib.loads(default_text())["cost"]
