"""Settings: every default lives, with its comment, in ``settings.toml``; a file of the user's overrides any key."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, ValidationError
from pydantic_core import PydanticCustomError

from lacuna.data_contracts.errors import SettingsInvalid
from lacuna.pipelines.io.mapping import Mapped
from lacuna.pipelines.presentation.links import is_address
from lacuna.pipelines.presentation.section import Section
from lacuna.pipelines.presentation.suggestions import similar

__all__ = ["Settings", "default_text", "load_settings"]

Share = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[float, Field(gt=0)]
Money = Annotated[float, Field(ge=0)]
Days = Annotated[int, Field(ge=0)]

# Sections whose keys are the user's own names: only what they lead to is checked, of sources when one is used.
_OPEN = ("input.columns", "input.values", "input.times", "sources", "push")


class Run(Section):
    """What every step shares."""

    seed: Annotated[int, Field(ge=0, lt=2**32)]


class Window(Section):
    """The days that a run looks at."""

    days: Annotated[int, Field(ge=1, le=3660)]


class Shards(Section):
    """How a bundle is cut into parts that are worked on one at a time."""

    megabytes: Positive
    articles_at_most: Annotated[int, Field(ge=1)]
    keep_results: Annotated[int, Field(ge=0)]


class Mine(Section):
    """Which conversations are looked into."""

    escalated: bool
    misclassified: bool
    wrong: bool
    partial: bool
    no_answer: bool
    abandoned: bool


class Embedder(Section):
    """What turns questions into vectors."""

    name: str


class Topics(Section):
    """How questions are grouped."""

    min_customers: Annotated[int, Field(ge=1)]
    min_questions: Annotated[int, Field(ge=2)]
    max_distance: Annotated[float, Field(gt=0, le=2)]
    subtopic_distance: Annotated[float, Field(gt=0, le=2)]
    evidence: Positive
    nearest_at_least: Share
    same_at_least: Share
    migrate_from: str
    fit_at_most: Annotated[int, Field(ge=100)]
    unassigned_at_most: Share


class Endpoint(Section):
    """An OpenAI-compatible endpoint; an empty one asks nobody."""

    endpoint: Annotated[str, Field(pattern=r"^(https?://[^@\s]+)?$")]
    model: str
    timeout_seconds: Positive
    api_key_env: str


class Labels(Endpoint):
    """Who may propose names for topics."""


class Drafts(Endpoint):
    """Who may write out the plan of a draft, each sentence bound to its evidence."""


class Accuracy(Section):
    """How answer accuracy is estimated."""

    confidence: Annotated[float, Field(gt=0.5, lt=1)]


class Diagnosis(Section):
    """When a failing subtopic is which kind of gap."""

    excess_evidence: Annotated[float, Field(ge=0)]
    hint_evidence: Annotated[float, Field(ge=0)]
    policy_share: Share
    routing_share: Share
    routing_tags: Annotated[int, Field(ge=1)]
    cited_share: Share
    conflict_share: Share
    change_evidence: Positive
    before_at_most: Share
    after_at_least: Share
    partial_share: Share
    partial_tags: Annotated[int, Field(ge=1)]
    partial_chance: Share
    agents_share: Share
    agents_times: Annotated[int, Field(ge=1)]
    reach_at_most: Share
    answers_lead: Positive
    passed_over: float
    served_share: Share
    same_work: Share


class Owners(Section):
    """Who is asked to close a gap."""

    nearest_at_least: Share
    weeks_ahead: Positive


class Verification(Section):
    """When an article is due for somebody to look at it."""

    after_days: Annotated[int, Field(ge=1)]
    watch_days: Annotated[int, Field(ge=1)]


class Review(Section):
    """What people's decisions mean to later runs."""

    dismissed_returns_at: Annotated[float, Field(gt=1)]
    urgent_ranks: Annotated[int, Field(ge=0)]
    escalate_after_days: Days
    least_effect_a_month: Annotated[float, Field(ge=0)]
    due_days: dict[str, Days]


class Impact(Section):
    """When the effect of a fix counts."""

    before_days: Annotated[int, Field(ge=7)]
    after_days: Annotated[int, Field(ge=7)]
    least_days: Days
    least_conversations: Annotated[int, Field(ge=1)]
    drop_at_least: Annotated[float, Field(gt=0, lt=1)]
    randomise: bool


class Compare(Section):
    """What is laid side by side."""

    by: str


class Cost(Section):
    """What a human-handled conversation costs, and writing."""

    currency: Annotated[str, Field(min_length=1, max_length=8)]
    per_escalation: Money
    agent_hour: Money
    writer_hour: Money
    pays_within_weeks: Positive


class Contract(Section):
    """How much of a table may break its contract before the run fails."""

    limits: dict[str, Share]


class Privacy(Section):
    """What counts as personal data."""

    phone_regions: list[Annotated[str, Field(pattern=r"^[A-Z]{2}$")]]


class Retention(Section):
    """How long what is kept; 0 = for ever."""

    conversations_days: Days
    runs_days: Days
    cache_days: Days

    @property
    def is_set(self) -> bool:
        """Whether anything goes at all."""
        return bool(self.conversations_days or self.runs_days or self.cache_days)

    @property
    def cached_days(self) -> int:
        """How long what is cached is kept: no longer than conversations, unless something else is set; 0 = for ever."""
        return self.cache_days or self.conversations_days


class State(Section):
    """Where topics, gaps and decisions are remembered."""

    url: str
    wait_seconds: Positive
    lease_seconds: Annotated[float, Field(ge=1)]
    raw_hours: Positive


class Delivery(Section):
    """How the weekly digest reaches people."""

    board_url: Annotated[str, Field(pattern=r"^(https?://[^@\s]+)?$")]
    managers: list[Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+$")]]
    smtp_host: str
    smtp_port: Annotated[int, Field(ge=1, le=65535)]
    smtp_security: Literal["starttls", "tls", "none"]
    smtp_user: str
    smtp_password_env: str
    sender: str
    timeout_seconds: Positive
    chat: list[Annotated[str, Field(pattern=r"^\S+ \S+://\S*$")]]
    chat_env: str


def _address(url: str) -> str:
    if url and not is_address(url):
        raise PydanticCustomError(
            "conversation_url",
            "should be empty, or a percent-encoded http(s) address without a password that has {id} after its host",
        )
    return url


class Report(Section):
    """What the report is called, and where its conversations are read."""

    title: str
    company: str
    conversation_url: Annotated[str, AfterValidator(_address)]
    transcripts: Annotated[int, Field(ge=0, le=1000)]


class Board(Section):
    """Who may use the review board, and how often."""

    people: str
    proxy_header: str
    proxy_addresses: list[str]
    session_hours: Positive
    requests_a_minute: Annotated[int, Field(ge=1)]
    changes_a_minute: Annotated[int, Field(ge=1)]
    sign_ins_a_minute: Annotated[int, Field(ge=1)]
    meeting_minutes: Annotated[int, Field(ge=1, le=480)]
    meeting_gaps: Annotated[int, Field(ge=1, le=200)]


class Settings(Section):
    """All settings of a run."""

    run: Run
    sources: dict[str, dict[str, Any]]
    push: dict[str, dict[str, Any]]
    input: Mapped
    window: Window
    shards: Shards
    mine: Mine
    embedder: Embedder
    topics: Topics
    labels: Labels
    accuracy: Accuracy
    diagnosis: Diagnosis
    owners: Owners
    verification: Verification
    review: Review
    impact: Impact
    compare: Compare
    cost: Cost
    contract: Contract
    privacy: Privacy
    retention: Retention
    state: State
    report: Report
    drafts: Drafts
    delivery: Delivery
    board: Board

    def that_decide(self) -> dict[str, Any]:
        """The sections that a run's findings depend on, as plain data; they hold no password."""
        return self.model_dump(mode="json", exclude={"state", "delivery", "board", "sources", "push"})

    def with_sections(self, sections: Mapping[str, Any]) -> Settings:
        """These settings with some sections replaced, as :meth:`that_decide` gave them."""
        return Settings.model_validate(self.model_dump(mode="json") | dict(sections))

    def public(self) -> dict[str, Any]:
        """The settings as plain data, fit to be written into a run: passwords and tokens in addresses are masked."""
        dumped = self.model_dump(mode="json")
        dumped["delivery"]["chat"] = [f"{entry.split('://')[0]}://…" for entry in dumped["delivery"]["chat"]]
        if dumped["state"]["url"]:
            from sqlalchemy.engine import make_url

            dumped["state"]["url"] = make_url(dumped["state"]["url"]).render_as_string(hide_password=True)
        return dumped


def default_text() -> str:
    """The commented file with every default, as shipped."""
    return files("lacuna.pipelines").joinpath("settings.toml").read_text(encoding="utf-8")


def load_settings(config: str | None = None) -> Settings:
    """Return the defaults, with the keys of ``config`` put over them.

    Parameters
    ----------
    config
        Path of a TOML file, or None for the defaults alone.

    Raises
    ------
    SettingsInvalid
        The file can't be read or is no TOML; a key is unknown; a value has the wrong type or is out of range.
    """
    tree = tomllib.loads(default_text())
    where = "settings"
    if config is not None:
        where = str(config)
        _merge(tree, _read(Path(config)), where)
    try:
        return Settings.model_validate(tree)
    except ValidationError as error:
        raise _as_invalid(error, where) from None


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise SettingsInvalid(
            f"settings file {path} can't be read: {error.strerror}",
            "check the path given with --config; `lacuna settings` prints a file to start from",
        ) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsInvalid(
            f"settings file {path} is not valid TOML: {error}",
            "compare it with the output of `lacuna settings`; text needs quotes, and the file must be UTF-8",
        ) from None


def _merge(into: dict[str, Any], over: Mapping[str, Any], where: str, inside: tuple[str, ...] = ()) -> None:
    for key, value in over.items():
        path = (*inside, key)
        name = ".".join(path)
        if name in _OPEN and isinstance(value, Mapping):
            into[key] = value
            continue
        if key not in into:
            raise SettingsInvalid(f"{where}: unknown setting '{name}'", _suggest(key, into, inside))
        if isinstance(into[key], dict):
            if not isinstance(value, Mapping):
                raise SettingsInvalid(
                    f"{where}: '{name}' is a section, not a value (got {value!r})",
                    f"write [{name}] on a line of its own and its keys below",
                )
            _merge(into[key], value, where, path)
        else:
            into[key] = value


def _suggest(key: str, fields: Mapping[str, Any], inside: tuple[str, ...]) -> str:
    elsewhere = [f"{section}.{key}" for section, keys in tomllib.loads(default_text()).items() if key in keys]
    if elsewhere:
        return f"did you mean '{elsewhere[0]}'?"
    close = similar(key, fields)
    if close:
        return f"did you mean '{'.'.join((*inside, close[0]))}'?"
    home = f"[{'.'.join(inside)}]" if inside else "the file"
    return f"{home} knows: {', '.join(sorted(fields)) or 'no key yet'}; `lacuna settings` explains each"


def _as_invalid(error: ValidationError, where: str) -> SettingsInvalid:
    first = error.errors()[0]
    name = ".".join(str(part) for part in first["loc"])
    wrong = f"{where}: '{name}' = {first['input']!r}: {first['msg'][:1].lower()}{first['msg'][1:]}"
    return SettingsInvalid(wrong, f"the default is {_default(first['loc'])}; `lacuna settings` explains it")


def _default(loc: tuple[int | str, ...]) -> str:
    value: Any = tomllib.loads(default_text())
    for part in loc:
        if not isinstance(value, dict):
            break
        value = value.get(str(part))
    return repr(value)
