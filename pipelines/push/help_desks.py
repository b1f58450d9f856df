"""Help centers as targets: Zendesk, Intercom and Crisp. Articles are made as drafts there; only a person publishes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from pydantic import Field

from lacuna.pipelines.push.target import Draft, Remote, Target, TargetSettings
from lacuna.pipelines.sources.api import Api, BasicAuth, HeaderAuth, Refusal
from lacuna.pipelines.sources.secrets import read_secret
from lacuna.pipelines.sources.source import Address

__all__ = ["CrispTarget", "IntercomTarget", "ZendeskTarget"]


def _there(ask: Callable[[], Any]) -> Any:
    """What a request answers; None where there is no such thing."""
    try:
        return ask()
    except Refusal as refusal:
        if refusal.status in (404, 410):
            return None
        raise


class ZendeskTargetSettings(TargetSettings):
    """A section of a Zendesk help center."""

    address: Address
    user_env: str
    token_env: str
    locale: Annotated[str, Field(min_length=2)]
    section_id: Annotated[int, Field(ge=1)]
    permission_group_id: int


class ZendeskTarget(Target):
    """A section of a Zendesk help center."""

    Settings = ZendeskTargetSettings

    def __init__(self, name: str, settings: ZendeskTargetSettings) -> None:
        super().__init__(name, settings)
        self._settings = settings
        token = read_secret(name, "token_env", settings.token_env)
        auth = BasicAuth(f"{read_secret(name, 'user_env', settings.user_env)}/token", token)
        self._api = Api(name, f"{settings.address.rstrip('/')}/api/v2/help_center", auth, [token])

    def read(self, remote_id: str) -> Remote | None:
        """The article, in the locale of the settings."""
        answer = _there(lambda: self._api.get(f"{self._settings.locale}/articles/{remote_id}.json"))
        article = answer and answer["article"]
        return article and Remote(remote_id, article["html_url"], _joined(article), not article["draft"])

    def existing(self, draft: Draft) -> Remote | None:
        """The article that is labelled with the gap."""
        found = self._api.get(f"{self._settings.locale}/articles.json", {"label_names": draft.gap_id})["articles"]
        return self.read(str(found[0]["id"])) if found else None

    def create(self, draft: Draft) -> str:
        """Make a draft in the section; nobody is notified."""
        of = self._settings
        article: dict[str, Any] = {"title": draft.title, "body": draft.html, "locale": of.locale, "draft": True}
        article |= {"user_segment_id": None, "label_names": [draft.gap_id]}
        if of.permission_group_id:
            article["permission_group_id"] = of.permission_group_id
        body = {"article": article, "notify_subscribers": False}
        made = self._api.make(f"{of.locale}/sections/{of.section_id}/articles.json", body)
        return str(made["article"]["id"])

    def update(self, remote_id: str, draft: Draft) -> None:
        """Replace title and body of the translation; whether it is a draft stays as it is."""
        translation = {"title": draft.title, "body": draft.html}
        path = f"articles/{remote_id}/translations/{self._settings.locale}.json"
        self._api.put(path, {"translation": translation})


class IntercomTargetSettings(TargetSettings):
    """An Intercom help center."""

    address: Address
    token_env: str
    author_id: Annotated[int, Field(ge=1)]
    collection_id: int


class IntercomTarget(Target):
    """An Intercom help center."""

    Settings = IntercomTargetSettings

    def __init__(self, name: str, settings: IntercomTargetSettings) -> None:
        super().__init__(name, settings)
        self._settings = settings
        token = read_secret(name, "token_env", settings.token_env)
        auth = HeaderAuth({"Authorization": f"Bearer {token}"})
        self._api = Api(name, settings.address, auth, [token], {"Intercom-Version": "2.15"})

    def read(self, remote_id: str) -> Remote | None:
        """The article in its default language."""
        article = _there(lambda: self._api.get(f"articles/{remote_id}"))
        return article and Remote(
            remote_id, article.get("url") or "", _joined(article), article["state"] == "published"
        )

    def create(self, draft: Draft) -> str:
        """Make a draft; in a collection, where one is set."""
        of = self._settings
        body: dict[str, Any] = {"title": draft.title, "body": draft.html, "author_id": of.author_id, "state": "draft"}
        if of.collection_id:
            body |= {"parent_id": of.collection_id, "parent_type": "collection"}
        return str(self._api.make("articles", body)["id"])

    def update(self, remote_id: str, draft: Draft) -> None:
        """Replace title and body; its state is not named, so it stays."""
        self._api.put(f"articles/{remote_id}", {"title": draft.title, "body": draft.html})


class CrispTargetSettings(TargetSettings):
    """A Crisp helpdesk."""

    address: Address
    identifier_env: str
    key_env: str
    website: Annotated[str, Field(min_length=1)]
    tier: str
    locale: Annotated[str, Field(min_length=2)]


class CrispTarget(Target):
    """A Crisp helpdesk."""

    Settings = CrispTargetSettings

    def __init__(self, name: str, settings: CrispTargetSettings) -> None:
        super().__init__(name, settings)
        identifier = read_secret(name, "identifier_env", settings.identifier_env)
        key = read_secret(name, "key_env", settings.key_env)
        address = f"{settings.address.rstrip('/')}/website/{settings.website}/helpdesk/locale/{settings.locale}"
        auth, headers = BasicAuth(identifier, key), {"X-Crisp-Tier": settings.tier}
        self._api = Api(name, address, auth, [identifier, key], headers)

    def read(self, remote_id: str) -> Remote | None:
        """The article of the locale."""
        answer = _there(lambda: self._api.get(f"article/{remote_id}"))
        article = answer and answer["data"]
        if not article:
            return None
        text = f"{article['title']}\n\n{article.get('content') or ''}"
        return Remote(remote_id, article.get("url") or "", text, article["status"] == "published")

    def create(self, draft: Draft) -> str:
        """Make an article, which begins as a draft, and fill it."""
        remote_id = str(self._api.make("article", {"title": draft.title})["data"]["article_id"])
        self.update(remote_id, draft)
        return remote_id

    def update(self, remote_id: str, draft: Draft) -> None:
        """Save title and text; to publish is a request of its own, which is never made."""
        self._api.put(f"article/{remote_id}", {"title": draft.title, "content": draft.text})


def _joined(article: dict[str, Any]) -> str:
    return f"{article['title']}\n\n{article.get('body') or ''}"
